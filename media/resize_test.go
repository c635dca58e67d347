package media

import (
	"fmt"
	"image"
	"math"
	"slices"
	"testing"

	"github.com/lightlock/lightlock/media/jpeg"
)

// noisePlane is noise, and of extremes where contrast is full: black and white only.
func noisePlane(width, height int, extremes bool) *jpeg.Plane {
	p := &jpeg.Plane{Width: width, Height: height, Stride: width + 3, Pix: make([]byte, height*(width+3))}
	for i, v := range noise(width+3, height).Pix {
		if i%4 == 0 {
			p.Pix[i/4] = v
		}
	}
	for i, v := range p.Pix {
		if extremes {
			p.Pix[i] = byte(int8(v) >> 7)
		}
	}
	return p
}

// resizedPlainly is resize without its arithmetic.
func resizedPlainly(src *jpeg.Plane, across, down []tap) [][]float64 {
	var out [][]float64
	for _, d := range down {
		row := make([]float64, len(across))
		for i, a := range across {
			for j, v := range d.weights {
				for k, w := range a.weights {
					row[i] += float64(v) * float64(w) / (one * one) * float64(src.Row(d.first + j)[a.first+k])
				}
			}
		}
		out = append(out, row)
	}
	return out
}

func TestResize(t *testing.T) {
	for _, size := range [][4]int{
		{2, 2, 1, 1}, {1, 1, 1, 1}, {1, 40, 1, 17}, {40, 1, 39, 1}, {7, 9, 5, 8}, {8, 8, 3, 3}, {9, 7, 9, 6}, {33, 65, 32, 64},
		{100, 80, 99, 79}, {100, 80, 72, 58}, {100, 80, 40, 32}, {301, 203, 11, 7}, {15, 15, 30, 30}, {3, 3, 6, 6}, {9, 4, 36, 4},
	} {
		for _, extremes := range []bool{false, true} {
			src := noisePlane(size[0], size[1], extremes)
			across := fine().taps(0, float64(size[0]), float64(size[0]), size[2])
			down := fine().taps(0, float64(size[1])-0.25, float64(size[1])-0.25, size[3])
			got := newResizer(across, down, src.Width).resize(src)
			if got.Width != size[2] || got.Height != size[3] {
				t.Fatalf("%v: got %d x %d", size, got.Width, got.Height)
			}
			for y, row := range resizedPlainly(src, across, down) {
				for x, want := range row {
					if v := float64(got.Row(y)[x]); math.Abs(v-min(max(want, 0), 255)) > 0.53 {
						t.Fatalf("%v: at %d, %d: got %v, want %.2f", size, x, y, v, want)
					}
				}
			}
		}
	}
}

// No half of a line or of a sum becomes less than nothing, or more than fits. Where the
// negative weights of a tap are b of it, two passes go beyond black by 2*b*(1+b) of what
// there is from black to white, and lineZero is as much as that: up to a third all is well.
func TestTapsSwingLittle(t *testing.T) {
	for length := 1; length < 1000; length += 1 + length/10 {
		for n := 1; n <= 8; n++ {
			decoded := &negative{width: float64(length) * float64(n) / 8, height: float64(length)}
			decoded.Y.Width, decoded.Y.Height = ceilDiv(length*n, 8), length
			for _, covers := range []image.Point{{1, 1}, {2, 2}, {4, 4}, {1, 4}, {4, 1}} {
				for _, to := range []image.Point{full(), half()} {
					for _, width := range []int{decoded.Y.Width, decoded.Y.Width*7/9 + 1, 1} {
						across, down := decoded.taps(image.Pt(min(width, decoded.Y.Width), length), covers, to)
						for _, tap := range slices.Concat(across, down) {
							negative := int64(0)
							for _, w := range tap.weights {
								negative += min(w, 0)
							}
							if negative < -one/3 {
								t.Fatalf("%d at %d eighths, to %d: %d of %d is negative in %v", length, n, width, negative, one, tap)
							}
						}
					}
				}
			}
		}
	}
}

func TestResizeKeepsWhatIsPlain(t *testing.T) {
	for _, v := range []byte{0, 1, 127, 128, 254, 255} {
		src := jpeg.NewPlane(211, 97)
		for i := range src.Pix {
			src.Pix[i] = v
		}
		for _, n := range []int{210, 150, 100, 31, 1} {
			got := newResizer(fine().taps(0, 211, 211, n), fine().taps(0, 97, 97, min(n, 97)), 211).resize(&src)
			for i, w := range got.Pix {
				if w != v {
					t.Fatalf("%d in %d: sample %d is %d", v, n, i, w)
				}
			}
		}
	}
}

func BenchmarkResize(b *testing.B) {
	for _, row := range [][4]int{{2080, 1560, 2048, 1536}, {2304, 1728, 2048, 1536}, {3750, 2800, 2048, 1536}, {8192, 4000, 100, 50}} {
		b.Run(fmt.Sprint(row), func(b *testing.B) {
			src := noisePlane(row[0], row[1], false)
			for b.Loop() {
				across, down := fine().taps(0, float64(row[0]), float64(row[0]), row[2]), fine().taps(0, float64(row[1]), float64(row[1]), row[3])
				newResizer(across, down, src.Width).resize(src)
			}
		})
	}
}
