package darkroom

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/lightlock/lightlock/media"
)

// What goes through the pipes: the child says hello; the parent sends a request
// and the bytes of the original; the child answers what it needs, and the parent
// with a grant, or by ending the child; the child answers with its verdict and
// the bytes of the two pictures, and closes. A child that rejects a photo
// without decoding it does not ask. Hello, request, answer and grant are frames:
// four bytes of length, big-endian, then that many bytes of JSON.

// The caps of each frame's JSON, in bytes.
const (
	maxHello   = 1 << 10
	maxRequest = 16 << 10
	maxGrant   = 1 << 10
	maxAnswer  = 8 << 10
)

// hello is what a child says when it has locked itself in.
type hello struct {
	Level string `json:"level"`
}

// request announces an original of that many bytes.
type request struct {
	Settings media.Settings `json:"settings"`
	Bytes    int            `json:"bytes"`
	// Milliseconds are how long the child has: a little less than until it is
	// killed.
	Milliseconds int64 `json:"milliseconds"`
}

// grant says how much memory the child may take, in bytes, beyond what it had to
// judge the photo.
type grant struct {
	Bytes int64 `json:"bytes"`
}

// answer is a verdict, or else it has a Need or is Late, and nothing more. A
// Reason makes it a rejection; without one, two pictures of the announced sizes
// follow.
type answer struct {
	// Need is how many bytes the child wants to take before it goes on.
	Need int64 `json:"need,omitempty"`
	// Late is set by a child whose time was over.
	Late bool `json:"late,omitempty"`

	Reason media.Reason `json:"reason,omitempty"`
	Detail string       `json:"detail,omitempty"`
	Source media.Source `json:"source"`
	// Damage, CutOff and Profile are as in media.Developed.
	Damage  string           `json:"damage,omitempty"`
	CutOff  bool             `json:"cut_off,omitempty"`
	Profile media.ProfileUse `json:"profile,omitempty"`

	Preview   size `json:"preview,omitzero"`
	Thumbnail size `json:"thumbnail,omitzero"`
}

// size announces a picture.
type size struct {
	Bytes  int `json:"bytes"`
	Width  int `json:"width"`
	Height int `json:"height"`
}

var (
	errTooLong  = errors.New("a frame is longer than allowed")
	errTrailing = errors.New("something follows the end")
)

// writeFrame writes v as one frame, in one write.
func writeFrame(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(text)), uint32(len(text)))
	_, err = w.Write(append(frame, text...))
	return err
}

// readFrame reads one frame of at most that many bytes into v. Unknown keys and
// anything behind the JSON are errors. No error holds a byte of what was read.
func readFrame(r io.Reader, most int, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return fmt.Errorf("no frame: %w", err)
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > uint32(most) {
		return errTooLong
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return fmt.Errorf("half a frame: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if decoder.Decode(v) != nil {
		return errors.New("a frame does not hold what it should")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errTrailing
	}
	return nil
}

// readBytes reads exactly n bytes, 1 to most.
func readBytes(r io.Reader, n, most int) ([]byte, error) {
	if n < 1 || n > most {
		return nil, errTooLong
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, err
	}
	return data, nil
}

// readEnd makes sure that nothing follows.
func readEnd(r io.Reader) error {
	var one [1]byte
	switch _, err := io.ReadFull(r, one[:]); err {
	case io.EOF:
		return nil
	case nil:
		return errTrailing
	default:
		return err
	}
}
