package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

// simulatedURL is the address under which simulated platforms know the gateway.
// It is not where it listens: that a webhook's public address is configured,
// and not guessed, holds for the demo too.
const simulatedURL = "https://gateway.example"

// simulatedQueue is the queue of every simulated account.
const simulatedQueue = "demo"

// simulated is one platform of the demo with its connector's full name.
type simulated struct {
	Channel
	sim.Platform
	name string
}

// simulate starts every channel's simulated platform, and makes a configuration
// in which each has one connector named demo.
func (p Program) simulate(c config.Config) (*config.Loaded, []simulated, error) {
	c.PublicURL = simulatedURL
	loaded := &config.Loaded{Config: c}
	var platforms []simulated
	for _, channel := range p.Channels {
		platform, err := channel.Simulate()
		if err != nil {
			closeAll(platforms)
			return nil, nil, fmt.Errorf("simulated %s: %w", channel.Name, err)
		}
		settings := platform.Settings("demo", simulatedQueue)
		loaded.Connectors = append(loaded.Connectors, settings)
		platforms = append(platforms, simulated{channel, platform, settings.Common().FullName()})
	}
	return loaded, platforms, nil
}

func closeAll(platforms []simulated) {
	for _, p := range platforms {
		_ = p.Close()
	}
}

// say delivers what a consumer says the way the platform would: signed calls to
// the webhook's public address, sent to where the gateway listens.
func (s simulated) say(ctx context.Context, gateway string, said sim.Said) error {
	calls, err := s.Webhook(simulatedURL+"/webhooks/"+s.name, said)
	if err != nil {
		return err
	}
	for _, call := range calls {
		if err := s.post(ctx, gateway, call); err != nil {
			return err
		}
	}
	return nil
}

func (s simulated) post(ctx context.Context, gateway string, call *connectors.Request) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	url := "http://" + gateway + call.URL[len(simulatedURL):]
	request, err := http.NewRequestWithContext(ctx, call.Method, url, bytes.NewReader(call.Body))
	if err != nil {
		return err
	}
	request.Header = call.Header.Clone()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return errors.New("the webhook did not answer")
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the webhook was answered %d", response.StatusCode)
	}
	return nil
}
