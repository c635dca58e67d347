package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// Letter is a dead letter: an event that no repeat will help, kept for an
// operator to look at.
type Letter struct {
	// Key names the event, as in Item.
	Key string `json:"key"`
	// Cause says why in plain words; at most MaxCause bytes are kept. It holds
	// no secret and no consumer's words.
	Cause string `json:"cause"`
	// Conversation, Seq, AcceptedAt and Tries, with the last one, are set for events
	// that were in the journal.
	Conversation string    `json:"conversation,omitempty"`
	Seq          int64     `json:"seq,omitempty"`
	AcceptedAt   time.Time `json:"accepted_at,omitzero"`
	Tries        int       `json:"tries,omitempty"`
	// Message is the Item's of that name, as far as an entry's end knew it.
	Message string `json:"message,omitempty"`
	// Lane is the Item's.
	Lane string `json:"lane,omitempty"`
	// Party is the Item's, as far as it is known, and ReceivedAt as well.
	Party      string    `json:"party,omitempty"`
	ReceivedAt time.Time `json:"received_at,omitzero"`
	// Attempt is the one that it died of, and Told the id under which agents know
	// its photos: empty as long as they know nothing of the message.
	Attempt string `json:"attempt,omitempty"`
	Told    string `json:"told,omitempty"`
	// Connector is the one that an event came by that never was in the journal.
	Connector string `json:"connector,omitempty"`
	// Doubtful tells that the event may have reached the agents before it was buried:
	// it was spooled, and for longer than the journal knows what it has taken.
	Doubtful bool `json:"doubtful,omitempty"`
	// Content says what Raw is.
	Content Content `json:"content,omitempty"`
	// Raw is kept whole if it is a payload, else at most MaxRaw bytes of it.
	Raw []byte `json:"-"`
	// RawBytes is how long Raw was before it was cut.
	RawBytes int `json:"raw_bytes"`
	// DiedAt is by Redis' clock, set when the letter is read.
	DiedAt time.Time `json:"-"`
}

// Content says what is kept of a dead letter's event, and so what a retry can do
// with it.
type Content string

// The contents of letters. An older release's are one of the first two: the
// payload if the event was in the journal.
const (
	ContentPayload Content = "payload" // as in Item
	ContentEvent   Content = "event"   // the platform's own text of one event
	ContentWebhook Content = "webhook" // the body of a whole webhook call
)

// Journaled tells that the event was in the journal, and has its place in a
// conversation.
func (l Letter) Journaled() bool { return l.Conversation != "" }

// Bury keeps events that never were in the journal, because they are broken or
// for an account that we do not have: all of them, or none and an error. Each is
// told from its repeats by Key, for as long as an accepted event is; the answer
// tells of each whether it is new.
func (j *Journal) Bury(ctx context.Context, queue string, letters []Letter) ([]bool, error) {
	k, err := keysOf(queue)
	if err != nil || len(letters) == 0 {
		return nil, err
	}
	if err := j.admit(ctx, queue); err != nil {
		return nil, err
	}
	keys := []string{k.dead, k.letters, k.records, k.data}
	args := []any{randomID(), millis(j.options.SeenFor), j.options.LettersBytes, trimAtOnce}
	ahead, err := j.ahead(ctx, queue, slices.ContainsFunc(letters, func(l Letter) bool { return !l.ReceivedAt.IsZero() }))
	if err != nil {
		return nil, wrap("bury", err)
	}
	for _, l := range letters {
		if err := checkHex("key", l.Key); err != nil {
			return nil, fmt.Errorf("queue: bury: %w", err)
		}
		l.RawBytes = len(l.Raw)
		if most := l.most(); len(l.Raw) > most {
			l.Raw = l.Raw[:most]
		}
		letter, err := packLetter(l)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k.seen+l.Key)
		args = append(args, l.Key, letter, saidBy(l.Party, l.ReceivedAt, ahead))
	}
	fresh, err := j.run(ctx, j.scripts.bury, keys, args...).Int64Slice()
	if err != nil {
		return nil, wrap("bury", err)
	}
	if len(fresh) != len(letters)+1 {
		return nil, unexpected("bury", fresh)
	}
	j.expired(queue, whyBytes, int(fresh[len(letters)]))
	isNew := make([]bool, len(letters))
	for i := range isNew {
		isNew[i] = fresh[i] == 1
	}
	return isNew, nil
}

// Why dead letters are removed, and how many at most to make room for one call.
const (
	whyAge     = "age"
	whyBytes   = "bytes"
	trimAtOnce = 1000
)

// expired tells of letters that were removed, if there are any.
func (j *Journal) expired(queue, why string, letters int) {
	if letters > 0 {
		j.options.OnExpired(Expired{Queue: queue, Why: why, Letters: letters})
	}
}

// Letters returns up to limit dead letters of a queue, the oldest first. One that
// cannot be read says so as its cause, and hides no other.
func (j *Journal) Letters(ctx context.Context, queue string, limit int) ([]Letter, error) {
	k, err := keysOf(queue)
	if err != nil || limit < 1 {
		return nil, err
	}
	dead, err := j.client.ZRangeWithScores(ctx, k.dead, 0, int64(limit)-1).Result()
	if err != nil || len(dead) == 0 {
		return nil, wrap("list letters", err)
	}
	names := make([]string, len(dead))
	for i, member := range dead {
		names[i] = text(member.Member)
	}
	packed, err := j.client.HMGet(ctx, k.letters, names...).Result()
	if err != nil {
		return nil, wrap("list letters", err)
	}
	return unpackLetters(dead, packed), nil
}

// Expire removes up to limit dead letters, those that are older than age, by
// Redis' clock, and the oldest of more than Options.LettersBytes, and returns how
// many. A raw event is a consumer's words, and must not be kept for ever.
func (j *Journal) Expire(ctx context.Context, queue string, age time.Duration, limit int) (int, error) {
	k, err := keysOf(queue)
	if err != nil || limit < 1 {
		return 0, err
	}
	removed, err := j.run(ctx, j.scripts.expire, []string{k.dead, k.letters}, millis(age), j.options.LettersBytes, limit).Int64Slice()
	if err != nil {
		return 0, wrap("expire letters", err)
	}
	if len(removed) != 2 {
		return 0, unexpected("expire letters", removed)
	}
	j.expired(queue, whyAge, int(removed[0]))
	j.expired(queue, whyBytes, int(removed[1]))
	return int(removed[0] + removed[1]), nil
}

func unpackLetters(dead []redis.Z, packed []any) []Letter {
	letters := make([]Letter, 0, len(dead))
	for i, member := range dead {
		if packed[i] == nil {
			continue // it has expired since it was listed
		}
		letter, err := unpackLetter(text(packed[i]))
		if err != nil {
			letter = Letter{Key: text(member.Member), Cause: "this letter cannot be read", Raw: []byte(text(packed[i]))}
		}
		letter.DiedAt = time.UnixMilli(int64(member.Score))
		letters = append(letters, letter)
	}
	return letters
}

// most is how much of Raw is kept.
func (l Letter) most() int {
	if l.Content == ContentPayload {
		return MaxPayload
	}
	return MaxRaw
}

// packLetter writes a line of JSON and then the raw event, which may be any
// bytes.
func packLetter(l Letter) ([]byte, error) {
	if l.RawBytes == 0 {
		l.RawBytes = len(l.Raw)
	}
	l.Cause = capped(l.Cause)
	head, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("queue: letter: %w", err)
	}
	return append(append(head, '\n'), l.Raw...), nil
}

func unpackLetter(packed string) (Letter, error) {
	head, raw, found := bytes.Cut([]byte(packed), []byte{'\n'})
	var l Letter
	if !found {
		return l, fmt.Errorf("%w: no first line", ErrInvalid)
	}
	err := json.Unmarshal(head, &l)
	l.Raw = raw
	if l.Content == "" && l.Journaled() {
		l.Content = ContentPayload
	}
	return l, err
}
