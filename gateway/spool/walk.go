package spool

import (
	"bytes"
	"errors"
	"io"
	"time"
)

// kind is what stands at a place of a segment.
type kind int

const (
	whole  kind = iota // a record
	broken             // bytes that are no record, or one whose sum is wrong
	newer              // a record of a newer release
	torn               // the beginning of a record whose end was never written
)

// place is a stretch of a segment; body and arrived are those of a whole record.
type place struct {
	kind     kind
	from, to int64
	arrived  time.Time
	body     []byte
}

// walker goes through a segment from at to end.
type walker struct {
	file    io.ReaderAt
	marker  marker
	at, end int64
}

// next returns what stands at the walker's place and goes on behind it; io.EOF
// at the end. Any other error is the disk's.
func (w *walker) next() (place, error) {
	if w.at >= w.end {
		return place{}, io.EOF
	}
	p, err := w.look()
	if err == nil {
		w.at = p.to
	}
	return p, err
}

func (w *walker) look() (place, error) {
	if w.end-w.at < recordHead {
		return place{kind: torn, from: w.at, to: w.end}, nil
	}
	var b [recordHead]byte
	if err := w.read(b[:], w.at); err != nil {
		return place{}, err
	}
	h, ok := unpackHead(b[:], w.marker)
	to := w.at + recordHead + h.length
	switch {
	case !ok:
		return w.rubble()
	case to > w.end:
		return place{kind: torn, from: w.at, to: w.end}, nil
	case h.version > version:
		return place{kind: newer, from: w.at, to: to}, nil
	}
	body := make([]byte, h.length) // no longer than the file
	if err := w.read(body, w.at+recordHead); err != nil {
		return place{}, err
	}
	if sum(body) != h.sum {
		return place{kind: broken, from: w.at, to: to}, nil
	}
	return place{whole, w.at, to, h.arrived, body}, nil
}

// rubble is what reaches from here to the next head of a record. Zeros up to the
// end were never written: after a power cut a file may be longer than what has
// got into it.
func (w *walker) rubble() (place, error) {
	chunk := make([]byte, 64<<10)
	zeros := true
	for from := w.at; from < w.end; {
		part := chunk[:min(int64(len(chunk)), w.end-from)]
		if err := w.read(part, from); err != nil {
			return place{}, err
		}
		for i := 0; i+recordHead <= len(part); i++ {
			skip := bytes.Index(part[i:], w.marker[:])
			if skip < 0 {
				break
			}
			i += skip
			if i+recordHead > len(part) {
				break
			}
			if _, ok := unpackHead(part[i:i+recordHead], w.marker); ok {
				return place{kind: broken, from: w.at, to: from + int64(i)}, nil
			}
		}
		zeros = zeros && allZero(part)
		if from+int64(len(part)) == w.end {
			break
		}
		from += int64(len(part) - recordHead + 1) // a head may lie across
	}
	if zeros {
		return place{kind: torn, from: w.at, to: w.end}, nil
	}
	return place{kind: broken, from: w.at, to: w.end}, nil
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// read fills b. A file that has become shorter under us has an end that was
// never written, for all that we know.
func (w *walker) read(b []byte, at int64) error {
	_, err := w.file.ReadAt(b, at)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}
