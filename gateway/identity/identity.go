// Package identity knows who is calling: a program of the operator's by its token,
// or an agent by a token of the local file, by a token of an OIDC issuer, or by the
// session that a browser has signed in to.
//
// It promises that whoever leaves the agents file, or loses a queue there, is out at
// the next call, also from a session; that a session is known to the browser that
// made it and to nobody who can read Redis; that a call which changes something is
// taken from a browser only if it comes from one of our own pages; and that no token,
// cookie or claim is in a log, an error or a metric.
//
// What a caller may see follows from Caller.Queues and from who has a conversation;
// that is package agent's to judge.
//
// Sign-ins by an issuer go through coreos/go-oidc, which knows discovery, key sets
// and their rotation. What it leaves open (which algorithms, clock skew, how often
// an unknown key may make us ask) is decided here.
package identity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue"
)

// The errors of Caller; errors.Is finds them.
var (
	// ErrUnauthenticated means that nobody is known who makes this call.
	ErrUnauthenticated = errors.New("nobody is signed in")
	// ErrCrossOrigin means that a browser makes the call for a page that is not
	// ours.
	ErrCrossOrigin = errors.New("the call comes from another site")
	// ErrAway means that who is calling cannot be told at the moment, because Redis
	// or the issuer does not answer.
	ErrAway = errors.New("who is calling cannot be told at the moment")
)

// Caller is who makes a call.
type Caller struct {
	// Kind is queue.ActorAgent or queue.ActorService.
	Kind queue.ActorKind
	// Agent is who it is; of a service, ID is its name.
	Agent queue.Agent
	// Queues are those that the caller may work on.
	Queues []string
	// Until is when the sign-in ends by itself; zero if never.
	Until time.Time
}

// May tells whether the caller may work on a queue.
func (c Caller) May(queue string) bool { return slices.Contains(c.Queues, queue) }

// Actor is the caller as conversations note it.
func (c Caller) Actor() queue.Actor { return queue.Actor{Kind: c.Kind, Agent: c.Agent} }

// Options are what a Registry needs. Log, Now and Sessions may be left out; without
// Sessions nobody can sign in by a browser.
type Options struct {
	Config config.Config
	// Queues are all queues of the gateway.
	Queues   []string
	Sessions Sessions
	// Seen remembers agents whom only the issuer knows. Without it none of them can
	// be named, unless by themselves.
	Seen Seen
	// Refused is told of each sign-in that was refused; nil ignores it.
	Refused func()
	Log     *slog.Logger
	Now     func() time.Time
	// Poll is how often the agents file is looked at; 5 s.
	Poll time.Duration
}

// Registry knows everybody who may call. Its methods may be called from many
// goroutines at once.
type Registry struct {
	config   config.Config
	queues   []string
	sessions Sessions
	log      *slog.Logger
	now      func() time.Time

	poll     time.Duration
	file     watched
	local    atomic.Pointer[directory]
	issuer   *issuer // nil without one
	visitors visitors
	origins  *http.CrossOriginProtection
	proxies  []netip.Prefix
	silent   atomic.Bool // the issuer has not answered
	failures *limiter
	logged   *rate.Limiter
	told     func() // of a sign-in that was refused
}

// Open reads the agents file. A file that is wrong is an error here, with all that
// is wrong with it; later the last good one stays in force.
func Open(_ context.Context, o Options) (*Registry, error) {
	r := &Registry{
		config: o.Config, queues: o.Queues, sessions: o.Sessions, log: o.Log, now: o.Now, poll: cmp.Or(o.Poll, fileEvery),
		failures: newLimiter(), logged: rate.NewLimiter(rate.Every(loggedEvery), failuresAtOnce),
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.told = o.Refused; r.told == nil {
		r.told = func() {}
	}
	if err := r.believe(); err != nil {
		return nil, err
	}
	if r.config.Agents.File != "" {
		r.file.info, _ = os.Stat(r.config.Agents.File) // reading it tells what is wrong
	}
	if ByAProxy(r.config) {
		r.log.Warn("all who sign in by the issuer seem to come from one address: name the proxy in front under trusted_proxies")
	}
	agents, err := config.LoadAgents(&r.config, r.queues)
	if err != nil {
		return nil, err
	}
	r.local.Store(newDirectory(r.config.Services, agents))
	if r.issuer, err = newIssuer(r.config, r.queues, r.now); r.issuer != nil {
		r.visitors.seen = o.Seen
	}
	return r, err
}

// believe learns whose word counts about from where a call comes.
func (r *Registry) believe() (err error) {
	if r.origins, err = origins(r.config.PublicURL); err != nil {
		return fmt.Errorf("public_url: %w", err)
	}
	for _, network := range r.config.TrustedProxies {
		p, err := netip.ParsePrefix(network)
		if err != nil {
			return fmt.Errorf("trusted_proxies: %w", err)
		}
		r.proxies = append(r.proxies, p)
	}
	return nil
}

// Caller returns who makes a call. A bearer that nobody knows is never made good by
// a cookie beside it.
func (r *Registry) Caller(req *http.Request) (Caller, error) {
	if values := req.Header.Values("Authorization"); len(values) > 0 {
		return r.bearer(req.Context(), values)
	}
	return r.session(req)
}

// bearer returns who is known by an Authorization header.
func (r *Registry) bearer(ctx context.Context, values []string) (Caller, error) {
	scheme, token, _ := strings.Cut(values[0], " ")
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return Caller{}, ErrUnauthenticated
	}
	if known, ok := r.local.Load().byToken(token); ok {
		return known.caller, nil
	}
	if r.issuer == nil || !looksSigned(token) {
		return Caller{}, ErrUnauthenticated
	}
	caller, err := r.issuer.caller(ctx, token)
	if err == nil {
		r.visitors.note(ctx, caller, r.now())
	}
	return caller, err
}

// mostAgents is how many agents Agents lists.
const mostAgents = 1000

// Agents lists who could take over a conversation of a queue, by name, at most 1,000:
// the local agents, and those whom the issuer knows and who were here in the last 30
// days.
func (r *Registry) Agents(ctx context.Context, name string) []queue.Agent {
	var list []queue.Agent
	for _, one := range r.local.Load().agents {
		if one.caller.May(name) {
			list = append(list, one.caller.Agent)
		}
	}
	for _, one := range r.visitors.all(ctx, r.now()) {
		if slices.Contains(r.issuer.queuesOf(one.Queues), name) {
			list = append(list, one.Agent)
		}
	}
	slices.SortFunc(list, func(a, b queue.Agent) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return list[:min(len(list), mostAgents)]
}

// Lookup finds one of those whom Agents would list if it were not for their number.
func (r *Registry) Lookup(ctx context.Context, id, name string) (queue.Agent, bool) {
	if one, ok := r.local.Load().agents[id]; ok {
		return one.caller.Agent, one.caller.May(name)
	}
	if !OfIssuer(id) {
		return queue.Agent{}, false
	}
	one, ok := r.visitors.find(ctx, id)
	if !ok || !slices.Contains(r.issuer.queuesOf(one.Queues), name) {
		return queue.Agent{}, false
	}
	return one.Agent, true
}

// Left tells that the agents file does not name an agent for a queue. The file is the
// truth about all whom the issuer does not vouch for; of the issuer's agents nobody
// can tell, and where no file is configured of none. Nor while the file is wrong:
// whoever is missing in the version before may stand in the next.
func (r *Registry) Left(id, name string) bool {
	if r.config.Agents.File == "" || OfIssuer(id) {
		return false
	}
	r.file.mu.Lock()
	defer r.file.mu.Unlock()
	one, ok := r.local.Load().agents[id]
	return r.file.wrong == nil && (!ok || !one.caller.May(name))
}

// Run keeps the registry up to date until ctx ends.
func (r *Registry) Run(ctx context.Context, _ time.Duration) {
	var parts sync.WaitGroup
	if r.config.Agents.File != "" {
		parts.Go(func() { r.watch(ctx) })
	}
	if r.issuer != nil {
		parts.Go(func() { r.issuer.run(ctx, r.heard) })
	}
	parts.Wait()
}

// heard logs when the issuer goes silent, and when it answers again.
func (r *Registry) heard(err error) {
	switch was := r.silent.Swap(err != nil); {
	case err != nil && !was:
		r.log.Warn("the issuer of agents' tokens does not answer; it is asked again, and nobody waits for it", "issuer", r.issuer.title(), "err", err)
	case err == nil && was:
		r.log.Info("the issuer of agents' tokens answers", "issuer", r.issuer.title())
	}
}

// away marks that it is not the caller's fault.
func away(err error) error { return fmt.Errorf("%w: %w", ErrAway, err) }
