package messenger_test

import (
	"testing"

	"github.com/lightlock/lightlock/connectors/connectortest"
	"github.com/lightlock/lightlock/connectors/messenger"
	"github.com/lightlock/lightlock/connectors/messenger/messengersim"
	"github.com/lightlock/lightlock/connectors/sim"
)

func TestConformance(t *testing.T) {
	connectortest.Run(t, connectortest.Subject{
		Channel: messenger.Channel(),
		Start:   func() (sim.Platform, error) { return messengersim.Start() },
	})
}
