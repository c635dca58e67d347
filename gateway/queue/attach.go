package queue

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue/redisserver"
)

// ErrNotRunning means that there is nothing to attach to, because the gateway
// whose private redis-server it would be does not run.
var ErrNotRunning = errors.New("nothing to attach to")

// Attach connects to the Redis that a gateway with these options works on: the
// configured one, or the private redis-server that the running gateway has
// started. It starts nothing itself, and unlike Open it takes no folder for its
// own. The journal makes no consumer as long as nothing is taken from it.
func Attach(ctx context.Context, o OpenOptions) (*Backend, error) {
	if o.Redis == nil {
		socket, err := redisserver.Running(ctx, filepath.Join(o.Data, "redis"))
		if errors.Is(err, redisserver.ErrNotRunning) {
			return nil, fmt.Errorf("queue: %w: %w", ErrNotRunning, err)
		}
		if err != nil {
			return nil, fmt.Errorf("queue: %w", err)
		}
		o.Redis = &config.Redis{Address: socket}
	}
	return openConfigured(ctx, o)
}

// OptionsOf are the options of a gateway that works as configured, so that every
// process that has a hand in its queues has the same.
func OptionsOf(c config.Config) Options {
	return Options{
		Lease: time.Duration(c.Work.Lease), PerAccount: c.Work.PerAccount, PromiseFor: time.Duration(c.Work.Promise),
		LettersBytes:    int64(c.Work.LettersBytes),
		ConversationFor: time.Duration(c.Conversations.Idle), WithoutConversations: !c.Conversations.Enabled,
		EntriesFor: time.Duration(c.Conversations.TrimQueue),
	}
}
