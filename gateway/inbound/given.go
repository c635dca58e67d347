package inbound

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
	"github.com/lightlock/lightlock/media"
)

// giveUp notes that the tries of a photo are used up.
func (j *job) giveUp(i int, cause string) {
	if j.GivenUp == nil {
		j.GivenUp = map[int]string{}
	}
	j.GivenUp[i] = cause
}

// trouble is the cause of the dead letter of a message whose photos were given up.
func (j job) trouble() string {
	first := slices.Min(slices.Collect(maps.Keys(j.GivenUp)))
	return "photo " + strconv.Itoa(first+1) + " was given up: " + j.GivenUp[first]
}

// reopened is the payload of a dead letter, in which the photos that were given up
// are as if they had never been tried; and the id under which agents are told of
// them, so that they can be told again what becomes of them.
func (j job) reopened(e queue.Entry) (payload []byte, named string) {
	j.Done = maps.Clone(j.Done)
	for i := range j.GivenUp {
		delete(j.Done, i)
	}
	j.GivenUp, j.Held = nil, 0
	payload, _ = j.carried(e)
	return payload, newTelling(j)
}

// namedPhotos are all photos of a message; those that were given up have the names
// of a telling, if there is one.
func (j job) namedPhotos(in, telling string) []queue.Photo {
	photos := j.photos()
	for i := range j.GivenUp {
		if telling != "" {
			photos[i].ID = toldID(in, telling, i)
		}
	}
	return photos
}

// settledID is the id of the document about photos that were pending. What follows
// a retry of the dead letter is another document, and has another.
func (j job) settledID(key string) string {
	id := queue.SettledID(key)
	if j.Revived > 0 {
		id += "." + strconv.Itoa(j.Revived)
	}
	return id
}

// revived is a dead letter's payload for another life. What this release does not
// know of it stays as it is.
func revived(payload []byte) []byte {
	var fields map[string]json.RawMessage
	var j job
	if json.Unmarshal(payload, &fields) != nil || json.Unmarshal(payload, &j) != nil {
		return payload
	}
	fields["revived"] = json.RawMessage(strconv.Itoa(j.Revived + 1))
	again, err := json.Marshal(fields)
	if err != nil || len(again) > queue.MaxPayload {
		return payload
	}
	return again
}

// bury makes a dead letter of a message that cannot be worked on. Its text, if
// it can be read, still reaches the agents, and so does each of its photos that is
// settled.
func (l *Line) bury(ctx context.Context, e queue.Entry, j job, cause string) error {
	for i, p := range j.Event.Photos {
		if !j.settled(i) {
			key := store.Key{Queue: e.Queue, Attempt: e.Attempt, Photo: i}
			j.settle(i, rejectedPhoto(key, p, &media.Rejection{Reason: media.Unreachable}))
			j.giveUp(i, cause)
		}
	}
	end := queue.End{Cause: cause}
	if len(j.GivenUp) > 0 {
		e.Payload, end.Named = j.reopened(e)
	}
	readable := j.Event.Kind == connectors.Message && j.Event.ID != ""
	if readable {
		end.Message, end.Party, end.Told, end.Notice = j.message(), j.party(), e.Told, l.notice(e, j)
	}
	end, err := l.end(ctx, e, end, func(end *queue.End) error {
		if !readable {
			return nil
		}
		return finish(e, j, end)
	})
	if err != nil {
		return err
	}
	l.Metrics.Trouble("work", "dead")
	l.Log.Error("message kept as a dead letter", "key", e.Key, "cause", cause)
	if readable {
		l.count(e, j, end)
	}
	return nil
}
