package media

import (
	"image"
	"image/color"
	"testing"
)

// firstPixel returns what flatten makes of the first pixel.
func firstPixel(img image.Image, head header) [3]uint16 {
	head.setSize(img.Bounds().Dx(), img.Bounds().Dy())
	s := flatten(img, &head)
	row := make([]uint16, 3*s.width)
	s.row(row, 0)
	return [3]uint16(row)
}

func TestFlatten(t *testing.T) {
	one := image.Rect(0, 0, 1, 1)
	nrgba := &image.NRGBA{Pix: []byte{255, 0, 0, 128}, Stride: 4, Rect: one}
	nothing := &image.NRGBA{Pix: []byte{9, 9, 9, 0}, Stride: 4, Rect: one}
	wideClear := &image.NRGBA64{Pix: []byte{0, 0, 0, 0, 0, 0, 0x80, 0}, Stride: 8, Rect: one}
	palette := color.Palette{color.NRGBA{0, 0, 255, 128}}
	video := &image.YCbCr{Y: []byte{235}, Cb: []byte{128}, Cr: []byte{128}, YStride: 1, CStride: 1, Rect: one}
	dark := &image.YCbCr{Y: []byte{16}, Cb: []byte{128}, Cr: []byte{128}, YStride: 1, CStride: 1, Rect: one}
	faded := &image.NYCbCrA{YCbCr: image.YCbCr{Y: []byte{0}, Cb: []byte{128}, Cr: []byte{128}, YStride: 1, CStride: 1, Rect: one}, A: []byte{51}, AStride: 1}
	rows := []struct {
		name string
		img  image.Image
		head header
		want [3]uint16
	}{
		{"gray", &image.Gray{Pix: []byte{100}, Stride: 1, Rect: one}, header{}, [3]uint16{25700, 25700, 25700}},
		{"gray, 16 bits", &image.Gray16{Pix: []byte{1, 2}, Stride: 2, Rect: one}, header{}, [3]uint16{258, 258, 258}},
		{"opaque", &image.RGBA{Pix: []byte{1, 2, 3, 255}, Stride: 4, Rect: one}, header{}, [3]uint16{257, 514, 771}},
		{"opaque, 16 bits", &image.RGBA64{Pix: []byte{0, 1, 0, 2, 0, 3, 255, 255}, Stride: 8, Rect: one}, header{}, [3]uint16{1, 2, 3}},
		{"half red", nrgba, header{}, [3]uint16{65535, 32639, 32639}},
		{"nothing", nothing, header{}, [3]uint16{65535, 65535, 65535}},
		{"half black, 16 bits", wideClear, header{}, [3]uint16{32767, 32767, 32767}},
		{"half blue in a palette", &image.Paletted{Pix: []byte{0}, Stride: 1, Rect: one, Palette: palette}, header{}, [3]uint16{32639, 32639, 65535}},
		{"an index beyond the palette", &image.Paletted{Pix: []byte{7}, Stride: 1, Rect: one, Palette: palette}, header{}, [3]uint16{0, 0, 0}},
		{"ink", &image.CMYK{Pix: []byte{255, 0, 0, 0}, Stride: 4, Rect: one}, header{}, [3]uint16{0, 65535, 65535}},
		{"ink, inverted", &image.CMYK{Pix: []byte{0, 255, 255, 255}, Stride: 4, Rect: one}, header{inverted: true}, [3]uint16{0, 65535, 65535}},
		{"white of video", video, header{studio: true}, [3]uint16{65535, 65535, 65535}},
		{"black of video", dark, header{studio: true}, [3]uint16{0, 0, 0}},
		{"a JPEG's own range", dark, header{}, [3]uint16{16 * 257, 16 * 257, 16 * 257}},
		{"a fifth of black", faded, header{}, [3]uint16{52428, 52428, 52428}},
		{"a type that no decoder makes yet", image.NewAlpha(one), header{}, [3]uint16{65535, 65535, 65535}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := firstPixel(row.img, row.head); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

// The colours of a subsampled picture lie where they belong.
func TestChromaColumns(t *testing.T) {
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio422,
		image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
	} {
		img := image.NewYCbCr(image.Rect(0, 0, 13, 7), ratio)
		for i := range img.Y {
			img.Y[i] = uint8(5 * i)
		}
		for i := range img.Cb {
			img.Cb[i], img.Cr[i] = uint8(90+11*i), uint8(160-7*i)
		}
		head := header{}
		head.setSize(13, 7)
		s := flatten(img, &head)
		row := make([]uint16, 3*13)
		for y := range 7 {
			s.row(row, y)
			for x := range 13 {
				want := flattenColor(color.RGBAModel.Convert(img.At(x, y)))
				if got := [3]uint16(row[3*x:]); near(got, want) > 257 {
					t.Fatalf("%v at %d, %d: got %v, want %v", ratio, x, y, got, want)
				}
			}
		}
	}
}

// near returns the largest difference.
func near(a, b [3]uint16) int {
	most := 0
	for c := range a {
		d := int(a[c]) - int(b[c])
		most = max(most, d, -d)
	}
	return most
}
