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

// newScaler makes a picture of one pixel for each tap across and each down.
func newScaler(channels int, across, down []tap) *scaler {
	s := &scaler{
		channels: channels,
		across:   across,
		down:     down,
		line:     make([]int64, channels*len(across)),
		full:     make([]uint16, channels*len(across)),
	}
	s.rows = make([][]int64, overlap(s.down))
	for i := range s.rows {
		s.rows[i] = make([]int64, channels*len(across))
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
func (k kernel) taps(start, length, total float64, n int) []tap {
	step := length / float64(n)
	reach := max(step, 1)
	all := make([]tap, n)
	for i := range all {
		centre := start + float64((float64(i)+0.5)*step) - 0.5
		first := max(int(math.Ceil(centre-k.lobes*reach)), 0)
		last := min(int(math.Floor(centre+k.lobes*reach)), int(math.Ceil(total))-1)
		weights := make([]float64, last-first+1)
		for j := range weights {
			weights[j] = k.at((float64(first+j) - centre) / reach)
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

// kernel says how much of a pixel goes into one of the result, by how far it is from
// its centre in pixels of the smaller of both pictures. Of those that are lobes away
// and more it is nothing. At zero it is one and at all other whole numbers nothing, so
// that a picture that is not scaled is kept as it is. The conversions in what it
// reckons keep processors that can from multiplying and adding in one step, which
// rounds differently.
type kernel struct {
	lobes float64
	at    func(x float64) float64
}

// fine is for previews: the sinc of three lobes, windowed by one, of Lanczos (Duchon,
// Lanczos filtering in one and two dimensions, 1979). It keeps edges crisp.
func fine() kernel { return kernel{3, lanczos} }

// mild is for thumbnails: the cubic of Catmull and Rom. In proportion to light the
// third lobe would be seen beside edges.
func mild() kernel { return kernel{2, catmullRom} }

// lanczos is sinc(x) * sinc(x/3), with the sine of the third of an angle only: that of
// the angle is 3*s - 4*s^3.
func lanczos(x float64) float64 {
	third := math.Abs(x) / 3
	if third < 1e-6 {
		return 1
	}
	s := sine(third)
	return s * s * (9 - float64(12*s*s)) / (9 * math.Pi * math.Pi * third * third)
}

// sine is that of x half turns, from 0 to 1, by its series up to the eleventh power:
// nine digits are right, of which weights have four.
func sine(x float64) float64 {
	x = min(x, 1-x) * math.Pi
	z := x * x
	s := 1 - float64(z*(1./110))
	s = 1 - float64(z*(1./72)*s)
	s = 1 - float64(z*(1./42)*s)
	s = 1 - float64(z*(1./20)*s)
	s = 1 - float64(z*(1./6)*s)
	return x * s
}

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
