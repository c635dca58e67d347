package viber_test

import (
	"testing"

	"github.com/lightlock/lightlock/connectors/connectortest"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/viber"
	"github.com/lightlock/lightlock/connectors/viber/vibersim"
)

func TestConformance(t *testing.T) {
	connectortest.Run(t, connectortest.Subject{
		Channel: viber.Channel(),
		Start:   func() (sim.Platform, error) { return vibersim.Start() },
	})
}
