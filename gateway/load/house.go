package load

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue/redisserver"
)

// Queue is where everything goes that is said to a gateway of our own.
const Queue = "load"

// publicURL is the address under which the platforms know a gateway of our own.
// It is not where it listens, as it is not behind a proxy.
const publicURL = "https://gateway.example"

// House says what to start: gateways as processes of their own on a Redis of
// their own, between simulated platforms, so that the figures are those of the
// real program.
type House struct {
	// Binary is the program, Channels the platforms that call it.
	Binary   string
	Channels []Channel
	// Gateways is how many; 0 means one.
	Gateways int
	// Paused gateways accept and work on nothing.
	Paused bool
	// Data is the folder for what Redis and the gateways keep; empty is a
	// temporary one, which goes when the target is closed.
	Data string
	// RedisMemory is when Redis takes nothing in any more, in bytes; 0 means 4 GB.
	RedisMemory int64
}

// Open starts it all.
func (h House) Open(ctx context.Context) (_ *Target, err error) {
	t := &Target{Paused: h.Paused, Alone: true}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	if h.Data == "" {
		if h.Data, err = os.MkdirTemp("", "lightlock-load-"); err != nil {
			return nil, err
		}
		t.onClose(func() error { return os.RemoveAll(h.Data) })
	}
	if err := t.speak(h.Channels, make([]config.Settings, len(h.Channels)), publicURL); err != nil {
		return nil, err
	}
	c := config.Default()
	c.PublicURL, c.Listen, c.AdminListen, c.Work.Paused = publicURL, "127.0.0.1:0", "127.0.0.1:0", h.Paused
	if c.Redis, err = h.startRedis(ctx, t); err != nil {
		return nil, err
	}
	for i := range max(1, h.Gateways) {
		if err := h.startGateway(ctx, t, c, "gateway "+strconv.Itoa(i+1)); err != nil {
			return nil, err
		}
	}
	return t, t.openJournal(ctx, c)
}

func (h House) startRedis(ctx context.Context, t *Target) (*config.Redis, error) {
	memory := h.RedisMemory
	if memory == 0 {
		memory = 4 << 30
	}
	server, err := redisserver.Start(ctx, redisserver.Options{Dir: filepath.Join(h.Data, "redis"), MaxMemory: memory})
	if err != nil {
		return nil, err
	}
	t.onClose(server.Close)
	t.Processes = append(t.Processes, Process{"redis", server.PID()})
	return &config.Redis{Address: server.Address()}, nil
}

func (h House) startGateway(ctx context.Context, t *Target, c config.Config, name string) error {
	dir := filepath.Join(h.Data, name)
	c.Data = filepath.Join(dir, "data")
	settings := make([]config.Settings, len(t.Speakers))
	for i, s := range t.Speakers {
		settings[i] = s.Settings
	}
	file, err := WriteConfig(filepath.Join(dir, "config"), c, settings)
	if err != nil {
		return err
	}
	g, err := StartGateway(ctx, h.Binary, file)
	if err != nil {
		return err
	}
	t.onClose(g.Stop)
	t.Gateways = append(t.Gateways, "http://"+g.Public)
	t.Admins = append(t.Admins, "http://"+g.Admin)
	t.Processes = append(t.Processes, Process{name, g.PID()})
	return nil
}
