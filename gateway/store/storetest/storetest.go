// Package storetest is the conformance suite of stores: it checks each sentence
// of store.Store, for any store.
//
// A store borrows all of it by one line of its own test:
//
//	storetest.Run(t, storetest.Subject{Open: ...})
//
// What is particular to one kind, such as a full disk or a server that hangs,
// stays in that kind's own tests. The suite is tested itself, against stores that
// are broken in exactly one way each.
package storetest

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/store"
)

// Subject is a kind of store.
type Subject struct {
	// Open opens an empty place. Each check has its own and closes it.
	Open func() (Place, error)
}

// Place is where one check works.
type Place struct {
	Store store.Store
	// Again opens the same place once more, as another gateway would.
	Again func() (store.Store, error)
	// Age makes an attempt look as if its pictures had been put that long ago.
	Age func(queue, attempt string, by time.Duration) error
}

// check is one sentence of the contract.
type check struct {
	name string
	// promise is the sentence, as a failure shows it.
	promise string
	run     func(*bench) error
}

// checks returns the whole suite.
func checks() []check { return slices.Concat(pictureChecks(), callChecks(), upkeepChecks()) }

// Run checks the subject against every sentence of the contract, each as a
// subtest.
func Run(t *testing.T, s Subject) {
	t.Helper()
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if err := c.do(s); err != nil {
				t.Errorf("%v\nthe contract says: %s", err, c.promise)
			}
		})
	}
}

// do runs the check in a place of its own. A panic is a failure like any other,
// so that the checks behind it still run.
func (c check) do(s Subject) (err error) {
	place, err := s.Open()
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
		err = errors.Join(err, place.Store.Close())
	}()
	return c.run(&bench{place})
}
