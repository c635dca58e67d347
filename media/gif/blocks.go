package gif

import "io"

// blocks reads data that is cut into blocks, each with its length before it, up
// to the empty one, behind which it says io.EOF.
type blocks struct {
	data  []byte // from the next block's length on
	block []byte // what is left of this block
	err   error
}

// ReadByte implements io.ByteReader.
func (b *blocks) ReadByte() (byte, error) {
	if len(b.block) == 0 {
		b.next()
		if b.err != nil {
			return 0, b.err
		}
	}
	c := b.block[0]
	b.block = b.block[1:]
	return c, nil
}

// Read implements io.Reader. compress/lzw takes one, and reads bytes only.
func (b *blocks) Read(p []byte) (int, error) {
	for i := range p {
		c, err := b.ReadByte()
		if err != nil {
			return i, err
		}
		p[i] = c
	}
	return len(p), nil
}

// next goes to the next block. What is left of this one is lost. Of a block that
// is cut off, there is what there is.
func (b *blocks) next() {
	if b.err != nil {
		return
	}
	b.block = nil
	switch {
	case len(b.data) > 0 && b.data[0] == 0:
		b.err = io.EOF
	case len(b.data) < 2:
		b.err = ErrCutOff
	default:
		end := min(1+int(b.data[0]), len(b.data))
		b.block, b.data = b.data[1:end], b.data[end:]
	}
}

// finish judges what is left behind the picture as image/gif does: encoders are
// known that leave the rest of a block, or a block of one byte, and no more is
// let pass. The error is io.EOF where all is well.
func (b *blocks) finish() error {
	if len(b.block) == 0 {
		b.next()
		if len(b.block) > 1 {
			return ErrTooMuch
		}
	}
	b.next()
	if b.err == nil {
		return ErrTooMuch
	}
	return b.err
}
