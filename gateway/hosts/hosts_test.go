package hosts_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/hosts"
)

const host = "media.example"

// down is what a fetch gives when its host fails.
func down() error { return &connectors.Error{Kind: connectors.Unavailable, Down: true, Op: "test"} }

// visit is a whole fetch of one photo from one host.
func visit(h *hosts.Hosts, account, host string, outcome error) error {
	v := h.Visit(account)
	err := v.Enter(host)
	v.Leave(outcome)
	return err
}

// waits checks that err makes a photo wait, for this reason and about that long.
func waits(t *testing.T, err error, reason hosts.Reason, from, to time.Duration) {
	t.Helper()
	wait, ok := errors.AsType[*hosts.Wait](err)
	if !ok || wait.Reason != reason || wait.For < from || wait.For > to {
		t.Fatalf("got %v, %+v; want a wait as the host %s, for %v to %v", err, wait, reason, from, to)
	}
}

// passes checks that a photo is fetched.
func passes(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("got %v, want the photo to be fetched", err)
	}
}

// A host that fails five times in a row is left alone for half a minute. Then one
// photo tries it, and the others follow if it works.
func TestCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		h := hosts.New(hosts.Options{Slots: 16, Log: slog.New(slog.NewTextHandler(&log, nil))})
		for range 4 {
			passes(t, visit(h, "a", host, down()))
		}
		passes(t, visit(h, "a", host, nil)) // one that is served in between
		for range 5 {
			passes(t, visit(h, "a", host, down()))
		}
		waits(t, visit(h, "a", host, nil), hosts.Fails, 30*time.Second, 35*time.Second)
		passes(t, visit(h, "a", "other.example", nil))
		time.Sleep(31 * time.Second)
		probe := h.Visit("a")
		passes(t, probe.Enter(host))
		waits(t, visit(h, "a", host, nil), hosts.Fails, 5*time.Second, 10*time.Second)
		probe.Leave(down())
		waits(t, visit(h, "a", host, nil), hosts.Fails, 30*time.Second, 35*time.Second)
		if got := h.Troubles(); len(got) != 1 || got[0].Account != "a" || got[0].Host != host || got[0].Reason != "fails" {
			t.Errorf("got troubles %+v, want the host that fails", got)
		}
		time.Sleep(31 * time.Second)
		passes(t, visit(h, "a", host, nil))
		passes(t, visit(h, "a", host, nil))
		if got := h.Troubles(); len(got) != 0 {
			t.Errorf("got troubles %+v, want none", got)
		}
		if got := log.String(); strings.Count(got, "its photos wait") != 1 || strings.Count(got, "works again") != 1 {
			t.Errorf("want each change once in the log:\n%s", got)
		}
	})
}

// A photo may wait for up to a day between two tries: until it has come, what it
// waits for is a trouble.
func TestALongPauseForgetsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hosts.New(hosts.Options{Slots: 16, Longest: 24 * time.Hour})
		for range 5 {
			passes(t, visit(h, "a", host, down()))
		}
		for _, step := range []struct {
			after time.Duration
			want  int
		}{{24 * time.Hour, 1}, {4 * time.Minute, 1}, {2 * time.Minute, 0}} {
			time.Sleep(step.after)
			if got := h.Troubles(); len(got) != step.want {
				t.Errorf("%v later: got troubles %+v, want %d", step.after, got, step.want)
			}
		}
	})
}

// A host that nobody goes to any more is no trouble for ever, nor is it to one
// account where another's photos still come.
func TestAHostThatIsNotVisitedIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hosts.New(hosts.Options{Slots: 16})
		for range 5 {
			passes(t, visit(h, "a", host, down()))
			passes(t, visit(h, "a", "other.example", down()))
		}
		for range 4 {
			time.Sleep(5 * time.Minute)
			passes(t, visit(h, "b", host, nil))
			if got := h.Troubles(); len(got) != 2 {
				t.Fatalf("got troubles %+v, want a's at both hosts", got)
			}
		}
		time.Sleep(5 * time.Minute)
		passes(t, visit(h, "b", host, nil))
		if got := h.Troubles(); len(got) != 0 {
			t.Errorf("got troubles %+v, want none", got)
		}
		if got := hosts.Known(h); got != 0 {
			t.Errorf("%d hosts are remembered, want none", got)
		}
		passes(t, visit(h, "a", host, nil))
	})
}

// Only what speaks of the host counts against it.
func TestOutcomesThatDoNotCount(t *testing.T) {
	for name, outcome := range map[string]error{
		"gone":             connectors.Errorf(connectors.Gone, "test", "404"),
		"no credentials":   connectors.Errorf(connectors.Misconfigured, "test", "401"),
		"being prepared":   connectors.Errorf(connectors.Unavailable, "test", "202"),
		"given up":         connectors.Errorf(connectors.Other, "test", "%w", context.Canceled),
		"trouble of ours":  errors.New("no memory"),
		"throttled":        connectors.Errorf(connectors.Throttled, "test", "429"),
		"refused by wires": connectors.Errorf(connectors.Refused, "test", "private address"),
	} {
		h := hosts.New(hosts.Options{Slots: 16})
		for range 20 {
			if err := visit(h, "a", host, outcome); err != nil {
				t.Errorf("%s: got %v, want the host not to be blamed", name, err)
			}
		}
	}
}

// A fetch that was given up says nothing, also not that the host works.
func TestATryThatWasGivenUpLeavesTheCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hosts.New(hosts.Options{Slots: 16})
		for range 5 {
			passes(t, visit(h, "a", host, down()))
		}
		time.Sleep(31 * time.Second)
		passes(t, visit(h, "a", host, errors.New("stopping")))
		probe := h.Visit("a")
		passes(t, probe.Enter(host))
		waits(t, visit(h, "a", host, nil), hosts.Fails, 0, 10*time.Second)
		probe.Leave(nil)
		passes(t, visit(h, "a", host, nil))
	})
}

// A host may fail for one account alone. Where it fails for several, the others
// need not find out by themselves.
func TestAccountsShareAHost(t *testing.T) {
	h := hosts.New(hosts.Options{Slots: 16})
	for range 5 {
		passes(t, visit(h, "a", host, down()))
	}
	waits(t, visit(h, "a", host, nil), hosts.Fails, 0, time.Minute)
	passes(t, visit(h, "b", host, nil))
	waits(t, visit(h, "a", host, nil), hosts.Fails, 0, time.Minute)

	for _, account := range []string{"a", "b", "c", "a", "b"} {
		passes(t, visit(h, account, "gone.example", down()))
	}
	waits(t, visit(h, "d", "gone.example", nil), hosts.Fails, 0, time.Minute)
	if got := fmt.Sprint(len(h.Troubles())); got != "5" {
		t.Errorf("got %s troubles, want a's own and four at the host that fails for all: %+v", got, h.Troubles())
	}
}

// However many photos hang, a host has no more than its share, and an account
// that has none there gets in all the same.
func TestPlaces(t *testing.T) {
	for _, row := range []struct{ slots, perHost, crowd, others int }{
		{slots: 16, crowd: 8, others: 4},
		{slots: 16, perHost: 3, crowd: 3, others: 6},
		{slots: 16, perHost: 16, crowd: 16},
		{slots: 4, crowd: 2, others: 1},
		{slots: 2, crowd: 1},
		{slots: 1, crowd: 1},
	} {
		h := hosts.New(hosts.Options{Slots: row.slots, PerHost: row.perHost})
		enter := func(account string) (entered int) {
			for range 100 {
				if h.Visit(account).Enter(host) == nil {
					entered++
				}
			}
			return entered
		}
		crowd, others := enter("crowd"), 0
		for i := range 100 {
			others += enter(fmt.Sprint("other ", i))
		}
		if crowd != row.crowd || others != row.others {
			t.Errorf("of %d slots, %d for a host: the crowd has %d and others %d, want %d and %d",
				row.slots, row.perHost, crowd, others, row.crowd, row.others)
		}
	}
}

func TestAPlaceIsGivenBack(t *testing.T) {
	h := hosts.New(hosts.Options{Slots: 2})
	first := h.Visit("a")
	passes(t, first.Enter(host))
	waits(t, visit(h, "a", host, nil), hosts.Busy, 500*time.Millisecond, 1500*time.Millisecond+1)
	passes(t, first.Enter("next.example")) // a fetch is at one host at a time
	passes(t, visit(h, "a", host, nil))
	first.Leave(nil)
	first.Leave(nil) // once is enough
	passes(t, visit(h, "a", "next.example", nil))
	passes(t, visit(h, "a", "next.example", nil))
}

// What a platform asks for counts for all photos of the account there, with a cap.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hosts.New(hosts.Options{Slots: 16})
		after := func(kind connectors.ErrorKind, span time.Duration) error {
			return &connectors.Error{Kind: kind, After: span, Op: "test", Down: kind == connectors.Unavailable}
		}
		passes(t, visit(h, "a", host, after(connectors.Throttled, time.Minute)))
		waits(t, visit(h, "a", host, nil), hosts.Paused, time.Minute, 68*time.Second)
		passes(t, visit(h, "b", host, nil))
		passes(t, visit(h, "a", "other.example", nil))
		if got := h.Troubles(); len(got) != 1 || got[0].Reason != "paused" {
			t.Errorf("got troubles %+v, want the pause", got)
		}
		time.Sleep(time.Minute)
		passes(t, visit(h, "a", host, after(connectors.Unavailable, 24*time.Hour)))
		waits(t, visit(h, "a", host, nil), hosts.Paused, 15*time.Minute, 17*time.Minute)
		time.Sleep(15 * time.Minute)
		// An answer about one photo asks nothing of the others.
		passes(t, visit(h, "a", host, &connectors.Error{Kind: connectors.Unavailable, After: time.Minute, Op: "202"}))
		passes(t, visit(h, "a", host, nil))
	})
}

// Consumers can name any number of hosts.
func TestMemoryIsBounded(t *testing.T) {
	h := hosts.New(hosts.Options{Slots: 16})
	for i := range 3_000 {
		passes(t, visit(h, "a", fmt.Sprintf("%d.example", i), nil))
	}
	if got := hosts.Known(h); got != 0 {
		t.Errorf("%d hosts are remembered that have nothing to be remembered for", got)
	}
	for i := range 3_000 {
		passes(t, visit(h, "a", fmt.Sprintf("%d.example", i), down()))
	}
	if got := hosts.Known(h); got > 1000 {
		t.Errorf("%d hosts are remembered, want at most 1000", got)
	}
}
