package media

// maxBox keeps the sum of a box, of side times side values of 16 bits, within 32
// bits.
const maxBox = 256

// boxSide is the side of the boxes that may be averaged before a picture is made
// smaller by step, so that at least keep pixels are left for each of the result.
// An average is what costs the least, and what it takes away is finer than the
// result by far.
func boxSide(step, keep float64) int {
	return min(max(int(step/keep), 1), maxBox)
}

// boxes makes one row of averages out of several rows. At the far edges a box
// may be cut.
type boxes struct {
	side, channels int
	sum            []uint32
	rows           int
	average        []uint16
}

func newBoxes(side, channels, width int) *boxes {
	return &boxes{
		side: side, channels: channels,
		sum:     make([]uint32, channels*width),
		average: make([]uint16, channels*((width+side-1)/side)),
	}
}

// add adds the part of a row that lies between two columns; first is the first
// of a box.
func (b *boxes) add(row []uint16, first, end int) {
	sum := b.sum[b.channels*first : b.channels*end]
	for i, v := range row[b.channels*first : b.channels*end] {
		sum[i] += uint32(v)
	}
	b.rows++
}

// take returns the row of averages, which is good until the next one, and begins
// anew.
func (b *boxes) take(first, end int) []uint16 {
	n := b.channels
	for at := first; at < end; at += b.side {
		stop := min(at+b.side, end)
		count := uint32((stop - at) * b.rows)
		for c := range n {
			total := count / 2
			for i := n*at + c; i < n*stop; i += n {
				total += b.sum[i]
			}
			b.average[at/b.side*n+c] = uint16(total / count)
		}
	}
	clear(b.sum[n*first : n*end])
	b.rows = 0
	return b.average
}
