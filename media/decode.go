package media

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/lightlock/lightlock/media/gif"
	"github.com/lightlock/lightlock/media/jpeg"
	"github.com/lightlock/lightlock/media/png"
)

// decoder is what decodes a picture: one of our readers, or x/image.
type decoder struct {
	// channels is how many values a pixel has, with alpha where there is alpha.
	channels int
	alpha    bool
	// memory is what decoding takes at its peak, in bytes.
	memory int64
	open   func(ctx context.Context) (rows, error)
}

// rows reads the next row of a picture, from the top: decoder.channels values of
// 16 bits for each pixel, not multiplied with alpha. Rows that can be had come
// first; then io.EOF where the picture is whole, or the reason why it is not.
type rows func(ctx context.Context, dst []uint16) error

// decode begins to decode: never with image.Decode, which would ask every
// decoder that anybody registered.
func decode(ctx context.Context, head *header) (rows, error) {
	read, err := head.decoder.open(ctx)
	if err != nil {
		return nil, unreadable(ctx, err)
	}
	if head.damage == nil {
		return read, nil
	}
	return func(ctx context.Context, dst []uint16) error {
		if read(ctx, dst) != nil {
			return head.damage // why there are no more rows, which the decoder was not told
		}
		return nil
	}, nil
}

// unreadable is the verdict on a picture that a decoder could not read to its
// end, or ctx's error where that is the reason.
func unreadable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("media: decoding: %w", ctx.Err())
	}
	return corrupt(err)
}

// corrupt is the verdict on a file that cannot be read to its end. err is ours
// or a decoder's, and names positions and values, never content.
func corrupt(err error) error {
	return &Rejection{Reason: Corrupt, Detail: damaged(err), CutOff: isCutOff(err)}
}

// damaged says what is wrong with a file.
func damaged(err error) string {
	if isCutOff(err) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err.Error() // which says so in a sentence
	}
	return fmt.Sprintf("the file is damaged: %v", err)
}

// errCutOff says that the file ends before its picture does.
var errCutOff = errors.New("the file is cut off")

// errNoPicture says that the file ends well and holds no picture.
var errNoPicture = errors.New("there is no picture in the file")

func isCutOff(err error) bool {
	for _, cut := range []error{errCutOff, jpeg.ErrCutOff, png.ErrCutOff, gif.ErrCutOff, io.ErrUnexpectedEOF} {
		if errors.Is(err, cut) {
			return true
		}
	}
	return false
}

// isTooMuch tells whether the picture is whole, and data is left over. Encoders
// that write too much are known, and everybody shows what they wrote.
func isTooMuch(err error) bool {
	return errors.Is(err, png.ErrTooMuch) || errors.Is(err, gif.ErrTooMuch)
}

// streamReader reads the parts of a file one after the other, until the context
// ends: decoders know no context, but all of them read.
type streamReader struct {
	ctx   context.Context //nolint:containedctx // it is the reader's whole purpose
	part  []byte
	parts [][]byte
}

// Read implements io.Reader.
func (r *streamReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	for len(r.part) == 0 {
		if len(r.parts) == 0 {
			return 0, io.EOF
		}
		r.part, r.parts = r.parts[0], r.parts[1:]
	}
	n := copy(p, r.part)
	r.part = r.part[n:]
	return n, nil
}
