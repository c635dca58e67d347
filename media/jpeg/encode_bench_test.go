package jpeg

import (
	"bytes"
	"image"
	stdjpeg "image/jpeg"
	"testing"

	"github.com/lightlock/lightlock/media/mediatest"
)

// preview is a camera photo of 4032 x 3024 pixels, made half as large by boxes.
func preview(b *testing.B) *image.YCbCr {
	b.Helper()
	img, err := stdjpeg.Decode(bytes.NewReader(mediatest.Photo(b, "camera/p12-pixel1.jpg")))
	if err != nil {
		b.Fatal(err)
	}
	src := img.(*image.YCbCr)
	half := image.NewYCbCr(image.Rect(0, 0, src.Rect.Dx()/2, src.Rect.Dy()/2), src.SubsampleRatio)
	halve := func(dst, src []byte, stride, from int) {
		for i := range dst {
			s := src[i/stride*2*from+i%stride*2:]
			dst[i] = byte((int(s[0]) + int(s[1]) + int(s[from]) + int(s[from+1]) + 2) / 4)
		}
	}
	halve(half.Y, src.Y, half.YStride, src.YStride)
	halve(half.Cb, src.Cb, half.CStride, src.CStride)
	halve(half.Cr, src.Cr, half.CStride, src.CStride)
	return half
}

// BenchmarkEncode encodes the preview of a camera photo, 4:2:0, in some 0.8 MB,
// beside image/jpeg, and within less than that, and an ordinary thumbnail.
func BenchmarkEncode(b *testing.B) {
	const quality = 90
	img := preview(b)
	width, height := img.Rect.Dx(), img.Rect.Dy()
	p := &Planes{
		Plane{width, height, img.YStride, img.Y},
		Plane{width / 2, height / 2, img.CStride, img.Cb}, Plane{width / 2, height / 2, img.CStride, img.Cr},
	}
	size := len(Encode(p, quality))
	b.Run("4:2:0", func(b *testing.B) {
		for b.Loop() {
			Encode(p, quality)
		}
		b.ReportMetric(float64(size), "bytes")
	})
	b.Run("4:2:0 by image/jpeg", func(b *testing.B) {
		for b.Loop() {
			if err := stdjpeg.Encode(new(bytes.Buffer), img, &stdjpeg.Options{Quality: quality}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("within three quarters", func(b *testing.B) {
		for b.Loop() {
			if data, _, err := Within(b.Context(), p, size*3/4, 40, quality); err != nil || data == nil {
				b.Fatal(err)
			}
		}
	})
	e := newEncoder(p)
	var c *coding
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			c = e.code(quality, 1<<30, true)
		}
	})
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			e.write(c)
		}
	})
	small := planesOf(paintScene(240, 240), Full)
	b.Run("thumbnail", func(b *testing.B) {
		for b.Loop() {
			Encode(small, quality)
		}
	})
}
