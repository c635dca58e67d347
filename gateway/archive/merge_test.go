package archive

import (
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// said is a message whose photo has a status.
func said(photo queue.Status, late bool) *queue.MessageData {
	return &queue.MessageData{Text: "words", Late: late, Photos: []queue.Photo{{ID: "p", Status: photo}}}
}

// Which of two states of an item holds, whichever of them is the archive's: a reader
// may have read Redis before a mover, and the archive behind it.
func TestStatesOfAnItem(t *testing.T) {
	item := func(change func(*queue.ConversationItem)) queue.ConversationItem {
		i := queue.ConversationItem{ID: "a", Position: 1, Arrival: 1, From: queue.ActorConsumer, Message: said(queue.Pending, false)}
		change(&i)
		return i
	}
	at := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	plain := item(func(*queue.ConversationItem) {})
	ready := item(func(i *queue.ConversationItem) { i.Message = said(queue.Ready, false) })
	refused := item(func(i *queue.ConversationItem) { i.Message = said(queue.Rejected, false) })
	late := item(func(i *queue.ConversationItem) { i.Message = said(queue.Pending, true) })
	edited := item(func(i *queue.ConversationItem) { i.Edit = &queue.ItemEdited{Text: "1", At: at(1)} })
	again := item(func(i *queue.ConversationItem) { i.Edit = &queue.ItemEdited{Text: "2", At: at(2)} })
	gone := queue.ConversationItem{ID: "a", Position: 1, Arrival: 1, From: queue.ActorConsumer, UnsentAt: at(3)}
	onlyEdit := queue.ConversationItem{ID: "a", Position: 1, From: queue.ActorConsumer, Edit: again.Edit}
	noticed := item(func(i *queue.ConversationItem) { i.Notice = &queue.Delivery{State: queue.ResultSent, At: at(2)} })
	waiting := item(func(i *queue.ConversationItem) { i.Notice = &queue.Delivery{State: queue.ResultWaiting, At: at(1)} })
	for name, c := range map[string]struct{ a, b, want queue.ConversationItem }{
		"the same":                  {plain, plain, plain},
		"a photo that is ready":     {plain, ready, ready},
		"ready after another try":   {refused, ready, ready},
		"a photo that is rejected":  {plain, refused, refused},
		"an edit":                   {plain, edited, edited},
		"two edits":                 {edited, again, again},
		"an edit alone":             {plain, onlyEdit, again},
		"taken back":                {ready, gone, gone},
		"taken back after an edit":  {again, gone, gone},
		"late":                      {late, plain, late},
		"a notice that was sent":    {waiting, noticed, noticed},
		"an edit alone, taken back": {onlyEdit, gone, gone},
	} {
		for _, pair := range [][2]queue.ConversationItem{{c.a, c.b}, {c.b, c.a}} {
			of := func(i queue.ConversationItem) queue.Snapshot {
				return queue.Snapshot{Items: []queue.ConversationItem{i}}
			}
			got := merge(of(pair[0]), of(pair[1]))
			if !same(of(got.Items[0]), of(c.want)) || len(got.Items) != 1 {
				t.Errorf("%s: got %+v, want %+v", name, got.Items, c.want)
			}
		}
	}
}

// What Redis has of a conversation that had left it changes its head only where
// something has come in.
func TestHeads(t *testing.T) {
	ben, eva := queue.Agent{ID: "ben"}, queue.Agent{ID: "eva"}
	closed := queue.Conversation{
		Queue: q, ID: conv, State: queue.ConversationOver, Agent: ben, ClosedAt: noon, ClosedBy: queue.Actor{Kind: queue.ActorAgent, Agent: ben},
		OpenedAt: noon.Add(-time.Hour), Arrived: 9, Read: 9, Version: 5, Previous: "x",
	}
	part := queue.Conversation{Queue: q, ID: conv, State: queue.ConversationOver, Partial: true, ClosedAt: noon.Add(time.Hour), OpenedAt: noon.Add(time.Hour), Version: 100}
	late := part
	late.Late, late.State, late.WaitingSince, late.Arrived = true, queue.ConversationWaiting, noon.Add(time.Hour), 1
	taken := late
	taken.State, taken.Agent, taken.Version = queue.ConversationAssigned, eva, 101
	over := taken
	over.State, over.WaitingSince, over.Version = queue.ConversationOver, time.Time{}, 102
	for name, c := range map[string]struct {
		here  queue.Conversation
		state queue.ConversationState
		agent queue.Agent
		late  bool
	}{
		"an edit":              {part, queue.ConversationOver, ben, false},
		"a late message":       {late, queue.ConversationWaiting, queue.Agent{}, true},
		"taken by another":     {taken, queue.ConversationAssigned, eva, true},
		"and closed by her":    {over, queue.ConversationOver, eva, true},
		"read before the move": {queue.Conversation{Queue: q, ID: conv, State: queue.ConversationWaiting, Partial: true, Late: true, Version: 5}, queue.ConversationOver, ben, false},
	} {
		got := merge(queue.Snapshot{Conversation: closed}, queue.Snapshot{Conversation: c.here}).Conversation
		if got.State != c.state || got.Agent != c.agent || got.Late != c.late || got.Partial || !got.ClosedAt.Equal(noon) || got.ClosedBy.Agent != ben || got.Previous != "x" || !got.OpenedAt.Equal(closed.OpenedAt) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
