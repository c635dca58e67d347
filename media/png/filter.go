package png

import "fmt"

// Filter types (W3C PNG, 9.2).
const (
	filterNone    = 0
	filterSub     = 1
	filterUp      = 2
	filterAverage = 3
	filterPaeth   = 4
)

// unfilter undoes a filter in place. above is the row before, of the same
// length, and step the distance to the byte on the left.
func unfilter(filter byte, row, above []byte, step int) error {
	switch filter {
	case filterNone:
	case filterSub:
		for i := step; i < len(row); i++ {
			row[i] += row[i-step]
		}
	case filterUp:
		above = above[:len(row)]
		for i, up := range above {
			row[i] += up
		}
	case filterAverage:
		unfilterAverage(row, above, step)
	case filterPaeth:
		unfilterPaeth(row, above, step)
	default:
		return fmt.Errorf("unknown filter %d", filter)
	}
	return nil
}

func unfilterAverage(row, above []byte, step int) {
	above = above[:len(row)]
	for i := range min(step, len(row)) {
		row[i] += above[i] / 2
	}
	for i := step; i < len(row); i++ {
		row[i] += byte((int(row[i-step]) + int(above[i])) / 2)
	}
}

// unfilterPaeth goes over the bytes of one channel after those of another: what
// is on the left then stays in a register.
func unfilterPaeth(row, above []byte, step int) {
	above = above[:len(row)]
	for first := range min(step, len(row)) {
		left, corner := 0, 0
		for i := first; i < len(row); i += step {
			up := int(above[i])
			left = (paeth(left, up, corner) + int(row[i])) & 0xff
			row[i] = byte(left)
			corner = up
		}
	}
}

// paeth returns the neighbour nearest to left + up - corner (9.4).
func paeth(left, up, corner int) int {
	toLeft, toUp := abs(up-corner), abs(left-corner)
	toCorner := abs(left + up - 2*corner)
	switch {
	case toLeft <= toUp && toLeft <= toCorner:
		return left
	case toUp <= toCorner:
		return up
	}
	return corner
}

func abs(x int) int { return max(x, -x) }
