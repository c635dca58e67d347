package apple_test

import (
	"maps"
	"testing"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/apple"
	"github.com/lightlock/lightlock/connectors/apple/applesim"
	"github.com/lightlock/lightlock/connectors/connectortest"
	"github.com/lightlock/lightlock/connectors/sim"
)

func TestConformance(t *testing.T) {
	connectortest.Run(t, connectortest.Subject{
		Channel: channel(),
		Start:   func() (sim.Platform, error) { return applesim.Start() },
	})
}

// Apple need not compress, and a proxy may have unpacked what it has.
func TestConformancePlain(t *testing.T) {
	connectortest.Run(t, connectortest.Subject{
		Channel: channel(),
		Start: func() (sim.Platform, error) {
			p, err := applesim.Start()
			if err == nil {
				p.Plain = true
			}
			return p, err
		},
	})
}

// channel leaves out a check that takes a 204 for a photo of no bytes. Here its
// length is known, so it is one that is not complete; TestFetchStatus is the
// same for this channel.
func channel() connectors.Channel {
	c := apple.Channel()
	c.Cannot = maps.Clone(c.Cannot)
	c.Cannot["fetch_status"] = "a photo without content is not as long as announced"
	return c
}
