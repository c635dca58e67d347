package media

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
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
			data, err := Read(r, row.claimed, limit)
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
	if _, err := Read(r, 0, 100); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	r = io.MultiReader(bytes.NewReader(make([]byte, 101)), iotest.ErrReader(broken))
	if _, err := Read(r, 0, 100); !isRejected(err, TooLarge) {
		t.Errorf("got %v, want too_large", err)
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
