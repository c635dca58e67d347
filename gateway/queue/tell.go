package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// overdueAgain is after how long an overdue message is listed again: whoever it
// was listed for may have died.
const overdueAgain = 5 * time.Second

// Overdue returns up to limit messages with photos whose promised time has come
// and that have not been told yet. What is returned once is not returned again
// for some seconds, to nobody. The entries are in nobody's hands: they are for
// Tell alone.
func (j *Journal) Overdue(ctx context.Context, queue string, limit int) ([]Entry, error) {
	k, err := keysOf(queue)
	if err != nil || limit < 1 {
		return nil, err
	}
	found, err := j.run(ctx, j.scripts.overdue, []string{k.promised, k.data}, limit, millis(overdueAgain)).StringSlice()
	if err != nil {
		return nil, wrap("overdue", err)
	}
	entries := make([]Entry, 0, len(found)/2)
	for i := 0; i+1 < len(found); i += 2 {
		e := Entry{Queue: queue, Key: found[i]}
		if err := errors.Join(checkHex("key", e.Key), e.read(found[i+1])); err != nil {
			j.unread(queue, "record cannot be read", found[i], err)
			continue
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// Telling forwards a message before its photos are settled.
type Telling struct {
	// ID is 128 random bits in hex, under which the document names the photos.
	ID string
	// Message is the Item's of that name where the message may be unsent.
	Message string
	// Party is the Item's of that name: the document must say whether the
	// conversation has been closed meanwhile.
	Party string
	// Late tells that Document says so.
	Late bool
	// Document goes into the agents' queue.
	Document []byte
	// Chat is the End's of that name.
	Chat *ChatUpdate
}

// Tell puts a message with photos into the agents' queue before they are settled,
// once. Other means that somebody else has told it, or that it is settled;
// Withdrawn, that it has been unsent; Late, that the document should say so.
func (j *Journal) Tell(ctx context.Context, e Entry, t Telling) (Outcome, error) {
	k, err := keysOf(e.Queue)
	if err != nil {
		return Other, err
	}
	if err := t.check(); err != nil {
		return Other, fmt.Errorf("queue: tell: %w", err)
	}
	args, err := j.withUpdate([]any{e.Key, t.ID, t.Document, e.Conversation, t.Late}, t.Chat)
	if err != nil {
		return Other, fmt.Errorf("queue: tell: %w", err)
	}
	seen, args := k.seen+e.Key, append(args, saidBy(e.Party, e.AcceptedAt, 0))
	return j.outcome(ctx, j.scripts.tell, []string{
		seen, k.data, k.promised, k.tellings, k.out, or(k.message, t.Message, seen), or(k.conv, t.Party, seen),
		j.head(k, e, t.Chat),
	}, args...)
}

func (t Telling) check() error {
	if len(t.Document) == 0 || len(t.Document) > MaxDocument {
		return fmt.Errorf("%w: document has %d bytes, the limit is %d", ErrInvalid, len(t.Document), MaxDocument)
	}
	return errors.Join(checkHex("id", t.ID),
		End{Message: t.Message, Party: t.Party}.check())
}

// ToldAs returns the id under which a message was told, or nothing. It is for who
// has learnt from Complete that somebody else told it meanwhile.
func (j *Journal) ToldAs(ctx context.Context, e Entry) (string, error) {
	k, err := keysOf(e.Queue)
	if err != nil {
		return "", err
	}
	telling, err := j.field(ctx, k.tellings, e.Key)
	if err != nil {
		return "", wrap("told as", err)
	}
	id, _, _ := strings.Cut(telling, " ")
	return id, nil
}
