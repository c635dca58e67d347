package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

const (
	q     = "support"
	conv  = "0123456789abcdef0123456789abcdef"
	party = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
)

// noon is when these tests' conversations begin.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// shelf keeps documents in memory, as store.Documents says; storetest checks the
// real ones.
type shelf struct {
	mu     sync.Mutex
	papers map[string][]byte
}

func newShelf() *shelf { return &shelf{papers: map[string][]byte{}} }

func (s *shelf) Put(_ context.Context, name string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if there, ok := s.papers[name]; ok && !bytes.Equal(there, data) {
		return store.ErrExists
	}
	s.papers[name] = bytes.Clone(data)
	return nil
}

func (s *shelf) Get(_ context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.papers[name]
	if !ok {
		return nil, store.ErrNotFound
	}
	return data, nil
}

func (s *shelf) Delete(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.papers, name)
	return nil
}

func (s *shelf) List(_ context.Context, folder, after string, limit int) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name := range s.papers {
		if strings.HasPrefix(name, folder+"/") && name > after {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names[:min(limit, len(names))], nil
}

// count is how many documents are below a folder.
func (s *shelf) count(folder string) int {
	names, _ := s.List(context.Background(), folder, "", 1<<20)
	return len(names)
}

// redis holds one conversation as a journal does, and knows what must be shown of it
// at any moment.
type redis struct {
	mu      sync.Mutex
	here    *queue.Snapshot
	version int64
	open    bool                              // it has never been closed
	truth   map[string]queue.ConversationItem // what a reader must see
	others  []queue.Conversation              // that are here, and only listed
}

func newRedis() *redis { return &redis{open: true, truth: map[string]queue.ConversationItem{}} }

func (r *redis) Closed(context.Context, string, int) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.here == nil || r.here.Conversation.State != queue.ConversationOver {
		return nil, nil
	}
	return []string{r.here.Conversation.ID}, nil
}

func (r *redis) Snapshot(context.Context, string, string) (queue.Snapshot, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.here == nil {
		return queue.Snapshot{}, fmt.Errorf("queue: %w", queue.ErrNoConversation)
	}
	s := *r.here
	s.Items = slices.Clone(s.Items)
	slices.SortFunc(s.Items, queue.ByPosition)
	return s, nil
}

func (r *redis) Archived(_ context.Context, _, _ string, version int64) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.here == nil:
		return true, nil
	case r.here.Conversation.State != queue.ConversationOver || r.here.Conversation.Version != version:
		return false, nil
	}
	r.here = nil
	return true, nil
}

// Forgotten is false: of that real_test.go and gateway/forget tell.
func (r *redis) Forgotten(context.Context, string, string) (bool, error) { return false, nil }

func (r *redis) ClosedHere(_ context.Context, in string, _ int) ([]queue.Conversation, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.here == nil || r.here.Conversation.Queue != in || r.here.Conversation.State != queue.ConversationOver {
		return nil, nil
	}
	return []queue.Conversation{r.here.Conversation}, nil
}

func (r *redis) Conversations(_ context.Context, _ string, ids []string) ([]queue.Conversation, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.here == nil || !slices.Contains(ids, r.here.Conversation.ID) {
		return nil, nil
	}
	return []queue.Conversation{r.here.Conversation}, nil
}

func (r *redis) HeadsOf(_ context.Context, in, party string, _ int) ([]queue.Conversation, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.others), func(c queue.Conversation) bool { return c.Queue != in || c.Party != party }), nil
}

// change changes the conversation, of which Redis makes a partial head if it has
// left.
func (r *redis) change(do func(c *queue.Conversation)) {
	r.version++
	if r.here == nil {
		r.here = &queue.Snapshot{Conversation: queue.Conversation{
			Queue: q, ID: conv, Party: party, Consumer: queue.Consumer{ID: "U1", Name: "Ana"}, State: queue.ConversationOver, OpenedAt: noon, Partial: !r.open,
		}}
		if !r.open {
			r.here.Conversation.ClosedAt = noon.Add(time.Hour)
		}
	}
	do(&r.here.Conversation)
	r.here.Conversation.Version = r.version
}

// set puts an item into Redis.
func (r *redis) set(item queue.ConversationItem) {
	r.here.Items = append(slices.DeleteFunc(r.here.Items, func(i queue.ConversationItem) bool { return i.ID == item.ID }), item)
}

func (r *redis) item(id string) (item queue.ConversationItem, ok bool) {
	for _, item := range r.here.Items {
		if item.ID == id {
			return item, true
		}
	}
	return queue.ConversationItem{ID: id, Position: r.truth[id].Position, From: queue.ActorConsumer}, false
}

func (r *redis) at() time.Time { return noon.Add(time.Duration(r.version) * time.Second) }

// say lets a message come in, late or not.
func (r *redis) say(photo queue.Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := fmt.Sprintf("%064x", len(r.truth)+1)
	r.change(func(c *queue.Conversation) {
		c.Arrived++
		c.State, c.LastMessageAt, c.WaitingSince = queue.ConversationWaiting, r.at(), r.at()
		if !r.open {
			c.Late, c.Agent = true, queue.Agent{}
		}
		m := &queue.MessageData{Seq: int64(len(r.truth) + 1), Text: "words of " + id[60:], ReceivedAt: r.at(), Late: !r.open, Photos: []queue.Photo{{ID: id, Status: photo}}}
		item := queue.ConversationItem{ID: id, Position: queue.Position(m.Seq), Arrival: c.Arrived, From: queue.ActorConsumer, Message: m}
		r.set(item)
		r.truth[id] = item
	})
}

// settle settles the photo of a message.
func (r *redis) settle(id string, photo queue.Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	truth := r.truth[id]
	if truth.Message == nil || truth.Message.Photos[0].Status == queue.Ready {
		return
	}
	m := *truth.Message
	m.Photos = []queue.Photo{{ID: id, Status: photo}}
	truth.Message = &m
	r.truth[id] = truth
	r.change(func(*queue.Conversation) {
		item, known := r.item(id)
		if item.Message = &m; !known {
			without := m
			without.Late = false
			item.Message = &without
		}
		r.set(item)
	})
}

// edit changes the text of a message.
func (r *redis) edit(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	truth := r.truth[id]
	if truth.Message == nil {
		return
	}
	r.change(func(*queue.Conversation) {
		item, _ := r.item(id)
		item.Edit = &queue.ItemEdited{Text: fmt.Sprintf("other words %d", r.version), At: r.at()}
		truth.Edit = item.Edit
		r.set(item)
	})
	r.truth[id] = truth
}

// unsend takes a message back.
func (r *redis) unsend(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	truth := r.truth[id]
	if truth.Message == nil {
		return
	}
	r.change(func(*queue.Conversation) {
		item, _ := r.item(id)
		item = queue.ConversationItem{ID: id, Position: item.Position, Arrival: item.Arrival, From: item.From, UnsentAt: r.at()}
		truth.Message, truth.Edit, truth.UnsentAt = nil, nil, item.UnsentAt
		r.set(item)
	})
	r.truth[id] = truth
}

// close closes the conversation, or what a late message has opened.
func (r *redis) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.here == nil || r.here.Conversation.State == queue.ConversationOver {
		return
	}
	r.change(func(c *queue.Conversation) {
		c.State, c.WaitingSince = queue.ConversationOver, time.Time{}
		if c.ClosedAt.IsZero() {
			c.ClosedAt, c.ClosedBy = r.at(), queue.Actor{Kind: queue.ActorAgent, Agent: queue.Agent{ID: "ben"}}
			c.Agent = queue.Agent{ID: "ben"}
		}
		r.open = false
	})
}

// shows checks what a reader sees against what it must see.
func (r *redis) shows(got queue.Snapshot, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		return fmt.Errorf("get: %w", err)
	}
	seen, arrivals := map[string]bool{}, map[int64]bool{}
	for i, item := range got.Items {
		want, known := r.truth[item.ID]
		switch {
		case !known || seen[item.ID]:
			return fmt.Errorf("%s is shown twice, or is nobody's", item.ID)
		case i > 0 && got.Items[i-1].Position >= item.Position:
			return errors.New("items are not in order")
		case item.UnsentAt.IsZero() != want.UnsentAt.IsZero() || (item.Message == nil) != (want.Message == nil):
			return fmt.Errorf("%s: taken back: %t, want %t", item.ID, !item.UnsentAt.IsZero(), !want.UnsentAt.IsZero())
		case (item.Edit == nil) != (want.Edit == nil) || item.Edit != nil && *item.Edit != *want.Edit:
			return fmt.Errorf("%s: edit %+v, want %+v", item.ID, item.Edit, want.Edit)
		case item.Message != nil && (item.Message.Text != want.Message.Text || item.Message.Late != want.Message.Late || item.Message.Photos[0] != want.Message.Photos[0]):
			return fmt.Errorf("%s: got %+v, want %+v", item.ID, item.Message, want.Message)
		case item.Arrival == 0 || arrivals[item.Arrival]:
			return fmt.Errorf("%s: arrival %d", item.ID, item.Arrival)
		}
		seen[item.ID], arrivals[item.Arrival] = true, true
	}
	if len(seen) != len(r.truth) {
		return fmt.Errorf("%d items are shown, want %d", len(seen), len(r.truth))
	}
	if c := got.Conversation; c.Arrived != int64(len(seen)) || c.Read > c.Arrived || c.ID != conv || c.Consumer.Name != "Ana" {
		return fmt.Errorf("the head is %+v", c)
	}
	return nil
}
