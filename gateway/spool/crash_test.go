package spool

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
)

// childFolder tells a process that it is the one to be killed.
const childFolder = "SPOOL_TEST_CHILD"

func TestMain(m *testing.M) {
	if folder := os.Getenv(childFolder); folder != "" {
		child(folder)
	}
	os.Exit(m.Run())
}

// child spools for ever, and says what was acknowledged.
func child(folder string) {
	s, err := tryOpen(folder, away(), func(o *Options) { o.Limit = 1 << 30 })
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var line sync.Mutex
	for writer := range 8 {
		go func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("%d.%d", writer, i)
				if _, err := s.Accept(context.Background(), q, []queue.Item{item(name)}); err != nil {
					name = "error " + err.Error()
				}
				line.Lock()
				_, _ = fmt.Println(name)
				line.Unlock()
			}
		}()
	}
	select {}
}

// TestKilled kills a process while it spools. What it has acknowledged is there,
// each writer's in order, and the next process goes on.
func TestKilled(t *testing.T) {
	folder := t.TempDir()
	var acknowledged []string
	for round := range 3 {
		names := killed(t, folder, 200)
		for _, name := range names {
			acknowledged = append(acknowledged, key(fmt.Sprint(name)))
		}
		d := &desk{}
		s := open(t, folder, d)
		if round < 2 {
			_ = s.Close() // it starts again with what is left
			continue
		}
		drainAll(t, s)
		wantNothingLeft(t, s)
		got := d.got(q)
		position := map[string]int{}
		for i, k := range got {
			position[k] = i
		}
		for i, k := range acknowledged {
			if _, found := position[k]; !found {
				t.Fatalf("acknowledged and lost: number %d of %d", i, len(acknowledged))
			}
		}
		inOrder(t, names, position)
	}
}

// inOrder checks the order of each writer of the last process.
func inOrder(t *testing.T, names []string, position map[string]int) {
	t.Helper()
	last := map[string]int{}
	for _, name := range names {
		writer, _, _ := strings.Cut(name, ".")
		at := position[key(name)]
		if before, found := last[writer]; found && at < before {
			t.Errorf("%s is before one that was acknowledged earlier", name)
		}
		last[writer] = at
	}
}

// killed runs a child until it has acknowledged n webhooks, and kills it.
func killed(t *testing.T, folder string, n int) []string {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childFolder+"="+folder)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var names []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if name, bad := strings.CutPrefix(lines.Text(), "error "); bad {
			t.Fatal(name)
		}
		if names = append(names, lines.Text()); len(names) == n {
			_ = command.Process.Kill()
		}
	}
	_ = command.Wait()
	if len(names) < n {
		t.Fatalf("the child ended by itself after %d", len(names))
	}
	return names[:len(names)-1] // the last line may be half of one
}

// TestTornTail cuts a file at every byte of its last record, as a power cut
// would. What was acknowledged before is there, and the spool goes on.
func TestTornTail(t *testing.T) {
	folder := spooled(t, 3)
	path := segments(t, folder, q, fullEnding)[0]
	file := read(t, path)
	record := (len(file) - segmentHead) / 3 // they are alike
	for cut := len(file) - record; cut < len(file); cut++ {
		for what, tail := range map[string][]byte{"cut": nil, "zeros": make([]byte, 2*record)} {
			if tail != nil && cut > len(file)-record {
				continue // it may have been a record once, and is kept
			}
			t.Run(fmt.Sprintf("%s at %d", what, cut), func(t *testing.T) {
				folder := t.TempDir()
				path := filepath.Join(folder, q, filepath.Base(path))
				if err := os.Mkdir(filepath.Dir(path), folderMode); err != nil {
					t.Fatal(err)
				}
				write(t, path, slices.Concat(file[:cut], tail))
				d := away()
				s := open(t, folder, d, fast, func(o *Options) { o.OnBroken = func(string) { t.Error("a torn tail is counted as broken") } })
				accept(t, s, "after")
				if info, err := os.Stat(path); err != nil || info.Size() != int64(len(file)-record) {
					t.Errorf("the tail is still there: %v, %v", info.Size(), err)
				}
				d.set(nil)
				drainAll(t, s)
				want(t, "journal", d.got(q), append(upTo(2), key("after")))
				wantNothingLeft(t, s)
			})
		}
	}
}

// TestAFileThatWasNeverBegun: a power cut may leave a file of any length whose
// first write never got to the disk.
func TestAFileThatWasNeverBegun(t *testing.T) {
	head := packSegment(marker{1, 2, 3})
	for what, data := range map[string][]byte{
		"empty": nil, "zeros": make([]byte, 1000), "half of the magic": head[:4], "half of the head": head[:segmentHead/2],
		"the head alone": head,
	} {
		t.Run(what, func(t *testing.T) {
			folder := spooled(t, 2)
			path := segments(t, folder, q, fullEnding)[0]
			write(t, strings.Replace(path, "1.spool", "2.spool", 1), data)
			d := &desk{}
			s := open(t, folder, d)
			drainAll(t, s)
			want(t, "journal", d.got(q), upTo(2))
			wantNothingLeft(t, s)
		})
	}
}

// TestABrokenRecord breaks every byte of the second of three records. Its
// neighbours are handed in, and the file stays for an operator to look at.
func TestABrokenRecord(t *testing.T) {
	folder := spooled(t, 3)
	path := segments(t, folder, q, fullEnding)[0]
	file := read(t, path)
	record := (len(file) - segmentHead) / 3
	for at := segmentHead + record; at < segmentHead+2*record; at++ {
		wrong := bytes.Clone(file)
		wrong[at] ^= 0x41
		t.Run(fmt.Sprint(at), func(t *testing.T) { brokenRecord(t, filepath.Base(path), wrong, 1, keys(0, 2)) })
	}
	// A sector that is gone, with the end of one record and the beginning of the
	// next.
	wrong := bytes.Clone(file)
	clear(wrong[segmentHead+record-10 : segmentHead+record+10])
	t.Run("sector", func(t *testing.T) { brokenRecord(t, filepath.Base(path), wrong, 2, keys(2)) })
	// And the last, whose length is known: it may have been acknowledged.
	wrong = bytes.Clone(file)
	wrong[len(wrong)-1] ^= 1
	t.Run("last", func(t *testing.T) { brokenRecord(t, filepath.Base(path), wrong, 1, keys(0, 1)) })
}

func brokenRecord(t *testing.T, name string, data []byte, broken int, good []string) {
	t.Helper()
	folder, text, counted := t.TempDir(), &gatewaytest.Log{}, 0
	if err := os.Mkdir(filepath.Join(folder, q), folderMode); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, q, name), data)
	d := away()
	s := open(t, folder, d, fast, logTo(text), func(o *Options) { o.OnBroken = func(string) { counted++ } })
	accept(t, s, "after")
	want(t, "pending", s.Pending(), append(good, key("after")))
	if got := s.Stats()[1].Records; got != len(good)+1 {
		t.Errorf("counted %d that wait, want %d", got, len(good)+1)
	}
	d.set(nil)
	drainAll(t, s)
	want(t, "journal", d.got(q), append(good, key("after")))
	kept := filepath.Join(folder, q, strings.Replace(name, fullEnding, keptEnding, 1))
	if got, err := os.ReadFile(kept); err != nil || !bytes.Equal(got[segmentHead:], data[segmentHead:]) {
		t.Errorf("what is broken was not kept: %v", err)
	}
	if counted != broken || s.Stats()[1].Aside != 1 || !strings.Contains(text.String(), name) {
		t.Errorf("counted %d, want %d; %+v, log:\n%s", counted, broken, s.Stats(), text)
	}
	_ = s.Close()
	again := open(t, folder, d)
	drainAll(t, again)
	if used, _ := again.Bytes(); used != int64(len(data)) || d.repeats != 0 || again.Stats()[1].Aside != 1 {
		t.Errorf("after a restart: %d bytes, %d repeats, %+v", used, d.repeats, again.Stats())
	}
}
