package spool

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/lightlock/lightlock/gateway/failpoint"
)

// The names of segments: they are read in the order of their numbers. One of
// which something is left that could not be handed in has another ending, and
// beside it lies a list of what that is.
const (
	fullEnding = ".spool"
	keptEnding = ".kept"
	leftEnding = ".left"
)

var segmentName = regexp.MustCompile(`^([0-9]{16})\.(spool|kept)$`)

const (
	folderMode = 0o700
	fileMode   = 0o600
)

// arrival is a record that has not been drained.
type arrival struct {
	at int64 // its place
	ms int64 // when it came
}

// segment is one file of a queue's backlog.
type segment struct {
	path   string
	marker marker
	file   *os.File // while it is appended to, else nil
	// end is how far it is surely written, read how far it is drained.
	end, read int64
	// charged is what it takes of the spool's bytes.
	charged int64
	waiting []arrival

	// The drain's own: over says that what the disk does not give back is waited
	// for no longer, and left are the places that were passed over, in order.
	over bool
	left []stretch
}

func pathOf(folder string, number uint64) string {
	return filepath.Join(folder, fmt.Sprintf("%016d%s", number, fullEnding))
}

// numberOf reads a file's name; ok is false for one that is not a segment's.
func numberOf(name string) (number uint64, kept, ok bool) {
	parts := segmentName.FindStringSubmatch(name)
	if parts == nil {
		return 0, false, false
	}
	number, err := strconv.ParseUint(parts[1], 10, 64)
	return number, "."+parts[2] == keptEnding, err == nil
}

// create makes the file of a new segment. Nothing is written yet.
func create(path string) (*segment, error) {
	s := &segment{path: path, read: segmentHead, end: segmentHead, charged: segmentHead}
	_, _ = rand.Read(s.marker[:]) // never fails, by its documentation
	var err error
	s.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
	return s, err
}

// errNothing is about a file whose very first write was never finished.
var errNothing = errors.New("nothing was ever written")

// load reads a segment that an earlier process has left, lists its waiting
// records, and cuts off what could not be finished. The error is errNothing, or
// errNewer or errNotSegment for a file that is not ours to touch.
func load(path string, open func(string) (source, error)) (*segment, error) {
	s, err := look(path, open)
	if err != nil {
		return nil, err
	}
	if s.charged > s.end {
		// Not needed for what follows, as nothing is appended to an old segment.
		if err := os.Truncate(path, s.end); err == nil {
			s.charged = s.end
		}
	}
	return s, nil
}

// look is load without a change to the file.
func look(path string, open func(string) (source, error)) (*segment, error) {
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	s := &segment{path: path, end: info.Size(), charged: info.Size()}
	if s.marker, s.read, err = readHead(file, info.Size()); err != nil {
		return nil, err
	}
	if s.read > s.end {
		s.read = segmentHead
	}
	if strings.HasSuffix(path, keptEnding) {
		s.left = readLeft(s)
		return s, nil
	}
	return s, s.list(file)
}

func readHead(file io.ReaderAt, size int64) (m marker, read int64, err error) {
	first := make([]byte, min(segmentHead, size))
	if _, err := file.ReadAt(first, 0); err != nil {
		return m, 0, err
	}
	m, read, err = unpackSegment(first)
	if err == nil {
		return m, read, nil
	}
	// A power cut may leave a file of the right length with nothing in it.
	started := size < segmentHead && string(first[:min(size, 8)]) == magic[:min(size, 8)]
	empty, _ := blank(file, size)
	if started || empty {
		err = errNothing
	}
	return m, 0, err
}

// blank tells whether a file holds nothing but zeros.
func blank(file io.ReaderAt, size int64) (bool, error) {
	w := walker{file: file, end: size}
	p, err := w.rubble(broken)
	return err == nil && p.kind == torn, err
}

// list finds the records that wait, and the end of what was finished. What the
// disk does not give back is not known, and is met again by the drain.
func (s *segment) list(file io.ReaderAt) error {
	w := walker{file: file, marker: s.marker, at: s.read, end: s.end, over: true}
	for {
		p, err := w.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case p.kind == torn:
			s.end = p.from
			return nil
		case p.kind == whole:
			s.waiting = append(s.waiting, arrival{p.from, p.arrived.UnixMilli()})
		}
	}
}

// write appends records and brings them to the disk. After an error the segment
// ends where it did, as far as that can be had, and takes nothing more; left is
// how many bytes it still has behind its end.
func (s *segment) write(records []pending, sync func(*os.File) error) (added []arrival, left int64, err error) {
	var data []byte
	at := s.end
	if at == segmentHead {
		data, at = packSegment(s.marker), 0
	}
	for _, r := range records {
		added = append(added, arrival{at + int64(len(data)), r.arrived.UnixMilli()})
		data = appendRecord(data, s.marker, r.arrived, r.body)
	}
	if _, err = s.file.WriteAt(data, at); err == nil {
		failpoint.Hit(failpoint.BeforeFsync)
		err = sync(s.file)
	}
	if err != nil {
		// What stands behind the end now may be half a record, or one that was
		// not acknowledged; the next record goes into another file.
		if at == 0 || s.file.Truncate(s.end) != nil {
			left = at + int64(len(data)) - s.end
		}
		return nil, left, err
	}
	failpoint.Hit(failpoint.AfterAppend)
	return added, 0, nil
}

// note writes down how far the segment is drained, which is not beyond what was
// passed over. It takes no sync: after a power cut some records are handed in
// again, and are repeats.
func (s *segment) note() error {
	to := s.read
	if len(s.left) > 0 {
		to = s.left[0][0]
	}
	file, err := os.OpenFile(s.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(packProgress(s.marker, to), progressAt)
	return errors.Join(err, file.Close())
}

// retire takes a segment away that is drained. One of which something is left
// gets its other name instead, and its list.
func (s *segment) retire() error {
	if s.file != nil {
		_ = s.file.Close()
	}
	if len(s.left) == 0 {
		return os.Remove(s.path)
	}
	if err := writeLeft(s); err != nil {
		return err
	}
	kept := s.base() + keptEnding
	err := os.Rename(s.path, kept)
	if err == nil {
		s.path = kept
	}
	return err
}

// base is the path without its ending.
func (s *segment) base() string { return strings.TrimSuffix(s.path, filepath.Ext(s.path)) }

// syncFolder brings a folder's entries to the disk.
func syncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
