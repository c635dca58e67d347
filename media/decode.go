package media

import (
	"context"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

// decode unpacks the picture with the decoder of its format: never with
// image.Decode, which would ask every decoder that anybody registered.
func decode(ctx context.Context, f format, head *header) (image.Image, error) {
	r := &streamReader{ctx: ctx, parts: head.stream}
	img, err := decoder(f)(r)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("media: decoding: %w", ctx.Err())
	}
	if err != nil && head.endless {
		return nil, corrupt(errCutOff)
	}
	if err != nil {
		return nil, corrupt(err)
	}
	if b := img.Bounds(); b.Dx() != head.frame.Dx() || b.Dy() != head.frame.Dy() {
		return nil, fmt.Errorf("media: the decoder made %v of a picture of %v", b, head.frame)
	}
	return img, nil
}

func decoder(f format) func(io.Reader) (image.Image, error) {
	switch f.name {
	case formatJPEG:
		return jpeg.Decode
	case formatPNG:
		return png.Decode
	case formatGIF:
		return gif.Decode
	default:
		return webp.Decode
	}
}

// corrupt is the verdict on a file that cannot be read to its end. err is ours
// or a decoder's, and names positions and values, never content.
func corrupt(err error) error {
	return reject(Corrupt, "the file is damaged: %v", err)
}

// streamReader reads the parts of a file one after the other, until the context
// ends: decoders know no context, but all of them read.
type streamReader struct {
	ctx   context.Context
	part  []byte // what is left of the current part
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
