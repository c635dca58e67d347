package faults

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lightlock/lightlock/gateway/queue"
)

// conversations wants agents to see what their software was told, whatever happened
// on the way: each message once and in its own conversation, with its last text and
// what became of its photos, nothing that was taken back, and nothing else.
func (a *audit) conversations() {
	a.w.t.Helper()
	if a.w.elsewhere || !a.w.window[0].IsZero() {
		return // none are kept, or a primary has gone with what it had told
	}
	told := a.lastWords()
	for _, id := range slices.Sorted(maps.Keys(told)) {
		snapshot, err := a.w.journal.Snapshot(context.Background(), testQueue, id)
		if errors.Is(err, queue.ErrNoConversation) && a.closed[id] {
			continue // it is in the archive
		}
		if err != nil {
			a.w.t.Errorf("conversation %s: %v", id, err)
			continue
		}
		got := map[string]string{}
		for _, item := range snapshot.Items {
			if item.Message != nil {
				got[item.ID] = shownText(item)
			}
		}
		for key, want := range told[id] {
			if got[key] != want {
				a.w.t.Errorf("%s: agents see %q in conversation %s, want %q", a.name(key), got[key], id, want)
			}
			delete(got, key)
		}
		for key := range got {
			a.w.t.Errorf("%s: agents see it, and their software was never told", a.name(key))
		}
	}
}

// lastWords is what agents' software knows of each message in the end, by its
// conversation and its key.
func (a *audit) lastWords() map[string]map[string]string {
	texts, settled := map[string]string{}, map[string]queue.Photo{}
	for _, entry := range a.words {
		switch queue.DocumentType(entry.Type) {
		case queue.MessageEdited:
			texts[entry.Data.Message] = entry.Data.Text
		case queue.PhotoSettled:
			for _, p := range entry.Data.Photos {
				settled[p.ID] = p
			}
		case queue.ConversationClosed:
			a.closed[entry.Data.Conversation] = true
		}
	}
	told := map[string]map[string]string{}
	for _, d := range a.words {
		if d.Type != string(queue.MessageReceived) || a.unsent[a.w.said[d.ID].message] {
			continue
		}
		text, edited := texts[d.ID]
		if !edited {
			text = d.Data.Text
		}
		d.Data.Photos = slices.Clone(d.Data.Photos) // which others count as they were told
		for i, p := range d.Data.Photos {
			if later, ok := settled[p.ID]; ok {
				d.Data.Photos[i] = later
			}
		}
		if told[d.Data.Conversation] == nil {
			told[d.Data.Conversation] = map[string]string{}
		}
		told[d.Data.Conversation][d.ID] = shown(d.Data.Seq, text, d.Data.Photos)
	}
	return told
}

func shownText(item queue.ConversationItem) string {
	text := item.Message.Text
	if item.Edit != nil {
		text = item.Edit.Text
	}
	return shown(item.Message.Seq, text, item.Message.Photos)
}

// shown is a message in short. A photo goes by its pictures, because it may bear
// another id than it had when it was told.
func shown(seq int64, text string, photos []queue.Photo) string {
	text = fmt.Sprintf("%d %s", seq, text)
	for _, p := range photos {
		text += fmt.Sprintf(" | %s %s", p.Status, p.Reason)
		if p.Preview != nil {
			text += " " + p.Preview.Href
		}
	}
	return text
}
