package viber_test

import (
	"testing"

	"github.com/lightlock/lightlock/connectors/connectortest"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/viber"
	"github.com/lightlock/lightlock/connectors/viber/vibersim"
)

// The suite looks for the one header without which a call does not verify, so
// the copy of the signature behind the address is left out. verify_test.go has
// both together.
func TestConformance(t *testing.T) {
	connectortest.Run(t, connectortest.Subject{
		Channel: viber.Channel(),
		Start: func() (sim.Platform, error) {
			p, err := vibersim.Start()
			if err == nil {
				p.HeaderOnly = true
			}
			return p, err
		},
	})
}
