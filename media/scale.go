package media

import (
	"context"
	"fmt"
	"image"
	"math"
)

// scale makes a picture of the given size from the part of the sheet in cut.
// Each row of the sheet is read once, shrunk across, and kept only as long as
// rows of the result need it. The sums are whole numbers: floating point would
// round differently on different processors.
func scale(ctx context.Context, src sheet, cut region, size image.Point) (*image.RGBA, error) {
	across := taps(cut.x, cut.width, src.width, size.X)
	down := taps(cut.y, cut.height, src.height, size.Y)
	ring := newRowRing(src, across, down)
	out := image.NewRGBA(image.Rectangle{Max: size})
	for y, t := range down {
		for sy := t.first; sy < t.first+len(t.weights); sy++ {
			if err := ring.load(ctx, sy); err != nil {
				return nil, err
			}
		}
		ring.blend(out.Pix[y*out.Stride:(y+1)*out.Stride], t)
	}
	return out, nil
}

// region is a part of a sheet. Its edges may lie between pixels, so that the
// middle of a picture is the same from both sides.
type region struct{ x, y, width, height float64 }

// shrink makes the picture with its longest side at most side, never larger
// than it is.
func shrink(ctx context.Context, src sheet, side int) (*image.RGBA, error) {
	whole := region{0, 0, float64(src.width), float64(src.height)}
	return scale(ctx, src, whole, fit(src.width, src.height, side))
}

// fit returns the size of a picture within side, with its aspect kept and never
// less than one pixel.
func fit(width, height, side int) image.Point {
	longest := max(width, height)
	if longest <= side {
		return image.Pt(width, height)
	}
	part := func(n int) int { return max(1, (2*n*side+longest)/(2*longest)) }
	return image.Pt(part(width), part(height))
}

// shrinkMiddle makes the square from the middle. It is never enlarged: of a
// picture less than side high or wide it is the largest square there is.
func shrinkMiddle(ctx context.Context, src sheet, side int) (*image.RGBA, error) {
	edge := min(src.width, src.height)
	e := float64(edge)
	middle := region{(float64(src.width) - e) / 2, (float64(src.height) - e) / 2, e, e}
	return scale(ctx, src, middle, image.Pt(min(side, edge), min(side, edge)))
}

// thumbnailSource is the preview where it is at least four times as large as the
// thumbnail, which no eye can tell from the original, else the original.
func thumbnailSource(original sheet, preview *image.RGBA, side int) sheet {
	if p := sheetOf(preview); min(p.width, p.height) >= 4*side {
		return p
	}
	return original
}

// sheetOf reads a picture of ours as a sheet.
func sheetOf(img *image.RGBA) sheet {
	return sheet{img.Rect.Dx(), img.Rect.Dy(), func(dst []uint16, y int) { rgbaRow(dst, img.Pix[y*img.Stride:]) }}
}

// one is the sum of the weights of a tap.
const one = 1 << 14

// tap says which pixels of the source, from first on, make up one of the
// result, and how much of each.
type tap struct {
	first   int
	weights []int64
}

// taps spreads length pixels of a line from start on over n. The line has total
// pixels, and those beyond the cut help at its edges. Pixels are little squares:
// the centre of the first is at one half.
func taps(start, length float64, total, n int) []tap {
	step := length / float64(n)
	reach := max(step, 1)
	all := make([]tap, n)
	for i := range all {
		centre := start + (float64(i)+0.5)*step - 0.5
		first := max(int(math.Ceil(centre-2*reach)), 0)
		last := min(int(math.Floor(centre+2*reach)), total-1)
		weights := make([]float64, last-first+1)
		for j := range weights {
			weights[j] = catmullRom((float64(first+j) - centre) / reach)
		}
		all[i] = whole(first, weights)
	}
	return all
}

// whole makes the weights whole numbers whose sum is one, and drops those at
// the ends that are nothing. What rounding leaves over goes to the middle.
func whole(first int, weights []float64) tap {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	t := tap{first: first, weights: make([]int64, len(weights))}
	left := int64(one)
	for j, w := range weights {
		t.weights[j] = int64(math.Round(w / sum * one))
		left -= t.weights[j]
	}
	t.weights[len(weights)/2] += left
	for len(t.weights) > 1 && t.weights[0] == 0 {
		t.first, t.weights = t.first+1, t.weights[1:]
	}
	for len(t.weights) > 1 && t.weights[len(t.weights)-1] == 0 {
		t.weights = t.weights[:len(t.weights)-1]
	}
	return t
}

// catmullRom is the cubic of Catmull and Rom. It keeps a picture that is not
// scaled as it is, and edges crisp in one that is.
func catmullRom(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x < 1:
		return (1.5*x-2.5)*x*x + 1
	case x < 2:
		return ((-0.5*x+2.5)*x-4)*x + 2
	}
	return 0
}

// rowRing keeps the rows of the source, already shrunk across, that the rows of
// the result still need.
type rowRing struct {
	src    sheet
	across []tap
	full   []uint16
	rows   [][]int64
	next   int // the first row of the source not yet loaded
}

func newRowRing(src sheet, across, down []tap) *rowRing {
	most := 0
	for _, t := range down {
		most = max(most, len(t.weights))
	}
	r := &rowRing{src: src, across: across, full: make([]uint16, 3*src.width), rows: make([][]int64, most)}
	for i := range r.rows {
		r.rows[i] = make([]int64, 3*len(across))
	}
	return r
}

// load makes row y of the source ready. Rows are asked for from top to bottom.
func (r *rowRing) load(ctx context.Context, y int) error {
	if y < r.next {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("media: scaling: %w", err)
	}
	r.next = y + 1
	r.src.row(r.full, y)
	out := r.rows[y%len(r.rows)]
	for i, t := range r.across {
		var red, green, blue int64
		px := r.full[3*t.first : 3*(t.first+len(t.weights))]
		for j, w := range t.weights {
			p := px[3*j : 3*j+3 : 3*j+3]
			red += w * int64(p[0])
			green += w * int64(p[1])
			blue += w * int64(p[2])
		}
		o := out[3*i : 3*i+3 : 3*i+3]
		o[0], o[1], o[2] = red, green, blue
	}
	return nil
}

// blend makes one row of the result out of the loaded rows.
func (r *rowRing) blend(dst []uint8, t tap) {
	for i := range r.across {
		var sum [3]int64
		for j, w := range t.weights {
			row := r.rows[(t.first+j)%len(r.rows)]
			sum[0] += w * row[3*i]
			sum[1] += w * row[3*i+1]
			sum[2] += w * row[3*i+2]
		}
		for c, s := range sum {
			dst[4*i+c] = narrow(s)
		}
		dst[4*i+3] = 0xff
	}
}

// narrow takes a sum over both directions back to 8 bits.
func narrow(sum int64) uint8 {
	const full = 0xffff * one * one
	if sum <= 0 {
		return 0
	}
	if sum >= full {
		return 0xff
	}
	return uint8((sum/0x101 + one*one/2) / (one * one))
}
