package twilio_test

import (
	"testing"

	"github.com/lightlock/lightlock/connectors/connectortest"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twilio"
	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
)

func TestConformance(t *testing.T) {
	connectortest.Run(t, connectortest.Subject{
		Channel: twilio.Channel(),
		Start:   func() (sim.Platform, error) { return twiliosim.Start() },
	})
}
