package agent_test

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
	"github.com/lightlock/lightlock/gateway/sweep"
)

const month = 30 * 24 * time.Hour

// A photo and its text are kept for the same time, in a conversation that is open and
// in one that is closed, and what is younger stays.
func TestAPhotoGoesWithItsText(t *testing.T) {
	h := open(t)
	old := time.Now().Add(-13 * month)
	conversations, photos := map[string]string{}, map[string]store.Key{}
	for _, state := range []string{"open", "closed"} {
		s := said{queue: support, consumer: "U-" + state, text: "the old words", at: old}
		id := h.hear(s)
		photo := h.photo(id)
		s.text, s.photos = "the old photo", []queue.Photo{photo}
		h.hear(s)
		h.hear(said{queue: support, consumer: s.consumer, text: "the young words"})
		h.call(benToken, http.MethodPost, "/v1/conversations/"+id+"/take", "").want(t, "take", http.StatusOK)
		key, err := store.ParsePhotoID(photo.ID)
		h.must(err)
		h.age(key, old)
		conversations[state], photos[state] = id, key
	}
	h.call(benToken, http.MethodPost, "/v1/conversations/"+conversations["closed"]+"/close", "").want(t, "close", http.StatusOK)
	h.put(conversations["closed"])
	for _, step := range []struct {
		keep time.Duration
		want string
	}{
		{14 * month, "the old words, the old photo, the young words"},
		{12 * month, "the young words"},
		{12 * month, "the young words"},
	} {
		h.expire(step.keep)
		for state, id := range conversations {
			if got := h.texts(id); got != step.want {
				t.Errorf("%s, kept for %v: got %q, want %q", state, step.keep, got, step.want)
			}
			status, there := http.StatusNotFound, step.keep > 13*month
			if there {
				status = http.StatusOK
			}
			h.call(benToken, http.MethodGet, queue.PreviewHref(photos[state].PhotoID()), "").want(t, state+", the photo", status)
			key := photos[state]
			key.Kind = store.Preview
			f, err := h.store.Open(t.Context(), key)
			if there != (err == nil) || !there && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s, kept for %v: in the store: %v", state, step.keep, err)
			}
			if err == nil {
				h.must(f.Close())
			}
		}
	}
	last := read[chat](t, h.call(benToken, http.MethodGet, "/v1/conversations/"+conversations["open"], ""))
	if last.State != "assigned" || last.Last.Text != "the young words" {
		t.Errorf("the open one is %+v", last)
	}
}

// expire does what gateways do once a day.
func (h *house) expire(keep time.Duration) {
	h.Helper()
	cutoff := time.Now().Add(-keep)
	_, err := h.archive.Expire(h.Context(), cutoff)
	h.must(err)
	_, err = h.archive.ExpireOpen(h.Context(), cutoff)
	h.must(err)
	_, err = (&sweep.Sweeper{Store: h.store, Keep: keep, Metrics: ops.NewMetrics(), Log: slog.New(slog.DiscardHandler)}).Expire(h.Context())
	h.must(err)
}

// age makes a photo look as if it had been put at that time.
func (h *house) age(key store.Key, at time.Time) {
	h.Helper()
	files, err := filepath.Glob(filepath.Join(h.data, "photos", key.Queue, "*", key.Attempt, "*"))
	h.must(err)
	if len(files) == 0 {
		h.Fatal("the photo has no files")
	}
	for _, file := range files {
		h.must(os.Chtimes(file, at, at))
	}
}

// texts are what the messages of a conversation say.
func (h *house) texts(id string) string {
	h.Helper()
	var texts []string
	for _, n := range read[pageOf](h, h.call(benToken, http.MethodGet, "/v1/conversations/"+id+"/messages", "")).Messages {
		texts = append(texts, n.Text)
	}
	return strings.Join(texts, ", ")
}
