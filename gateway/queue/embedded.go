package queue

import (
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// embeddedStep is how often the embedded store's keys grow older.
const embeddedStep = 10 * time.Second

// openEmbedded starts miniredis in this process, the last resort. It listens on
// loopback, so it has a password of its own: other users of the machine reach
// loopback too.
func openEmbedded(o OpenOptions) (*Backend, error) {
	server := miniredis.NewMiniRedis()
	password := randomID()
	server.RequireAuth(password)
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("queue: embedded store: %w", err)
	}
	b, err := newBackend(&redis.UniversalOptions{Addrs: []string{server.Addr()}, Password: password}, o.Journal)
	if err != nil {
		server.Close()
		return nil, err
	}
	// It takes Redis 7's first line of a script for a syntax error.
	b.scripts.unflagged.Store(true)
	b.claim(Memory)
	b.Description = "embedded store: KEEPS NOTHING, every message is lost when the gateway stops; install redis-server or configure redis"
	done := make(chan struct{})
	stopped := make(chan struct{})
	go age(server, done, stopped)
	b.stop = func() error {
		close(done)
		<-stopped
		server.Close()
		return nil
	}
	return b, nil
}

// age lets keys expire: miniredis does not look at the clock for that.
func age(server *miniredis.Miniredis, done <-chan struct{}, stopped chan<- struct{}) {
	defer close(stopped)
	tick := time.NewTicker(embeddedStep)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			server.FastForward(embeddedStep)
		}
	}
}
