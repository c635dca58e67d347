package darkroom

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/budget"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/media"
	"github.com/lightlock/lightlock/media/mediatest"
)

// develop has d develop a photo beside the test.
func develop(ctx context.Context, d *Darkroom, photo string) chan error {
	result := make(chan error, 1)
	go func() {
		_, err := d.Develop(ctx, []byte(photo), settings())
		result <- err
	}()
	return result
}

// wantAllBack checks that no memory and no place is held any more.
func wantAllBack(t *testing.T, d *Darkroom) {
	t.Helper()
	if held, waiting := d.Held(), d.Waiting(); held != 0 || waiting != 0 {
		t.Errorf("%d bytes are held and %d photos wait, want none", held, waiting)
	}
	everything, err := d.gate.Enter(t.Context(), d.gate.Size())
	if err != nil {
		t.Fatal(err)
	}
	everything.Leave()
}

// Whatever becomes of a photo, what was reserved for it is given back.
func TestWhatWasReservedIsGivenBack(t *testing.T) {
	tests := map[string]struct {
		photo string
		died  bool
	}{
		"developed":                  {goodPhoto, false},
		"developed with memory":      {"need 50 MB", false},
		"rejected":                   {"do detail", false},
		"rejected after a grant":     {"need 50 MB, do detail", false},
		"dead before a need":         {"do panic", true},
		"dead after a grant":         {"need 50 MB, do panic", true},
		"silent after a grant":       {"need 50 MB, do exit", true},
		"more than it asked for":     {"need 1 MB, do eat", true},
		"a need that is none":        {"need 0 MB", true},
		"a need that is negative":    {"need -5 MB", true},
		"more than the settings say": {"need 513 MB", true},
		"more than there is":         {"need 200 MB", true},
	}
	d, _ := room(t, "play", Options{Memory: 200 << 20})
	t.Run("", func(t *testing.T) {
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				if strings.HasSuffix(test.photo, "eat") && raceDetector {
					t.Skip("SKIPPED: the race detector leaves no room for a limit on memory; run without -race")
				}
				t.Parallel()
				_, err := d.Develop(t.Context(), []byte(test.photo), settings())
				if errors.Is(err, ErrChildDied) != test.died {
					t.Errorf("got %v; want a death: %v", err, test.died)
				}
			})
		}
	})
	wantAllBack(t, d)
}

// So it is where a child is late, and says so or not.
func TestWhatWasReservedForTheLateIsGivenBack(t *testing.T) {
	d, _ := room(t, "play", Options{Memory: 200 << 20, Deadline: 500 * time.Millisecond})
	for _, photo := range []string{"need 50 MB, do wait", "need 50 MB, do spin"} {
		if _, err := d.Develop(t.Context(), []byte(photo), settings()); !errors.Is(err, ErrChildDied) {
			t.Errorf("%s: got %v, want %v", photo, err, ErrChildDied)
		}
	}
	wantAllBack(t, d)
}

// The giant has to wait, holds nothing meanwhile, and lets the small ones by.
func TestAGiantDoesNotHoldUpTheSmallOnes(t *testing.T) {
	d, _ := room(t, "play", Options{Idle: -1, Most: 2, Memory: 200 << 20})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	first := develop(ctx, d, "need 80 MB, do hang")
	gatewaytest.Await(t, "one that has 100 MB", func() bool { return d.Held() > 100<<20 })
	held := d.Held()
	giant := develop(t.Context(), d, "need 120 MB")
	gatewaytest.Await(t, "a giant that waits without a child", func() bool { return d.Waiting() == 1 && d.Held() == held && len(children(t)) == 1 })
	for range 5 {
		if _, err := d.Develop(t.Context(), []byte("need 10 MB"), settings()); err != nil {
			t.Fatal(err)
		}
	}
	if d.Waiting() != 1 {
		t.Error("the giant does not wait any more")
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if err := <-giant; err != nil {
		t.Errorf("the giant: %v", err)
	}
	wantAllBack(t, d)
}

func TestTheWaitForMemoryEnds(t *testing.T) {
	d, log := room(t, "play", Options{Idle: -1, Most: 2, Memory: 200 << 20})
	first := develop(t.Context(), d, "need 80 MB, do hang")
	gatewaytest.Await(t, "one that has 100 MB", func() bool { return d.Held() > 100<<20 })
	ctx, cancel := context.WithCancel(t.Context())
	giant := develop(ctx, d, "need 120 MB")
	gatewaytest.Await(t, "a giant that waits", func() bool { return d.Waiting() == 1 && len(children(t)) == 1 })
	cancel()
	if err := <-giant; !errors.Is(err, context.Canceled) || errors.Is(err, ErrChildDied) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	another := develop(t.Context(), d, "need 120 MB")
	gatewaytest.Await(t, "another that waits", func() bool { return d.Waiting() == 1 && len(children(t)) == 1 })
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	for _, result := range []chan error{first, another} {
		if err := <-result; !errors.Is(err, ErrClosed) {
			t.Errorf("got %v, want %v", err, ErrClosed)
		}
	}
	if strings.Contains(log.String(), "died") {
		t.Errorf("a photo that waited was logged as a death")
	}
	wantAllBack(t, d)
}

// What no child could ever hold is told at once, and costs none.
func TestAnOriginalThatNeverFits(t *testing.T) {
	d, _ := room(t, "play", Options{Idle: -1, Memory: 64 << 20})
	_, err := d.Develop(t.Context(), make([]byte, 60<<20), settings())
	verdict, ok := errors.AsType[*media.Rejection](err)
	if !ok || verdict.Reason != media.TooComplex || verdict.Source.Bytes != 60<<20 || !strings.Contains(verdict.Detail, "the 64 MB of memory") {
		t.Errorf("got %v, want too_complex", err)
	}
}

// A need beyond all memory is media's to reject, which is told what there is.
func TestMediaKnowsHowMuchThereIs(t *testing.T) {
	d, err := New(Options{Idle: -1, Memory: 40 << 20, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	_, err = d.Develop(t.Context(), encode(2048, 1536), media.Default())
	verdict, ok := errors.AsType[*media.Rejection](err)
	if !ok || verdict.Reason != media.TooComplex || !strings.Contains(verdict.Detail, "the limit is") {
		t.Errorf("got %v, want too_complex with the limit", err)
	}
}

// Go's garbage must not let a child hold twice what it has reserved.
func TestGarbageStaysWithinTheGrant(t *testing.T) {
	if raceDetector {
		t.Skip("SKIPPED: the race detector takes memory of its own; run without -race")
	}
	d, _ := room(t, "play", Options{Idle: -1})
	const need = 100 << 20
	_, err := d.Develop(t.Context(), []byte("need 100 MB, do waste"), settings())
	most := budget.Judged(0) + budget.Developed(need) + programPages
	if peak := d.PeakMemory(); err != nil || peak < need/2 || peak > most {
		t.Errorf("a child held %d bytes, want at most %d; and %v", peak, most, err)
	}
}

// programPages is more than the pages of this program that a child has in memory.
const programPages = 40 << 20

// usage samples what the children of this process hold of their own, until stop
// is called, which returns the most.
func usage(t *testing.T) (stop func() int64) {
	t.Helper()
	done, result := make(chan struct{}), make(chan int64)
	children(t) // skips where there is no /proc
	go func() {
		var most int64
		for {
			select {
			case <-done:
				result <- most
				return
			default:
			}
			var now int64
			for _, pid := range children(t) {
				now += anonymous(pid)
			}
			most = max(most, now)
		}
	}()
	return func() int64 { close(done); return <-result }
}

// anonymous returns the memory that a child shares with nobody (RssAnon in
// proc_pid_status(5)); zero if it is gone, or not yet there: until it is another
// program its memory is this process's own.
func anonymous(pid int) int64 {
	arguments, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if text := string(arguments); !strings.Contains(text, testArg) && !strings.Contains(text, childArg) {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, found := strings.Cut(string(text), "RssAnon:")
	if err != nil || !found {
		return 0
	}
	var kilobytes int64
	_, _ = fmt.Sscan(rest, &kilobytes)
	return kilobytes << 10
}

// A storm of photos that use every byte they were granted never holds more than
// there is, by the kernel's count.
func TestStormStaysWithinItsMemory(t *testing.T) {
	const memory = 256 << 20
	photos := 200
	if raceDetector || testing.Short() {
		photos = 40
	}
	d, _ := room(t, "play", Options{Most: 8, Memory: memory})
	stop := usage(t)
	var storm sync.WaitGroup
	for i := range photos {
		storm.Go(func() {
			need := 1 + rand.New(rand.NewPCG(uint64(i), 4)).Int64N(30)
			if i%20 == 0 {
				need = 150
			}
			_, err := d.Develop(t.Context(), fmt.Appendf(nil, "need %d MB, do fill", need), settings())
			if err != nil {
				t.Errorf("%d MB: %v", need, err)
			}
			if held := d.Held(); held > d.gate.Size() {
				t.Errorf("%d bytes are reserved, of %d", held, d.gate.Size())
			}
		})
	}
	storm.Wait()
	most := stop()
	t.Logf("the children held up to %d MB, of %d", most>>20, memory>>20)
	if !raceDetector && (most > memory || most < 100<<20) {
		t.Errorf("the children held up to %d bytes, want some, and at most %d", most, memory)
	}
	wantAllBack(t, d)
}

// TestRealPhotosStayWithinTheirMemory develops what phones make, all at once.
func TestRealPhotosStayWithinTheirMemory(t *testing.T) {
	if raceDetector || testing.Short() {
		t.Skip("SKIPPED: the race detector takes memory of its own; run without -race and without -short")
	}
	plan := budget.Default()
	d, err := New(Options{Most: 6, Memory: plan.Children, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	stop := usage(t)
	var all sync.WaitGroup
	for name, times := range map[string]int{
		"d48-pixel-upsampled-progressive.jpg": 1, "p12-iphone-xs-displayp3-o6.jpg": 2, "p12-book-progressive.jpg": 2, "kodak-1.png": 6,
	} {
		data := mediatest.Photo(t, "camera/"+name)
		for range times {
			all.Go(func() {
				if _, err := d.Develop(t.Context(), data, media.Default()); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
	}
	all.Wait()
	most := stop()
	t.Logf("the children held up to %d MB, of %d", most>>20, plan.Children>>20)
	if most > plan.Children {
		t.Errorf("the children held up to %d bytes, want at most %d", most, plan.Children)
	}
	wantAllBack(t, d)
}
