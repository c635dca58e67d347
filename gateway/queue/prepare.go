package queue

import "context"

// Prepare asks Doctor, and makes the queues. It unwraps to ErrAway if Redis does
// not answer: then all of this is done when it does, and the Backend ends if it
// must not be used as it is. Another error says why that is so, a line for each
// reason.
func (b *Backend) Prepare(ctx context.Context, queues []string) error {
	for _, name := range queues {
		b.remember(name)
	}
	checkup, err := b.Doctor(ctx)
	if err == nil {
		err = refusal(checkup.Findings)
	}
	for _, name := range queues {
		if err == nil {
			err = b.EnsureQueue(ctx, name)
		}
	}
	b.watchdog.pending.Store(err != nil)
	b.prepared.Store(err == nil)
	return err
}

// Ready tells whether Redis has been found to keep what it acknowledges, by
// Prepare or, where it was away then, later.
func (b *Backend) Ready() bool { return b.prepared.Load() }
