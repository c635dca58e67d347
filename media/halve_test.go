package media

import (
	"image"
	"testing"
)

func TestHalve(t *testing.T) {
	for width := 1; width <= 40; width++ {
		for _, height := range []int{1, 2, 3, 8, 9} {
			for _, by := range []image.Point{{2, 2}, {2, 1}, {1, 2}} {
				for _, extremes := range []bool{false, true} {
					src := noisePlane(width, height, extremes)
					got := halve(src, by)
					if got.Width != ceilDiv(width, by.X) || got.Height != ceilDiv(height, by.Y) {
						t.Fatalf("%d x %d by %v: got %d x %d", width, height, by, got.Width, got.Height)
					}
					for y := range got.Height {
						for x, v := range got.Row(y) {
							sum, count := 0, 0
							for _, row := range [][]byte{src.Row(by.Y * y), src.Row(min(by.Y*y+by.Y, height) - 1)} {
								for _, v := range row[by.X*x : min(by.X*x+by.X, width)] {
									sum, count = sum+int(v), count+1
								}
							}
							if want := (sum + count/2) / count; int(v) != want {
								t.Fatalf("%d x %d by %v, at %d, %d: got %d, want %d", width, height, by, x, y, v, want)
							}
						}
					}
				}
			}
		}
	}
}

func BenchmarkHalve(b *testing.B) {
	src := noisePlane(2016, 1512, false)
	for b.Loop() {
		halve(src, half())
	}
}
