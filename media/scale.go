package media

import (
	"image"
	"math"
)

// region is a part of a picture. Its edges may lie between pixels, so that the
// middle of a picture is the same from both sides.
type region struct{ x, y, width, height float64 }

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

// middle is the largest square there is, and its side as it is shown: it is
// never enlarged. One that is not made smaller either is cut between two pixels,
// not through them, which would blur it.
func middle(width, height, side int) (region, image.Point) {
	edge := min(width, height)
	e := float64(edge)
	cut := region{(float64(width) - e) / 2, (float64(height) - e) / 2, e, e}
	if edge <= side {
		side = edge
		cut.x, cut.y = math.Floor(cut.x), math.Floor(cut.y)
	}
	return cut, image.Pt(side, side)
}

// scaler makes a smaller picture of the rows of a larger one, as they come. It
// keeps only the few rows of the result that are not yet complete, however large
// the source is. The sums are whole numbers: floating point would round
// differently on different processors.
type scaler struct {
	channels     int
	across, down []tap
	// rows are the unfinished rows of the result, by their number modulo the
	// length; done is how many are finished.
	rows [][]int64
	done int

	line []int64  // a row of the source, shrunk across
	full []uint16 // a finished row
}

// newScaler makes a picture of the given size from the part in cut of a source of
// width x height pixels, the last of which may be less than whole ones.
func newScaler(channels int, width, height float64, cut region, size image.Point) *scaler {
	s := &scaler{
		channels: channels,
		across:   taps(cut.x, cut.width, width, size.X),
		down:     taps(cut.y, cut.height, height, size.Y),
		line:     make([]int64, channels*size.X),
		full:     make([]uint16, channels*size.X),
	}
	s.rows = make([][]int64, overlap(s.down))
	for i := range s.rows {
		s.rows[i] = make([]int64, channels*size.X)
	}
	return s
}

// overlap is how many rows of the result are in work at once.
func overlap(down []tap) int {
	most, first := 1, 0
	for i, t := range down {
		for down[first].end() <= t.first {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// wants tells whether row y of the source plays a part.
func (s *scaler) wants(y int) bool {
	return s.done < len(s.down) && y >= s.down[s.done].first
}

// columns is the range of the source's columns that play a part.
func (s *scaler) columns() (first, end int) {
	return s.across[0].first, s.across[len(s.across)-1].end()
}

// add takes row y of the source. Rows come from top to bottom, all that are
// wanted. finished is given each row of the result that this one completes; the
// row is good until it returns.
func (s *scaler) add(y int, row []uint16, finished func(y int, row []uint16)) {
	s.shrinkAcross(row)
	for i := s.done; i < len(s.down) && s.down[i].first <= y; i++ {
		t := s.down[i]
		if y >= t.end() {
			continue
		}
		addWeighted(s.rows[i%len(s.rows)], s.line, t.weights[y-t.first])
	}
	for s.done < len(s.down) && s.down[s.done].end() <= y+1 {
		sum := s.rows[s.done%len(s.rows)]
		for i, v := range sum {
			s.full[i] = narrow(v)
		}
		clear(sum)
		finished(s.done, s.full)
		s.done++
	}
}

func addWeighted(sum, line []int64, w int64) {
	line = line[:len(sum)]
	for i := range sum {
		sum[i] += w * line[i]
	}
}

// shrinkAcross makes s.line of a row of the source.
func (s *scaler) shrinkAcross(row []uint16) {
	switch s.channels {
	case 1:
		for i, t := range s.across {
			var sum int64
			px := row[t.first:t.end()]
			for j, w := range t.weights {
				sum += w * int64(px[j])
			}
			s.line[i] = sum
		}
	case 3:
		s.shrinkThree(row)
	default:
		s.shrinkMany(row)
	}
}

// shrinkThree is for red, green and blue, which nearly every photo has.
func (s *scaler) shrinkThree(row []uint16) {
	for i, t := range s.across {
		var red, green, blue int64
		px := row[3*t.first : 3*t.end()]
		for _, w := range t.weights {
			red += w * int64(px[0])
			green += w * int64(px[1])
			blue += w * int64(px[2])
			px = px[3:]
		}
		o := s.line[3*i : 3*i+3 : 3*i+3]
		o[0], o[1], o[2] = red, green, blue
	}
}

func (s *scaler) shrinkMany(row []uint16) {
	n := s.channels
	for i, t := range s.across {
		o := s.line[n*i : n*i+n]
		clear(o)
		for j, w := range t.weights {
			px := row[n*(t.first+j):][:n]
			for c := range o {
				o[c] += w * int64(px[c])
			}
		}
	}
}

// narrow takes a sum over both directions back to 16 bits.
func narrow(sum int64) uint16 {
	const full = 0xffff * one * one
	if sum <= 0 {
		return 0
	}
	if sum >= full {
		return 0xffff
	}
	return uint16((sum + one*one/2) / (one * one))
}

// one is the sum of the weights of a tap.
const (
	oneBits = 14
	one     = 1 << oneBits
)

// tap says which pixels of the source, from first on, make up one of the
// result, and how much of each.
type tap struct {
	first   int
	weights []int64
}

func (t tap) end() int { return t.first + len(t.weights) }

// at is the weight of pixel i of the source.
func (t tap) at(i int) int64 {
	if i < t.first || i >= t.end() {
		return 0
	}
	return t.weights[i-t.first]
}

// taps spreads length pixels of a line from start on over n. The line has total
// pixels, and those beyond the cut help at its edges; of the last there may be
// only a part, which counts as such where pixels are averaged. Where a picture is not
// made smaller it is a pixel like the others: what is shown between two of them does
// not depend on where the line ends. Pixels are little squares: the centre of the
// first is at one half.
func taps(start, length, total float64, n int) []tap {
	step := length / float64(n)
	reach := max(step, 1)
	all := make([]tap, n)
	for i := range all {
		centre := start + float64((float64(i)+0.5)*step) - 0.5
		first := max(int(math.Ceil(centre-2*reach)), 0)
		last := min(int(math.Floor(centre+2*reach)), int(math.Ceil(total))-1)
		weights := make([]float64, last-first+1)
		for j := range weights {
			weights[j] = catmullRom((float64(first+j) - centre) / reach)
			if step > 1 {
				weights[j] *= min(1, total-float64(first+j))
			}
		}
		all[i] = whole(first, weights)
	}
	inOrder(all)
	return all
}

// inOrder makes neither end of a tap lie before that of the one before it, as
// the weights that whole drops would let them.
func inOrder(all []tap) {
	for i := len(all) - 2; i >= 0; i-- {
		if n := all[i].first - all[i+1].first; n > 0 {
			all[i] = tap{all[i+1].first, append(make([]int64, n), all[i].weights...)}
		}
	}
	for i := range all[1:] {
		if n := all[i].end() - all[i+1].end(); n > 0 {
			all[i+1].weights = append(all[i+1].weights, make([]int64, n)...)
		}
	}
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
// scaled as it is, and edges crisp in one that is. The conversions keep
// processors that can from multiplying and adding in one step, which rounds
// differently.
func catmullRom(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x < 1:
		return float64((float64(1.5*x)-2.5)*x*x) + 1
	case x < 2:
		return float64((float64((float64(-0.5*x)+2.5)*x)-4)*x) + 2
	}
	return 0
}
