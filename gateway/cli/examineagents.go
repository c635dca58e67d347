package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/lightlock/lightlock/gateway/identity"
)

// mostNamed is how many agents of a queue are named.
const mostNamed = 5

// agents are those who may see the conversations of a queue.
func (e *examination) agents(queue string) []string {
	var list []string
	for _, a := range e.loaded.Agents {
		if slices.Contains(a.Queues, queue) {
			list = append(list, visible(a.ID))
		}
	}
	if more := len(list) - mostNamed; more > 0 {
		list = append(list[:mostNamed], fmt.Sprintf("%d more", more))
	}
	if o := e.loaded.Config.Agents.OIDC; o != nil && (o.QueuesClaim != "" || slices.Contains(o.Queues, queue)) {
		list = append(list, "whom "+visible(o.Issuer)+" knows")
	}
	return list
}

// issuer asks a configured issuer what it says of itself. One that is away may be
// there when somebody signs in.
func (e *examination) issuer(ctx context.Context) {
	if identity.ByAProxy(e.loaded.Config) {
		e.warnings = append(e.warnings, e.problem("listen", "all who sign in by the issuer seem to come from one address, that of a proxy on this machine",
			"one who fails again and again would keep everybody else waiting", `name the proxy: trusted_proxies: ["127.0.0.0/8", "::1/128"]`))
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	if err := identity.AskIssuer(ctx, e.loaded.Config); err != nil {
		e.warnings = append(e.warnings, e.problem("agents", "the issuer cannot be believed: "+err.Error(),
			"whom it knows could not sign in", "start it, or correct agents.oidc.issuer, which must be exactly its own name, and check again"))
	}
}
