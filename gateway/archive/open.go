package archive

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"golang.org/x/time/rate"

	"github.com/lightlock/lightlock/gateway/queue"
)

// Open is what Redis holds of conversations that nobody has closed; *queue.Journal does.
type Open interface {
	// Heads goes through all conversations in Redis.
	Heads(ctx context.Context, queue string) iter.Seq2[queue.Conversation, error]
	// Outdate destroys messages of before cutoff in one that is open.
	Outdate(ctx context.Context, queue, id string, cutoff time.Time) (int, error)
}

// heads is how many open conversations a second are looked at.
const heads = 1000

// ExpireOpen destroys messages of before cutoff in conversations that stay open, and
// returns how many. It may be ended and repeated at any moment.
func (a *Archive) ExpireOpen(ctx context.Context, cutoff time.Time) (expired int, err error) {
	look, slowly := rate.NewLimiter(heads, heads/10), rate.NewLimiter(rewrites, 1)
	var failed error
	for _, in := range a.Queues {
		for c, err := range a.Open.Heads(ctx, in) {
			if err != nil {
				return expired, err
			}
			if err := look.Wait(ctx); err != nil {
				return expired, err
			}
			// Nothing in it is older than it is.
			if c.State == queue.ConversationOver || !c.OpenedAt.Before(cutoff) {
				continue
			}
			n, err := a.Open.Outdate(ctx, in, c.ID, cutoff)
			expired += n
			if err != nil {
				failed = fmt.Errorf("conversation %s: %w", c.ID, err)
			}
			if errors.Is(err, queue.ErrAway) {
				return expired, failed
			}
			if err := slowly.Wait(ctx); err != nil {
				return expired, err
			}
		}
	}
	return expired, failed
}
