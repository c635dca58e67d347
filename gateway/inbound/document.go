package inbound

import (
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
	"github.com/lightlock/lightlock/media"
)

// document is what agents' software gets of a message: no address of the
// platform's, and none of a photo's bytes. late tells that its conversation has
// been closed meanwhile.
func document(e queue.Entry, j job, photos []queue.Photo, late bool) ([]byte, error) {
	data := message(j, e.Seq, photos)
	data.Late = late
	return wrapped(e, j, queue.MessageReceived, data)
}

// message is what agents get to know of a message.
func message(j job, seq int64, photos []queue.Photo) queue.MessageData {
	data := queue.MessageData{
		Channel:    j.Channel,
		Consumer:   queue.Consumer{ID: j.Event.Consumer.ID, Name: j.Event.Consumer.Name},
		MessageID:  j.Event.MessageID,
		Seq:        seq,
		Text:       j.Event.Text,
		SentAt:     j.Event.SentAt.UTC(),
		ReceivedAt: j.ReceivedAt.UTC(),
		ReplyTo:    j.Event.ReplyTo,
		Photos:     photos,
	}
	if a := j.Event.Album; a != nil {
		data.Album = &queue.Album{ID: a.ID, Index: a.Index, Total: a.Total}
	}
	return data
}

// finish composes the end of a message whose photos are all settled.
func finish(e queue.Entry, j job, end *queue.End) (err error) {
	end.Document, err = finished(e, j, *end)
	end.Chat = shown(e, j, j.shownPhotos(e.Queue, *end))
	return err
}

// finished is what they get of a message whose photos are all settled: the message
// itself, or what became of the photos that were pending when it was told.
func finished(e queue.Entry, j job, end queue.End) ([]byte, error) {
	if end.Told == "" {
		return document(e, j, j.namedPhotos(e.Queue, end.Named), end.Late)
	}
	return queue.Document{
		ID: j.settledID(e.Key), Type: queue.PhotoSettled, Account: j.Account, Conversation: e.Conversation, Time: j.ReceivedAt,
		Data: queue.SettledData{
			Channel:   j.Channel,
			Consumer:  queue.Consumer{ID: j.Event.Consumer.ID, Name: j.Event.Consumer.Name},
			MessageID: j.Event.MessageID,
			Message:   e.Key,
			Seq:       e.Seq,
			Photos:    j.settledPhotos(e.Queue, end.Told),
		},
	}.Marshal()
}

// change is what agents' software gets of an event about a message or a
// conversation. about is the message's own event, if it is known.
func change(e queue.Entry, j job, kind queue.DocumentType, about string) ([]byte, error) {
	data := queue.ChangeData{
		Channel:    j.Channel,
		Consumer:   queue.Consumer{ID: j.Event.Consumer.ID, Name: j.Event.Consumer.Name},
		SentAt:     j.Event.SentAt,
		ReceivedAt: j.ReceivedAt,
	}
	if kind == queue.ConversationClosed {
		data.ClosedBy = &queue.ClosedBy{Kind: queue.ActorConsumer}
	} else {
		data.MessageID, data.Message = j.Event.MessageID, about
	}
	if kind == queue.MessageEdited {
		data.Text = &j.Event.Text
	}
	return wrapped(e, j, kind, data)
}

func wrapped(e queue.Entry, j job, kind queue.DocumentType, data queue.Data) ([]byte, error) {
	return queue.Document{
		ID: e.Key, Type: kind, Account: j.Account, Conversation: e.Conversation, Time: j.ReceivedAt, Data: data,
	}.Marshal()
}

func readyPhoto(key store.Key, d *media.Developed) queue.Photo {
	id := key.PhotoID()
	return queue.Photo{
		ID: id, Status: queue.Ready, Damaged: d.Damage != "", Source: sourceOf(d.Source),
		Preview:   pictureOf(queue.PreviewHref(id), d.Preview),
		Thumbnail: pictureOf(queue.ThumbnailHref(id), d.Thumbnail),
	}
}

func pictureOf(href string, p media.Picture) *queue.Picture {
	return &queue.Picture{Href: href, Type: "image/jpeg", Bytes: len(p.Data), Width: p.Width, Height: p.Height}
}

// rejectedPhoto says why, and what is known of an original that nobody will see;
// the sender's own claim stands in where we have not read it.
func rejectedPhoto(key store.Key, p connectors.Photo, verdict *media.Rejection) queue.Photo {
	s := verdict.Source
	if s.Bytes == 0 {
		s.Bytes = max(p.ClaimedBytes, 0)
	}
	return queue.Photo{ID: key.PhotoID(), Status: queue.Rejected, Reason: string(verdict.Reason), Source: sourceOf(s)}
}

func sourceOf(s media.Source) *queue.Source {
	if s == (media.Source{}) {
		return nil
	}
	return &queue.Source{Type: s.Type, Bytes: s.Bytes, Width: s.Width, Height: s.Height}
}
