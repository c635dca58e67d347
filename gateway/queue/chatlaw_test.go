package queue_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/lightlock/lightlock/gateway/queue"
)

// chats are some parties who write, and some agents who do what they may and may not,
// beside a model of what must come of it.
type chats struct {
	t        *testing.T
	client   *redis.Client
	j        *queue.Journal
	clock    int // minutes since at9
	names    int
	pointers map[string]*pointer // by party
	all      map[string]*chatModel
	order    []*chatModel
	messages []*messageModel
	inHand   []*eventModel
	follower follower
	closed   map[string]int // documents about closes by agents
}

// pointer is a party's conversation.
type pointer struct {
	open, last string
	seq        int64
}

// messageModel is a message that was accepted.
type messageModel struct {
	name, key, party, conv  string
	seq                     int64
	at                      int
	told, forwarded, unsent bool
}

// eventModel is an event in work.
type eventModel struct {
	entry queue.Entry
	kind  queue.ItemKind
	at    int
	party string
	text  string
	m     *messageModel // that it is or is about
}

// TestConversationsLaw lets consumers write, edit, unsend and leave, photos settle
// late, agents take, give, close and answer, platforms send, time pass and the archive
// take what is closed, in any order. After each step it compares all of it with the
// model, and with what somebody knows who has only followed the changes.
func TestConversationsLaw(t *testing.T) {
	t.Parallel()
	client := connect(t, quickRedis(t))
	rapid.Check(t, func(r *rapid.T) {
		client.FlushAll(t.Context())
		j := journalOn(t, client, queue.Options{PromiseFor: 1, ArchiveAfter: 1, PerAccount: 100})
		w := &chats{
			t: t, client: client, j: j, pointers: map[string]*pointer{"x": {}, "y": {}}, all: map[string]*chatModel{},
			closed: map[string]int{}, follower: follower{place: "0-0", known: map[string]queue.Conversation{}, agents: map[string]string{}},
		}
		r.Repeat(map[string]func(*rapid.T){
			"message": w.accepts, "photos": w.acceptsPhotos, "change": w.changes, "leave": w.leaves,
			"tell": w.tells, "finish": w.finishes, "finish more": w.finishes, "assign": w.assigns, "close": w.agentCloses,
			"see": w.sees, "reply": w.replies, "send": w.sends, "idle": w.idles, "archive": w.archives, "": w.check,
		})
	})
}

func (w *chats) party(r *rapid.T) string {
	return rapid.SampledFrom([]string{"x", "y"}).Draw(r, "party")
}

func (w *chats) name(kind string) string {
	w.names++
	return fmt.Sprint(kind, " ", w.names)
}

// chat draws one of the conversations, sometimes one that is in the archive.
func (w *chats) chat(r *rapid.T) *chatModel {
	here := slices.DeleteFunc(slices.Clone(w.order), func(c *chatModel) bool { return !c.there })
	if len(here) == 0 || rapid.IntRange(0, 9).Draw(r, "anywhere") == 9 {
		here = w.order
	}
	if len(here) == 0 {
		r.Skip("there is no conversation")
	}
	return rapid.SampledFrom(here).Draw(r, "conversation")
}

func (w *chats) accept(r *rapid.T, i queue.Item) queue.Accepted {
	got, err := w.j.Accept(w.t.Context(), q, []queue.Item{i})
	if err != nil {
		r.Fatal(err)
	}
	w.clock++
	return got[0]
}

// begin takes what was accepted just now.
func (w *chats) begin(r *rapid.T, from queue.Inbox, e *eventModel, guard string) {
	entries, err := w.j.Take(w.t.Context(), q, from, 1, 0)
	if err != nil || len(entries) != 1 {
		r.Fatalf("took %d, %v", len(entries), err)
	}
	e.entry, e.at = entries[0], w.clock
	if err := w.j.Begin(w.t.Context(), &e.entry, guard); err != nil {
		r.Fatal(err)
	}
	w.inHand = append(w.inHand, e)
}

func (w *chats) accepts(r *rapid.T)       { w.message(r, queue.Words) }
func (w *chats) acceptsPhotos(r *rapid.T) { w.message(r, queue.Photos) }

func (w *chats) message(r *rapid.T, from queue.Inbox) {
	party := w.party(r)
	p, name := w.pointers[party], w.name("message")
	i := queue.Item{Kind: queue.ItemMessage, Key: hash(name), Party: hash(party), Message: hash("id of " + name), Payload: []byte(name)}
	if from == queue.Photos {
		i.Lane = photo("", "shop").Lane
	}
	got := w.accept(r, i)
	p.seq++
	if p.open == "" {
		p.open = got.Conversation
		w.all[p.open] = &chatModel{id: p.open, party: party}
		w.order = append(w.order, w.all[p.open])
	}
	if got.Conversation != p.open || got.Seq != p.seq {
		r.Fatalf("got %+v, want number %d of %s", got, p.seq, p.open)
	}
	m := &messageModel{name: name, key: hash(name), party: party, conv: p.open, seq: p.seq, at: w.clock}
	w.messages = append(w.messages, m)
	w.begin(r, from, &eventModel{kind: queue.ItemMessage, party: party, m: m}, i.Message)
}

// changes accepts an edit or an unsend of any message.
func (w *chats) changes(r *rapid.T) {
	if len(w.messages) == 0 {
		r.Skip("nobody has said anything")
	}
	m := rapid.SampledFrom(w.messages).Draw(r, "message")
	kind := rapid.SampledFrom([]queue.ItemKind{queue.ItemEdit, queue.ItemUnsend}).Draw(r, "kind")
	name := w.name(string(kind))
	got := w.accept(r, queue.Item{Kind: kind, Key: hash(name), Party: hash(m.party), Message: hash("id of " + m.name), Payload: []byte(name)})
	if (got.Fate == queue.FateAccepted) == m.unsent {
		r.Fatalf("%s of %s: got %+v", kind, m.name, got)
	}
	if m.unsent {
		return
	}
	m.unsent = kind == queue.ItemUnsend
	w.begin(r, queue.Words, &eventModel{kind: kind, party: m.party, text: name, m: m}, "")
}

// leaves lets a consumer close.
func (w *chats) leaves(r *rapid.T) {
	party := w.party(r)
	p, name := w.pointers[party], w.name("close")
	got := w.accept(r, queue.Item{Kind: queue.ItemClose, Key: hash(name), Party: hash(party)})
	if p.open == "" {
		if got.Fate != queue.FateVoid {
			r.Fatalf("got %+v, want nothing to close", got)
		}
		return
	}
	p.open, p.last, p.seq = "", p.open, 0
	w.begin(r, queue.Words, &eventModel{kind: queue.ItemClose, party: party}, "")
}

// update is an event's effect on its conversation, as the line makes it.
func (w *chats) update(e *eventModel, i queue.ConversationItem) *queue.ChatUpdate {
	u := news(e.kind, e.party, i)
	u.ReceivedAt = at9.Add(time.Duration(e.at) * time.Minute)
	return u
}

func (w *chats) says(e *eventModel, photos queue.Status) *queue.ChatUpdate {
	data := &queue.MessageData{Text: e.m.name}
	if e.entry.Lane != "" {
		data.Photos = []queue.Photo{{ID: "p", Status: photos}}
	}
	return w.update(e, queue.ConversationItem{ID: e.m.key, Position: queue.Position(e.m.seq), Message: data})
}

// tells forwards a message whose photos are not settled.
func (w *chats) tells(r *rapid.T) {
	e := w.drawn(r, func(e *eventModel) bool { return e.entry.Lane != "" && !e.m.told })
	c := w.all[e.m.conv]
	t := queue.Telling{ID: hash(e.m.name)[:32], Message: hash("id of " + e.m.name), Party: hash(e.party), Document: []byte("told"), Chat: w.says(e, queue.Pending)}
	want := queue.Mine
	switch {
	case e.m.unsent:
		want = queue.Withdrawn
	case !w.isOpen(c):
		want = queue.Late
	}
	got, err := w.j.Tell(w.t.Context(), e.entry, t)
	if err == nil && got == queue.Late && want == queue.Late {
		t.Late, want = true, queue.Mine
		got, err = w.j.Tell(w.t.Context(), e.entry, t)
	}
	if err != nil || got != want {
		r.Fatalf("tell: got %v, %v; want %v", got, err, want)
	}
	if want == queue.Mine {
		w.put(c, e.m, queue.Pending)
		e.m.told, e.m.forwarded = true, true
		e.entry.Told = t.ID
	}
}

func (w *chats) drawn(r *rapid.T, fit func(*eventModel) bool) *eventModel {
	var some []*eventModel
	for _, e := range w.inHand {
		if fit(e) {
			some = append(some, e)
		}
	}
	if len(some) == 0 {
		r.Skip("there is none")
	}
	return rapid.SampledFrom(some).Draw(r, "event")
}

// finishes ends any event that can be.
func (w *chats) finishes(r *rapid.T) {
	e := w.drawn(r, func(e *eventModel) bool { return e.kind != queue.ItemEdit || e.m.forwarded || e.m.unsent })
	w.inHand = slices.DeleteFunc(w.inHand, func(other *eventModel) bool { return other == e })
	c := w.all[e.entry.Conversation]
	end, want := queue.End{Document: []byte(e.entry.Key)}, queue.Mine
	switch e.kind {
	case queue.ItemMessage:
		end.Message, end.Party, end.Told, end.Chat = hash("id of "+e.m.name), hash(e.party), e.entry.Told, w.says(e, queue.Ready)
		end.Late = !w.isOpen(c)
	case queue.ItemClose:
		end.Chat = w.update(e, queue.ConversationItem{})
	default:
		w.about(r, e, &end)
		c = w.all[e.m.conv]
		e.entry.Conversation = e.m.conv
	}
	if e.kind != queue.ItemUnsend && e.m != nil && e.m.unsent {
		want = queue.Withdrawn
	}
	if got, err := w.j.Complete(w.t.Context(), e.entry, end); err != nil || got != want {
		r.Fatalf("%s: got %v, %v; want %v", e.kind, got, err, want)
	}
	if want == queue.Mine {
		w.happens(c, e, end.Chat != nil)
	}
}

// about is the end of an edit or an unsend.
func (w *chats) about(r *rapid.T, e *eventModel, end *queue.End) {
	message := hash("id of " + e.m.name)
	trace, err := w.j.Trace(w.t.Context(), q, message)
	if err != nil || trace.Key != e.m.key || trace.Seq != e.m.seq || trace.Conversation != e.m.conv || trace.Forwarded != e.m.forwarded {
		r.Fatalf("trace of %s: got %+v, %v", e.m.name, trace, err)
	}
	i := queue.ConversationItem{ID: e.m.key, Position: queue.Position(e.m.seq)}
	if e.kind == queue.ItemEdit {
		i.Edit, end.Message = &queue.ItemEdited{Text: e.text}, message
	} else {
		i.UnsentAt, end.Erase = at9, &trace
	}
	if trace.Forwarded {
		end.Chat = w.update(e, i)
	}
}

// happens does to the model what an event does that is finished.
func (w *chats) happens(c *chatModel, e *eventModel, news bool) {
	switch {
	case e.kind == queue.ItemMessage:
		status := queue.Status("")
		if e.entry.Lane != "" {
			status = queue.Ready
		}
		w.put(c, e.m, status)
		e.m.forwarded = true
	case e.kind == queue.ItemClose:
		c.consumerCloses()
	case !news:
	case e.kind == queue.ItemEdit:
		w.edit(c, e.m, e.text)
	default:
		w.unsend(c, e.m)
	}
}

// follower knows only what changes have told it of.
type follower struct {
	place  string
	known  map[string]queue.Conversation
	agents map[string]string
}

// follow reads what has changed, as somebody does who shows lists.
func (w *chats) follow(r *rapid.T) {
	f := &w.follower
	changes, err := w.j.Changes(w.t.Context(), q, f.place, 1000, 0)
	if err != nil {
		r.Fatal(err)
	}
	for _, change := range changes {
		f.place = change.ID
		if known, seen := f.agents[change.Conversation]; seen && known != change.Before {
			r.Fatalf("got %+v, it was %q's", change, known)
		}
		f.agents[change.Conversation] = change.Agent
		delete(f.known, change.Conversation)
		c, err := w.j.Conversation(w.t.Context(), q, change.Conversation)
		if change.Gone {
			delete(f.agents, change.Conversation)
		}
		if err == nil {
			f.known[c.ID] = c
		} else if !errors.Is(err, queue.ErrNoConversation) {
			r.Fatal(err)
		}
	}
}

// check compares everything with the model.
func (w *chats) check(r *rapid.T) {
	w.follow(r)
	lists := map[queue.ConversationState][]string{}
	for _, c := range w.order {
		known, there := w.follower.known[c.id]
		if there != c.there {
			r.Fatalf("by the changes it is there: %v; the model: %+v", there, c)
		}
		if !there {
			continue
		}
		if c.waiting < 0 { // by Redis' clock, which the model has not
			if known.WaitingSince.IsZero() {
				r.Fatalf("got %+v, want it to wait since it was put back", known)
			}
			known.WaitingSince = at9.Add(-time.Minute)
		}
		if got, want := describeHead(known), c.describe(); got != want {
			r.Fatalf("got  %s\nwant %s", got, want)
		}
		w.checkItems(r, c)
		lists[c.state+queue.ConversationState(c.inList())] = append(lists[c.state+queue.ConversationState(c.inList())], c.id)
	}
	w.checkLists(r, lists)
	told := 0
	for id, n := range w.closed {
		if told += n; n > 1 {
			r.Fatalf("software should be told %d times that %s was closed", n, id)
		}
	}
	if docs := closedDocument(w.t, w.client); len(docs) != told {
		r.Fatalf("software is told of closes: %q, want %d", docs, told)
	}
}

// inList is the agent in whose list a conversation is.
func (c *chatModel) inList() string {
	if c.state == queue.ConversationAssigned {
		return c.agent
	}
	return ""
}

func (w *chats) checkItems(r *rapid.T, c *chatModel) {
	s, err := w.j.Snapshot(w.t.Context(), q, c.id)
	part, more, errPart := w.j.Items(w.t.Context(), q, c.id, queue.ItemRange{Limit: 500})
	if err != nil || errPart != nil || more {
		r.Fatal(err, errPart, more)
	}
	var got, listed, want []string
	for _, i := range s.Items {
		got = append(got, describeItem(i))
	}
	for _, i := range part {
		listed = append(listed, describeItem(i))
	}
	for _, i := range c.ordered() {
		want = append(want, i.describe())
	}
	if !slices.Equal(got, want) || !slices.Equal(listed, want) {
		r.Fatalf("got  %q\nlist %q\nwant %q", got, listed, want)
	}
}

func (w *chats) checkLists(r *rapid.T, want map[queue.ConversationState][]string) {
	same := func(what string, got []queue.Conversation, total int64, err error, ids []string) {
		var found []string
		for _, c := range got {
			found = append(found, c.ID)
		}
		slices.Sort(found)
		slices.Sort(ids)
		if err != nil || !slices.Equal(found, ids) || total != int64(len(ids)) {
			r.Fatalf("%s: got %q of %d, %v; want %q", what, found, total, err, ids)
		}
	}
	waiting, _, total, err := w.j.Waiting(w.t.Context(), q, "", 500)
	same("waiting", waiting, total, err, want[queue.ConversationWaiting])
	since := time.Time{}
	for _, c := range waiting {
		if !c.WaitingSince.IsZero() && c.WaitingSince.Before(since) {
			r.Fatalf("waiting: %+v is behind one that has waited since %v", c, since)
		}
		if !c.WaitingSince.IsZero() {
			since = c.WaitingSince
		}
	}
	for _, agent := range []string{"ben", "eva"} {
		mine, _, total, err := w.j.Mine(w.t.Context(), q, agent, "", 500)
		same(agent, mine, total, err, want[queue.ConversationAssigned+queue.ConversationState(agent)])
	}
	over, err := w.j.ClosedHere(w.t.Context(), q, 500)
	same("closed", over, int64(len(over)), err, want[queue.ConversationOver])
}
