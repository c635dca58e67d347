package darkroom

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/media"
)

// TestRealChildren goes the way that the gateway goes.
func TestRealChildren(t *testing.T) {
	d, err := New(Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	original := encode(640, 480)
	got, err := d.Develop(t.Context(), original, media.Default())
	if err != nil {
		t.Fatal(err)
	}
	if want := (media.Source{Type: "image/jpeg", Bytes: int64(len(original)), Width: 640, Height: 480}); got.Source != want {
		t.Errorf("source: got %+v, want %+v", got.Source, want)
	}
	want, err := media.Develop(t.Context(), original, media.Default(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("the child's pictures are not those that media makes in this process")
	}
	verdicts := map[string]media.Reason{"": media.UnsupportedType, "no photo": media.UnsupportedType, string(original[:len(original)/2]): media.Corrupt}
	for text, reason := range verdicts {
		_, err := d.Develop(t.Context(), []byte(text), media.Default())
		var verdict *media.Rejection
		if !errors.As(err, &verdict) || verdict.Reason != reason || verdict.Source.Bytes != int64(len(text)) || verdict.Detail == "" {
			t.Errorf("%d bytes: got %v, want %s with a detail", len(text), err, reason)
		}
	}
}

// A machine on which every child dies must not get to say so about photos.
func TestDarkroomThatDevelopsNothing(t *testing.T) {
	d, err := tried(open(Options{Log: slog.New(slog.DiscardHandler)}, testArg+"useless"))
	if err == nil {
		_ = d.Close()
		t.Fatal("got a darkroom")
	}
	if !strings.Contains(err.Error(), "a photo of our own was not developed") {
		t.Errorf("got %v, want it to say what was tried", err)
	}
	if left := children(t); len(left) > 0 {
		t.Errorf("children left: %v", left)
	}
}

func TestManyPhotosThroughFewChildren(t *testing.T) {
	d, _ := room(t, "play", Options{Idle: 2, Most: 2})
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if i%5 == 4 {
				if _, err := d.Develop(t.Context(), []byte("do panic"), settings()); !errors.Is(err, ErrChildDied) {
					t.Errorf("a spoilt photo: got %v, want ErrChildDied", err)
				}
				return
			}
			if _, err := d.Develop(t.Context(), []byte(goodPhoto), settings()); err != nil {
				t.Errorf("a good photo: %v", err)
			}
		})
	}
	all.Wait()
}

func TestNoDescriptorStaysOpen(t *testing.T) {
	d, _ := room(t, "play", Options{Idle: -1})
	mustDevelop(t, d)
	before := descriptors()
	for range 5 {
		mustDevelop(t, d)
		_, _ = d.Develop(t.Context(), []byte("do panic"), settings())
	}
	if after := descriptors(); !slices.Equal(before, after) {
		t.Errorf("open descriptors: got %v, want %v as before", after, before)
	}
}

func TestContextEndsTheChild(t *testing.T) {
	d, log := room(t, "play", Options{Idle: -1})
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := d.Develop(ctx, []byte("do hang"), settings())
		result <- err
	}()
	gatewaytest.Await(t, "a child at work", func() bool { return len(children(t)) > 0 })
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) || errors.Is(err, ErrChildDied) {
		t.Errorf("got %v, want context.Canceled alone", err)
	}
	if left := children(t); len(left) > 0 {
		t.Errorf("children left: %v", left)
	}
	if strings.Contains(log.String(), "died") {
		t.Errorf("a photo that nobody waits for was logged as a death")
	}
}

func TestContextEndsTheWaitForASlot(t *testing.T) {
	d, _ := room(t, "play", Options{Idle: -1, Most: 1})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var first sync.WaitGroup
	first.Go(func() { _, _ = d.Develop(ctx, []byte("do hang"), settings()) })
	gatewaytest.Await(t, "a child at work", func() bool { return len(children(t)) > 0 })
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := d.Develop(ended, []byte(goodPhoto), settings()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	cancel()
	first.Wait()
}

func TestCloseWhileWorking(t *testing.T) {
	d, _ := room(t, "play", Options{Idle: 1, Most: 2})
	var working sync.WaitGroup
	for range 4 { // two at work, two waiting
		working.Go(func() {
			if _, err := d.Develop(t.Context(), []byte("do hang"), settings()); !errors.Is(err, ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
		})
	}
	gatewaytest.Await(t, "all slots taken", func() bool { return d.Waiting() == 2 })
	if err := d.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	working.Wait()
	if left := children(t); len(left) > 0 {
		t.Errorf("children left: %v", left)
	}
	if _, err := d.Develop(t.Context(), []byte(goodPhoto), settings()); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: got %v, want ErrClosed", err)
	}
}

func TestIdleChildThatDiesIsReplaced(t *testing.T) {
	d, log := room(t, "play", Options{Idle: 1})
	first := children(t)
	if len(first) != 1 {
		t.Fatalf("got children %v, want one that stands ready", first)
	}
	if err := syscall.Kill(first[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Await(t, "another child", func() bool {
		now := children(t)
		return len(now) == 1 && now[0] != first[0]
	})
	mustDevelop(t, d)
	if !strings.Contains(log.String(), "died while it stood ready") {
		t.Errorf("its death is not in the log")
	}
}

func TestPauseGrows(t *testing.T) {
	var got []time.Duration
	var pause time.Duration
	for _, taken := range []bool{true, false, false, false, true, false} {
		pause = nextPause(pause, taken)
		got = append(got, pause/time.Millisecond)
	}
	if want := []time.Duration{0, 100, 200, 400, 0, 100}; !slices.Equal(got, want) {
		t.Errorf("pauses in ms: got %v, want %v", got, want)
	}
	if got := nextPause(time.Hour, false); got != longestPause {
		t.Errorf("the longest pause: got %v, want %v", got, longestPause)
	}
}

// TestReplacedBinary runs a copy of this test binary, which removes its own file
// and has to develop photos all the same.
func TestReplacedBinary(t *testing.T) {
	const inner = "DARKROOM_TEST_REMOVE"
	if path := os.Getenv(inner); path != "" {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		d, _ := room(t, "play", Options{})
		mustDevelop(t, d)
		return
	}
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		t.Skip("SKIPPED: this system has no /proc/self/exe")
	}
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "copy")
	if err := os.WriteFile(path, binary, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-test.run=^TestReplacedBinary$")
	cmd.Env = append(os.Environ(), inner+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
