package main

import (
	"github.com/lightlock/lightlock/connectors/apple"
	"github.com/lightlock/lightlock/connectors/apple/applesim"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/messenger"
	"github.com/lightlock/lightlock/connectors/messenger/messengersim"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twilio"
	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
	"github.com/lightlock/lightlock/connectors/twitter"
	"github.com/lightlock/lightlock/connectors/twitter/twittersim"
	"github.com/lightlock/lightlock/connectors/viber"
	"github.com/lightlock/lightlock/connectors/viber/vibersim"
	"github.com/lightlock/lightlock/connectors/whatsapp"
	"github.com/lightlock/lightlock/connectors/whatsapp/whatsappsim"
	"github.com/lightlock/lightlock/gateway/cli"
)

// channels lists the platforms that this gateway speaks, a line each: the
// channel, and its simulated platform for the demo and the tests.
func channels() []cli.Channel {
	return []cli.Channel{
		{Channel: apple.Channel(), Simulate: simulate(applesim.Start)},
		{Channel: messenger.Channel(), Simulate: simulate(messengersim.Start)},
		{Channel: twilio.Channel(), Simulate: simulate(twiliosim.Start)},
		{Channel: whatsapp.Channel(), Simulate: simulate(whatsappsim.Start)},
		{Channel: line.Channel(), Simulate: simulate(linesim.Start)},
		{Channel: viber.Channel(), Simulate: simulate(vibersim.Start)},
		{Channel: twitter.Channel(), Simulate: simulate(twittersim.Start)},
	}
}

// simulate forgets the platform's own type, which only its channel's tests
// need.
func simulate[P sim.Platform](start func() (P, error)) func() (sim.Platform, error) {
	return func() (sim.Platform, error) { return start() }
}
