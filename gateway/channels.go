package main

import (
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twilio"
	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
	"github.com/lightlock/lightlock/connectors/whatsapp"
	"github.com/lightlock/lightlock/connectors/whatsapp/whatsappsim"
	"github.com/lightlock/lightlock/gateway/cli"
)

// channels lists the platforms that this gateway speaks, a line each: the
// channel, and its simulated platform for the demo and the tests.
func channels() []cli.Channel {
	return []cli.Channel{
		{Channel: line.Channel(), Simulate: simulate(linesim.Start)},
		{Channel: whatsapp.Channel(), Simulate: simulate(whatsappsim.Start)},
		{Channel: twilio.Channel(), Simulate: simulate(twiliosim.Start)},
	}
}

// simulate forgets the platform's own type, which only its channel's tests
// need.
func simulate[P sim.Platform](start func() (P, error)) func() (sim.Platform, error) {
	return func() (sim.Platform, error) { return start() }
}
