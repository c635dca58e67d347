package media

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"slices"

	"golang.org/x/image/webp"
)

// webpDecoder decodes with x/image, which knows no rows and gives nothing of a file
// that breaks off.
func webpDecoder(w *webpWalk) *decoder {
	channels, each := 3, int64(2)
	switch {
	case w.lossless:
		// Two copies of the picture. The code tables come on top and cannot
		// be reckoned from the header: x/image refuses more than 2600 groups
		// of them.
		channels, each = 4, 8
	case w.alpha != nil:
		channels, each = 4, 12 // the alpha is a lossless picture
	}
	size := image.Pt(w.head.width, w.head.height)
	d := &decoder{channels: channels, alpha: channels == 4, memory: each * area(size)}
	d.open = func(ctx context.Context) (rows, error) {
		img, err := webp.Decode(&streamReader{ctx: ctx, parts: w.rebuild()})
		if err != nil {
			return nil, err
		}
		if img.Bounds().Size() != size {
			return nil, fmt.Errorf("the decoder made %v of a picture of %v", img.Bounds().Size(), size)
		}
		return webpRows(img)
	}
	return d
}

// rebuild makes the file for the decoder: the picture and its alpha alone.
func (w *webpWalk) rebuild() [][]byte {
	var chunks [][]byte
	switch {
	case w.lossless:
		chunks = riffChunk("VP8L", w.picture)
	case w.alpha != nil:
		canvas := []byte{webpAlpha, 0, 0, 0, 0, 0, 0, 0, 0, 0}
		putLE24(canvas[4:], w.head.width-1)
		putLE24(canvas[7:], w.head.height-1)
		chunks = slices.Concat(riffChunk("VP8X", canvas), riffChunk("ALPH", w.alpha), riffChunk("VP8 ", w.picture))
	default:
		chunks = riffChunk("VP8 ", w.picture)
	}
	total := 4
	for _, c := range chunks {
		total += len(c)
	}
	riff := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(total))
	return append([][]byte{append(riff, "WEBP"...)}, chunks...)
}

// riffChunk returns a chunk as its header, its content and its padding.
func riffChunk(name string, body []byte) [][]byte {
	head := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(body)))
	return [][]byte{head, body, make([]byte, len(body)&1)}
}

func le24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

func putLE24(b []byte, v int) { b[0], b[1], b[2] = byte(v), byte(v>>8), byte(v>>16) }

// webpRows reads the rows of each type that the decoder makes.
func webpRows(img image.Image) (rows, error) {
	y := -1
	next := func(row func(dst []uint16, y int)) rows {
		return func(ctx context.Context, dst []uint16) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if y++; y == img.Bounds().Dy() {
				return io.EOF
			}
			row(dst, y)
			return nil
		}
	}
	switch m := img.(type) {
	case *image.YCbCr:
		return next(func(dst []uint16, y int) { studioRow(dst, m, y, 3) }), nil
	case *image.NYCbCrA:
		return next(func(dst []uint16, y int) {
			studioRow(dst, &m.YCbCr, y, 4)
			for x, a := range m.A[y*m.AStride:][:len(dst)/4] {
				dst[4*x+3] = wide(a)
			}
		}), nil
	case *image.NRGBA:
		return next(func(dst []uint16, y int) {
			for i, v := range m.Pix[y*m.Stride:][:len(dst)] {
				dst[i] = wide(v)
			}
		}), nil
	}
	return nil, errors.New("the decoder made an unknown kind of picture")
}

// studioRow is for the lossy kind, whose luma has the range 16 to 235 of video
// (RFC 6386, 9.2; RFC 9649, 2.3), and its colours half the picture's size.
func studioRow(dst []uint16, m *image.YCbCr, y, n int) {
	luma := m.Y[m.YOffset(m.Rect.Min.X, m.Rect.Min.Y+y):]
	chroma := m.COffset(m.Rect.Min.X, m.Rect.Min.Y+y)
	for x := range len(dst) / n {
		at := chroma + x/2
		r, g, b := lumaToRGB(fullRange(luma[x], 16, 219), fullRange(m.Cb[at], 128, 224), fullRange(m.Cr[at], 128, 224))
		dst[n*x], dst[n*x+1], dst[n*x+2] = wide(r), wide(g), wide(b)
	}
}

// fullRange stretches a value of video (ITU-R BT.601) to 0 to 255, around what
// stands for zero.
func fullRange(v uint8, zero, span int) uint8 {
	base := zero
	if zero == 16 {
		base = 0
	}
	d := (int(v) - zero) * 255
	half := span / 2
	if d < 0 {
		half = -half
	}
	return uint8(min(max(base+(d+half)/span, 0), 255))
}
