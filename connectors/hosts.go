package connectors

import "context"

// hostsKey is where WithHosts keeps its function.
type hostsKey struct{}

// WithHosts returns a context under which ask is told the name of each host, with
// its port where that is not the scheme's own, before the host is called: which
// hosts a photo takes is known to the connector alone, and only on the way. An
// error of ask's keeps the call from being made.
func WithHosts(ctx context.Context, ask func(host string) error) context.Context {
	return context.WithValue(ctx, hostsKey{}, ask)
}

// AskHost asks whoever made ctx whether host may be called now. Without WithHosts
// any may. The client in connectors/wire asks before each of its calls.
func AskHost(ctx context.Context, host string) error {
	if ask, ok := ctx.Value(hostsKey{}).(func(string) error); ok {
		return ask(host)
	}
	return nil
}
