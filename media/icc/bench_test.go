package icc

import (
	"math/rand/v2"
	"testing"

	"github.com/lightlock/lightlock/media/mediatest"
)

func BenchmarkConvert(b *testing.B) {
	p3 := device("RGB ", "XYZ ").colorants(p3Primaries()).tone(curv(563)).bytes()
	kinds := map[string]func() *Transform{
		"sRGB": SRGB, "gray": Gray, "inks": Inks,
		"matrix": func() *Transform { return parsed(b, p3) },
	}
	if mediatest.HavePhotos() {
		file := mediatest.Photo(b, "icc/cmyk-vipsdefault.jpg")
		kinds["table"] = func() *Transform { return parsed(b, embedded(b, file)) }
	}
	for name, transform := range kinds {
		tr := transform()
		src, dst := row(tr, 4096)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				tr.Convert(dst, src)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4096, "ns/pixel")
		})
		b.Run(name+", bytes", func(b *testing.B) {
			narrow := make([]uint8, len(src))
			for i, v := range src {
				narrow[i] = uint8(v >> 8)
			}
			for b.Loop() {
				convertBytes(tr, dst, narrow)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4096, "ns/pixel")
		})
	}
}

func BenchmarkParse(b *testing.B) {
	p3 := device("RGB ", "XYZ ").colorants(p3Primaries()).tone(para(0, 2.2), para(0, 2.3), para(0, 2.4)).bytes()
	b.Run("matrix", func(b *testing.B) {
		for b.Loop() {
			parsed(b, p3)
		}
	})
	file := mediatest.Photo(b, "icc/cmyk-vipsdefault.jpg")
	profile := embedded(b, file)
	b.Run("table", func(b *testing.B) {
		for b.Loop() {
			parsed(b, profile)
		}
	})
	b.Run("inks", func(b *testing.B) {
		for b.Loop() {
			newPress()
		}
	})
}

func parsed(b *testing.B, profile []byte) *Transform {
	b.Helper()
	tr, err := Parse(profile)
	if err != nil {
		b.Fatal(err)
	}
	return tr
}

// row is a row of colours of which each is near to the one before, as in a photo,
// and a place for what becomes of them.
func row(tr *Transform, pixels int) ([]uint16, []uint8) {
	rng := rand.New(rand.NewPCG(5, 6))
	n := tr.Channels()
	src := make([]uint16, n*pixels)
	for i := range src {
		code := 128
		if i >= n {
			code = min(max(int(src[i-n])/257+rng.IntN(17)-8, 0), 255)
		}
		src[i] = uint16(code * 257)
	}
	return src, make([]uint8, 3*pixels)
}
