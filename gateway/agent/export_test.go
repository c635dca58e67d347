package agent

import (
	"context"
	"time"

	"github.com/lightlock/lightlock/gateway/store"
)

// Every sets how often a stream gives a sign of life, and asks whether its caller is
// still signed in.
func (a *API) Every(heartbeat, recheck time.Duration) {
	a.every.heartbeat, a.every.recheck = heartbeat, recheck
}

// Misses sets how many changes are told to who comes back.
func (a *API) Misses(most int) { a.missed = most }

// Streams counts the open streams, and the queues that are followed for them.
func (a *API) Streams() (streams, feeds int) {
	a.hub.mu.Lock()
	defer a.hub.mu.Unlock()
	return a.hub.all, len(a.hub.feeds)
}

// Told is how far the listeners of a queue have been told.
func (a *API) Told(queue string) string {
	a.hub.mu.Lock()
	defer a.hub.mu.Unlock()
	if f := a.hub.feeds[queue]; f != nil {
		return f.place
	}
	return ""
}

// Occupy takes the room of a preview out of a caller's share.
func (a *API) Occupy(ctx context.Context, who string) (leave func(), err error) {
	return a.shares.take(ctx, who, store.Preview)
}

// The limits of streams, and how many previews a caller may have in memory.
const (
	AgentStreams  = agentStreams
	SharePreviews = mostShare / previewShare
	AllPreviews   = mostShares / previewShare
)
