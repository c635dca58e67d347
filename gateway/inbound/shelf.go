package inbound

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"
)

var (
	// errNotStored means that a picture could not be stored, or may be there in part.
	errNotStored = errors.New("picture not stored")
	// errStoreAway means that a photo was not fetched, because its pictures could not
	// be stored.
	errStoreAway = errors.New("the store has failed, and another photo finds out whether it works again")
)

// isStores tells whether the store is why there is no picture.
func isStores(err error) bool { return errors.Is(err, errNotStored) || errors.Is(err, errStoreAway) }

// shelf is what is known of the store. While it takes no pictures, none is fetched
// and developed in vain but by one photo, once in a while. It is no circuit of
// gobreaker's, which would count: one failure is enough here, and a try that did not
// get as far as the store says nothing. The zero value knows no failure.
type shelf struct {
	mu     sync.Mutex
	again  time.Time // when it may be tried again; zero while it works
	trying bool
}

// shelfRest is how long it is left alone after a failure.
func (l *Line) shelfRest() time.Duration {
	return cmp.Or(l.StoreRest, min(10*time.Second, time.Duration(l.Work.RetryMax)))
}

// enter asks whether a photo may be fetched. Its leave is told what became of that;
// after a failure of the store it rests for so long.
func (s *shelf) enter(rest time.Duration) (leave func(ctx context.Context, err error), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tries := !s.again.IsZero()
	if tries && (s.trying || time.Now().Before(s.again)) {
		return nil, errStoreAway
	}
	s.trying = tries
	return func(ctx context.Context, err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if tries {
			s.trying = false
		}
		switch {
		case err == nil:
			s.again = time.Time{}
		case errors.Is(err, errNotStored) && ctx.Err() == nil: // or we gave it up
			s.again = time.Now().Add(rest)
		}
	}, nil
}
