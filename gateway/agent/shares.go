package agent

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/lightlock/lightlock/gateway/store"
)

// What a caller may have in memory at once, while it is written: 16 previews, of 3 MB at
// most, or their weight in thumbnails, which is a hundredth. Others of the same caller
// wait, and those of another do not.
const mostShare, previewShare, thumbnailShare = 1600, 100, 1

// mostShares is what all callers may have in memory together, 32 previews, beside one
// picture for each of them: who reads slowly fills neither the memory nor the others'
// way.
const mostShares = 3200

// shares are what callers have in memory.
type shares struct {
	mu   sync.Mutex
	all  map[string]*share
	room *semaphore.Weighted
}

func newShares() *shares {
	return &shares{all: map[string]*share{}, room: semaphore.NewWeighted(mostShares)}
}

type share struct {
	room  *semaphore.Weighted
	users int
}

// take waits until there is room for a picture in a caller's share, and among all of
// them if it is not the caller's only one. It returns what gives the room back.
func (s *shares) take(ctx context.Context, who string, kind store.Kind) (leave func(), err error) {
	size := int64(previewShare)
	if kind == store.Thumbnail {
		size = thumbnailShare
	}
	one, only := s.enter(who)
	if err := one.room.Acquire(ctx, size); err != nil {
		s.leave(who, one)
		return nil, fmt.Errorf("too many pictures of one caller are being read: %w", err)
	}
	if only {
		return func() { one.room.Release(size); s.leave(who, one) }, nil
	}
	if err := s.room.Acquire(ctx, size); err != nil {
		one.room.Release(size)
		s.leave(who, one)
		return nil, fmt.Errorf("too many pictures are being read: %w", err)
	}
	return func() { s.room.Release(size); one.room.Release(size); s.leave(who, one) }, nil
}

// enter notes that a caller reads a picture, and tells whether it is the only one.
func (s *shares) enter(who string) (one *share, only bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one = s.all[who]
	if one == nil {
		one = &share{room: semaphore.NewWeighted(mostShare)}
		s.all[who] = one
	}
	one.users++
	return one, one.users == 1
}

func (s *shares) leave(who string, one *share) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one.users--; one.users == 0 {
		delete(s.all, who)
	}
}
