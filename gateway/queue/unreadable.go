package queue

import (
	"errors"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// ErrUnreadable means that what Redis holds of a conversation is not what we write: it
// is not the caller's fault, and no repeat will help.
var ErrUnreadable = errors.New("what is kept of it cannot be read")

// mostStrange is how many are remembered of which it was told that they cannot be read.
const mostStrange = 1000

// strange remembers what it was told of that cannot be read. It is come upon at every
// look, and told of once.
type strange struct {
	mu   sync.Mutex
	told map[string]bool
}

// first tells that it has not been told of.
func (s *strange) first(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told[id] {
		return false
	}
	if s.told == nil || len(s.told) >= mostStrange {
		s.told = map[string]bool{}
	}
	s.told[id] = true
	return true
}

// unreadable tells of what cannot be read.
func (j *Journal) unreadable(queue, what, id string) {
	if j.strange.first(queue + " " + id) {
		j.options.OnBreach(Breach{Queue: queue, What: what, IDs: []string{id}})
	}
}

// mistyped tells that a key holds another type than what was asked of it.
func mistyped(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply) && strings.HasPrefix(reply.Error(), "WRONGTYPE")
}
