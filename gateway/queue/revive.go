package queue

import (
	"context"
	"fmt"
)

// Revive puts the event of a dead letter back into the journal that has been in it
// before: into its inbox, or its lane, with all its tries before it. A message that
// has reached the agents does not do so again; its photos follow. Other means that
// there is no such letter any more, Withdrawn that its message has been unsent, and
// Told that it has reached the agents and has no photos that could follow.
func (j *Journal) Revive(ctx context.Context, queue string, l Letter) (Outcome, error) {
	k, err := keysOf(queue)
	if err != nil {
		return Other, err
	}
	if err := l.check(); err != nil {
		return Other, fmt.Errorf("queue: revive: %w", err)
	}
	seen := k.seen + l.Key
	return j.outcome(ctx, j.scripts.revive, []string{
		k.dead, k.letters, seen, k.work + l.Key, k.inbox, k.photos, k.data, k.promised, k.tellings, k.kept,
		k.lanes, or(k.message, l.Message, seen),
	}, randomID(), millis(j.options.SeenFor), millis(j.options.PromiseFor), j.options.PerAccount,
		l.Key, l.Conversation, l.Seq, l.AcceptedAt.UnixMilli(), l.Lane, l.Raw, l.Told, l.Attempt)
}

// check refuses what would not be read back from the journal.
func (l Letter) check() error {
	if !l.Journaled() {
		return fmt.Errorf("%w: a letter that never was in the journal", ErrInvalid)
	}
	if len(l.Raw) > MaxPayload {
		return fmt.Errorf("%w: payload has %d bytes, the limit is %d", ErrInvalid, len(l.Raw), MaxPayload)
	}
	for what, name := range map[string]string{
		"key": l.Key, "conversation": l.Conversation, "attempt": l.Attempt, "message": l.Message, "lane": l.Lane, "id": l.Told,
	} {
		if name == "" {
			continue
		}
		if err := checkHex(what, name); err != nil {
			return err
		}
	}
	return nil
}
