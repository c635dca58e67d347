package spool

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
)

func TestASecondGatewayIsRefused(t *testing.T) {
	folder := t.TempDir()
	first := open(t, folder, away())
	accept(t, first, "a")
	_, err := tryOpen(folder, away())
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) || !strings.Contains(err.Error(), "spool.folder") {
		t.Errorf("got %v, want %v with the process and what to do", err, ErrInUse)
	}
	_ = first.Close()
	want(t, "pending", open(t, folder, away()).Pending(), keys("a"))
}

// What this release cannot read is left alone byte by byte, named in the log, and
// blocks nothing.
func TestWhatIsNotOursIsLeftAlone(t *testing.T) {
	newest := packSegment(marker{9})
	binary.LittleEndian.PutUint16(newest[8:], version+1)
	binary.LittleEndian.PutUint32(newest[20:], sum(newest[:20]))
	zeroHead := append(make([]byte, segmentHead), "something behind it"...)
	for what, data := range map[string][]byte{
		"newer":        append(newest, "records as nobody knows them yet"...),
		"other magic":  append([]byte("nothing of ours at all"), make([]byte, 100)...),
		"lost head":    zeroHead,
		"short":        []byte("short"),
		"a wrong head": append(append([]byte(magic), "damaged"...), make([]byte, 100)...),
	} {
		t.Run(what, func(t *testing.T) {
			folder, text, d := spooled(t, 2), &gatewaytest.Log{}, &desk{}
			path := filepath.Join(folder, q, "0000000000000000.spool") // before ours
			write(t, path, data)
			foreign := filepath.Join(folder, q, "notes.txt")
			write(t, foreign, []byte("an operator's"))
			s := open(t, folder, d, logTo(text))
			drainAll(t, s)
			want(t, "journal", d.got(q), upTo(2))
			if got := string(read(t, path)); got != string(data) {
				t.Errorf("the file was changed: %q", got)
			}
			if got := string(read(t, foreign)); got != "an operator's" {
				t.Errorf("another file was changed: %q", got)
			}
			if used, _ := s.Bytes(); used != int64(len(data)) || s.Stats()[1].Aside != 1 || !strings.Contains(text.String(), path) {
				t.Errorf("%d bytes used, %+v, log:\n%s", used, s.Stats(), text)
			}
			if all, err := Look(folder); err != nil || len(all) != 1 || len(all[0].Aside) != 1 {
				t.Errorf("look: got %+v, %v", all, err)
			}
		})
	}
}

// A record of a newer release is passed over, and its file kept.
func TestANewerRecordIsLeftAlone(t *testing.T) {
	folder, d, text := spooled(t, 3), &desk{}, &gatewaytest.Log{}
	path := segments(t, folder, q, fullEnding)[0]
	file := read(t, path)
	record := (len(file) - segmentHead) / 3
	second := file[segmentHead+record:]
	binary.LittleEndian.PutUint16(second[8:], version+1)
	binary.LittleEndian.PutUint32(second[28:], sum(second[:28]))
	write(t, path, file)
	s := open(t, folder, d, logTo(text))
	drainAll(t, s)
	want(t, "journal", d.got(q), keys(0, 2))
	kept := segments(t, folder, q, keptEnding)
	if len(kept) != 1 || !strings.Contains(text.String(), "newer release") {
		t.Fatalf("kept %v, log:\n%s", kept, text)
	}
	got := read(t, kept[0])
	if string(got[segmentHead:]) != string(file[segmentHead:]) {
		t.Error("the records were changed")
	}
	_ = s.Close()
	binary.LittleEndian.PutUint16(got[segmentHead+record+8:], version) // a release that knows it
	binary.LittleEndian.PutUint32(got[segmentHead+record+28:], sum(got[segmentHead+record:][:28]))
	write(t, kept[0], got)
	ready := false
	s = open(t, folder, d, func(o *Options) { o.Ready = func() bool { return ready } })
	want(t, "pending", s.Pending(), keys(1))
	s.backlogs[q].round()
	if err := s.backlogs[q].again(t.Context()); !errors.Is(err, errNotReady) || len(d.got(q)) != 2 {
		t.Errorf("got %v, and %v in a journal that is not known to be safe", err, d.got(q))
	}
	ready = true
	again(t, s)
	want(t, "journal of the newer release", d.got(q), keys(0, 2, 1))
	wantNothingLeft(t, s)
}

// Records of a queue that is no longer configured are handed in as well: the
// journal is where an operator looks for them.
func TestAQueueThatIsNotConfiguredAnyMore(t *testing.T) {
	folder, d, text := spooled(t, 2), &desk{}, &gatewaytest.Log{}
	s := open(t, folder, d, logTo(text), func(o *Options) { o.Queues = []string{other} })
	drainAll(t, s)
	want(t, "journal", d.got(q), upTo(2))
	if !strings.Contains(text.String(), "configured=false") {
		t.Errorf("log:\n%s", text)
	}
}

// How far a file is drained survives a kill: what was handed in is not handed in
// again.
func TestProgressSurvives(t *testing.T) {
	folder, d := spooled(t, 3*batchItems), &desk{}
	s := open(t, folder, d)
	b := s.backlogs[q]
	f, err := b.front()
	if err != nil {
		t.Fatal(err)
	}
	n, err := b.handIn(t.Context(), &f)
	b.consume(f, n)
	if err != nil || n != batchItems {
		t.Fatalf("got %d, %v", n, err)
	}
	_ = s.Close()
	again := open(t, folder, d)
	want(t, "pending", again.Pending(), upTo(3 * batchItems)[batchItems:])
	drainAll(t, again)
	if want(t, "journal", d.got(q), upTo(3*batchItems)); d.repeats != 0 {
		t.Errorf("%d were handed in twice", d.repeats)
	}
}

// Without a note of it, everything is handed in again, which is a repeat.
func TestProgressThatCannotBeRead(t *testing.T) {
	folder, d := spooled(t, 3), &desk{}
	path := segments(t, folder, q, fullEnding)[0]
	file := read(t, path)
	file[progressAt] ^= 1
	write(t, path, file)
	drainAll(t, open(t, folder, d))
	want(t, "journal", d.got(q), upTo(3))
}

func TestLook(t *testing.T) {
	folder := t.TempDir()
	if all, err := Look(filepath.Join(folder, "missing")); err != nil || len(all) != 0 {
		t.Errorf("without a folder: got %+v, %v", all, err)
	}
	now := time.Now().Add(-time.Hour)
	s := open(t, folder, away(), func(o *Options) { o.Now = func() time.Time { return now } })
	accept(t, s, "a", "b")
	all, err := Look(folder) // while it is locked
	if err != nil || len(all) != 1 {
		t.Fatalf("got %+v, %v", all, err)
	}
	c := all[0]
	if used, _ := s.Bytes(); c.Queue != q || c.Records != 2 || c.Oldest.UnixMilli() != now.UnixMilli() || c.Bytes != used {
		t.Errorf("got %+v, want 2 records of %v with %d bytes", c, now, used)
	}
	want(t, "keys", c.Keys, keys("a", "b"))
}
