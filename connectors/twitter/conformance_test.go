package twitter_test

import (
	"testing"

	"github.com/lightlock/lightlock/connectors/connectortest"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twitter"
	"github.com/lightlock/lightlock/connectors/twitter/twittersim"
)

func TestConformance(t *testing.T) {
	connectortest.Run(t, connectortest.Subject{Channel: twitter.Channel(), Start: func() (sim.Platform, error) {
		p, err := twittersim.Start()
		if err == nil {
			p.OAuth2 = true
		}
		return p, err
	}})
}

// The other credentials, and the other API. What it cannot do belongs to it and
// not to the channel: the X Activity API delivers one message a call.
func TestConformanceOAuth1AndActivity(t *testing.T) {
	channel := twitter.Channel()
	channel.Cannot = map[string]string{"parse_batch": "one message a call", "parse_neighbours": "one message a call"}
	connectortest.Run(t, connectortest.Subject{Channel: channel, Start: func() (sim.Platform, error) {
		p, err := twittersim.Start()
		if err == nil {
			p.Activity = true
		}
		return p, err
	}})
}
