package identity

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/lightlock/lightlock/config"
)

// Failed sign-ins that an address has at once, and after how long it has one more.
// Neither tokens nor codes can be guessed; this keeps those who try from asking the
// issuer all the time.
const (
	failuresAtOnce = 10
	failureEvery   = 6 * time.Second
	// mostAddresses is how many addresses are told apart. All others share one limit.
	mostAddresses = 10_000
	// mostHops is how many proxies may stand in a row.
	mostHops = 16
)

// limiter counts failures by address.
type limiter struct {
	mu     sync.Mutex
	known  map[netip.Prefix]*rate.Limiter
	others *rate.Limiter // for those who find no room
	swept  time.Time
}

func newLimiter() *limiter {
	return &limiter{known: map[netip.Prefix]*rate.Limiter{}, others: rate.NewLimiter(rate.Every(failureEvery)*10, 10*failuresAtOnce)}
}

// wait is how long an address must wait before it may try again; zero if it may.
func (l *limiter) wait(from netip.Prefix, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.known[from]
	if one == nil {
		one = l.others
		if len(l.known) < mostAddresses {
			return 0
		}
	}
	if one.TokensAt(now) >= 1 {
		return 0
	}
	return failureEvery
}

// failed counts a failure.
func (l *limiter) failed(from netip.Prefix, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.known[from]
	if one == nil {
		one = l.room(from, now)
	}
	one.AllowN(now, 1)
}

// room makes a limit of its own for an address, if there is room. Those who have not
// failed for a while make some; they are looked for once in a second at most.
func (l *limiter) room(from netip.Prefix, now time.Time) *rate.Limiter {
	if len(l.known) >= mostAddresses && now.Sub(l.swept) > time.Second {
		l.swept = now
		for address, one := range l.known {
			if one.TokensAt(now) >= failuresAtOnce {
				delete(l.known, address)
			}
		}
	}
	if len(l.known) >= mostAddresses {
		return l.others
	}
	one := rate.NewLimiter(rate.Every(failureEvery), failuresAtOnce)
	l.known[from] = one
	return one
}

// address is from where a call comes: what the proxies that the operator trusts say
// of it, or the connection's other end. An IPv6 network of 64 bits is one
// address, because everybody has as many as that.
func (r *Registry) address(req *http.Request) netip.Prefix {
	remote, err := netip.ParseAddrPort(req.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	found := remote.Addr().Unmap()
	hops := strings.Split(strings.Join(req.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= max(0, len(hops)-mostHops) && r.trusts(found); i-- {
		before, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		found = before.Unmap()
	}
	bits := 32
	if found.Is6() {
		bits = 64
	}
	network, _ := found.WithZone("").Prefix(bits)
	return network
}

// ByAProxy tells that everybody who signs in by the issuer seems to come from one
// address, that of a proxy whose word does not count: it listens to this machine alone,
// and is reached by https. One who fails again and again then keeps all others waiting.
func ByAProxy(c config.Config) bool {
	return c.Agents.OIDC != nil && !c.Agents.OIDC.ClientSecret.IsZero() && c.TLS == nil && len(c.TrustedProxies) == 0 &&
		strings.HasPrefix(strings.ToLower(c.PublicURL), "https:")
}

// trusts tells whether an address is that of a proxy of the operator's.
func (r *Registry) trusts(address netip.Addr) bool {
	for _, network := range r.proxies {
		if network.Contains(address) {
			return true
		}
	}
	return false
}
