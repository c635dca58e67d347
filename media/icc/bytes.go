package icc

// packed is the way of 8-bit values through curves and a matrix. The three lights
// that a value of a channel adds to stand in one number, so that two additions make
// all three lights of a pixel. Each has laneBits, of which lightBits are for as much
// light as there is: the rest is for what is brighter than that, or less than nothing.
//
// It is nil for a matrix with numbers so large that a sum could leave its lane.
type packed [3][256]uint64

const (
	laneBits  = 21
	lightBits = 18
	lanesMask = 1<<laneBits - 1
	// laneZero is what stands for no light.
	laneZero = 1 << (laneBits - 1)
	// mostLight is how much light a sum may come to, in percent of all there is:
	// what fits and a little less, because each addend is rounded.
	mostLight = 99 * laneZero >> lightBits
)

// pack makes the tables of three curves and the matrix behind them.
func pack(curves [3]*curve, rows *[3][3]int64) *packed {
	var p packed
	for i, row := range rows {
		largest := int64(0)
		for j, factor := range row {
			largest += max(factor, -factor)
			for v := range p[j] {
				light := factor * int64(curves[j][257*v]) >> (matrixBits + 16 - lightBits - 1)
				p[j][v] += uint64((light+1)>>1) << (i * laneBits)
			}
		}
		if largest > mostLight<<matrixBits/100 {
			return nil
		}
	}
	// What stands for no light, and what rounds the bits that are left out.
	const zero = laneZero + 1<<(lightBits-17)
	for v := range p[0] {
		p[0][v] += zero | zero<<laneBits | zero<<(2*laneBits)
	}
	return &p
}

// convert is the way of a row. The two slices may be the same.
func (p *packed) convert(dst, src []uint8, encode *codes) {
	dst = dst[:len(src)]
	for len(src) >= 3 && len(dst) >= 3 {
		sum := p[0][src[0]] + p[1][src[1]] + p[2][src[2]]
		dst[0] = encode[lane(sum)]
		dst[1] = encode[lane(sum>>laneBits)]
		dst[2] = encode[lane(sum>>(2*laneBits))]
		src, dst = src[3:], dst[3:]
	}
}

// lane is the light in the lowest lane, clipped to what there is.
func lane(sum uint64) uint16 {
	v := int32(sum&lanesMask>>(lightBits-16)) - laneZero>>(lightBits-16)
	if uint32(v) > full {
		return ^uint16(v >> 31)
	}
	return uint16(v)
}

// chunk is room for whole pixels of 3 and of 4 channels in 16 bits.
type chunk [96]uint16

// widen fills the chunk, and says with how many values.
func (c *chunk) widen(src []uint8) int {
	n := min(len(src), len(c))
	for i, v := range src[:n] {
		c[i] = uint16(v) * 257
	}
	return n
}

func (e *matrix) convertBytes(dst, src []uint8) {
	if e.packed != nil {
		e.packed.convert(dst, src, e.linear.encode)
		return
	}
	var c chunk
	for len(src) > 0 {
		n := c.widen(src)
		e.convert(dst, c[:n])
		dst, src = dst[n:], src[n:]
	}
}

func (e *lut) convertBytes(dst, src []uint8) {
	var c chunk
	for len(src) > 0 {
		n := c.widen(src)
		e.convert(dst, c[:n])
		dst, src = dst[3*n/len(e.device):], src[n:]
	}
}

func (e *press) convertBytes(dst, src []uint8) {
	var c chunk
	for len(src) > 0 {
		n := c.widen(src)
		e.convert(dst, c[:n])
		dst, src = dst[3*n/4:], src[n:]
	}
}

func (e gray) convertBytes(dst, src []uint8) {
	for i, v := range src {
		code := e.encode[e.curve[uint16(v)*257]]
		d := dst[3*i : 3*i+3 : 3*i+3]
		d[0], d[1], d[2] = code, code, code
	}
}

func (identity) convertBytes(dst, src []uint8) { copy(dst, src) }
