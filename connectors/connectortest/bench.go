package connectortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

const (
	webhookURL = "https://gateway.example/webhooks/channel/acme"
	// patience is when a check gives up on something that should have happened
	// long ago. No check measures time.
	patience = time.Minute
)

// bench is what one check works with: a platform, settings that reach it and a
// connector made from them.
type bench struct {
	ctx       context.Context
	stop      context.CancelFunc
	subject   Subject
	platform  sim.Platform
	settings  config.Settings
	connector connectors.Connector
	log       *record
}

func newBench(s Subject) (*bench, error) {
	platform, err := s.Start()
	if err != nil {
		return nil, fmt.Errorf("the simulated platform does not start: %w", err)
	}
	b := &bench{subject: s, platform: platform, log: &record{}}
	b.ctx, b.stop = context.WithTimeout(context.Background(), patience)
	b.settings = platform.Settings("acme", "support")
	if b.connector, err = b.build(b.settings, time.Now); err != nil {
		b.close()
		return nil, fmt.Errorf("the channel's New with the platform's settings: %w", err)
	}
	return b, nil
}

// build makes another connector for the same platform.
func (b *bench) build(s config.Settings, now func() time.Time) (connectors.Connector, error) {
	log := slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return b.subject.Channel.New(s, connectors.Env{Log: log, Now: now})
}

func (b *bench) close() {
	b.stop()
	_ = b.platform.Close()
}

// deliver returns the calls for what was said, as the gateway would hand them
// on.
func (b *bench) deliver(said ...sim.Said) ([]*connectors.Request, error) {
	requests, err := b.platform.Webhook(webhookURL, said...)
	if err != nil {
		return nil, fmt.Errorf("the simulated platform's webhook: %w", err)
	}
	if len(requests) == 0 {
		return nil, errors.New("the simulated platform made no webhook call")
	}
	for _, r := range requests {
		r.ReceivedAt = time.Now()
	}
	return requests, nil
}

// one returns the single call for one short text.
func (b *bench) one() (*connectors.Request, error) {
	requests, err := b.deliver(text("one"))
	if err != nil {
		return nil, err
	}
	return requests[0], nil
}

// parse returns the events of all calls, in order.
func parse(c connectors.Connector, requests []*connectors.Request) ([]connectors.Event, error) {
	var events []connectors.Event
	for _, r := range requests {
		more, err := c.Parse(r)
		if err != nil {
			return nil, fmt.Errorf("Parse of the platform's own webhook: %w", err)
		}
		events = append(events, more...)
	}
	return events, nil
}

// events delivers what was said and returns all that the connector makes of it.
func (b *bench) events(said ...sim.Said) ([]connectors.Event, error) {
	requests, err := b.deliver(said...)
	if err != nil {
		return nil, err
	}
	return parse(b.connector, requests)
}

// hear delivers what was said and returns the messages that the connector makes
// of it.
func (b *bench) hear(said ...sim.Said) ([]connectors.Event, error) {
	events, err := b.events(said...)
	if err != nil {
		return nil, err
	}
	var messages []connectors.Event
	for _, e := range events {
		if e.Kind == connectors.Message {
			messages = append(messages, e)
		}
	}
	return messages, nil
}

// photos returns the references to all photos of what was said, in order.
func (b *bench) photos(said ...sim.Said) ([]connectors.Photo, error) {
	messages, err := b.hear(said...)
	if err != nil {
		return nil, err
	}
	var photos []connectors.Photo
	for _, m := range messages {
		photos = append(photos, m.Photos...)
	}
	want := 0
	for _, s := range said {
		want += len(s.Photos)
	}
	if len(photos) != want {
		return nil, fmt.Errorf("got %d photos, want the %d that were sent", len(photos), want)
	}
	return photos, nil
}

// onePhoto sends one photo and returns its reference.
func (b *bench) onePhoto() (connectors.Photo, error) {
	photos, err := b.photos(withPhotos("photo", picture(1)))
	if err != nil {
		return connectors.Photo{}, err
	}
	return photos[0], nil
}

// fetch reads a photo to its end. It returns what was read so far also with an
// error.
func fetch(ctx context.Context, c connectors.Connector, p connectors.Photo) ([]byte, error) {
	stream, err := c.Fetch(ctx, p)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(stream)
	return data, errors.Join(err, stream.Close())
}

// at is when consumers speak here.
func at() time.Time { return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC) }

func text(id string) sim.Said {
	return sim.Said{ID: id, Consumer: "ada", Name: "Ada", Text: "hello " + id, At: at()}
}

func withPhotos(id string, photos ...[]byte) sim.Said {
	return sim.Said{ID: id, Consumer: "ada", Name: "Ada", Photos: photos, At: at()}
}

// picture returns bytes that begin like a JPEG and are different for each seed.
func picture(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // The same picture at every run.
	data := make([]byte, 3000+r.IntN(3000))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	copy(data, "\xff\xd8\xff\xe0\x00\x10JFIF\x00")
	return data
}

// clone returns a copy of r that shares nothing with it.
func clone(r *connectors.Request) *connectors.Request {
	c := *r
	c.Header, c.Body = r.Header.Clone(), bytes.Clone(r.Body)
	return &c
}

// record is a log that can be read while it is written.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// wantKind returns an error unless err has one of the kinds.
func wantKind(err error, kinds ...connectors.ErrorKind) error {
	if err == nil {
		return fmt.Errorf("got no error, want kind %v", kinds)
	}
	for _, k := range kinds {
		if connectors.KindOf(err) == k {
			return nil
		}
	}
	return fmt.Errorf("got kind %v (%w), want %v", connectors.KindOf(err), err, kinds)
}

// counting wraps the platform's API so that calls to it are counted.
func (b *bench) counting() (calls func() int) {
	var mu sync.Mutex
	n := 0
	b.platform.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			n++
			mu.Unlock()
			h.ServeHTTP(w, r)
		})
	})
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}
