// Package hosts decides whether a photo may be fetched from a host at this moment,
// so that one host that fails, and one account that is asked to wait, hold up
// nobody's photos but those that need them.
//
// It promises that a host which hangs never has more than its share of the slots,
// that one account's photos never take all of that share, that a host which failed
// several times in a row is left alone for a while and then tried by one photo,
// and that a platform's Retry-After counts for all photos of the account on that
// host. What it refuses is a *Wait, which says for how long. All of it is known to
// one gateway alone and lost when it stops: the others learn it as quickly.
//
// The circuits are sony/gobreaker's. Each account has one of its own at a host,
// because a host may fail for one account alone, and all of them share one more,
// which opens where the host has failed for several.
package hosts

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/retry"
)

// Options say what a host may take. A zero number or time means its default.
type Options struct {
	// PerHost is how many photos of one host may be fetched at once, and Slots how
	// many the gateway has in work. An account that has none at the host gets in
	// above PerHost, halfway up to Slots: a host never gets all of them, if there
	// are more than one and PerHost is less. It is half of Slots by default.
	PerHost, Slots int
	// Failures in a row open a circuit; 5.
	Failures int
	// Open is how long it then stays open until it is tried again; 30 s.
	Open time.Duration
	// Longest is the longest pause between two tries of a photo; 15 min. What was
	// met at a host is remembered for longer, 20 minutes at least.
	Longest time.Duration
	// Log hears of each circuit that opens and closes again; nil for nobody.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	o.Slots = max(1, o.Slots)
	if o.PerHost == 0 {
		o.PerHost = max(1, o.Slots/2)
	}
	if o.Failures == 0 {
		o.Failures = 5
	}
	if o.Open == 0 {
		o.Open = 30 * time.Second
	}
	if o.Longest == 0 {
		o.Longest = 15 * time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// forgetAfter is how long what an account has met at a host is remembered after
// its last photo there. It is longer than a photo waits between two tries: when
// none has come for that long there is none, and nobody would ever find out that
// the host works again.
func (o Options) forgetAfter() time.Duration {
	return max(20*time.Minute, o.Longest+5*time.Minute)
}

// maxHosts is how many hosts are remembered. Consumers can name any number.
const maxHosts = 1000

// Hosts knows the hosts that photos are fetched from. Its methods may be called
// at once.
type Hosts struct {
	options Options

	mu  sync.Mutex
	all map[string]*host
}

// New makes Hosts that knows none yet.
func New(o Options) *Hosts {
	return &Hosts{options: o.withDefaults(), all: map[string]*host{}}
}

// host is one host, as all accounts see it.
type host struct {
	name    string
	circuit *circuit
	guests  map[string]*guest // by account
	inside  int               // photos that are being fetched
	// failed are the accounts that it has failed since it last served one.
	failed map[string]bool
}

// guest is an account at a host.
type guest struct {
	circuit *circuit
	inside  int
	paused  time.Time // until when the host wants to be left alone by it
	met     time.Time // when its last photo came or went
}

// Visit is one fetch of a photo, over all hosts that it takes. It is used by one
// goroutine.
type Visit struct {
	hosts   *Hosts
	account string
	at      *host
	done    []func(error) // tells the circuits how it went
}

// Visit returns a visit for an account's photo, which must be ended by Leave.
func (h *Hosts) Visit(account string) *Visit { return &Visit{hosts: h, account: account} }

// Enter takes a place at a host, and gives up that at the host before, which has
// served the visit. Its error is a *Wait. It is meant for connectors.WithHosts.
func (v *Visit) Enter(name string) error {
	h := v.hosts
	h.mu.Lock()
	defer h.mu.Unlock()
	v.leave(nil)
	at := h.host(name)
	g := h.guest(at, v.account)
	g.met = time.Now()
	if left := time.Until(g.paused); left > 0 {
		return &Wait{Host: name, Reason: Paused, For: left + retry.Jitter(left/8)}
	}
	if !h.place(at, g) {
		return &Wait{Host: name, Reason: Busy, For: busyFor/2 + retry.Jitter(busyFor)}
	}
	own, err := g.circuit.Allow()
	if err != nil {
		return g.circuit.wait(name)
	}
	all, err := at.circuit.Allow()
	if err != nil {
		own(errNeutral)
		return at.circuit.wait(name)
	}
	at.inside++
	g.inside++
	v.at, v.done = at, []func(error){own, all}
	return nil
}

// busyFor is about how long a photo waits that finds no place at a host.
const busyFor = time.Second

// place tells whether there is one. An account that has no photo at the host gets
// in above the share too, halfway up to all slots, so that no account's crowd
// shuts out another's photo.
func (h *Hosts) place(at *host, g *guest) bool {
	o := h.options
	most := max(o.PerHost, min(o.Slots-1, (o.Slots+o.PerHost)/2))
	return at.inside < o.PerHost || g.inside == 0 && at.inside < most
}

// Leave ends a visit: err is what became of the fetch at its last host, nil also
// where the photo was judged by what came.
func (v *Visit) Leave(err error) {
	v.hosts.mu.Lock()
	defer v.hosts.mu.Unlock()
	v.leave(err)
}

func (v *Visit) leave(err error) {
	at := v.at
	if at == nil {
		return
	}
	g := at.guests[v.account]
	at.inside--
	g.inside--
	g.met = time.Now()
	verdict := judge(err)
	failed := errors.Is(verdict, errFailed)
	if failed {
		at.failed[v.account] = true
	} else if verdict == nil {
		clear(at.failed)
	}
	if failed || connectors.KindOf(err) == connectors.Throttled {
		g.pause(retry.Asked(err))
	}
	for _, done := range v.done {
		done(verdict)
	}
	v.at, v.done = nil, nil
	v.hosts.forget(at)
}

func (g *guest) pause(span time.Duration) {
	if until := time.Now().Add(span); span > 0 && until.After(g.paused) {
		g.paused = until
	}
}

// What a fetch says about its host, beside nil, which speaks for it.
var (
	errFailed  = errors.New("the host failed")
	errNeutral = errors.New("nothing is known of the host")
)

// judge takes from the outcome of a fetch what it says about the host. One that
// answers serves us, whatever it answers; trouble of our own, such as a fetch that
// was given up, says nothing.
func judge(err error) error {
	switch {
	case err == nil:
		return nil
	case connectors.DownOf(err):
		return errFailed
	case connectors.KindOf(err) == connectors.Other:
		return errNeutral
	}
	return nil
}

// host returns the host of that name, which is made if it is not known.
func (h *Hosts) host(name string) *host {
	if at, known := h.all[name]; known {
		return at
	}
	for other, at := range h.all {
		if len(h.all) < maxHosts {
			break
		}
		if at.inside == 0 {
			delete(h.all, other)
		}
	}
	at := &host{name: name, guests: map[string]*guest{}, failed: map[string]bool{}}
	// A single account's failures may be its own, and are for its own circuit.
	at.circuit = h.circuit(name, "", func() bool { return len(at.failed) > 1 })
	h.all[name] = at
	return at
}

func (h *Hosts) guest(at *host, account string) *guest {
	g, known := at.guests[account]
	if !known {
		g = &guest{circuit: h.circuit(at.name, account, func() bool { return true })}
		at.guests[account] = g
	}
	return g
}

// forget drops a host of which there is nothing to remember.
func (h *Hosts) forget(at *host) {
	if at.inside > 0 || len(at.failed) > 0 || !at.circuit.closed() {
		return
	}
	for _, g := range at.guests {
		if !g.circuit.closed() || time.Until(g.paused) > 0 {
			return
		}
	}
	delete(h.all, at.name)
}

// forgetIdle drops what was met at hosts that nobody has gone to for long.
func (h *Hosts) forgetIdle() {
	for _, at := range h.all {
		for account, g := range at.guests {
			if g.inside == 0 && time.Since(g.met) > h.options.forgetAfter() && time.Until(g.paused) <= 0 {
				delete(at.guests, account)
				delete(at.failed, account)
			}
		}
		if len(at.guests) == 0 {
			delete(h.all, at.name)
		} else {
			h.forget(at)
		}
	}
}
