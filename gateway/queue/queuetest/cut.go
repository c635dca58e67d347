package queuetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
)

// ErrCut is the end of a process that Scissors have cut off.
var ErrCut = errors.New("cut off")

// Scissors cut off whoever makes calls through them, at a call of a number: that one
// and all later ones fail, as if the process had died. They count calls from 1.
type Scissors struct {
	// At is the number; nothing is cut at zero.
	At int
	// After lets the first have its effect, of which nobody hears.
	After bool

	mu sync.Mutex
	n  int
}

// Calls is how many there were.
func (s *Scissors) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// Cut makes a call, or returns ErrCut.
func (s *Scissors) Cut(do func() error) error {
	s.mu.Lock()
	s.n++
	n := s.n
	s.mu.Unlock()
	if s.At == 0 || n < s.At {
		return do()
	}
	if s.After && n == s.At {
		_ = do()
	}
	return ErrCut
}

// Journal opens a journal on a server at a unix socket or host:port, whose calls go
// through s, if it is not nil.
func Journal(t testing.TB, address string, options queue.Options, s *Scissors) *queue.Journal {
	t.Helper()
	o := &redis.Options{Addr: address, ContextTimeoutEnabled: true}
	o.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
		if filepath.IsAbs(address) {
			network = "unix"
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	client := redis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	if s != nil {
		client.AddHook(cutter{s})
	}
	j, err := queue.New(client, options)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// cutter lets a client's commands go through Scissors.
type cutter struct{ *Scissors }

// DialHook implements redis.Hook.
func (c cutter) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (c cutter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return c.Cut(func() error { return next(ctx, cmds) })
	}
}

// ProcessHook implements redis.Hook.
func (c cutter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := c.Cut(func() error { return next(ctx, cmd) })
		if errors.Is(err, ErrCut) {
			cmd.SetErr(err)
		}
		return err
	}
}

// Flush removes everything.
func (i *Inspector) Flush() {
	i.t.Helper()
	i.check(i.client.FlushAll(i.t.Context()).Err())
}

// Dump is all that every key holds, as text, by its name.
func (i *Inspector) Dump() map[string]string {
	i.t.Helper()
	all := map[string]string{}
	for _, name := range i.keys("") {
		all[name] = fmt.Sprint(i.value(name))
	}
	return all
}

// value is what a key holds, whatever its type is.
func (i *Inspector) value(name string) (value any) {
	i.t.Helper()
	ctx := i.t.Context()
	kind, err := i.client.Type(ctx, name).Result()
	i.check(err)
	switch kind {
	case "string":
		value, err = i.client.Get(ctx, name).Result()
	case "hash":
		value, err = i.client.HGetAll(ctx, name).Result()
	case "list":
		value, err = i.client.LRange(ctx, name, 0, -1).Result()
	case "set":
		value, err = i.client.SMembers(ctx, name).Result()
	case "zset":
		value, err = i.client.ZRange(ctx, name, 0, -1).Result()
	case "stream":
		value = i.stream(name)
	}
	i.check(err)
	return value
}
