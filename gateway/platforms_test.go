package main

import (
	"bytes"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/gatewaytest/platforms"
)

// TestTheListForTestsIsThisOne: packages that test with all platforms cannot
// import this list, and have their own.
func TestTheListForTestsIsThisOne(t *testing.T) {
	var here, there []string
	for _, c := range channels() {
		here = append(here, c.Name)
	}
	for _, p := range platforms.All() {
		there = append(there, p.Name)
	}
	slices.Sort(here)
	if !slices.Equal(here, there) {
		t.Errorf("gateway/channels.go has %v, and gateway/gatewaytest/platforms %v; add the line that is missing", here, there)
	}
}

// TestPlatformsCanBeAdopted: where one simulated platform ends, another that
// adopts the same settings goes on at the same address.
func TestPlatformsCanBeAdopted(t *testing.T) {
	for _, channel := range channels() {
		t.Run(channel.Name, func(t *testing.T) {
			first := simulated(t, channel.Simulate)
			settings := first.Settings("acme", testQueue)
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			second := simulated(t, channel.Simulate)
			if err := second.Adopt(settings); err != nil {
				t.Fatal(err)
			}
			connector, err := channel.New(settings, connectors.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			photo := picture(t, 20, 10)
			calls, err := second.Webhook(webhookURL(channel.Name), sim.Said{ID: "a", Consumer: "ana", At: time.Now(), Photos: [][]byte{photo}})
			if err != nil {
				t.Fatal(err)
			}
			if err := connector.Verify(calls[0]); err != nil {
				t.Error(err)
			}
			events, err := connector.Parse(calls[0])
			if err != nil || len(events) != 1 || events[0].Account != settings.AccountList()[0].ID {
				t.Fatalf("got %+v, %v; want one event of %s", events, err, settings.AccountList()[0].ID)
			}
			body, err := connector.Fetch(t.Context(), events[0].Photos[0])
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, photo) {
				t.Errorf("got %d bytes, %v; want the photo of %d", len(got), err, len(photo))
			}
		})
	}
}

func simulated(t *testing.T, start func() (sim.Platform, error)) sim.Platform {
	t.Helper()
	p, err := start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}
