package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// deadBot is the account of goodLine.
const deadBot = "U00000000000000000000000000000000"

// graveyard is a configured gateway's queue on a real Redis.
type graveyard struct {
	t *testing.T
	*queue.Backend
}

func openGraveyard(t *testing.T) graveyard {
	t.Helper()
	address := queuetest.Redis(t)
	configured(t, goodGateway+"redis:\n  address: "+address+"\n", goodLine)
	b, err := queue.Attach(t.Context(), queue.OpenOptions{Redis: &config.Redis{Address: address}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	if err := b.EnsureQueue(t.Context(), "support"); err != nil {
		t.Fatal(err)
	}
	return graveyard{t, b}
}

func keyOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

// bury keeps a letter that never was in the journal.
func (g graveyard) bury(letters ...queue.Letter) {
	g.t.Helper()
	if _, err := g.Bury(g.t.Context(), "support", letters); err != nil {
		g.t.Fatal(err)
	}
}

// die makes a letter of a message that was in the journal.
func (g graveyard) die(name, cause string) string {
	g.t.Helper()
	ctx, key := g.t.Context(), keyOf(name)
	payload := jobOf(deadBot, name)
	if _, err := g.Accept(ctx, "support", []queue.Item{{Kind: queue.ItemMessage, Key: key, Party: keyOf("party"), Payload: payload}}); err != nil {
		g.t.Fatal(err)
	}
	entries, err := g.Take(ctx, "support", queue.Words, 1, 0)
	if err != nil || len(entries) != 1 {
		g.t.Fatalf("took %d entries: %v", len(entries), err)
	}
	if err := g.Begin(ctx, &entries[0], ""); err != nil {
		g.t.Fatal(err)
	}
	if got, err := g.Complete(ctx, entries[0], queue.End{Cause: cause}); err != nil || got != queue.Mine {
		g.t.Fatalf("complete: %v, %v", got, err)
	}
	return key
}

// jobOf is what the journal keeps of a text message.
func jobOf(account, text string) []byte {
	event := map[string]any{
		"kind": "message", "id": text, "message_id": text, "account": account, "text": text,
		"consumer": map[string]string{"id": "U1"}, "raw": map[string]string{"said": text},
	}
	job, err := json.Marshal(map[string]any{
		"version": 1, "channel": "line", "account": "line/acme", "received_at": "2026-11-22T14:02:00Z", "event": event,
	})
	if err != nil {
		panic(err)
	}
	return job
}

// want checks the numbers of letters and of messages that wait.
func (g graveyard) want(dead, waiting int64) {
	g.t.Helper()
	s, err := g.Stats(g.t.Context(), "support")
	if err != nil || s.Dead != dead || s.Waiting != waiting || s.Unaccounted != 0 {
		g.t.Errorf("got %+v, error %v; want %d dead and %d waiting", s, err, dead, waiting)
	}
}

// objects are the lines of --json.
func objects(t *testing.T, r result) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(r.out) {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		list = append(list, one)
	}
	return list
}

func wantExit(t *testing.T, r result, code int) {
	t.Helper()
	if r.code != code {
		t.Errorf("got exit %d, want %d\n%s%s", r.code, code, r.out, r.err)
	}
}

func TestDeadList(t *testing.T) {
	g := openGraveyard(t)
	r := lightlock(t, "dead", "list")
	wantExit(t, r, exitDone)
	if r.out != "no dead letters\n" {
		t.Errorf("got %q of an empty queue", r.out)
	}
	key := g.die("a", "gateways died while working on it")
	g.bury(queue.Letter{Key: keyOf("b"), Connector: "line/acme", Cause: "webhook does not parse", Content: queue.ContentWebhook, Raw: []byte("{")})
	r = lightlock(t, "dead")
	hasAll(t, r.out, "  ID            ACCOUNT       AGE  TRIES  WHY\n",
		"  "+key[:12]+"  line/acme     now      0  gateways died while working on it\n",
		"  "+keyOf("b")[:12]+"  line/acme", "2 dead letters. Next: ", " dead retry ")
	wantExit(t, r, exitDone)

	got := objects(t, lightlock(t, "dead", "list", "--json", "--cause", "GATEWAYS"))
	if len(got) != 1 || got[0]["id"] != key || got[0]["queue"] != "support" || got[0]["account"] != "line/acme" || got[0]["kind"] != "message" {
		t.Errorf("got %v, want the first alone", got)
	}
	for args, n := range map[string]int{
		"--account line/acme": 2, "--older 1h": 0, "--newer 1d": 2, "--queue support": 2, "--limit 1": 1, "--limit 1 --all": 2,
	} {
		r := lightlock(t, append([]string{"dead", "list", "--json"}, strings.Fields(args)...)...)
		if got := objects(t, r); len(got) != n || r.code != exitDone {
			t.Errorf("%s: got %d letters, exit %d; want %d", args, len(got), r.code, n)
		}
	}
	hasAll(t, lightlock(t, "dead", "list", "--limit", "1").out, "the oldest 1; --all shows all. Next: ")
	g.bury(queue.Letter{Key: keyOf("c"), Connector: "line/acme", Cause: "event does not parse", Content: queue.ContentEvent, Raw: []byte("{}")})
	hasAll(t, lightlock(t, "dead", "list").out, "3 dead letters. Next: ", " dead drop "+keyOf("c")[:12])
}

// What a stranger wrote is shown, and tells the terminal nothing.
func TestDeadShowsHostileLettersSafely(t *testing.T) {
	g := openGraveyard(t)
	key := g.die("x\x1b]0;owned\x07\u202e", "gone")
	g.bury(
		queue.Letter{Key: keyOf("b"), Connector: "line/acme", Cause: "bad\x1b[2J", Content: queue.ContentWebhook, Raw: []byte("\x1b[31m\x00\xff no JSON\r\nline two")},
		queue.Letter{Key: keyOf("c"), Cause: "cut", Raw: make([]byte, queue.MaxRaw+1)},
	)
	for _, args := range [][]string{
		{"dead", "show", key[:8], keyOf("b")[:8], keyOf("c")[:8]}, {"dead", "show", "--json", key, keyOf("b"), keyOf("c")},
		{"dead", "list"}, {"dead", "list", "--json"}, {"dead", "retry", keyOf("b")}, {"dead", "show", "\x1b[2J"},
		{"dead", "list", "--queue", "\x1b[2J"},
	} {
		r := lightlock(t, args...)
		for _, bad := range []string{"\x1b", "\x07", "\x00", "\u202e", "\xff", "\r"} {
			if strings.Contains(r.out+r.err, bad) {
				t.Errorf("%q: %q reaches the terminal: %q", args, bad, r.out+r.err)
			}
		}
	}
	r := lightlock(t, "dead", "show", key[:8], keyOf("b")[:8], keyOf("c")[:8])
	wantExit(t, r, exitDone)
	hasAll(t, r.out, "id            "+key+"\n", "queue         support\n", "account       line/acme\n", "event         message\n", "message 1\n",
		"why           gone\n", "an event that was read\n", `  "said": "x`, "the body of a whole webhook\n", `no JSON\r`, "\nline two\n", "the first 64 kB of 64 kB")
	got := objects(t, lightlock(t, "dead", "show", "--json", key, keyOf("b")))
	raw, _ := got[0]["raw"].(map[string]any)
	if len(got) != 2 || raw["said"] != "x\x1b]0;owned\x07\u202e" || !strings.Contains(fmt.Sprint(got[1]["raw"]), "no JSON\r\nline two") {
		t.Errorf("got %v, want both raw events as they are", got)
	}
}

func TestDeadRetry(t *testing.T) {
	g := openGraveyard(t)
	key := g.die("a", "gateways died while working on it")
	r := lightlock(t, "dead", "retry", key[:8])
	hasAll(t, r.out, "✓ "+key[:12]+"  line/acme  retried\n", "1 of 1 dead letter retried\n")
	wantExit(t, r, exitDone)
	g.want(0, 1)
	r = lightlock(t, "dead", "retry", key[:8])
	hasAll(t, r.err, "no dead letter's id begins with "+key[:8]+" in support")
	wantExit(t, r, exitFailed)
}

// An event of an unknown account is accepted like a fresh one, once there is the
// account; to retry it again finds nothing left to do.
func TestDeadRetryAcceptsWhatHadNoAccount(t *testing.T) {
	g := openGraveyard(t)
	letter := func(account string) queue.Letter {
		job := jobOf(account, account)
		return queue.Letter{Key: keyOf(account), Connector: "line/acme", Cause: "no account", Content: queue.ContentPayload, Raw: job}
	}
	g.bury(letter(deadBot), letter("Uffffffffffffffffffffffffffffffff"))
	got := objects(t, lightlock(t, "dead", "retry", "--cause", "no account", "--json"))
	if len(got) != 2 {
		t.Fatalf("got %v, want two", got)
	}
	for _, one := range got {
		want, detail := letterRetried, ""
		if one["id"] != keyOf(deadBot) {
			want, detail = letterRefused, "add it to the configuration first"
		}
		if one["state"] != want || !strings.Contains(fmt.Sprint(one["detail"]), detail) {
			t.Errorf("got %v, want it %s", one, want)
		}
	}
	g.want(1, 1)
	r := lightlock(t, "dead", "retry", "--all")
	hasAll(t, r.out, "✗ ", "0 of 1 dead letter retried\n")
	wantExit(t, r, exitFindings)
	g.want(1, 1)
}

// What agents may have is retried only where somebody says so.
func TestDeadRetryOfWhatMayHaveBeenDelivered(t *testing.T) {
	g := openGraveyard(t)
	g.bury(queue.Letter{Key: keyOf("a"), Cause: "in the spool", Content: queue.ContentPayload, Raw: jobOf(deadBot, "a"), Doubtful: true})
	r := lightlock(t, "dead", "retry", keyOf("a"))
	hasAll(t, r.out, "it may have reached the agents before", "--doubtful", "0 of 1 dead letter retried\n")
	wantExit(t, r, exitFindings)
	wantExit(t, lightlock(t, "dead", "retry", "--doubtful", keyOf("a")), exitDone)
	g.want(0, 1)
}

// A whole webhook is read again; one event of a webhook cannot be.
func TestDeadRetryParsesAgain(t *testing.T) {
	g := openGraveyard(t)
	webhook := `{"destination":"` + deadBot + `","events":[{"type":"message","webhookEventId":"01H","timestamp":1763820000000,"mode":"active",` +
		`"source":{"type":"user","userId":"U11111111111111111111111111111111"},"message":{"id":"1","type":"text","text":"hello"}}]}`
	g.bury(
		queue.Letter{Key: keyOf("webhook"), Connector: "line/acme", Cause: "webhook does not parse", Content: queue.ContentWebhook, Raw: []byte(webhook)},
		queue.Letter{Key: keyOf("broken"), Connector: "line/acme", Cause: "webhook does not parse", Content: queue.ContentWebhook, Raw: []byte("{")},
		queue.Letter{Key: keyOf("event"), Connector: "line/acme", Cause: "message event does not parse", Content: queue.ContentEvent, Raw: []byte("{}")},
		queue.Letter{Key: keyOf("cut"), Connector: "line/acme", Cause: "webhook does not parse", Content: queue.ContentWebhook, Raw: make([]byte, queue.MaxRaw+1)},
	)
	r := lightlock(t, "dead", "retry", "--queue", "support")
	hasAll(t, r.out, "✓ "+keyOf("webhook")[:12], "it still does not parse: ", "it is one event that did not parse", "only 65536 of its 65537 bytes are kept", "1 of 4 dead letters retried\n")
	wantExit(t, r, exitFindings)
	g.want(3, 1)
}

func TestDeadDropWantsAYes(t *testing.T) {
	g := openGraveyard(t)
	for _, name := range []string{"a", "b", "c"} {
		g.bury(queue.Letter{Key: keyOf(name), Cause: "cause " + name, Connector: "line/acme"})
	}
	r := lightlock(t, "dead", "drop", keyOf("a"))
	hasAll(t, r.err, "Drop 1 dead letter for good? Nobody can be asked here; say --yes")
	wantExit(t, r, exitFailed)
	g.want(3, 0)
	r = lightlock(t, "dead", "drop", keyOf("a")[:10], "--yes")
	if r.out != "1 dead letter dropped\n" {
		t.Errorf("got %q", r.out)
	}
	wantExit(t, r, exitDone)
	if got := objects(t, lightlock(t, "dead", "drop", "--cause", "cause B", "--yes", "--json")); len(got) != 1 || got[0]["id"] != keyOf("b") || got[0]["state"] != letterDropped {
		t.Errorf("got %v, want b dropped", got)
	}
	g.want(1, 0)
	wantExit(t, lightlock(t, "dead", "drop", "--all", "--yes"), exitDone)
	g.want(0, 0)
	wantExit(t, lightlock(t, "dead", "drop", "--all"), exitDone) // there is nothing to ask about
}

func TestDeadWrongUse(t *testing.T) {
	openGraveyard(t)
	for _, row := range []struct{ args, want string }{
		{"dead retry", "name dead letters by their ids, or by filters, or say --all"},
		{"dead drop --yes", "name dead letters"},
		{"dead retry abc --all", "give ids or filters, not both"},
		{"dead show", "expected"},
		{"dead show xyz", `"xyz" is no id of a dead letter`},
		{"dead list --older soon", `"soon" is no time such as 90m, 12h or 7d`},
		{"dead lst", "did you mean"},
		{"dead list --queue NO", "queue name"},
		{"dead list --queue nix", `no queue "nix" is configured, and nothing is left of one; there are: support`},
		{"dead show --queue nix abc", `no queue "nix"`},
		{"dead list --account line/nix", `no account "line/nix" is configured, and nothing is left of one; there are: line/acme`},
		{"dead retry --account line/nix", `no account "line/nix"`},
		{"dead drop --account line/nix --yes", `no account "line/nix"`},
		{"dead list --limit 0", "--limit is 0; at least 1, and --all is for all"},
		{"dead list --limit=-1", "--limit is -1"},
		{"dead retry --limit 0 --all", "--limit is 0"},
		{"dead drop --limit=-1 --all --yes", "--limit is -1"},
		{"queue nix", `no queue "nix" is configured`},
		{"dead list --config nowhere.yaml", "nowhere.yaml"},
		{"queue no_such", "queue name"},
	} {
		r := lightlock(t, strings.Fields(row.args)...)
		wantExit(t, r, exitFailed)
		hasAll(t, r.err, row.want)
	}
}

// What is left of a queue and an account is found, though neither is configured
// any more.
func TestDeadListOfWhatIsNotConfigured(t *testing.T) {
	g := openGraveyard(t)
	if _, err := g.Bury(t.Context(), "former", []queue.Letter{{Key: keyOf("a"), Connector: "line/former", Cause: "no account"}}); err != nil {
		t.Fatal(err)
	}
	r := lightlock(t, "dead", "list", "--queue", "former", "--account", "line/former")
	wantExit(t, r, exitDone)
	hasAll(t, r.out, "1 dead letter. Next: ")
}

// With a configuration it is said that there is nothing to be named.
func TestDeskWhileTheGatewayIsStopped(t *testing.T) {
	configured(t, goodGateway, goodLine)
	for _, command := range []string{"queue", "dead"} {
		r := lightlock(t, command)
		wantExit(t, r, exitFailed)
		hasAll(t, r.err, "runs only while the gateway does; start the gateway")
	}
}

// Without a configuration it is the gateway of serve's; where none runs, that is
// said.
func TestDeskWithoutAGateway(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, command := range []string{"queue", "dead"} {
		r := lightlock(t, command)
		wantExit(t, r, exitFailed)
		hasAll(t, r.err, "no redis is configured, and no gateway with a redis-server of its own runs on the data folder ./data")
	}
	if _, err := os.Stat("data"); err == nil {
		t.Error("a folder was made only to look")
	}
}
