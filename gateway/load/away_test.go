package load_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/load"
)

// TestRedisGoesAndComesBack: what is read goes on where it stood, and what is
// asked is asked again.
func TestRedisGoesAndComesBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		state  string
		paused bool
	}{
		"in the middle":         {"misses its redis", false},
		"in the middle, paused": {"misses its redis", true},
		"at the end":            {"misses its redis at the end", false},
		"at the end, paused":    {"misses its redis at the end", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, c.state, "is read by others") // of whom nobody knows but Recall
			target := h.target()
			target.Paused = c.paused
			r, err := load.Run(t.Context(), target, load.Options{Plan: everything(t, 250), Connections: 4, Wait: 2 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			b := r.Balance
			if r.Uncompared != "" || !b.Good() || b.Accepted < 250 || b.Accepted != b.Delivered+b.Withdrawn+b.Taken || b.Taken == 0 {
				t.Errorf("got %+v, %q", b, r.Uncompared)
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.refused < 3 {
				t.Errorf("Redis was asked %d times in vain; want it away for a while", h.refused)
			}
		})
	}
}

// TestRedisNeverComesBack: the answers are told and kept all the same, and
// nothing is called lost.
func TestRedisNeverComesBack(t *testing.T) {
	t.Parallel()
	for _, paused := range []bool{false, true} {
		target := open(t, "loses its redis").target()
		target.Paused = paused
		acked := filepath.Join(t.TempDir(), "acked")
		r, err := load.Run(t.Context(), target, load.Options{Plan: everything(t, 250), Connections: 4, Wait: 300 * time.Millisecond, Acked: acked})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(r.Uncompared, "redis is away") {
			t.Errorf("got %q, want why the queue is not compared", r.Uncompared)
		}
		b := r.Balance
		if b.Accepted < 250 || len(b.Lost)+b.Waiting+b.Taken+b.Withdrawn > 0 || int(r.Accepted.Count) != b.Accepted+r.Repeats {
			t.Errorf("got %+v, want what was answered and nothing that is not known", b)
		}
		if written, err := os.ReadFile(acked); err != nil || bytes.Count(written, []byte("\n")) != b.Accepted {
			t.Errorf("the list has %d lines, %v; want %d", bytes.Count(written, []byte("\n")), err, b.Accepted)
		}
	}
}

// TestInterruptedWithoutRedis: whoever has enough does not wait for it.
func TestInterruptedWithoutRedis(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	r, err := load.Run(ctx, open(t, "loses its redis").target(), load.Options{
		Plan: everything(t, 150), Connections: 4, Wait: time.Hour,
		Progress: func(_, _ int, what string) {
			if what == "waiting for the queue" {
				stop()
			}
		},
	})
	if err != nil || r.Uncompared == "" {
		t.Errorf("got %+v, %v", r, err)
	}
}

// TestAckedCannotBeWritten: that is an error, and no reason to tell nothing.
func TestAckedCannotBeWritten(t *testing.T) {
	t.Parallel()
	r, err := load.Run(t.Context(), open(t).target(), load.Options{
		Plan: everything(t, 20), Connections: 1, Wait: time.Second, Acked: filepath.Join(t.TempDir(), "no", "folder"),
	})
	if err == nil || r == nil || !r.Balance.Good() || r.Balance.Accepted < 20 {
		t.Errorf("got %+v, %v; want a report and an error", r, err)
	}
}
