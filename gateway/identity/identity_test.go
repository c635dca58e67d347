package identity_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/queue"
)

const benToken, evaToken, deskToken = "llat_ben-ben-ben-ben-ben-ben-ben-ben-ben", "llat_eva-eva-eva-eva-eva-eva-eva-eva-eva", "desk-desk-desk-desk-desk-desk-desk"

// agentsFile writes an agents file with Ben, of support, and Eva, of support and sales.
func agentsFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agents.yaml")
	write(t, path, "agents:\n"+entry("ben", "Ben", benToken, "support")+entry("eva", "eva", evaToken, "support, sales"))
	return path
}

func entry(id, name, token, queues string) string {
	return "  - {id: " + id + ", name: " + name + ", token_sha256: " + config.TokenHash(token) + ", queues: [" + queues + "]}\n"
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func configured(t testing.TB) config.Config {
	t.Helper()
	c := config.Default()
	c.Agents.File = agentsFile(t)
	c.Services = []config.Service{{Name: "desk", Token: config.NewSecret(deskToken), Queues: []string{"sales"}}}
	return c
}

func open(t testing.TB, o identity.Options) *identity.Registry {
	t.Helper()
	o.Queues = []string{"sales", "support"}
	r, err := identity.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func request(t testing.TB, authorization ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/v1/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header["Authorization"] = authorization
	return r
}

func TestWhoCalls(t *testing.T) {
	r := open(t, identity.Options{Config: configured(t)})
	for _, c := range []struct {
		header string
		kind   queue.ActorKind
		id     string
		name   string
		queues string
	}{
		{"Bearer " + benToken, queue.ActorAgent, "ben", "Ben", "support"},
		{"bearer " + evaToken, queue.ActorAgent, "eva", "eva", "support sales"},
		{"Bearer " + deskToken, queue.ActorService, "desk", "", "sales"},
	} {
		got, err := r.Caller(request(t, c.header))
		if err != nil || got.Kind != c.kind || got.Agent.ID != c.id || got.Agent.Name != c.name || strings.Join(got.Queues, " ") != c.queues {
			t.Errorf("%s: got %+v, %v", c.id, got, err)
		}
		if got.May("support") != strings.Contains(c.queues, "support") || got.May("") {
			t.Errorf("%s: May is wrong of %v", c.id, got.Queues)
		}
	}
}

func TestNobody(t *testing.T) {
	r := open(t, identity.Options{Config: configured(t)})
	for _, header := range [][]string{
		nil, {""}, {"Bearer"}, {"Bearer "}, {"Basic " + benToken}, {benToken}, {"Bearer " + benToken + " "}, {"Bearer  " + benToken},
		{"Bearer " + benToken[:len(benToken)-1]}, {"Bearer " + config.TokenHash(benToken)}, {"Bearer " + benToken, "Bearer " + benToken},
		{"Bearer " + strings.Repeat("x", 15<<10)},
	} {
		if got, err := r.Caller(request(t, header...)); !errors.Is(err, identity.ErrUnauthenticated) {
			t.Errorf("%.60q: got %+v, %v", header, got, err)
		}
	}
}

func TestAgentsOfAQueue(t *testing.T) {
	r := open(t, identity.Options{Config: configured(t)})
	names := func(q string) (list []string) {
		for _, a := range r.Agents(t.Context(), q) {
			list = append(list, a.ID)
		}
		return list
	}
	if got := names("support"); !slices.Equal(got, []string{"ben", "eva"}) {
		t.Errorf("support: got %v", got)
	}
	if got := names("sales"); !slices.Equal(got, []string{"eva"}) {
		t.Errorf("sales: got %v", got)
	}
	if a, ok := r.Lookup(t.Context(), "eva", "sales"); !ok || a.Name != "eva" {
		t.Errorf("eva: got %v, %v", a, ok)
	}
	for _, who := range [][2]string{{"ben", "sales"}, {"desk", "sales"}, {"", "support"}, {"nobody", "support"}} {
		if a, ok := r.Lookup(t.Context(), who[0], who[1]); ok {
			t.Errorf("%v: got %v", who, a)
		}
	}
}

func TestABrokenFileIsNoStart(t *testing.T) {
	for _, text := range []string{"", "agents: [{id: ben}]", "agents:\n" + entry("ben", "Ben", benToken, "nowhere"), "agents:\n" + entry("desk", "Desk", deskToken, "sales")} {
		c := configured(t)
		write(t, c.Agents.File, text)
		if _, err := identity.Open(t.Context(), identity.Options{Config: c, Queues: []string{"sales", "support"}}); err == nil {
			t.Errorf("%q is taken for an agents file", text)
		}
	}
}
