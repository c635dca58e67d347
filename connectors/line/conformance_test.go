package line_test

import (
	"testing"

	"github.com/lightlock/lightlock/connectors/connectortest"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/sim"
)

func TestConformance(t *testing.T) {
	connectortest.Run(t, connectortest.Subject{
		Channel: line.Channel(),
		Start:   func() (sim.Platform, error) { return linesim.Start() },
	})
}
