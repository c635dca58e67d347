package connectortest

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

// Fuzz is the body of a channel's FuzzParse. It begins with the platform's own
// webhooks and with garbage, and asks of every body what the contract asks of
// any: no panic, a kind for every error, events that are complete, and the same
// ones the second time.
func Fuzz(f *testing.F, s Subject) {
	b, err := newBench(s)
	if err != nil {
		f.Fatal(err)
	}
	b.ctx = f.Context() // fuzzing has its own end
	f.Cleanup(b.close)
	r, seeds, err := b.seeds()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if err := reads(b.connector, with(r, body)); err != nil {
			t.Error(err)
		}
	})
}

// seeds returns a call, and bodies of such calls to begin with.
func (b *bench) seeds() (*connectors.Request, [][]byte, error) {
	said := []sim.Said{text("one"), {ID: "two", Consumer: "bob", Text: "写 \U0001F4F7 <&>", Photos: [][]byte{picture(1), picture(2)}, At: at()}}
	requests, err := b.deliver(said...)
	if err != nil {
		return nil, nil, err
	}
	var seeds [][]byte
	for _, r := range requests {
		seeds = append(seeds, document(r))
	}
	return requests[0], append(seeds, garbage(seeds[0], 20)...), nil
}

// reads returns an error unless c reads r as the contract says, whatever it is.
func reads(c connectors.Connector, r *connectors.Request) error {
	if err := tolerates(c, r); err != nil {
		return err
	}
	events, err := c.Parse(r)
	for _, e := range events {
		if err := complete(e); err != nil {
			return fmt.Errorf("%w in %s", err, show(events))
		}
		for _, p := range e.Photos {
			if p.Account != e.Account {
				return fmt.Errorf("got a photo of another account than its event's: %s", show(events))
			}
		}
	}
	later := clone(r)
	later.ReceivedAt = r.ReceivedAt.Add(time.Hour)
	again, errAgain := c.Parse(later)
	if !reflect.DeepEqual(events, again) || (err == nil) != (errAgain == nil) {
		return fmt.Errorf("got %s\nand then %s", show(events), show(again))
	}
	return nil
}
