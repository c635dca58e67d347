package jpeg

import (
	"bytes"
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
