// Package platforms lists the simulated platforms for tests, as gateway/channels.go
// lists them for the program, which nothing can import. A test beside that list
// compares the two.
package platforms

import (
	"github.com/lightlock/lightlock/connectors"
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
)

// Platform is a channel, and how its simulated platform is started. Whoever starts
// one closes it.
type Platform struct {
	connectors.Channel
	Start func() (sim.Platform, error)
}

// All returns the platforms, in the order of their channels' names.
func All() []Platform {
	return []Platform{
		{apple.Channel(), start(applesim.Start)},
		{line.Channel(), start(linesim.Start)},
		{messenger.Channel(), start(messengersim.Start)},
		{twilio.Channel(), start(twiliosim.Start)},
		{twitter.Channel(), start(twittersim.Start)},
		{viber.Channel(), start(vibersim.Start)},
		{whatsapp.Channel(), start(whatsappsim.Start)},
	}
}

// start forgets the platform's own type.
func start[P sim.Platform](of func() (P, error)) func() (sim.Platform, error) {
	return func() (sim.Platform, error) { return of() }
}
