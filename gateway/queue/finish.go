package queue

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Complete puts the document into the agents' queue and takes the entry out of
// the journal, if the entry is still this attempt's.
func (j *Journal) Complete(ctx context.Context, e Entry, document []byte) (Outcome, error) {
	k, err := keysOf(e.Queue)
	if err != nil {
		return Other, err
	}
	if len(document) == 0 {
		return Other, fmt.Errorf("queue: complete: %w: no document", ErrInvalid)
	}
	if err := checkDocument(document); err != nil {
		return Other, fmt.Errorf("queue: complete: %w", err)
	}
	return j.outcome(ctx, j.scripts.complete, []string{k.inbox, k.work + e.Key, k.seen + e.Key, k.out},
		e.ID, j.consumer, e.Attempt, millis(j.options.SeenFor), document)
}

// Retry puts the entry off for a time, counted by Redis' clock. The cause is
// kept for operators and holds no secret and no consumer's words.
func (j *Journal) Retry(ctx context.Context, e Entry, after time.Duration, cause string) (Outcome, error) {
	k, err := keysOf(e.Queue)
	if err != nil {
		return Other, err
	}
	return j.outcome(ctx, j.scripts.retry, []string{k.inbox, k.work + e.Key, k.delayed, k.records},
		e.ID, j.consumer, e.Attempt, millis(after), e.Key, delayedRecord(e), capped(cause))
}

// delayedRecord is a delayed entry as due.lua reads it: one line of fields,
// then the payload.
func delayedRecord(e Entry) string {
	var record strings.Builder
	_, _ = fmt.Fprintf(&record, "%s %s %d %d %d\n", entryVersion, e.Conversation, e.Seq, e.AcceptedAt.UnixMilli(), e.Tries+1)
	_, _ = record.Write(e.Payload)
	return record.String()
}

// Dead makes the entry a dead letter. The document, if not nil, goes to the
// agents' queue in the same step, so that a message's text is not lost with its
// photos; it counts as the event's one entry there.
func (j *Journal) Dead(ctx context.Context, e Entry, cause string, document []byte) (Outcome, error) {
	k, err := keysOf(e.Queue)
	if err != nil {
		return Other, err
	}
	if err := checkDocument(document); err != nil {
		return Other, fmt.Errorf("queue: dead: %w", err)
	}
	letter, err := packLetter(Letter{
		Key: e.Key, Cause: cause, Conversation: e.Conversation, Seq: e.Seq,
		AcceptedAt: e.AcceptedAt, Tries: e.Tries, Raw: e.Payload,
	})
	if err != nil {
		return Other, err
	}
	return j.outcome(ctx, j.scripts.dead,
		[]string{k.inbox, k.work + e.Key, k.seen + e.Key, k.out, k.dead, k.letters},
		e.ID, j.consumer, e.Attempt, millis(j.options.SeenFor), document, e.Key, letter)
}

// Release gives the entry back at once, for an orderly stop. It counts neither
// as a start nor as a try. An entry that was taken but not begun may be released
// too.
func (j *Journal) Release(ctx context.Context, e Entry) error {
	k, err := keysOf(e.Queue)
	if err != nil {
		return err
	}
	outcome, err := j.outcome(ctx, j.scripts.release, []string{k.inbox, k.work + e.Key},
		e.ID, j.consumer, e.Attempt, millis(j.options.SeenFor),
		e.Key, e.Conversation, e.Seq, e.AcceptedAt.UnixMilli(), e.Tries, e.Payload)
	return fencedUnlessMine("release", outcome, err)
}

// Due moves up to limit delayed entries whose time has come back to the inbox.
// Every gateway may call it at any time: each entry is moved once. An entry that
// cannot be read, such as one that a newer release put off, stays delayed for a
// gateway that can.
func (j *Journal) Due(ctx context.Context, queue string, limit int) (moved int, err error) {
	k, err := keysOf(queue)
	if err != nil || limit < 1 {
		return 0, err
	}
	answer, err := j.run(ctx, j.scripts.due, []string{k.inbox, k.delayed, k.records}, limit, millis(j.options.Lease)).Slice()
	if err != nil {
		return 0, wrap("due", err)
	}
	if len(answer) != 3 {
		return 0, unexpected("due", answer)
	}
	count, _ := answer[0].(int64)
	j.breach(queue, "delayed entry has no record", answer[1])
	j.breach(queue, "delayed entry cannot be read", answer[2])
	return int(count), nil
}

// breach tells of the keys that a script has listed, if it has listed any.
func (j *Journal) breach(queue, what string, listed any) {
	list, _ := listed.([]any)
	if len(list) == 0 {
		return
	}
	breach := Breach{Queue: queue, What: what}
	for _, key := range list {
		breach.IDs = append(breach.IDs, text(key))
	}
	j.options.OnBreach(breach)
}

func checkDocument(document []byte) error {
	if len(document) > MaxDocument {
		return fmt.Errorf("%w: document has %d bytes, the limit is %d", ErrInvalid, len(document), MaxDocument)
	}
	return nil
}

// capped cuts a cause to MaxCause bytes of valid text.
func capped(cause string) string {
	if len(cause) > MaxCause {
		cause = cause[:MaxCause]
	}
	return strings.ToValidUTF8(cause, "")
}
