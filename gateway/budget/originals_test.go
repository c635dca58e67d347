package budget

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/media"
)

// originals has room for so many of the largest, which have this size.
func originals(largest, many int64) *Originals {
	return NewOriginals(Plan{Largest: largest, Originals: many * mostHeld(largest)}, 0)
}

func begin(t *testing.T, o *Originals) *Original {
	t.Helper()
	p, err := o.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// hold has an original ask for room beside the test.
func hold(ctx context.Context, p *Original, bytes int64) chan error {
	got := make(chan error, 1)
	go func() { got <- p.Room(ctx)(bytes) }()
	return got
}

// All are half there and want more than there is: the first goes on, to the
// largest size that there is, and then the next.
func TestTheFirstMayAlwaysGoOn(t *testing.T) {
	const largest, many = 10 << 20, 3
	o := originals(largest, many)
	var all []*Original
	for o.Held()+o.most <= o.size {
		all = append(all, begin(t, o))
	}
	if len(all) < 4 {
		t.Fatalf("only %d fit, too few for this test", len(all))
	}
	var waiting []chan error
	for _, p := range all[1:] {
		waiting = append(waiting, hold(t.Context(), p, 2*largest))
	}
	gatewaytest.Await(t, "all but those for whom there is room", func() bool { return o.Waiting() >= len(all)-many })
	for _, bytes := range []int64{readStep, largest, 2 * largest, largest} {
		if err := all[0].Room(t.Context())(bytes); err != nil {
			t.Fatalf("the first, %d bytes: %v", bytes, err)
		}
		if o.Held() > o.size {
			t.Fatalf("%d bytes are held, of %d", o.Held(), o.size)
		}
	}
	if all[0].Waited() {
		t.Error("the first had to wait")
	}
	all[0].End()
	for i, p := range all[1:] {
		if err := <-waiting[i]; err != nil {
			t.Fatal(err)
		}
		p.End()
	}
	if o.Held() != 0 || o.Waiting() != 0 {
		t.Errorf("%d bytes are held and %d wait, want none", o.Held(), o.Waiting())
	}
}

const readStep = 256 << 10

// What others wait for must not keep anybody from giving back.
func TestGivingBackNeverWaits(t *testing.T) {
	o := originals(10<<20, 2)
	first, second := begin(t, o), begin(t, o)
	third := begin(t, o)
	if err := third.Room(t.Context())(8 << 20); err != nil {
		t.Fatal(err)
	}
	full := hold(t.Context(), second, 20<<20)
	gatewaytest.Await(t, "one that waits", func() bool { return o.Waiting() == 1 })
	if err := third.Room(t.Context())(1 << 20); err != nil || third.Waited() {
		t.Errorf("got %v after waiting: %v", err, third.Waited())
	}
	first.End()
	if err := <-full; err != nil || !second.Waited() {
		t.Errorf("got %v, waited: %v", err, second.Waited())
	}
}

func TestAFetchThatFindsNoRoom(t *testing.T) {
	o := originals(10<<20, 2)
	o.patience = time.Nanosecond
	begin(t, o)
	second, third := begin(t, o), begin(t, o)
	if err := third.Room(t.Context())(20 << 20); !errors.Is(err, ErrNoRoom) || !third.Waited() {
		t.Errorf("got %v, waited: %v; want %v", err, third.Waited(), ErrNoRoom)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := second.Room(ended)(20 << 20); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if held := o.Held(); held != 3*pictures {
		t.Errorf("%d bytes are held, want %d", held, 3*pictures)
	}
}

// Whoever has not begun holds no connection, and waits as long as it takes.
func TestABeginningWaitsForRoom(t *testing.T) {
	o := originals(10<<20, 1)
	o.patience = time.Nanosecond
	first := begin(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp, began := make(chan error, 1), make(chan error, 1)
	go func() { _, err := o.Begin(ctx); gaveUp <- err }()
	go func() { _, err := o.Begin(t.Context()); began <- err }()
	gatewaytest.Await(t, "two that wait", func() bool { return o.Waiting() == 2 })
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	first.End()
	if err := <-began; err != nil {
		t.Error(err)
	}
}

// Read's questions fit into what a Plan has for the largest original.
func TestReadFits(t *testing.T) {
	const largest = 3<<20 + 17
	o := originals(largest, 1)
	p := begin(t, o)
	for _, size := range []int64{0, 1, largest, largest + 1} {
		data, err := media.Read(io.LimitReader(strings.NewReader(strings.Repeat("x", 4<<20)), size), 0, largest, p.Room(t.Context()))
		if size <= largest && (err != nil || int64(len(data)) != size) {
			t.Errorf("%d bytes: got %d and %v", size, len(data), err)
		}
		if err := p.Room(t.Context())(0); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Room(t.Context())(2*largest + 1); !errors.Is(err, ErrNeverFits) {
		t.Errorf("more than the largest: got %v", err)
	}
	p.End()
	p.End()
	if o.Held() != 0 {
		t.Errorf("%d bytes are held", o.Held())
	}
}

// A crowd of slow senders never holds more than there is, and all come to an end.
func TestACrowdOfSenders(t *testing.T) {
	o := NewOriginals(Plan{Largest: int64(config.MB), Originals: 3 * mostHeld(int64(config.MB))}, Patience)
	var crowd sync.WaitGroup
	for range 100 {
		crowd.Go(func() {
			p, err := o.Begin(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			defer p.End()
			for n := int64(readStep); n <= 2<<20; n += readStep {
				if err := p.Room(t.Context())(n); err != nil {
					t.Error(err)
				}
				if held := o.Held(); held > o.size {
					t.Errorf("%d bytes are held, of %d", held, o.size)
				}
			}
		})
	}
	crowd.Wait()
}
