package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// forgottenFor is how long it is remembered that a party was forgotten: in a
// gateway's spool events may lie for longer than the journal remembers its own.
const forgottenFor = 90 * 24 * time.Hour

// Forgetting is a party that was forgotten, and when.
type Forgetting struct {
	Queue, Party string
	// At is by Redis' clock. What was accepted in a later millisecond is of somebody new.
	At time.Time
	// Last is the last place in the agents' queue by then.
	Last string
}

// Forget forgets a party as of now: what was received of it by now has no effect any
// more, whatever a worker or a spool has in hand, and what it says from now on opens
// another conversation. What there is of it is destroyed by the calls that follow.
// A repeat forgets again, what came since as well.
func (j *Journal) Forget(ctx context.Context, queue, party string) (Forgetting, error) {
	k, err := keysOf(queue)
	if err != nil {
		return Forgetting{}, err
	}
	if err := checkHex("party", party); err != nil {
		return Forgetting{}, fmt.Errorf("queue: forget: %w", err)
	}
	answer, err := j.run(ctx, j.scripts.forget, []string{
		k.forgotten, k.forgetting + party, k.conv + party, k.chatsOf + party, k.theirs + party, k.noticed + party, k.out,
	}, randomID(), party, millis(forgottenFor)).StringSlice()
	if err != nil {
		return Forgetting{}, wrap("forget", err)
	}
	if len(answer) != 2 {
		return Forgetting{}, unexpected("forget", answer)
	}
	return Forgetting{Queue: queue, Party: party, At: time.UnixMilli(number(answer[0])), Last: answer[1]}, nil
}

// Forgotten tells whether a conversation was forgotten: whoever puts it anywhere asks
// afterwards, and takes it away again.
func (j *Journal) Forgotten(ctx context.Context, queue, conversation string) (bool, error) {
	k, err := keysOf(queue)
	if err != nil {
		return false, err
	}
	err = j.client.ZScore(ctx, k.forgotten, conversation).Err()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	return err == nil, wrap("forgotten", err)
}

// saidBy is what was_forgotten in common.lua reads. The time is by a clock of which
// Redis' is so far ahead.
func saidBy(party string, at time.Time, ahead time.Duration) string {
	if party == "" || at.IsZero() {
		return ""
	}
	return party + " " + strconv.FormatInt(at.Add(ahead).UnixMilli(), 10)
}

// ahead is how far the clock of a queue's server is ahead of ours, by which a spool
// notes when something came in: what came between a party's forgetting and the
// difference would be taken for what came before, or after. It is zero where nothing
// has such a time, or where the two differ by no more than it takes to ask.
func (j *Journal) ahead(ctx context.Context, queue string, spooled bool) (time.Duration, error) {
	if !spooled {
		return 0, nil
	}
	before := time.Now()
	theirs, err := j.clock(ctx, queue)
	after := time.Now()
	if err != nil || !theirs.Before(before) && !theirs.After(after) {
		return 0, err
	}
	return theirs.Sub(after), nil
}

// ForgottenEvent is what was taken out of the journal.
type ForgottenEvent struct {
	// There is false for an event that had left the journal, or came later.
	There bool
	// InWork tells that somebody has it in hand, who will hear that it is gone.
	InWork bool
	// Attempts are those whose blobs are to be deleted. TheirAttempts names them until
	// AttemptsDone.
	Attempts []string
}

// ForgetEvent takes an event of a forgotten party out of the journal, as Journaled has
// found it. It is withdrawn then.
func (j *Journal) ForgetEvent(ctx context.Context, f Forgetting, e Entry) (ForgottenEvent, error) {
	k, err := keysOf(f.Queue)
	if err != nil {
		return ForgottenEvent{}, err
	}
	e.Attempt = randomID()
	names, args := j.at(k, e)
	delayed, records := k.putOff(e.Lane)
	found, err := j.run(ctx, j.scripts.forgetevent, append(names, delayed, records, k.theirs+f.Party+theirAttempts),
		append(args, f.At.UnixMilli(), millis(forgottenFor))...).Slice()
	if err != nil || len(found) == 0 {
		return ForgottenEvent{}, wrap("forget event", err)
	}
	return ForgottenEvent{There: true, InWork: found[0] == int64(1), Attempts: texts(found[1:])}, nil
}

// ForgetLetter removes a dead letter of a forgotten party, unless it has died since.
func (j *Journal) ForgetLetter(ctx context.Context, f Forgetting, key string) (bool, error) {
	k, err := keysOf(f.Queue)
	if err != nil {
		return false, err
	}
	if err := checkHex("key", key); err != nil {
		return false, fmt.Errorf("queue: forget letter: %w", err)
	}
	there, err := j.run(ctx, j.scripts.forgetletter, []string{k.dead, k.letters, k.seen + key},
		randomID(), key, f.At.UnixMilli(), millis(j.options.SeenFor)).Bool()
	return there, wrap("forget letter", err)
}

// LetterAttempts are the attempts whose blobs a dead letter's event has left.
func (j *Journal) LetterAttempts(ctx context.Context, queue string, l Letter) ([]string, error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, err
	}
	text, err := j.mark(ctx, k.seen+l.Key)
	if err != nil {
		return nil, wrap("letter", err)
	}
	attempts := readMark(text).attempts
	if l.Attempt != "" {
		attempts = append(attempts, l.Attempt)
	}
	return attempts, nil
}

// ForgottenConversation is what was destroyed of a conversation in Redis.
type ForgottenConversation struct {
	Messages int64
	// Unsaid is how many messages to the consumer had no result yet. Sending tells that
	// one of them is on its way, and cannot be recalled.
	Unsaid  int64
	Sending bool
}

// ForgetConversation destroys a conversation of a forgotten party and what was still
// to be said in it, and notes that it was forgotten, also if it is not there. answers
// are the keys of messages to the consumer in it.
func (j *Journal) ForgetConversation(ctx context.Context, f Forgetting, id string, answers []string) (ForgottenConversation, error) {
	k, err := keysOf(f.Queue)
	if err != nil {
		return ForgottenConversation{}, err
	}
	if err := checkHex("conversation", id); err != nil {
		return ForgottenConversation{}, fmt.Errorf("queue: forget conversation: %w", err)
	}
	args := []any{f.Party, member(id, f.Party), millis(forgottenFor), millis(j.options.SeenFor)}
	for _, key := range answers {
		if checkHex("key", key) == nil {
			args = append(args, key)
		}
	}
	counts, err := j.run(ctx, j.scripts.forgetchat,
		[]string{k.chat + id, k.say + id, k.outgoing, k.forgotten, k.theirs + f.Party}, args...).Int64Slice()
	if err != nil || len(counts) != 3 {
		return ForgottenConversation{}, wrap("forget conversation", err)
	}
	return ForgottenConversation{Messages: counts[0], Unsaid: counts[1], Sending: counts[2] == 1}, nil
}

// ForgetDocuments removes documents from the agents' queue by their places, and
// returns how many were there.
func (j *Journal) ForgetDocuments(ctx context.Context, queue string, places []string) (int64, error) {
	k, err := keysOf(queue)
	if err != nil || len(places) == 0 {
		return 0, err
	}
	n, err := j.client.XDel(ctx, k.out, places...).Result()
	return n, wrap("forget documents", err)
}

// Disown registers attempts of events as those whose blobs nobody names, so that they
// are deleted whatever happens to the caller. keys are the attempts' events.
func (j *Journal) Disown(ctx context.Context, queue string, keys map[string]string) error {
	k, err := keysOf(queue)
	if err != nil || len(keys) == 0 {
		return err
	}
	now, err := j.clock(ctx, queue)
	if err != nil {
		return wrap("disown", err)
	}
	pairs := make([]any, 0, 2*len(keys))
	for attempt, key := range keys {
		if err := errors.Join(checkHex("attempt", attempt), checkHex("key", key)); err != nil {
			return fmt.Errorf("queue: disown: %w", err)
		}
		pairs = append(pairs, attempt, key+" "+strconv.FormatInt(now.UnixMilli(), 10))
	}
	return wrap("disown", j.client.HSet(ctx, k.attempts, pairs...).Err())
}

// theirAttempts is how the name of a set of attempts goes on behind the party.
const theirAttempts = ":attempts"

// TheirAttempts are those of events of a forgotten party whose blobs are still to be
// deleted.
func (j *Journal) TheirAttempts(ctx context.Context, f Forgetting) ([]string, error) {
	k, err := keysOf(f.Queue)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	err = j.members(ctx, k.theirs+f.Party+theirAttempts, found)
	return slices.Sorted(maps.Keys(found)), wrap("their attempts", err)
}

// AttemptsDone says that the blobs of attempts are gone.
func (j *Journal) AttemptsDone(ctx context.Context, f Forgetting, attempts []string) error {
	k, err := keysOf(f.Queue)
	if err != nil || len(attempts) == 0 {
		return err
	}
	members := make([]any, len(attempts))
	for i, attempt := range attempts {
		members[i] = attempt
	}
	return wrap("attempts done", j.client.SRem(ctx, k.theirs+f.Party+theirAttempts, members...).Err())
}

// ConversationDone says that a conversation of a forgotten party is gone from everywhere.
func (j *Journal) ConversationDone(ctx context.Context, f Forgetting, id string) error {
	k, err := keysOf(f.Queue)
	if err != nil {
		return err
	}
	return wrap("conversation done", j.client.SRem(ctx, k.theirs+f.Party, id).Err())
}
