package hosts

import (
	"errors"
	"fmt"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/lightlock/lightlock/gateway/retry"
)

// Reason says why a photo has to wait, in one of few fixed words.
type Reason string

// The reasons to wait.
const (
	Fails  Reason = "fails"  // the host has failed, and will be tried again then
	Paused Reason = "paused" // the platform has asked for patience
	Busy   Reason = "busy"   // as many photos of this host as may be are being fetched
)

// Wait is the error of a photo that is not fetched now. No call was made for it.
type Wait struct {
	Host   string
	Reason Reason
	// For is how long it should wait: a little jitter keeps those that wait for
	// the same from coming back at once.
	For time.Duration
}

// Error implements error.
func (w *Wait) Error() string { return fmt.Sprintf("hosts: %s: %s", w.Host, w.Reason) }

// circuit is open while its host is left alone.
type circuit struct {
	*gobreaker.TwoStepCircuitBreaker[struct{}]
	open time.Duration
	// reopens is when it is tried again, if it is open.
	reopens time.Time
}

// circuit makes one, of an account at a host or of all. may tells whether enough
// is known to open it.
func (h *Hosts) circuit(name, account string, may func() bool) *circuit {
	c := &circuit{open: h.options.Open}
	log := h.options.Log.With("host", name)
	if account != "" {
		log = log.With("account", account)
	}
	c.TwoStepCircuitBreaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests: 1, // one photo finds out whether it works again
		Timeout:     h.options.Open,
		ReadyToTrip: func(n gobreaker.Counts) bool {
			return int64(n.ConsecutiveFailures) >= int64(h.options.Failures) && may()
		},
		IsExcluded: func(err error) bool { return errors.Is(err, errNeutral) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				c.reopens = time.Now().Add(c.open)
			}
			switch {
			case from == gobreaker.StateClosed:
				log.Warn("host fails; its photos wait", "again_in", c.open)
			case to == gobreaker.StateClosed:
				log.Info("host works again")
			}
		},
	})
	return c
}

func (c *circuit) closed() bool { return c.State() == gobreaker.StateClosed }

// wait is the error while it is open, or while one photo tries whether the host
// works again.
func (c *circuit) wait(name string) *Wait {
	left := time.Until(c.reopens)
	if left <= 0 {
		left = c.open / 6
	}
	return &Wait{Host: name, Reason: Fails, For: left + retry.Jitter(c.open/6)}
}
