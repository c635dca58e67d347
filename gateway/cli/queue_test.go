package cli

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/queue"
)

// photos accepts messages with photos of an account.
func (g graveyard) photos(account string, names ...string) {
	g.t.Helper()
	for _, name := range names {
		_, err := g.Accept(g.t.Context(), "support", []queue.Item{{
			Kind: queue.ItemMessage, Key: keyOf(name), Party: keyOf("party"), Lane: inbound.Lane("line", account), Payload: []byte("{}"),
		}})
		if err != nil {
			g.t.Fatal(err)
		}
	}
}

// finish takes all photos that are there, and delivers their messages.
func (g graveyard) finish() {
	g.t.Helper()
	entries, err := g.Take(g.t.Context(), "support", queue.Photos, 10, 0)
	for _, e := range entries {
		if err == nil {
			err = g.Begin(g.t.Context(), &e, "")
		}
		if err == nil {
			_, err = g.Complete(g.t.Context(), e, queue.End{Document: []byte("{}")})
		}
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

// young calls every age of seconds under one: what letters get to on a busy machine.
func young(out string) string {
	return regexp.MustCompile(`\b\d+ s\b`).ReplaceAllString(strings.ReplaceAll(out, "under 1 s", "1 s"), "under 1 s")
}

func TestQueue(t *testing.T) {
	g := openGraveyard(t)
	r := lightlock(t, "queue", "support", "--over", "1ms")
	wantExit(t, r, exitDone)
	hasAll(t, r.out, "queue support\n", "  waiting     0\n", "  rates       0.0 accepted, 0.0 finished per second\n", "  readers     0: nobody reads it\n")

	g.die("a", "hopeless")
	g.photos(deadBot, "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
	g.photos("Uffffffffffffffffffffffffffffffff", "x")
	r = lightlock(t, "queue", "support", "--over", "1ms")
	wantExit(t, r, exitDone)
	hasAll(t, young(r.out), "  waiting     11, oldest under 1 s\n", "  dead        1, oldest under 1 s, ", "messages with photos by account\n",
		"  line/acme  8 next or in work, 2 behind them, the first for under 1 s; 0.0 accepted, 0.0 finished per second\n",
		"  not configured (", ")  1 next or in work; 0.0 accepted, 0.0 finished per second\n")

	r = lightlock(t, "queue", "--over", "1ms")
	wantExit(t, r, exitDone)
	lines := strings.Split(young(r.out), "\n")
	if len(lines) != 3 || strings.Join(strings.Fields(lines[0]), " ") != "QUEUE WAITING OLDEST IN WORK DELAYED DEAD DELIVERED IN/S OUT/S READERS" ||
		strings.Join(strings.Fields(lines[1]), " ") != "support 11 under 1 s 0 0 1 0 0.0 0.0 0" {
		t.Errorf("got\n%s", r.out)
	}

	got := objects(t, lightlock(t, "queue", "--json", "--over", "1ms"))
	if len(got) != 1 || got[0]["queue"] != "support" || got[0]["waiting"] != 11.0 || got[0]["dead"] != 1.0 || got[0]["dead_bytes"] == 0.0 {
		t.Errorf("got %v", got)
	}
	accounts, _ := got[0]["accounts"].([]any)
	if len(accounts) != 2 {
		t.Errorf("got accounts %v, want two", accounts)
	}
}

// Rates are what came and went between two looks.
func TestQueueRates(t *testing.T) {
	g := openGraveyard(t)
	done := make(chan result)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	p := testProgram()
	out := new(gatewaytest.Log)
	go func() {
		p.Stdout, p.Stderr = out, out
		done <- result{code: run(ctx, []string{"queue", "--watch", "--json", "--over", "20ms"}, p)}
	}()
	for i := 0; !strings.Contains(out.String(), `"accepted_per_second":0,`); i++ {
		time.Sleep(time.Millisecond)
		if i > 20000 {
			t.Fatal("no first look")
		}
	}
	g.die("a", "hopeless")
	for i := 0; ; i++ {
		accepted, finished := false, false
		for line := range strings.Lines(out.String()) {
			accepted = accepted || !strings.Contains(line, `"accepted_per_second":0,`)
			finished = finished || !strings.Contains(line, `"finished_per_second":0,`)
		}
		if accepted && finished {
			break
		}
		time.Sleep(time.Millisecond)
		if i > 20000 {
			t.Fatalf("no rate was seen:\n%s", out)
		}
	}
	stop()
	if r := <-done; r.code != exitInterrupted {
		t.Errorf("got exit %d, want %d", r.code, exitInterrupted)
	}
}

// An account's rates are told though nothing of it is there at either look.
func TestQueueRatesByAccount(t *testing.T) {
	g := openGraveyard(t)
	d, err := deskFlags{}.open(t.Context(), &session{Program: testProgram()}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer d.close(t.Context())
	look := func() looked {
		t.Helper()
		l, err := d.look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	g.photos(deadBot, "1")
	g.finish()
	before := look()
	g.photos(deadBot, "2", "3", "4")
	g.photos("Uffffffffffffffffffffffffffffffff", "x")
	g.finish()
	now := look()
	now.at = before.at.Add(2 * time.Second)
	accounts := now.since(before)[0].Accounts
	if len(accounts) != 1 || accounts[0].Account != "line/acme" || accounts[0].Next != 0 || accounts[0].Accepted != 1.5 || accounts[0].Finished != 1.5 {
		t.Errorf("got %+v; want line/acme alone, with nothing in it, and three in two seconds", accounts)
	}
}

func TestNumbersInWords(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := digits(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "now", 999 * time.Millisecond: "now", 59 * time.Second: "59 s", 61 * time.Second: "1 min",
		119 * time.Minute: "1 h", 47 * time.Hour: "47 h", 48 * time.Hour: "2 d",
	} {
		if got := ageText(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}
