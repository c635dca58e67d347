package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
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

// answerTime is how long the demo waits for an answer of its own gateway.
const answerTime = 15 * time.Second

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
		settings.Common().Registration = "off" // these platforms call us anyway
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

// client calls a gateway in the same process: by no proxy, to no other address,
// and never for ever.
type client struct {
	http *http.Client
	base string // scheme, host and port of the gateway
}

func newClient(address string) *client {
	return &client{
		base: "http://" + address,
		http: &http.Client{
			Timeout:       answerTime,
			Transport:     &http.Transport{},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// say delivers what a consumer says the way the platform would: signed calls to
// the webhook's public address, sent to where the gateway listens.
func (s simulated) say(ctx context.Context, c *client, said sim.Said) error {
	calls, err := s.Webhook(simulatedURL+"/webhooks/"+s.name, said)
	if err != nil {
		return err
	}
	for _, call := range calls {
		if err := c.post(ctx, call); err != nil {
			return err
		}
	}
	return nil
}

// post makes one call of a platform.
func (c *client) post(ctx context.Context, call *connectors.Request) error {
	url := c.base + strings.TrimPrefix(call.URL, simulatedURL)
	request, err := http.NewRequestWithContext(ctx, call.Method, url, bytes.NewReader(call.Body))
	if err != nil {
		return err
	}
	request.Header = call.Header.Clone()
	response, err := c.http.Do(request)
	if err != nil {
		return unanswered(ctx, "the webhook")
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the webhook was answered %d", response.StatusCode)
	}
	return nil
}

// largestPicture is more than any picture of ours has.
const largestPicture = 4 << 20

// get fetches a picture as agents' software does.
func (c *client) get(ctx context.Context, p *remotePicture, token string) ([]byte, error) {
	if p == nil || p.Bytes < 1 || p.Bytes > largestPicture {
		return nil, errors.New("a ready photo without its pictures")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+p.Href, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, unanswered(ctx, "the picture")
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the picture was answered %d", response.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, p.Bytes+1))
	if err != nil {
		return nil, unanswered(ctx, "the picture")
	}
	if int64(len(data)) != p.Bytes {
		return nil, errors.New("the picture is not as long as announced")
	}
	return data, nil
}

// unanswered is the error of a call without an answer. The client's own error
// names the address with its query, which may hold what a platform signed.
func unanswered(ctx context.Context, what string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.New(what + " was not answered")
}
