package png

import "context"

// chunks reads the contents of chunks as one. It never reads over the end of
// one at once and is no io.ByteReader, so that zlib gets as much at once as
// from image/png.
//
// It ends with the context, because 25 MB of data that unfold to nothing keep
// zlib busy for seconds before the next row.
type chunks struct {
	now     []byte
	rest    [][]byte
	ctx     context.Context // of the Read that is going on
	stopped error           // the context's
}

// alive returns the error of a context that has ended.
func (c *chunks) alive() error {
	if c.stopped == nil {
		c.stopped = c.ctx.Err()
	}
	return c.stopped
}

// Read implements io.Reader.
func (c *chunks) Read(p []byte) (int, error) {
	if err := c.alive(); err != nil {
		return 0, err
	}
	for len(c.now) == 0 {
		if len(c.rest) == 0 {
			return 0, ErrCutOff
		}
		c.now, c.rest = c.rest[0], c.rest[1:]
	}
	n := copy(p, c.now)
	c.now = c.now[n:]
	return n, nil
}
