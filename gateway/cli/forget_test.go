package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/spool"
)

func TestForget(t *testing.T) {
	g := openGraveyard(t)
	g.die("canary-1", "gateways died while working on it")
	g.bury(queue.Letter{Key: keyOf("b"), Connector: "line/acme", Cause: "webhook does not parse", Content: queue.ContentWebhook, Raw: []byte(`{"userId":"Unobody"}`)})
	r := lightlock(t, "forget", "U1", "--dry-run")
	wantExit(t, r, exitDone)
	hasAll(t, r.out, "THERE", "line/acme          1  dead letter\n", "Out of reach:\n  Backups of Redis")
	g.want(2, 0)

	r = lightlock(t, "forget", "U1", "--account", "line/acme")
	wantExit(t, r, exitFailed)
	hasAll(t, r.err, "Destroy all of this consumer on line/acme for good? Nobody can be asked here; say --yes")
	g.want(2, 0)

	for _, account := range []string{"line/nix", "line/acme"} {
		r = lightlock(t, "forget", "U1", "--account", account, "--yes", "--json")
		wantExit(t, r, map[string]int{"line/nix": exitFindings, "line/acme": exitDone}[account])
		got := objects(t, r)
		end := got[len(got)-1]
		if end["unreached"] == nil || end["left"] == nil {
			t.Errorf("got %v as the last line", end)
		}
		if found := len(got) == 2; found != (account == "line/acme") {
			t.Errorf("%s: got %v", account, got)
		} else if found && (got[0]["account"] != account || got[0]["place"] != "dead letters" || got[0]["number"] != 1.0 || got[0]["destroyed"] != true) {
			t.Errorf("got %v", got[0])
		}
	}
	g.want(1, 0)
	r = lightlock(t, "forget", "U1", "--yes")
	wantExit(t, r, exitDone)
	hasAll(t, r.out, "Nothing was found.")
	if strings.Contains(r.out+r.err, "U1") {
		t.Errorf("the id is repeated: %s%s", r.out, r.err)
	}
	for _, args := range []string{"forget", "forget U1 --config nowhere.yaml"} {
		wantExit(t, lightlock(t, strings.Fields(args)...), exitFailed)
	}
	wantExit(t, lightlock(t, "forget", " "), exitFailed)
}

// The command leaves nothing in the spool of this machine, unless a gateway works there.
func TestForgetAndTheSpool(t *testing.T) {
	g := openGraveyard(t)
	keep := func() *spool.Spool {
		t.Helper()
		s, err := spool.Open(spool.Options{Folder: "data/spool", Limit: 1 << 20, Queues: []string{"support"}, Ready: func() bool { return false }})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"mine", "another"} {
			if _, err := s.Accept(t.Context(), "support", []queue.Item{{Kind: queue.ItemMessage, Key: keyOf(name), Party: keyOf("party"), Payload: jobOf(deadBot, name)}}); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	if err := keep().Close(); err != nil {
		t.Fatal(err)
	}
	r := lightlock(t, "forget", "U1", "--dry-run")
	wantExit(t, r, exitDone)
	hasAll(t, r.out, "2 webhooks in the spool of this machine")
	r = lightlock(t, "forget", "U1", "--yes")
	wantExit(t, r, exitDone)
	hasAll(t, r.out, "2  messages in the spool\n", "that of this one is empty")
	g.want(0, 0)
	if lines, err := spool.Look("data/spool"); err != nil || len(lines) > 0 && lines[0].Records > 0 {
		t.Errorf("in the spool: %+v, %v, want nothing", lines, err)
	}
	if t.Failed() {
		return
	}
	working := keep() // which never hands it in
	defer working.Close()
	r = lightlock(t, "forget", "U1", "--yes")
	wantExit(t, r, exitDone)
	hasAll(t, r.out, "2 webhooks in the spool of this machine")
}

// A spool that cannot be emptied is told with its cause, and hides nothing else.
func TestForgetWithASpoolThatCannotBeEmptied(t *testing.T) {
	g := openGraveyard(t)
	g.die("canary-1", "gateways died while working on it")
	spoolSome(t, "support", "a")
	if err := errors.Join(os.Remove("data/spool/lock"), os.Mkdir("data/spool/lock", 0o700)); err != nil { // root may open any file
		t.Fatal(err)
	}
	r := lightlock(t, "forget", "U1", "--yes")
	wantExit(t, r, exitFindings)
	hasAll(t, r.out, "1  dead letter\n", "Left:\n  The spool of this machine, which could not be emptied: spool: ", "is a directory\n", "1 webhook in the spool of this machine")
	g.want(0, 0)
	r = lightlock(t, "forget", "U1", "--yes", "--json")
	wantExit(t, r, exitFindings)
	got := objects(t, r)
	if left, _ := got[len(got)-1]["left"].([]any); len(left) != 1 || !strings.Contains(fmt.Sprint(left), "is a directory") {
		t.Errorf("got %v as left, want the spool and why", left)
	}
	lines, err := spool.Look("data/spool") // the first is the folder in the lock's place
	if err != nil || len(lines) != 2 || lines[1].Records != 1 {
		t.Errorf("in the spool: %+v, %v, want what was there", lines, err)
	}
}

// An account that was taken out of the configuration can be forgotten on; one in which
// there is nothing may be a typing error, and does not read as done.
func TestForgetOnAnAccountThatIsNotConfigured(t *testing.T) {
	g := openGraveyard(t)
	g.die("canary-1", "gateways died while working on it")
	const strange = `no account "line/typo" is configured; there are: line/acme`
	for _, more := range []string{"--dry-run", "--yes", "--yes --json"} {
		r := lightlock(t, append([]string{"forget", "U1", "--account", "line/typo"}, strings.Fields(more)...)...)
		wantExit(t, r, exitFindings)
		hasAll(t, r.err, strange)
	}
	g.want(1, 0)
	put(t, ".", "connectors/line.yaml", []byte(strings.Replace(goodLine, "acme", "shop", 1)))
	for _, more := range []string{"--dry-run", "--yes"} {
		r := lightlock(t, "forget", "U1", "--account", "line/acme", more)
		wantExit(t, r, exitDone)
		hasAll(t, r.out, "line/acme          1  dead letter\n")
		hasAll(t, r.err, `note: no account "line/acme" is configured; there are: line/shop`)
	}
	g.want(0, 0)
}
