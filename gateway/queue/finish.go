package queue

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"
)

// End is how an entry ends. The zero value takes it out of the journal and does
// nothing else.
type End struct {
	// Document goes into the agents' queue as the event's one entry there.
	Document []byte
	// Cause, unless it is empty, keeps the entry as a dead letter.
	Cause string
	// Message is the Item's of that name where the entry may be withdrawn.
	Message string
	// Party is the Item's of that name, of an entry that is a message: its
	// document must say whether the conversation has been closed meanwhile.
	Party string
	// Late tells that Document says so.
	Late bool
	// Told is the id under which the message was told, if Document is about what
	// became of its photos since.
	Told string
	// Named is the id by which Document names the photos that it gives up, if it is
	// the message itself: what becomes of them when the dead letter is retried will
	// be told under the same. Without it, that is the attempt.
	Named string
	// Erase is what an unsend is about.
	Erase *Trace
	// Notice goes to the consumer, unless the party has had one within a minute,
	// or five within a day, or the conversation is closed. It needs Party.
	Notice *Notice
	// Chat is what happens to the conversation, as agents see it. Nil for nothing.
	Chat *ChatUpdate
}

// Notice is a message to the consumer about the entry's own message.
type Notice struct {
	// Key names the notice: a hash in lower-case hex.
	Key string
	// Payload is what the sender needs, at most MaxPayload bytes.
	Payload []byte
}

// How many notices a consumer is sent: they must not become a flood of their own.
const (
	noticeGap  = time.Minute
	noticeSpan = 24 * time.Hour
	noticeMost = 5
)

// Complete ends the entry, if it is still this attempt's.
func (j *Journal) Complete(ctx context.Context, e Entry, end End) (Outcome, error) {
	k, err := keysOf(e.Queue)
	if err != nil {
		return Other, err
	}
	if err := end.check(); err != nil {
		return Other, fmt.Errorf("queue: complete: %w", err)
	}
	letter, err := end.letter(e)
	if err != nil {
		return Other, err
	}
	var notice Notice
	if end.Notice != nil {
		notice = *end.Notice
	}
	names, args := j.at(k, e)
	names = append(names,
		or(k.message, end.Message, k.seen+e.Key), k.out, k.dead, k.letters, k.delayed, k.records, k.photosDelayed,
		k.outgoing, or(k.conv, end.Party, k.work+e.Key),
		k.say+e.Conversation, or(k.noticed, end.Party, k.noticed), or(k.told, notice.Key, k.seen+e.Key),
		j.head(k, e, end.Chat))
	args = append(args,
		e.Conversation, end.Document, letter, end.Late, end.Told,
		member(e.Conversation, end.Party), notice.Key, notice.Payload,
		millis(noticeGap), millis(noticeSpan), noticeMost)
	if args, err = j.withUpdate(args, end.Chat); err != nil {
		return Other, fmt.Errorf("queue: complete: %w", err)
	}
	if end.Erase != nil {
		for _, place := range end.Erase.places {
			names = append(names, k.seen+place.key, k.work+place.key)
			args = append(args, place.key, strings.Join(place.entries, " "))
		}
	}
	args = append(args, saidBy(e.Party, e.AcceptedAt, 0))
	return j.outcome(ctx, j.scripts.complete, names, args...)
}

func (end End) check() error {
	if len(end.Document) > MaxDocument {
		return fmt.Errorf("%w: document has %d bytes, the limit is %d", ErrInvalid, len(end.Document), MaxDocument)
	}
	for what, name := range map[string]string{"message": end.Message, "party": end.Party} {
		if name == "" {
			continue
		}
		if err := checkHex(what, name); err != nil {
			return err
		}
	}
	if end.Notice == nil {
		return nil
	}
	if err := checkHex("party", end.Party); err != nil {
		return err
	}
	return checkOutgoing(end.Notice.Key, end.Notice.Payload)
}

// letter returns the dead letter that e becomes, or nothing.
func (end End) letter(e Entry) ([]byte, error) {
	if end.Cause == "" {
		return nil, nil
	}
	told := cmp.Or(end.Told, end.Named)
	if told == "" && len(end.Document) > 0 {
		told = e.Attempt
	}
	return packLetter(Letter{
		Attempt: e.Attempt, Told: told,
		Key: e.Key, Cause: end.Cause, Conversation: e.Conversation, Seq: e.Seq, Lane: e.Lane,
		AcceptedAt: e.AcceptedAt, Tries: e.Tries, Message: end.Message, Party: e.Party, Content: ContentPayload, Raw: e.Payload,
	})
}

// Retry says how an entry is put off.
type Retry struct {
	// After is for how long, counted by Redis' clock.
	After time.Duration
	// Cause is kept for operators and holds no secret and no consumer's words.
	Cause string
	// Hold keeps the entry's place in its lane's window: what it waits for would
	// keep the others of its lane waiting too.
	Hold bool
	// Keep tells that the entry's Payload names blobs of this attempt.
	Keep bool
	// Empty tells that no blob was put under this attempt, so that nobody need look
	// for any.
	Empty bool
	// NoTry leaves Tries as it is: nothing has been tried.
	NoTry bool
}

// Retry puts the entry off, with its Payload as it is now. Withdrawn means that
// its message has been unsent, and that the entry is gone instead; the blobs of
// this attempt and of those that were kept are nobody's then.
func (j *Journal) Retry(ctx context.Context, e Entry, r Retry) (Outcome, error) {
	k, err := keysOf(e.Queue)
	if err != nil {
		return Other, err
	}
	if len(e.Payload) > MaxPayload {
		return Other, fmt.Errorf("queue: retry: %w: payload has %d bytes, the limit is %d", ErrInvalid, len(e.Payload), MaxPayload)
	}
	tries, head := e.Tries+1, k.chat+e.Conversation
	if r.NoTry {
		tries = e.Tries
	}
	if r.NoTry || e.Lane == "" || j.options.WithoutConversations {
		head = k.seen + e.Key
	}
	delayed, records := k.putOff(e.Lane)
	names, args := j.at(k, e)
	return j.outcome(ctx, j.scripts.retry, append(names, or(k.message, e.guard, k.seen+e.Key), delayed, records, head),
		append(args, e.record(tries), millis(r.After), capped(r.Cause), r.Hold, r.Keep, r.Empty, saidBy(e.Party, e.AcceptedAt, 0))...)
}

// Release gives the entry back at once, for an orderly stop. It counts neither
// as a start nor as a try. An entry that was taken but not begun may be released
// too.
func (j *Journal) Release(ctx context.Context, e Entry) error {
	k, err := keysOf(e.Queue)
	if err != nil {
		return err
	}
	var record string
	if e.Lane == "" {
		record = e.record(e.Tries)
	}
	names, args := j.at(k, e)
	outcome, err := j.outcome(ctx, j.scripts.release, names, append(args, record)...)
	return fencedUnlessMine("release", outcome, err)
}

// Due moves up to limit delayed entries whose time has come back to their inbox,
// or to the end of their lane if they have not held their place in it. Those that
// were unsent while they waited in a long lane are passed over here, and counted
// too: limit was reached is to say that there may be more to do at once.
// Every gateway may call it at any time: each entry is moved once. An entry that
// cannot be read, such as one that a newer release put off, stays delayed for a
// gateway that can.
func (j *Journal) Due(ctx context.Context, queue string, limit int) (moved int, err error) {
	k, err := keysOf(queue)
	if err != nil || limit < 1 {
		return 0, err
	}
	answer, err := j.run(ctx, j.scripts.due, []string{
		k.inbox, k.delayed, k.records, k.photos, k.photosDelayed, k.data, k.lanes,
	}, limit, millis(j.options.Lease), j.options.PerAccount).Slice()
	if err != nil {
		return 0, wrap("due", err)
	}
	if len(answer) != 4 {
		return 0, unexpected("due", answer)
	}
	count, _ := answer[0].(int64)
	j.breach(queue, "delayed entry has no record", answer[1])
	j.breach(queue, "delayed entry cannot be read", answer[2])
	if newer := texts(answer[3]); len(newer) > 0 {
		j.options.OnNewer(Newer{Queue: queue, IDs: newer})
	}
	return int(count), nil
}

// breach tells of the keys that a script has listed, if it has listed any.
func (j *Journal) breach(queue, what string, listed any) {
	if keys := texts(listed); len(keys) > 0 {
		j.options.OnBreach(Breach{Queue: queue, What: what, IDs: keys})
	}
}

// texts are the keys that a script has listed.
func texts(listed any) (keys []string) {
	list, _ := listed.([]any)
	for _, key := range list {
		keys = append(keys, text(key))
	}
	return keys
}

// capped cuts a cause to MaxCause bytes of valid text.
func capped(cause string) string { return cut(cause, MaxCause) }
