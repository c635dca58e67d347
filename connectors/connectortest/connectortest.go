// Package connectortest is the conformance suite of the channels: it checks
// each sentence of the contract in package connectors, for any channel, against
// that channel's simulated platform.
//
// A channel borrows all of it by one line of its own test; what its platform has
// no means for it declares in Channel.Cannot, by the check's name:
//
//	connectortest.Run(t, connectortest.Subject{Channel: line.Channel(), Start: ...})
//
// What is particular to one platform stays in that channel's own tests. The
// suite is tested itself, against connectors that are broken in exactly one way
// each.
package connectortest

import (
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

// Subject is a channel and its simulated platform.
type Subject struct {
	Channel connectors.Channel
	// Start starts a platform. Each check starts its own and closes it.
	Start func() (sim.Platform, error)
}

// check is one sentence of the contract.
type check struct {
	name string
	// promise is the sentence, as a failure shows it.
	promise string
	run     func(*bench) error
}

// unconcerned says why a check has nothing to ask of a connector.
type unconcerned string

func (u unconcerned) Error() string { return string(u) }

// checks returns the whole suite, in the order of the contract.
func checks() []check { return slices.Concat(inboundChecks(), outboundChecks()) }

// inboundChecks are about what consumers say.
func inboundChecks() []check {
	return slices.Concat(
		describeChecks(),
		challengeChecks(),
		verifyChecks(),
		parseChecks(),
		shapeChecks(),
		fetchChecks(),
		secretChecks(),
	)
}

// outboundChecks are about what we say to consumers, and about how the platform
// comes to call us.
func outboundChecks() []check {
	return slices.Concat(
		sendChecks(),
		sendFaultChecks(),
		sendHostChecks(),
		registerChecks(),
	)
}

// Run checks the subject against every sentence of the contract, each as a
// subtest.
func Run(t *testing.T, s Subject) {
	t.Helper()
	for _, name := range unknown(s.Channel.Cannot) {
		t.Errorf("Cannot lists %q, which is no check of this suite", name)
	}
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			if reason, ok := s.Channel.Cannot[c.name]; ok {
				t.Skip(reason)
			}
			err := c.do(s)
			var skip unconcerned
			if errors.As(err, &skip) {
				t.Skip(skip)
			}
			if err != nil {
				t.Errorf("%v\nthe contract says: %s", err, c.promise)
			}
		})
	}
}

// unknown returns the names in cannot that are no checks. Such a line would
// excuse nothing and look as if it did.
func unknown(cannot map[string]string) []string {
	names := slices.Sorted(maps.Keys(cannot))
	return slices.DeleteFunc(names, func(name string) bool {
		return slices.ContainsFunc(checks(), func(c check) bool { return c.name == name })
	})
}

// do runs the check against a platform of its own. A panic is a failure like
// any other, so that the checks behind it still run.
func (c check) do(s Subject) (err error) {
	b, err := newBench(s)
	if err != nil {
		return err
	}
	defer b.close()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return c.run(b)
}
