package darkroom

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/media"
)

func TestDeadlyPhotoCostsOneChild(t *testing.T) {
	tests := []struct {
		deed     string
		deadline time.Duration
		says     string // part of the error
	}{
		{"panic", 0, "exit status 2"},
		{"exit", 0, "no frame"},
		{"fail", 0, "exit status 1"},
		{"spin", 500 * time.Millisecond, "not done within 500ms (signal: killed)"},
		{"eat", 0, "exit status 2"},
		{"leave", 0, "no frame: EOF (signal: killed)"},
	}
	for _, test := range tests {
		t.Run(test.deed, func(t *testing.T) {
			if test.deed == "eat" && raceDetector {
				t.Skip("SKIPPED: the race detector leaves no room for a limit on memory; run without -race")
			}
			d, log := room(t, "play", Options{Deadline: test.deadline, Idle: 1})
			_, err := d.Develop(t.Context(), []byte("do "+test.deed), settings())
			if !errors.Is(err, ErrChildDied) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want ErrChildDied that says %q", err, test.says)
			}
			mustDevelop(t, d)
			if n := strings.Count(log.String(), "died over a photo"); n != 1 {
				t.Errorf("%d deaths in the log, want 1", n)
			}
		})
	}
}

// A supervisor that stops every process, or a machine without memory, says
// nothing about the photo that happens to be in work.
func TestChildKilledFromOutsideIsNotThePhotosFault(t *testing.T) {
	d, _ := room(t, "play", Options{Idle: -1})
	result := make(chan error, 1)
	go func() {
		_, err := d.Develop(t.Context(), []byte("do hang"), settings())
		result <- err
	}()
	gatewaytest.Await(t, "a child at work", func() bool { return d.Held() > 0 && len(children(t)) == 1 })
	pid := children(t)[0]
	gatewaytest.Await(t, "a child that ignores signals", func() bool { return ignores(t, pid, syscall.SIGTERM) })
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGKILL} {
		if err := syscall.Kill(pid, signal); err != nil {
			t.Fatal(err)
		}
	}
	var verdict *media.Rejection
	err := <-result
	if err == nil || errors.Is(err, ErrChildDied) || errors.As(err, &verdict) || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("got %v, want an error that says nothing about the photo, and no signal but the last to end the child", err)
	}
}

// ignores tells whether the process ignores a signal (proc_pid_status(5)).
func ignores(t *testing.T, pid int, signal syscall.Signal) bool {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, mask, _ := strings.Cut(string(text), "SigIgn:")
	var bits uint64
	if _, err := fmt.Sscanf(mask, "%x", &bits); err != nil {
		t.Fatal(err)
	}
	return bits&(1<<(signal-1)) != 0
}

func TestWhatAChildSaysIsCapped(t *testing.T) {
	tests := []struct{ deed, holds, lacks string }{
		{"fail", "darkroom child: no idea", "goroutine"},
		{"panic", "said=\"panic | github.com/lightlock/lightlock/gateway/darkroom.deeds.func1 behaviour_test.go:", "canary"},
		{"panic", "darkroom.play behaviour_test.go:", "0x"},
		{"index", "said=\"panic: runtime error: slice bounds out of range | github.com", "7731"},
		{"shout", "died over a photo", "secret"},
	}
	for _, test := range tests {
		t.Run(test.deed, func(t *testing.T) {
			d, log := room(t, "play", Options{Idle: -1})
			_, err := d.Develop(t.Context(), []byte("do "+test.deed), settings())
			if text := err.Error(); strings.Contains(text, "goroutine") || strings.Contains(text, "idea") {
				t.Errorf("the error repeats the child's words: %v", err)
			}
			text := log.String()
			if len(text) > maxTrace+2000 || !strings.Contains(text, test.holds) || strings.Contains(text, test.lacks) {
				t.Errorf("a log of %d bytes, want at most %d, with %q and without %q:\n%s", len(text), maxTrace+2000, test.holds, test.lacks, text)
			}
		})
	}
}

func TestNonsenseIsNotBelieved(t *testing.T) {
	d, _ := room(t, "play", Options{Idle: 1})
	for _, name := range slices.Sorted(maps.Keys(lies())) {
		t.Run(name, func(t *testing.T) {
			developed, err := d.Develop(t.Context(), []byte("do "+name), settings())
			if !errors.Is(err, ErrChildDied) || developed != nil {
				t.Errorf("got a picture: %t, and %v, want ErrChildDied", developed != nil, err)
			}
		})
	}
	mustDevelop(t, d)
}

func TestDetailIsMadeHarmless(t *testing.T) {
	d, _ := room(t, "play", Options{Idle: -1})
	got := told(t, d, "detail")
	if !strings.HasPrefix(got, "two?lines ?[31mää") || len(got) > maxDetail {
		t.Errorf("got %d bytes %q, want at most %d printable ones", len(got), got, maxDetail)
	}
}

func TestChildThatDoesNotGetReady(t *testing.T) {
	for _, behaviour := range []string{"mute", "loud-hello", "unheard-of"} {
		t.Run(behaviour, func(t *testing.T) {
			d, err := open(Options{Deadline: 10 * time.Second}, testArg+behaviour)
			if err == nil {
				_ = d.Close()
				t.Fatal("got no error from children that do not get ready")
			}
			if errors.Is(err, ErrChildDied) {
				t.Errorf("got %v, which would be counted against a photo", err)
			}
		})
	}
}

// A child that reads nothing is killed at the deadline, also where it asks for
// memory and the parent has not yet got rid of the photo.
func TestChildThatDoesNotRead(t *testing.T) {
	for _, behaviour := range []string{"deaf", "deaf-and-greedy"} {
		t.Run(behaviour, func(t *testing.T) {
			d, _ := room(t, behaviour, Options{Deadline: 300 * time.Millisecond})
			large := make([]byte, 4<<20) // more than a pipe holds
			if _, err := d.Develop(t.Context(), large, settings()); !errors.Is(err, ErrChildDied) {
				t.Errorf("got %v, want ErrChildDied", err)
			}
			wantAllBack(t, d)
		})
	}
}

func TestOriginalBeyondAllLimits(t *testing.T) {
	d, _ := room(t, "deaf", Options{Idle: -1})
	_, err := d.Develop(t.Context(), make([]byte, maxOriginal+1), settings())
	if err == nil || errors.Is(err, ErrChildDied) {
		t.Errorf("got %v, want an error that no child is counted for", err)
	}
}

// A parent is hostile too: a child that was taken for one must not take memory
// by its word.
func TestChildCapsTheRequest(t *testing.T) {
	none := func(context.Context, []byte, media.Settings, media.Reserve) (*media.Developed, error) {
		return nil, errors.New("got as far as developing")
	}
	tests := map[string]string{
		"huge frame":        "\xff\xff\xff\xff",
		"half a frame":      "\x00\x00\x00\x10{",
		"negative original": frame(t, request{Bytes: -1}),
		"huge original":     frame(t, request{Bytes: maxOriginal + 1}),
		"half an original":  frame(t, request{Bytes: 10}) + "12345",
	}
	for name, sent := range tests {
		t.Run(name, func(t *testing.T) {
			w := worker{in: strings.NewReader(sent), out: io.Discard, develop: none, allow: func(int64) {}}
			err := w.serve("")
			if err == nil || strings.Contains(err.Error(), "as far as") {
				t.Errorf("got %v, want a refusal", err)
			}
		})
	}
}

func frame(t *testing.T, v any) string {
	t.Helper()
	var b strings.Builder
	if err := writeFrame(&b, v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// FuzzReadAnswer looks for an answer that is taken though it breaks a rule.
func FuzzReadAnswer(f *testing.F) {
	a, pictures := good()
	var b strings.Builder
	honest(&b, a, pictures)
	f.Add([]byte(b.String()))
	f.Add([]byte("\x00\x00\x00\x0a{\"need\":7}"))
	f.Add([]byte("\x00\x00\x00\x14{\"reason\":\"corrupt\"}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := settings()
		developed, need, err := readAnswer(strings.NewReader(string(data)), s)
		if need < 0 || need > s.MaxMemory {
			t.Errorf("a need of %d bytes", need)
		}
		if err != nil || need > 0 {
			return
		}
		if len(developed.Preview.Data) > s.Preview.MaxBytes || len(developed.Thumbnail.Data) > s.Thumbnail.MaxBytes {
			t.Errorf("pictures of %d and %d bytes", len(developed.Preview.Data), len(developed.Thumbnail.Data))
		}
	})
}
