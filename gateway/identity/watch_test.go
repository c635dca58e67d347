package identity_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/ops"
)

// watching is a house that looks at its agents file all the time.
func watching(t *testing.T) (h *house, path string) {
	t.Helper()
	o := identity.Options{Config: configured(t), Poll: 5 * time.Millisecond}
	h = newHouse(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); h.Run(ctx, 0) }()
	t.Cleanup(func() { cancel(); <-ended })
	return h, o.Config.Agents.File
}

func (h *house) status(t *testing.T, cookie string) int {
	t.Helper()
	return h.me(t, cookie).status
}

func TestWhoLeavesTheFileIsOut(t *testing.T) {
	t.Parallel()
	h, path := watching(t)
	ben, eva := h.signIn(t, benToken), h.signIn(t, evaToken)
	write(t, path, "agents:\n"+entry("eva", "Eva", evaToken, "sales"))
	gatewaytest.Await(t, "Ben is out", func() bool { return h.status(t, ben) == http.StatusUnauthorized })
	if a := h.call(t, http.MethodGet, "/v1/me", "", "Authorization", "Bearer "+benToken); a.status != http.StatusUnauthorized {
		t.Errorf("Ben's token: got %d", a.status)
	}
	if a := h.me(t, eva); a.body != "eva Eva of sales" {
		t.Errorf("Eva, who has lost a queue and won a name: got %s", a.body)
	}
	gatewaytest.Await(t, "Ben's sessions have ended", func() bool {
		n, err := h.journal.CloseSessions(t.Context(), "ben")
		return err == nil && n == 0
	})
	write(t, path, "agents:\n"+entry("ben", "Ben", benToken, "support"))
	gatewaytest.Await(t, "Ben's token counts again", func() bool {
		return h.call(t, http.MethodGet, "/v1/me", "", "Authorization", "Bearer "+benToken).status == 200
	})
	if got := h.status(t, ben); got != http.StatusUnauthorized {
		t.Errorf("Ben's old session is back: %d", got)
	}
}

func TestAnotherTokenEndsTheSessions(t *testing.T) {
	t.Parallel()
	h, path := watching(t)
	ben := h.signIn(t, benToken)
	write(t, path, "agents:\n"+entry("ben", "Ben", "llat_another", "support"))
	gatewaytest.Await(t, "Ben is out", func() bool { return h.status(t, ben) == http.StatusUnauthorized })
	h.signIn(t, "llat_another")
}

func TestABrokenVersionKeepsTheOldOne(t *testing.T) {
	t.Parallel()
	h, path := watching(t)
	ben := h.signIn(t, benToken)
	line := func() ops.Line { return h.Check(t.Context())[0] }
	if got := line(); got.State != ops.OK {
		t.Errorf("at first: got %+v", got)
	}
	for _, broken := range []string{
		"", "agents:\n", "agents: [", "agent: []", "agents:\n" + entry("ben", "Ben", benToken, "supp"),
		"agents:\n" + entry("ben", "Ben", benToken, "support") + entry("ben", "Ben", evaToken, "support"),
		"agents: [{id: eva, token_sha256: " + evaToken + ", queues: [sales]}]",
	} {
		write(t, path, broken)
		gatewaytest.Await(t, "there is a warning", func() bool { return line().State == ops.Warn })
		if got := h.status(t, ben); got != 200 {
			t.Errorf("%q: Ben's session: got %d", broken, got)
		}
		write(t, path, "agents:\n"+entry("ben", "Ben", benToken, "support"))
		gatewaytest.Await(t, "the warning is over", func() bool { return line().State == ops.OK })
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Await(t, "there is a warning", func() bool { return line().State == ops.Warn })
	if got := h.status(t, ben); got != 200 {
		t.Errorf("no file: Ben's session: got %d", got)
	}
	if strings.Contains(h.log.String(), evaToken) || strings.Contains(h.log.String(), config.TokenHash(benToken)) {
		t.Errorf("the log has a token or its hash: %s", h.log)
	}
}
