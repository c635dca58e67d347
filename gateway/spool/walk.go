package spool

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

// block is what a disk loses at least at a time.
const block = 4 << 10

// kind is what stands at a place of a segment.
type kind int

const (
	whole   kind = iota // a record
	broken              // bytes that are no record, or one whose sum is wrong
	newer               // a record of a newer release
	torn                // the beginning of a record whose end was never written
	lost                // what the disk does not give back
	refused             // a record that the journal can never take
)

// place is a stretch of a segment; body and arrived are those of a whole record.
type place struct {
	kind     kind
	from, to int64
	arrived  time.Time
	body     []byte
}

// source is a segment that is read; an *os.File is one.
type source interface {
	io.ReaderAt
	io.Closer
	Stat() (os.FileInfo, error)
}

func openFile(path string) (source, error) { return os.Open(path) }

// walker goes through a segment from at to end. With over it steps over what the
// disk does not give back.
type walker struct {
	file    io.ReaderAt
	marker  marker
	at, end int64
	over    bool
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

// look steps over what the disk does not give back, where it is to.
func (w *walker) look() (place, error) {
	p, err := w.record()
	if err != nil && w.over && ofFile(err) {
		return w.rubble(lost)
	}
	return p, err
}

func (w *walker) record() (place, error) {
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
		return w.rubble(broken)
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
// got into it. What the disk does not give back is stepped over further each
// time, because each try may take seconds and all of the file may be gone.
func (w *walker) rubble(what kind) (place, error) {
	p := place{kind: what, from: w.at, to: w.end}
	chunk := make([]byte, 64<<10)
	zeros := what == broken
	for from, stride := w.at, int64(block); from < w.end; {
		part := chunk[:min(int64(len(chunk)), w.end-from)]
		n, err := w.file.ReadAt(part, from)
		short := n < len(part)
		if short && (!w.over || !ofFile(err)) {
			return place{}, unexpected(err)
		}
		part = part[:n]
		if at := w.head(part, from); at > 0 {
			p.to = at
			return p, nil
		}
		zeros = zeros && !short && allZero(part)
		from += int64(n)
		if short {
			p.kind = lost
			from, stride = from/block*block+stride, stride*2
		} else if from < w.end {
			from -= recordHead - 1 // a head may lie across
		}
	}
	if zeros {
		p.kind = torn
	}
	return p, nil
}

// head finds the first head of a record behind the walker's place in a part of
// the segment that begins at from; zero if there is none.
func (w *walker) head(part []byte, from int64) int64 {
	for i := 0; i+recordHead <= len(part); i++ {
		skip := bytes.Index(part[i:], w.marker[:])
		if skip < 0 || i+skip+recordHead > len(part) {
			break
		}
		i += skip
		if _, ok := unpackHead(part[i:i+recordHead], w.marker); ok && from+int64(i) > w.at {
			return from + int64(i)
		}
	}
	return 0
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// read fills b.
func (w *walker) read(b []byte, at int64) error {
	n, err := w.file.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	return unexpected(err)
}

// unexpected turns the end of a file into an error: one that has become shorter
// under us has lost what was there.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// ofFile tells whether an error of reading is the file's, whatever it is, or says
// that this process or system has no means to read any file just now.
func ofFile(err error) bool {
	for _, passing := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EINTR} {
		if errors.Is(err, passing) {
			return false
		}
	}
	return true
}
