package inbound

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/lightlock/lightlock/gateway/queue"
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
