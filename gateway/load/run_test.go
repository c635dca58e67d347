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

// TestAGatewayThatKeepsItsPromise: everything is accounted for.
func TestAGatewayThatKeepsItsPromise(t *testing.T) {
	t.Parallel()
	h := open(t)
	acked := filepath.Join(t.TempDir(), "acked")
	r := h.run(load.Options{Plan: everything(t, 250), Acked: acked})
	b := r.Balance
	if !b.Good() || b.Accepted < 250 || b.Delivered+b.Withdrawn != b.Accepted {
		t.Errorf("got %+v, want at least 250 accepted, delivered or withdrawn", b)
	}
	if e := r.Events; e["message"] != 250 || e["edit"] == 0 || e["unsend"] == 0 || e["message"]+e["edit"]+e["unsend"]+e["close"] != b.Accepted {
		t.Errorf("got %v, want the kinds of %d events", e, b.Accepted)
	}
	if r.Repeats == 0 || r.Refused.Count == 0 || r.Answers["401"] != int(r.Refused.Count) || r.Answers["200"] != int(r.Accepted.Count) || len(r.Answers) != 2 {
		t.Errorf("got %+v, want repeats, and every forged call refused", r)
	}
	if int(r.Accepted.Count) != b.Accepted+r.Repeats || r.PerSecond <= 0 || r.Accepted.P50 <= 0 || r.Accepted.Max < r.Accepted.P99 {
		t.Errorf("got %+v, want times of each accepted call", r.Accepted)
	}
	if int(r.ToQueue.Count) != b.Delivered || r.Photos["ready"] == 0 || len(r.Notes) != 0 {
		t.Errorf("got %+v, want the time to the queue of each, and photos", r)
	}
	written, err := os.ReadFile(acked)
	if err != nil || bytes.Count(written, []byte("\n")) != b.Accepted {
		t.Errorf("the list has %d lines, %v; want %d", bytes.Count(written, []byte("\n")), err, b.Accepted)
	}
}

// TestAGatewayThatDoesNot: each broken promise is seen, and for what it is.
func TestAGatewayThatDoesNot(t *testing.T) {
	t.Parallel()
	for broken, wrong := range map[string]func(load.Balance) bool{
		"loses every tenth":    func(b load.Balance) bool { return len(b.Lost) > 5 && len(b.Doubled)+len(b.Forged) == 0 },
		"knows no repeats":     func(b load.Balance) bool { return len(b.Doubled) > 5 && len(b.Lost)+len(b.Forged) == 0 },
		"believes everybody":   func(b load.Balance) bool { return len(b.Forged) > 5 && len(b.Lost)+len(b.Doubled) == 0 },
		"forgets unsends":      func(b load.Balance) bool { return len(b.Revived) > 0 && len(b.Lost)+len(b.Doubled) == 0 },
		"never settles photos": func(b load.Balance) bool { return len(b.Lost) > 5 && len(b.Doubled)+len(b.Forged) == 0 },
	} {
		t.Run(broken, func(t *testing.T) {
			t.Parallel()
			r := open(t, broken).run(load.Options{Plan: everything(t, 250)})
			if r.Balance.Good() || !wrong(r.Balance) {
				t.Errorf("got %+v", r.Balance)
			}
		})
	}
}

// TestWhatIsNoLoss: a gateway may be slow, refuse, or have other readers.
func TestWhatIsNoLoss(t *testing.T) {
	t.Parallel()
	for state, right := range map[string]func(*load.Report) bool{
		"keeps every tenth":    func(r *load.Report) bool { return r.Balance.Waiting > 5 },
		"is read by others":    func(r *load.Report) bool { return r.Balance.Taken > 5 },
		"is full now and then": func(r *load.Report) bool { return r.Answers["503"] > 5 },
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			r := open(t, state).run(load.Options{Plan: everything(t, 250)})
			b := r.Balance
			if !b.Good() || b.Accepted != b.Delivered+b.Withdrawn+b.Waiting+b.Taken || !right(r) {
				t.Errorf("got %+v and %v", b, r.Answers)
			}
			if int(r.Accepted.Count) != b.Accepted+r.Repeats {
				t.Errorf("%d calls accepted for %d events, and %d repeats", r.Accepted.Count, b.Accepted, r.Repeats)
			}
		})
	}
}

// TestAlone: where nobody else reads, nobody has taken what is done and not in the
// queue. What is in it is read, however late, and an unsend takes out what it is
// about.
func TestAlone(t *testing.T) {
	t.Parallel()
	for state, right := range map[string]func(load.Balance) bool{
		"is read by others": func(b load.Balance) bool { return !b.Good() && len(b.Lost) > 5 && b.Taken == 0 },
		"is read late":      func(b load.Balance) bool { return b.Good() && b.Withdrawn > 5 },
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			target := open(t, state).target()
			target.Alone = true
			r, err := load.Run(t.Context(), target, load.Options{Plan: everything(t, 250), Connections: 2, Wait: 300 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if b := r.Balance; !right(b) || b.Accepted != b.Delivered+b.Withdrawn+len(b.Lost) {
				t.Errorf("got %+v", b)
			}
		})
	}
}

// TestPaused: what waits is looked for in the journal, which it may reach later.
func TestPaused(t *testing.T) {
	t.Parallel()
	for state, good := range map[string]bool{"spools at first": true, "loses every tenth": false} {
		h := open(t, state)
		target := h.target()
		target.Paused = true
		r, err := load.Run(t.Context(), target, load.Options{Plan: everything(t, 100), Connections: 2, Wait: 500 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if r.Balance.Good() != good || r.Balance.Accepted < 100 {
			t.Errorf("%s: got %+v, want it good: %v", state, r.Balance, good)
		}
	}
}

// TestRate: calls leave when they are due, and none when the time is over.
func TestRate(t *testing.T) {
	t.Parallel()
	plan := everything(t, 0)
	plan.Forged = 0
	r := open(t).run(load.Options{Plan: plan, Rate: 200, For: time.Second})
	// At 200 in a second no more are due, however fast the machine is.
	if n := r.Accepted.Count; n < 20 || n > 210 || !r.Balance.Good() {
		t.Errorf("%d calls in a second at 200 in a second, %+v", n, r.Balance)
	}
}

// TestInterrupted: what was sent until then is judged.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx, stop := context.WithCancel(t.Context())
	r, err := load.Run(ctx, h.target(), load.Options{
		Plan: everything(t, 0), Rate: 100, For: time.Hour, Connections: 2, Wait: time.Second,
		Progress: func(done, _ int, what string) {
			if what == "sending" {
				stop()
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Balance.Good() || r.Seconds > 60 {
		t.Errorf("got %+v", r)
	}
}

// TestWithoutTheQueue: answers alone still tell of forged calls that are taken.
func TestWithoutTheQueue(t *testing.T) {
	t.Parallel()
	h := open(t, "believes everybody", "loses every tenth")
	target := h.target()
	target.Journal = nil
	r, err := load.Run(t.Context(), target, load.Options{Plan: everything(t, 150), Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Balance.Forged) == 0 || len(r.Balance.Lost) != 0 || r.Balance.Accepted < 150 || r.Uncompared == "" {
		t.Errorf("got %+v, %q", r.Balance, r.Uncompared)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	h := open(t)
	for want, o := range map[string]load.Options{
		"a plan without end":       {Plan: load.Plan{}, Connections: 1},
		"a rate of -1":             {Plan: load.Plan{Messages: 1}, Rate: -1, Connections: 1},
		"0 connections":            {Plan: load.Plan{Messages: 1}},
		"photos is 1.5; a share":   {Plan: load.Plan{Messages: 1, Photos: 1.5}, Connections: 1},
		"forged is -0.1; a share":  {Plan: load.Plan{Messages: 1, Forged: -0.1}, Connections: 1},
		"photos needs an original": {Plan: load.Plan{Messages: 1, Photos: 0.5}, Connections: 1},
	} {
		if _, err := load.Run(t.Context(), h.target(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	target := h.target()
	target.Gateways = []string{"http://127.0.0.1:1"}
	if _, err := load.Run(t.Context(), target, load.Options{Plan: load.Plan{Messages: 1}, Connections: 1}); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("got %v of a gateway that is not there", err)
	}
	if h.calls != 0 {
		t.Errorf("%d calls were made all the same", h.calls)
	}
}
