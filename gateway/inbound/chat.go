package inbound

import (
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/queue"
)

// chat is what an event does to its conversation, as agents see it: what is known
// of the conversation comes from the event's own job, and item is what is new in it.
func chat(j job, kind queue.ItemKind, item queue.ConversationItem) *queue.ChatUpdate {
	return &queue.ChatUpdate{
		Kind: kind, Party: j.party(), Channel: j.Channel, Account: j.Account, AccountID: j.Event.Account,
		Consumer:   queue.Consumer{ID: j.Event.Consumer.ID, Name: j.Event.Consumer.Name},
		ReceivedAt: j.ReceivedAt, Item: item,
	}
}

// shown is a message in its conversation, with its photos as agents know them.
func shown(e queue.Entry, j job, photos []queue.Photo) *queue.ChatUpdate {
	data := message(j, e.Seq, photos)
	data.Account, data.Conversation = j.Account, e.Conversation
	return chat(j, queue.ItemMessage, queue.ConversationItem{ID: e.Key, Position: queue.Position(e.Seq), Message: &data})
}

// happened is what an edit, an unsend or a close does to a conversation. Nothing
// happens where agents have never had the message.
func happened(j job, about queue.Trace) *queue.ChatUpdate {
	item := queue.ConversationItem{ID: about.Key, Position: queue.Position(about.Seq)}
	switch {
	case j.Event.Kind == connectors.Close:
		return chat(j, queue.ItemClose, queue.ConversationItem{})
	case about.Key == "" || !about.Forwarded:
		return nil
	case j.Event.Kind == connectors.Edit:
		item.Edit = &queue.ItemEdited{Text: j.Event.Text, At: j.ReceivedAt.UTC()}
		return chat(j, queue.ItemEdit, item)
	case j.Event.Kind == connectors.Unsend:
		item.UnsentAt = j.ReceivedAt.UTC()
		return chat(j, queue.ItemUnsend, item)
	}
	return nil
}

// shownPhotos are all photos of a message that ends, under the ids by which agents
// know them: those that were told as pending have that telling's.
func (j job) shownPhotos(in string, end queue.End) []queue.Photo {
	if end.Told == "" {
		return j.namedPhotos(in, end.Named)
	}
	photos := j.photos()
	for i := range photos {
		if leftOpen(end.Told, i) {
			photos[i].ID = toldID(in, end.Told, i)
		}
	}
	return photos
}
