package darkroom

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightlock/lightlock/media"
)

// A child that works slowly hears of it before it is killed, and says so.
func TestLateChildSaysSo(t *testing.T) {
	d, _ := room(t, "play", Options{Idle: -1})
	c, err := d.start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.end()
	c.deadline = 10 * time.Millisecond // for the child alone
	if _, err := c.develop(t.Context(), photo{original: []byte("do wait"), settings: settings()}); !errors.Is(err, errLate) {
		t.Errorf("got %v, want %v", err, errLate)
	}
	for deadline, want := range map[time.Duration]int64{2 * time.Minute: 119_000, 10 * time.Second: 9000, time.Second: 900, time.Nanosecond: 0} {
		if got := milliseconds(deadline); got != want {
			t.Errorf("of %v a child is told to have %d ms, want %d", deadline, got, want)
		}
	}
}

// A machine that takes long to start a child takes nothing of the photo's time,
// or a crowd would have photos found too complex.
func TestStartingIsNoPartOfAPhotosTime(t *testing.T) {
	for _, idle := range []int{-1, 1} {
		d, _ := room(t, "play", Options{Idle: idle, Deadline: time.Nanosecond})
		_, err := d.Develop(t.Context(), []byte(goodPhoto), settings())
		if !errors.Is(err, ErrChildDied) || !strings.Contains(err.Error(), "not done within 1ns") {
			t.Errorf("%d in advance: got %v, want a child that had no time for its photo", idle, err)
		}
	}
}

// The parent's clock runs while it sends the photo, and so does the child's.
func TestReadingIsPartOfAPhotosTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent, in := io.Pipe()
		go func() {
			_ = writeFrame(in, request{Bytes: 1, Milliseconds: 1000})
			time.Sleep(1001 * time.Millisecond) // by the bubble's clock
			_, _ = in.Write([]byte("x"))
		}()
		var out bytes.Buffer
		develop := func(ctx context.Context, _ []byte, _ media.Settings, _ media.Reserve) (*media.Developed, error) {
			return nil, errors.Join(ctx.Err(), errors.New("got as far as developing"))
		}
		w := worker{in: sent, out: &out, develop: develop, allow: func(int64) {}}
		if err := w.serve(""); err != nil || !strings.Contains(out.String(), `"late":true`) {
			t.Errorf("got %q and %v, want a child that is late", out.String(), err)
		}
	})
}
