package media

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/lightlock/lightlock/media/mediatest"
)

// countingReader counts what is taken from it.
type countingReader struct {
	r    io.Reader
	read int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.read += int64(n)
	return n, err
}

func TestRead(t *testing.T) {
	const limit = 5 << 20
	rows := []struct {
		name          string
		size, claimed int64
		rejected      bool
		mayRead       int64
	}{
		{"exactly the limit", limit, 0, false, limit},
		{"exactly the limit, as claimed", limit, limit, false, limit},
		{"one byte more", limit + 1, 0, true, limit + 1},
		{"one byte more than claimed", limit + 1, limit, true, limit + 1},
		{"endless", 1 << 40, 0, true, limit + 1},
		{"declared too large", 10, limit + 1, true, 0},
		{"empty", 0, 0, false, 0},
		{"more than claimed, within the limit", 100, 7, false, 100},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := &countingReader{r: io.LimitReader(zeros{}, row.size)}
			data, err := Read(r, row.claimed, limit, nil)
			if r.read > row.mayRead {
				t.Errorf("read %d bytes, want at most %d", r.read, row.mayRead)
			}
			rejection, rejected := errors.AsType[*Rejection](err)
			if rejected != row.rejected {
				t.Fatalf("got %v, want rejected %v", err, row.rejected)
			}
			if rejected && (rejection.Reason != TooLarge || !strings.Contains(rejection.Detail, "the limit is 5 MB") || rejection.Source.Bytes <= limit) {
				t.Errorf("got %+v, want too_large with the limit and a size above it", rejection)
			}
			if !rejected && int64(len(data)) != row.size {
				t.Errorf("got %d bytes and %v, want %d", len(data), err, row.size)
			}
		})
	}
}

func TestReadReturnsTheReadersError(t *testing.T) {
	broken := errors.New("the line went dead")
	r := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))
	if _, err := Read(r, 0, 100, nil); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	r = io.MultiReader(bytes.NewReader(make([]byte, 101)), iotest.ErrReader(broken))
	if _, err := Read(r, 0, 100, nil); !isRejected(err, TooLarge) {
		t.Errorf("got %v, want too_large", err)
	}
}

// ledger is a Room that keeps books, and has an end where most is set.
type ledger struct {
	asked []int64
	most  int64
}

var errFull = errors.New("no room")

func (l *ledger) room(n int64) error {
	l.asked = append(l.asked, n)
	if l.most > 0 && n > l.most {
		return errFull
	}
	return nil
}

// trusting checks that nothing is read before there is room for it.
type trusting struct {
	t      *testing.T
	ledger *ledger
	r      countingReader
}

func (r *trusting) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if len(r.ledger.asked) == 0 || r.r.read > r.ledger.asked[len(r.ledger.asked)-1] {
		r.t.Fatalf("%d bytes were read, with room for %v", r.r.read, r.ledger.asked)
	}
	return n, err
}

func TestReadAsksForRoom(t *testing.T) {
	const limit = 1 << 20
	rows := map[string]struct {
		size, claimed, most int64
		want                []int64
	}{
		"empty":                   {0, limit, 0, []int64{readStep}},
		"less than one step":      {10, 0, 0, []int64{readStep}},
		"exactly one step":        {readStep, 0, 0, []int64{readStep, 2 * readStep, 2 * readStep, readStep}},
		"one byte more":           {readStep + 1, 0, 0, []int64{readStep, 2 * readStep, 2 * (readStep + 1), readStep + 1}},
		"exactly the limit":       {limit, 0, 0, []int64{readStep, 2 * readStep, 3 * readStep, 4 * readStep, limit + 1, 2 * limit, limit}},
		"more than the limit":     {2 * limit, 0, 0, []int64{readStep, 2 * readStep, 3 * readStep, 4 * readStep, limit + 1}},
		"none at all":             {10, 0, 1, []int64{readStep}},
		"none any more":           {limit, limit, 2 * readStep, []int64{readStep, 2 * readStep, 3 * readStep}},
		"none to put it together": {limit, 0, limit + 1, []int64{readStep, 2 * readStep, 3 * readStep, 4 * readStep, limit + 1, 2 * limit}},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			l := &ledger{most: row.most}
			r := &trusting{t, l, countingReader{r: io.LimitReader(zeros{}, row.size)}}
			data, err := Read(r, row.claimed, limit, l.room)
			if !slices.Equal(l.asked, row.want) {
				t.Errorf("asked for %v, want %v", l.asked, row.want)
			}
			if row.most > 0 != errors.Is(err, errFull) {
				t.Errorf("got %v; room was refused: %v", err, row.most > 0)
			}
			if err == nil && int64(len(data)) != row.size {
				t.Errorf("got %d bytes, want %d", len(data), row.size)
			}
		})
	}
}

// A claim is never believed, and memory does not double while it grows.
func TestReadAllocatesWhatArrives(t *testing.T) {
	const limit, size = 64 << 20, 5<<20 + 1
	got := mediatest.Allocated(func() { _, _ = Read(io.LimitReader(zeros{}, size), limit, limit, nil) })
	if most := int64(2*size + 2*readStep); got > most {
		t.Errorf("allocated %d bytes for an original of %d, want at most %d", got, size, most)
	}
}

// A connection that breaks must not pass for a photo that ends.
func TestReadKnowsAnEndThatWasNotExpected(t *testing.T) {
	for _, broken := range []error{io.ErrUnexpectedEOF, fmt.Errorf("reset: %w", io.EOF)} {
		r := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))
		if _, err := Read(iotest.OneByteReader(r), 0, 100, nil); !errors.Is(err, broken) {
			t.Errorf("got %v, want %v", err, broken)
		}
	}
	data, err := Read(iotest.DataErrReader(iotest.HalfReader(strings.NewReader("whole"))), 0, 100, nil)
	if string(data) != "whole" || err != nil {
		t.Errorf("got %q and %v", data, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func isRejected(err error, reason Reason) bool {
	r, ok := errors.AsType[*Rejection](err)
	return ok && r.Reason == reason
}
