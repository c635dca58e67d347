package cli

import (
	"context"
	"testing"

	"github.com/lightlock/lightlock/gateway/queue"
)

// What is done at a desk beside a running gateway, on the redis-server that it has
// started for itself, is what the gateway works on.
func TestDeskBesideARunningGateway(t *testing.T) {
	dir := served(t)
	p := serving(t, dir, "--config", "lightlock.yaml")
	t.Chdir(dir)
	b, err := queue.Attach(t.Context(), queue.OpenOptions{Data: "data"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close(context.Background()) }()
	g := graveyard{t, b}
	g.bury(queue.Letter{Key: keyOf(deadBot), Connector: "line/acme", Cause: "no account", Content: queue.ContentPayload, Raw: jobOf(deadBot, "hello")})
	r := lightlock(t, "dead")
	hasAll(t, r.out, keyOf(deadBot)[:12], "no account", "1 dead letter. Next: ")
	wantExit(t, lightlock(t, "dead", "retry", "--cause", "no account"), exitDone)
	p.await(t, "the message in the agents' queue", func() bool {
		s, err := b.Stats(t.Context(), "support")
		return err == nil && s.Delivered == 1
	})
	got := objects(t, lightlock(t, "queue", "support", "--json", "--over", "1ms"))
	if len(got) != 1 || got[0]["delivered"] != 1.0 || got[0]["dead"] != 0.0 || got[0]["waiting"] != 0.0 {
		t.Errorf("got %v, want the message delivered", got)
	}
}
