package identity_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// TestAgentsWhoWereHere: who has called one gateway can be named on another.
func TestAgentsWhoWereHere(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	j := journal(t, queuetest.Redis(t))
	var skew time.Duration
	on := func() *house {
		o := identity.Options{Config: configured(t), Now: func() time.Time { return time.Now().Add(skew) }}
		o.Config.Agents.OIDC = &config.OIDC{Issuer: f.server.URL, ClientID: "lightlock", QueuesClaim: "lightlock_queues"}
		h := houseAt(t, httptest.NewUnstartedServer(nil), j, o)
		run(t, h)
		return h.knows(t)
	}
	first, second := on(), on()
	names := func(q string) string {
		var list []string
		for _, a := range second.Agents(t.Context(), q) {
			list = append(list, a.Name)
		}
		return strings.Join(list, " ")
	}
	id := "oidc:" + config.TokenHash(f.server.URL + "\nada")[:32]
	if _, ok := second.Lookup(t.Context(), id, "support"); ok || names("support") != "Ben eva" {
		t.Errorf("nobody was here, and there are %s", names("support"))
	}
	for range 2 {
		if _, err := first.bearer(t, f.right(nil)); err != nil {
			t.Fatal(err)
		}
	}
	skew = 6 * time.Second
	if a, ok := second.Lookup(t.Context(), id, "support"); !ok || a.Name != "Ada" || names("support") != "Ada Ben eva" {
		t.Errorf("Ada was here: got %v, %v, and %s", a, ok, names("support"))
	}
	if _, ok := second.Lookup(t.Context(), id, "sales"); ok || names("sales") != "eva" {
		t.Errorf("Ada of sales: got %v, and %s", ok, names("sales"))
	}
	// A name and a queue that the issuer changes are noted after a while.
	skew = 11 * time.Minute
	if _, err := first.bearer(t, f.right(map[string]any{"name": "Ada L", "lightlock_queues": "sales"})); err != nil {
		t.Fatal(err)
	}
	if got := names("sales"); got != "Ada L eva" {
		t.Errorf("sales: got %s", got)
	}
	if _, ok := second.Lookup(t.Context(), id, "support"); ok {
		t.Error("Ada is still one of support")
	}
}
