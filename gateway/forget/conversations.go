package forget

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lightlock/lightlock/gateway/archive"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

// conversations destroys the consumer's conversations, in Redis and in the archive.
func (r *run) conversations(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(r.parties)) {
		p := r.parties[name]
		// Twice: the archive may have got one while those of Redis were gone through.
		for range 2 {
			if err := r.ofParty(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) ofParty(ctx context.Context, p *party) error {
	here, err := r.here(ctx, p)
	if err != nil {
		return err
	}
	stored, err := r.Archive.OfParty(ctx, r.in, p.Party)
	if err != nil {
		return err
	}
	ids := append(slices.Clone(here), stored...)
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		c, err := r.contents(ctx, id)
		if err != nil {
			return err
		}
		later := !slices.Contains(here, id) && c.opened.After(p.At) && !r.Dry
		if later || r.gone[id] && r.Dry {
			continue
		}
		if err := r.conversation(ctx, p, id, c); err != nil {
			return err
		}
	}
	return nil
}

// here names the conversations that are still to be destroyed, as far as Redis knows.
func (r *run) here(ctx context.Context, p *party) ([]string, error) {
	if r.Dry {
		return r.Journal.ConversationsOf(ctx, r.in, p.Party)
	}
	return r.Journal.TheirConversations(ctx, p.Forgetting)
}

// contents is what is to be destroyed with a conversation.
type contents struct {
	photos  map[string][]string // of each message that has any
	answers []string            // keys of messages to the consumer
	items   int
	here    bool      // some of it is in Redis
	stored  bool      // some of it is in the archive
	opened  time.Time // as the archive knows
}

func (c *contents) add(item queue.ConversationItem) {
	c.items++
	if item.Reply != nil {
		c.answers = append(c.answers, item.ID)
	}
	if item.Notice != nil {
		c.answers = append(c.answers, inbound.NoticeKey(item.ID))
	}
	if item.Message != nil {
		if ids := developed(item.Message.Photos); len(ids) > 0 {
			c.photos[item.ID] = ids
		}
	}
}

// conversation destroys one, wherever it is. It is known as one that is to be
// destroyed until it is gone from everywhere.
func (r *run) conversation(ctx context.Context, p *party, id string, c contents) error {
	for event, photos := range c.photos {
		r.report.notePhotos(p.account, photos)
		if err := r.erase(ctx, event, r.attempts(photos)); err != nil {
			return err
		}
	}
	r.gone[id] = true
	if r.Dry {
		unsaid, err := r.Journal.Unsaid(ctx, r.in, id)
		r.tell(p, c, queue.ForgottenConversation{Unsaid: unsaid})
		return err
	}
	here, err := r.Journal.ForgetConversation(ctx, p.Forgetting, id, c.answers)
	if err == nil {
		err = r.Archive.Destroy(ctx, r.in, p.Party, id)
	}
	if err != nil {
		return err
	}
	r.tell(p, c, here)
	return r.Journal.ConversationDone(ctx, p.Forgetting, id)
}

func (r *run) tell(p *party, c contents, here queue.ForgottenConversation) {
	r.report.note(p.account, Messages, c.items)
	if c.here {
		r.report.note(p.account, Talks, 1)
	}
	if c.stored {
		r.report.note(p.account, Archived, 1)
	}
	r.report.note(p.account, Unsaid, int(here.Unsaid))
	if here.Sending {
		r.report.Sending++
	}
}

// contents reads a conversation from Redis, and from the archive.
func (r *run) contents(ctx context.Context, id string) (contents, error) {
	c, known := contents{photos: map[string][]string{}}, map[string]bool{}
	for item, err := range r.Journal.ItemsOf(ctx, r.in, id) {
		if err == nil {
			err = r.look(ctx, "conversations")
		}
		if err != nil {
			return c, err
		}
		known[item.ID], c.here = true, true
		c.add(item)
	}
	s, err := r.Archive.Stored(ctx, r.in, id)
	c.stored, c.opened = true, s.Conversation.OpenedAt
	switch {
	case errors.Is(err, archive.ErrNotFound):
		c.stored, err = false, nil
	case errors.Is(err, store.ErrDamaged):
		r.report.Unreadable++ // it is destroyed as it is
		err = nil
	}
	for _, item := range s.Items {
		if !known[item.ID] {
			c.add(item)
		}
	}
	return c, err
}

// developed are the ids under which photos' pictures are: a photo that was told before
// it was settled has another itself.
func developed(photos []queue.Photo) (ids []string) {
	for _, p := range photos {
		for _, picture := range []*queue.Picture{p.Preview, p.Thumbnail} {
			if picture == nil {
				continue
			}
			rest := strings.TrimPrefix(picture.Href, "/v1/photos/")
			if id, _, found := strings.Cut(rest, "/"); found && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// paper is what matters here of a document in the agents' queue.
type paper struct {
	ID           string `json:"id"`
	Account      string `json:"source"`
	Conversation string `json:"subject"`
	Data         struct {
		Consumer queue.Consumer `json:"consumer"`
		Photos   []queue.Photo  `json:"photos"`
	} `json:"data"`
}

// event is the key of the event that a document is of.
func (d paper) event() string {
	key, _, _ := strings.Cut(d.ID, ".")
	return key
}

// documents removes what is still in the agents' queue of the consumer. What somebody
// here does to a conversation before it is destroyed may come after the mark.
func (r *run) documents(ctx context.Context) error {
	last, err := r.Journal.LastDocument(ctx, r.in)
	if err != nil {
		return err
	}
	for d, err := range r.Journal.Documents(ctx, r.in, "0-0", last) {
		if err == nil {
			err = r.look(ctx, "entries in the agents' queue")
		}
		if err == nil {
			err = r.document(ctx, d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) document(ctx context.Context, placed queue.Placed) error {
	var d paper
	if err := json.Unmarshal(placed.Text, &d); err != nil || d.Data.Consumer.ID != r.who.ID {
		return nil //nolint:nilerr // what does not parse is none of ours
	}
	last, meant := r.lastOf(d.Account)
	if !r.gone[d.Conversation] && (!meant || !placed.By(last)) {
		return nil
	}
	photos := developed(d.Data.Photos)
	r.report.notePhotos(d.Account, photos)
	n := int64(1)
	if !r.Dry {
		if err := r.erase(ctx, d.event(), r.attempts(photos)); err != nil {
			return err
		}
		var err error
		if n, err = r.Journal.ForgetDocuments(ctx, r.in, []string{placed.Place}); err != nil {
			return err
		}
	}
	r.report.note(d.Account, Documents, int(n))
	if placed.Read {
		r.report.Read += int(n)
	}
	return nil
}

// lastOf is the last place in the agents' queue when the consumer was forgotten on an
// account, and tells whether that account is meant.
func (r *run) lastOf(account string) (last string, meant bool) {
	for _, p := range r.parties {
		if p.account == account {
			return p.Last, true
		}
	}
	return r.start, r.who.Only == "" || account == r.who.Only
}
