package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/spool"
)

// spoolSome leaves messages in the spool of the working directory's gateway.
func spoolSome(t *testing.T, name string, texts ...string) {
	t.Helper()
	s, err := spool.Open(spool.Options{Folder: "data/spool", Limit: 1 << 20, Queues: []string{name}, Ready: func() bool { return false }})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		if _, err := s.Accept(t.Context(), name, []queue.Item{{Kind: queue.ItemMessage, Key: keyOf(text), Party: keyOf("party"), Payload: []byte("{}")}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// The spool needs no Redis, and is looked at just when that is away.
func TestQueueShowsTheSpoolWithoutRedis(t *testing.T) {
	for what, redis := range map[string]string{
		"away": "redis:\n  address: 127.0.0.1:1\n", "the gateway's own, which does not run": "",
	} {
		t.Run(what, func(t *testing.T) {
			configured(t, goodGateway+redis, goodLine)
			r := lightlock(t, "queue")
			wantExit(t, r, exitFailed)
			hasAll(t, r.out, "spooled here: nothing\n")

			spoolSome(t, "support", "a", "b", "c")
			spoolSome(t, "sales", "d")
			r = lightlock(t, "queue")
			wantExit(t, r, exitFailed)
			hasAll(t, r.out, "spooled of sales: 1 here, oldest under 1 s, ", "spooled of support: 3 here, oldest under 1 s, ")
			hasAll(t, r.err, "redis")
			r = lightlock(t, "queue", "support", "--json")
			wantExit(t, r, exitFailed)
			if got := objects(t, r); len(got) != 1 || got[0]["queue"] != "support" || got[0]["spooled"] != 3.0 || got[0]["spool_bytes"] == 0.0 || got[0]["waiting"] != nil {
				t.Errorf("got %v; want what the spool has of support, and nothing that is not known", got)
			}
		})
	}
}

func TestQueueShowsTheSpoolBesideRedis(t *testing.T) {
	openGraveyard(t)
	spoolSome(t, "support", "a", "b", "c")
	hasAll(t, lightlock(t, "queue", "--over", "1ms").out, "QUEUE", "spooled of support: 3 here, oldest under 1 s, ")
	hasAll(t, lightlock(t, "queue", "support", "--over", "1ms").out, "  spooled     3 here, oldest under 1 s, ")
}

// A spool that cannot be read hides nothing else.
func TestQueueWithoutItsSpool(t *testing.T) {
	openGraveyard(t)
	if err := os.MkdirAll("data", 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, "data", "spool", nil) // a file; root may read any folder
	for _, args := range []string{"queue", "queue support", "queue --json"} {
		r := lightlock(t, append(strings.Fields(args), "--over", "1ms")...)
		wantExit(t, r, exitFailed)
		hasAll(t, r.out, "support", "the spool cannot be read: ")
	}
}
