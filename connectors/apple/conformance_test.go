package apple_test

import (
	"testing"

	"github.com/lightlock/lightlock/connectors/apple"
	"github.com/lightlock/lightlock/connectors/apple/applesim"
	"github.com/lightlock/lightlock/connectors/connectortest"
	"github.com/lightlock/lightlock/connectors/sim"
)

func TestConformance(t *testing.T) {
	connectortest.Run(t, connectortest.Subject{
		Channel: apple.Channel(),
		Start:   func() (sim.Platform, error) { return applesim.Start() },
	})
}

// Apple need not compress, and a proxy may have unpacked what it has.
func TestConformancePlain(t *testing.T) {
	connectortest.Run(t, connectortest.Subject{
		Channel: apple.Channel(),
		Start: func() (sim.Platform, error) {
			p, err := applesim.Start()
			if err == nil {
				p.Plain = true
			}
			return p, err
		},
	})
}
