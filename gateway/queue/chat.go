package queue

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ChatUpdate is what an event does to a conversation, as agents see it.
type ChatUpdate struct {
	// Kind says what: a message, or its photos, are put into it, a message in it is
	// edited or unsent, or the consumer has closed it.
	Kind ItemKind
	// Party, Channel, Account, AccountID and Consumer are the Conversation's of these
	// names, for its head where there is none yet.
	Party, Channel, Account, AccountID string
	Consumer                           Consumer
	// ReceivedAt is when the gateway received the event.
	ReceivedAt time.Time
	// Item is the message, all of it, or what is new about it: Edit or UnsentAt. A
	// close has none. Its Arrival is given by the journal.
	Item ConversationItem
}

// positionsPerSeq is how far the positions of a consumer's messages are apart: so
// many replies stand between two.
const positionsPerSeq = 1 << 20

// Position returns that of a consumer's message by its Seq.
func Position(seq int64) int64 { return seq * positionsPerSeq }

// maxName is how much of a consumer's name a head holds, in bytes.
const maxName = 1 << 10

func (u *ChatUpdate) check() error {
	switch u.Kind {
	case ItemMessage, ItemEdit, ItemUnsend:
		if err := checkHex("item", u.Item.ID); err != nil {
			return err
		}
	case ItemClose:
	default:
		return fmt.Errorf("%w: an update of kind %.20q", ErrInvalid, u.Kind)
	}
	missing := u.Kind == ItemMessage && u.Item.Message == nil || u.Kind == ItemEdit && u.Item.Edit == nil
	if missing || u.Item.Position < 0 {
		return fmt.Errorf("%w: an update of kind %s that is not whole", ErrInvalid, u.Kind)
	}
	return checkHex("party", u.Party)
}

// text is what is kept of the item, in JSON.
func (u *ChatUpdate) text() ([]byte, error) {
	var text []byte
	err := error(nil)
	switch u.Kind {
	case ItemMessage:
		text, err = json.Marshal(u.Item.Message)
	case ItemEdit:
		text, err = json.Marshal(u.Item.Edit)
	case ItemUnsend:
		text, err = json.Marshal(u.Item.UnsentAt)
	}
	if err == nil && len(text) > MaxDocument {
		err = fmt.Errorf("%w: an item has %d bytes, the limit is %d", ErrInvalid, len(text), MaxDocument)
	}
	return text, err
}

// Gist is the item in short, or zero where nothing is known of it.
func (i ConversationItem) Gist() Gist {
	g := Gist{From: i.From}
	if i.Message != nil {
		g.Text, g.Photos = shortened(i.Message.Text), len(i.Message.Photos)
	}
	switch {
	case !i.UnsentAt.IsZero():
		return Gist{From: i.From, Unsent: true}
	case i.Reply != nil:
		g.Text = shortened(i.Reply.Text)
	case i.Edit != nil:
		g.Text = shortened(i.Edit.Text)
	case i.Message == nil:
		return Gist{}
	}
	return g
}

// shortened returns the beginning of a text, for lists.
func shortened(text string) string {
	// No more is looked at than can be of use, however long the text is.
	runes := []rune(cut(text, 8*MaxGist))
	return string(runes[:min(len(runes), MaxGist)])
}

// cut returns the beginning of a text, at most so many bytes, as valid text.
func cut(text string, most int) string {
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}

// head is the key of an entry's conversation, or another one where nothing happens
// to it.
func (j *Journal) head(k keys, e Entry, u *ChatUpdate) string {
	if u == nil || j.options.WithoutConversations {
		return k.seen + e.Key
	}
	return k.chat + e.Conversation
}

// updateSize is how many arguments chats.lua reads.
const updateSize = 14

// withUpdate adds what chats.lua reads of an update.
func (j *Journal) withUpdate(args []any, u *ChatUpdate) ([]any, error) {
	if u == nil || j.options.WithoutConversations {
		for range updateSize {
			args = append(args, "")
		}
		return args, nil
	}
	text, err := u.text()
	if err := errors.Join(u.check(), err); err != nil {
		return nil, err
	}
	short := u.Item.Gist()
	return append(args,
		string(u.Kind), u.Party, u.Item.ID, u.Item.Position, text, max(0, u.ReceivedAt.UnixMilli()),
		u.Channel, u.Account, u.AccountID, u.Consumer.ID, cut(u.Consumer.Name, maxName),
		short.Text, short.Photos, millis(j.options.ArchiveAfter)), nil
}

// previousKept is how long a party's last conversation is remembered after its end,
// so that the next one can name it.
const previousKept = 2 * 24 * time.Hour

func (j *Journal) previousFor() time.Duration {
	if j.options.WithoutConversations {
		return 0
	}
	return previousKept
}

// pointsFor is how long a party's conversation is found after its last message. Where
// CloseIdle ends it, that has some time to do so.
func (j *Journal) pointsFor() time.Duration { return j.options.ConversationFor + j.previousFor() }
