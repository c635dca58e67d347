package identity_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// BenchmarkCaller is what it costs to know who calls, of as many local agents as a file
// may have.
func BenchmarkCaller(b *testing.B) {
	var list strings.Builder
	for i := range 1998 {
		list.WriteString(entry(fmt.Sprintf("agent-%d", i), "Somebody", fmt.Sprintf("token-%d", i), "support"))
	}
	f := newFake(b)
	o := identity.Options{Config: configured(b)}
	write(b, o.Config.Agents.File, "agents:\n"+entry("ben", "Ben", benToken, "support")+list.String())
	o.Config.Agents.OIDC = &config.OIDC{Issuer: f.server.URL, ClientID: "lightlock", Queues: []string{"support"}}
	h := houseOn(b, journal(b, queuetest.Redis(b)), o)
	run(b, h)
	gatewaytest.Await(b, "the issuer is known", h.issuerAnswers(b))
	for _, c := range []struct{ name, header, value string }{
		{"token", "Authorization", "Bearer " + benToken},
		{"session", "Cookie", h.signIn(b, benToken)},
		{"issuer", "Authorization", "Bearer " + f.right(nil)},
	} {
		b.Run(c.name, func(b *testing.B) {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://127.0.0.1/v1/me", nil)
			if err != nil {
				b.Fatal(err)
			}
			req.Header.Set(c.header, c.value)
			for b.Loop() {
				if _, err := h.Caller(req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
