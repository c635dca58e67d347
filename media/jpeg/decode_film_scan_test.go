package jpeg

// filmScan writes the blocks of one scan.
type filmScan struct {
	*film
	first, last int
	high, low   uint
	per, blocks int // in an MCU, and so far
	restarts    int
	run         int    // blocks without coefficients
	corrections []byte // bits that follow the run
}

// block writes one block, and a restart marker before it where one is due.
func (e *filmScan) block(p *part, bx, by int, parts []part) {
	if e.interval > 0 && e.blocks > 0 && e.blocks%(e.per*e.interval) == 0 {
		e.endRun()
		e.pad()
		e.out = append(e.out, 0xff, RST0+byte(e.restarts&7))
		e.restarts++
		for i := range parts {
			parts[i].pred = 0
		}
	}
	e.blocks++
	c := p.plane.block(bx, by)
	if e.first == 0 {
		e.average(p, c)
	}
	switch {
	case e.last == 0:
	case e.high > 0:
		e.refine(c)
	default:
		e.coefficients(c)
	}
}

func (e *filmScan) average(p *part, c *block) {
	v := int32(c[0]) >> e.low
	if e.high > 0 {
		e.put(uint32(v&1), 1)
		return
	}
	e.symbol(0, size(v-p.pred), v-p.pred)
	p.pred = v
}

// shifted is a coefficient without its lower bits, towards zero.
func (e *filmScan) shifted(c *block, k int) int32 {
	return int32(c[naturalOrder[k]]) / (1 << e.low)
}

// coefficients writes them for the first time.
func (e *filmScan) coefficients(c *block) {
	zeros := 0
	for k := max(e.first, 1); k <= e.last; k++ {
		v := e.shifted(c, k)
		if v == 0 {
			zeros++
			continue
		}
		e.endRun()
		for ; zeros > 15; zeros -= 16 {
			e.symbol(1, 0xf0, 0)
		}
		e.symbol(1, byte(zeros)<<4|size(v), v)
		zeros = 0
	}
	if zeros > 0 {
		e.run++
		if e.Marker != SOF2 {
			e.endRun()
		}
	}
}

// refine writes one more bit of those that are there, and those that are new.
func (e *filmScan) refine(c *block) {
	lastNew := 0
	for k := e.first; k <= e.last; k++ {
		if v := e.shifted(c, k); v == 1 || v == -1 {
			lastNew = k
		}
	}
	zeros, pending := 0, []byte{}
	for k := e.first; k <= e.last; k++ {
		v := e.shifted(c, k)
		if v == 0 {
			zeros++
			continue
		}
		for ; zeros > 15 && k <= lastNew; zeros -= 16 {
			e.endRun()
			e.symbol(1, 0xf0, 0)
			pending = e.correct(pending)
		}
		if v > 1 || v < -1 {
			pending = append(pending, byte(max(v, -v)&1))
			continue
		}
		e.endRun()
		c := e.codes[1][byte(zeros)<<4|1]
		e.put(c.bits, c.length)
		e.put(uint32(v+1)>>1, 1)
		pending, zeros = e.correct(pending), 0
	}
	if zeros > 0 || len(pending) > 0 {
		e.run++
		e.corrections = append(e.corrections, pending...)
	}
}

// correct writes bits, and returns none.
func (e *filmScan) correct(pending []byte) []byte {
	for _, b := range pending {
		e.put(uint32(b), 1)
	}
	return pending[:0]
}

// endRun writes how many blocks had nothing more.
func (e *filmScan) endRun() {
	if e.run == 0 {
		return
	}
	n := size(int32(e.run)) - 1
	c := e.codes[1][n<<4]
	e.put(c.bits, c.length)
	e.put(uint32(e.run), int(n))
	e.run = 0
	e.corrections = e.correct(e.corrections)
}
