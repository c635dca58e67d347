package inbound

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

// settled tells whether it is known what became of a photo.
func (j job) settled(photo int) bool { _, done := j.Done[photo]; return done }

// settle notes it.
func (j *job) settle(i int, p queue.Photo) {
	if j.Done == nil {
		j.Done = map[int]queue.Photo{}
	}
	j.Done[i] = p
	if p.Status == queue.Ready {
		j.fresh, j.wrote = append(j.fresh, i), true
	}
}

// spoil notes that a picture may have been written in part. What else this attempt
// has developed goes with it: pictures are deleted by the attempt, and one of which
// no message knows would stay as long as those that it was kept with.
func (j *job) spoil() {
	for _, i := range j.fresh {
		delete(j.Done, i)
	}
	j.fresh, j.wrote = nil, true
}

// photos are all of a message, once each is settled.
func (j job) photos() []queue.Photo {
	photos := make([]queue.Photo, len(j.Event.Photos))
	for i := range photos {
		photos[i] = j.Done[i]
	}
	return photos
}

// carried is what the next try is to know, and tells whether it names pictures of
// this attempt. An entry without a lane is one about a message, or was journaled by
// a release whose journal keeps no attempt's pictures.
func (j job) carried(e queue.Entry) (payload []byte, keep bool) {
	if e.Lane == "" {
		return e.Payload, false
	}
	payload, err := encodeJob(j)
	if err == nil && len(payload) > queue.MaxPayload {
		j.Event.Raw = nil // it was small enough with it, and without Done
		payload, err = encodeJob(j)
	}
	if err != nil || len(payload) > queue.MaxPayload {
		return e.Payload, false
	}
	return payload, len(j.fresh) > 0
}

// A telling is the id under which a message is told before its photos are settled.
// It says itself which of them it leaves open, because whoever settles them may
// have begun before another one told the message: its last digits are the set of
// their indexes. The others are random.
const openDigits = maxPhotos / 4

// newTelling makes the id for a message as the job knows it.
func newTelling(j job) string {
	var bits [16]byte
	_, _ = rand.Read(bits[:]) // never fails, by its documentation
	open := 0
	for i := range j.Event.Photos {
		if !j.settled(i) {
			open |= 1 << i
		}
	}
	random := hex.EncodeToString(bits[:])
	return random[:len(random)-openDigits] + fmt.Sprintf("%0*x", openDigits, open)
}

// leftOpen tells whether a telling left a photo open.
func leftOpen(telling string, photo int) bool {
	set, err := strconv.ParseUint(telling[max(0, len(telling)-openDigits):], 16, 64)
	return err == nil && set>>photo&1 == 1
}

// toldPhotos are a message's photos as they are told under an id.
func (j job) toldPhotos(in, telling string) []queue.Photo {
	photos := j.photos()
	for i := range photos {
		if !j.settled(i) {
			photos[i] = queue.Photo{ID: toldID(in, telling, i), Status: queue.Pending}
		}
	}
	return photos
}

// settledPhotos are those that a telling left open, as they are now: under the ids
// that agents know them by, with their pictures where these are.
func (j job) settledPhotos(in, telling string) []queue.Photo {
	var photos []queue.Photo
	for i, p := range j.photos() {
		if leftOpen(telling, i) {
			p.ID = toldID(in, telling, i)
			photos = append(photos, p)
		}
	}
	return photos
}

func toldID(in, telling string, photo int) string {
	return store.Key{Queue: in, Attempt: telling, Photo: photo}.PhotoID()
}
