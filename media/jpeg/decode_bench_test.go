package jpeg

import (
	"bytes"
	"fmt"
	stdjpeg "image/jpeg"
	"testing"

	"github.com/lightlock/lightlock/media/mediatest"
)

// BenchmarkDecode reads rows beside image/jpeg, which brings no component to
// the picture's resolution.
func BenchmarkDecode(b *testing.B) {
	pictures := map[string][]byte{"made here": madeByStandard(b, 2000, 1500)}
	for _, name := range []string{"camera/p12-pixel1.jpg", "camera/p12-book-progressive.jpg"} {
		if mediatest.HavePhotos() {
			data := mediatest.Photo(b, name)
			pictures[name] = data
		}
	}
	for name, data := range pictures {
		b.Run(name+"/rows", func(b *testing.B) {
			for b.Loop() {
				if _, err := decodeRows(b, data); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/standard", func(b *testing.B) {
			for b.Loop() {
				if _, err := stdjpeg.Decode(bytes.NewReader(data)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReadPlanes reads camera photos at eighths of their size.
func BenchmarkReadPlanes(b *testing.B) {
	for _, name := range []string{"p12-pixel1", "p12-iphone-xs-displayp3-o6", "p8-iphone6", "p12-book-progressive", "d48-pixel-upsampled-progressive"} {
		data := mediatest.Photo(b, "camera/"+name+".jpg")
		for _, side := range []int{1, 2, 3, 4, 5, 8} {
			b.Run(fmt.Sprintf("%s/%d eighths", name, side), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					d, err := NewDecoder(data)
					if err != nil {
						b.Fatal(err)
					}
					d.Scale(side)
					if _, _, err := d.ReadPlanes(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
