package jpeg

import (
	"image"
	"math"
	"testing"

	"github.com/lightlock/lightlock/media/mediatest"
)

// What is reckoned is enough for everything, and not far more than noise takes.
func TestEncodeMemory(t *testing.T) {
	pictures := map[string]*image.RGBA{
		"noise": paintNoise(301, 203), "scene": paintScene(301, 203), "wide": paintNoise(6000, 9), "small": paintNoise(3, 3),
		"black and white": paint(301, 203, func(x, y int) (r, g, b uint8) {
			v := uint8(255 * ((x ^ y) & 1))
			return v, v, ^v
		}),
	}
	for name, img := range pictures {
		bySampling(t, func(t *testing.T, s Sampling) {
			p := planesOf(img, s)
			size := img.Rect.Size()
			got := mediatest.Allocated(func() { Encode(p, 100) })
			file := int64(len(Encode(p, 100)))
			most := EncodeMemory(size.X, size.Y, s, math.MaxInt)
			if got > most+2*file || name == "noise" && got < most/3 {
				t.Errorf("%s: allocated %d bytes, reckoned %d and a file of %d", name, got, most, file)
			}
			for _, part := range []int64{2, 20} {
				limit := int(file / part)
				var tries int
				got := mediatest.Allocated(func() {
					search := newSearch(p, limit, 40, 100)
					_, _, _ = search.run(t.Context())
					tries = search.tries
				})
				if most := EncodeMemory(size.X, size.Y, s, limit); got > most+int64(tries*(limit+tryMemory)) {
					t.Errorf("%s in %d: allocated %d bytes in %d tries, reckoned %d", name, limit, got, tries, most)
				}
			}
		})
	}
}

// tryMemory is what a try takes for its tables, which are garbage afterwards.
const tryMemory = 64 << 10
