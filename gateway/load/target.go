package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue"
)

// Target is what is called: one gateway or several on one Redis.
type Target struct {
	// Speakers are the platforms that call.
	Speakers []*Speaker
	// Gateways are their addresses, http:// or https://; calls are spread over
	// them.
	Gateways []string
	// Admins are where they answer operators, http://; none for gateways that run
	// elsewhere.
	Admins []string
	// Journal is where the queue is read; nil where that cannot be.
	Journal Journal
	// Paused tells that the gateways accept and work on nothing.
	Paused bool
	// Alone tells that nobody reads the queue but we.
	Alone bool
	// Processes are those whose use of this machine is measured.
	Processes []Process
	// Notes are sentences about what cannot be shown.
	Notes []string

	stops []func() error // in the order of starting
}

// Journal is what a gateway has behind it, as far as it is looked at here;
// *queue.Journal is one.
type Journal interface {
	// Last and WatchFrom read a queue without taking anything away.
	Last(ctx context.Context, queue string) (place string, err error)
	WatchFrom(ctx context.Context, queue, place string, found func(place string, document []byte) bool) error
	// Recall tells what became of events.
	Recall(ctx context.Context, queue string, keys []string) ([]queue.Fate, error)
	// Stats counts what is still to be worked on.
	Stats(ctx context.Context, queue string) (queue.Stats, error)
}

// Process is a process on this machine.
type Process struct {
	Name string
	PID  int
}

// Close ends what was started for the target, in reverse order.
func (t *Target) Close() (err error) {
	for i := len(t.stops) - 1; i >= 0; i-- {
		err = errors.Join(err, t.stops[i]())
	}
	t.stops = nil
	return err
}

func (t *Target) onClose(stop func() error) { t.stops = append(t.stops, stop) }

// Queues are those into which the gateways put what is said.
func (t *Target) Queues() []string {
	var names []string
	for _, s := range t.Speakers {
		if !slices.Contains(names, s.Queue()) {
			names = append(names, s.Queue())
		}
	}
	return names
}

// speak starts the platforms of some connectors.
func (t *Target) speak(channels []Channel, settings []config.Settings, publicURL string) error {
	for i, c := range channels {
		s, err := Speak(c, settings[i], publicURL)
		if err != nil {
			return err
		}
		t.Speakers = append(t.Speakers, s)
		t.onClose(s.Close)
	}
	if len(t.Speakers) == 0 {
		return errors.New("there is no connector to load")
	}
	return nil
}

// Connect makes a target of gateways that run with this configuration,
// elsewhere or here. Their platforms are simulated here with the connectors' own
// secrets; where the gateway cannot be led here for photos, because a connector's
// api_base is not on this machine, there are none.
func Connect(ctx context.Context, loaded *config.Loaded, channels []Channel, gateways []string) (_ *Target, err error) {
	t := &Target{Gateways: gateways, Paused: loaded.Config.Work.Paused}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	var chosen []Channel
	var settings []config.Settings
	for _, s := range loaded.Connectors {
		i := slices.IndexFunc(channels, func(c Channel) bool { return c.Name == s.Common().Channel })
		if i >= 0 {
			chosen, settings = append(chosen, channels[i]), append(settings, s)
		}
	}
	if err := t.speak(chosen, settings, loaded.Config.PublicURL); err != nil {
		return nil, err
	}
	for _, s := range t.Speakers {
		if s.path, err = pathOf(gateways[0]); err != nil {
			return nil, err
		}
		if !s.Photos {
			t.Notes = append(t.Notes, s.Name()+" sends no photos: they would have to be served at its api_base, and that is not on this machine")
		}
	}
	return t, t.openJournal(ctx, loaded.Config)
}

func pathOf(gateway string) (string, error) {
	if _, err := NewClient(gateway); err != nil {
		return "", err
	}
	_, rest, _ := strings.Cut(gateway, "://")
	_, path, found := strings.Cut(strings.TrimRight(rest, "/"), "/")
	if !found {
		return "", nil
	}
	return "/" + path, nil
}

// openJournal opens the Redis that the gateways use, which may be the private one
// of a gateway on this machine.
func (t *Target) openJournal(ctx context.Context, c config.Config) error {
	backend, err := queue.Attach(ctx, queue.OpenOptions{Redis: c.Redis, Data: c.Data})
	if errors.Is(err, queue.ErrNotRunning) {
		t.Notes = append(t.Notes, "the gateway's own redis-server is not on this machine, so losses and doubles are not known")
		return nil
	}
	if err != nil {
		return err
	}
	t.onClose(func() error { return backend.Close(context.WithoutCancel(ctx)) })
	t.Journal = backend.Journal
	if err := backend.Ping(ctx); err != nil {
		return fmt.Errorf("the gateway's redis: %w", err)
	}
	return nil
}
