package queue_test

import (
	"errors"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

func TestALinkStandsForAWhile(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	j := journal(t, address, queue.Options{})
	want := queue.Link{Photo: "support.0a.0", Agent: "ben"}
	if err := j.OpenLink(t.Context(), q, hash("link"), want, time.Minute); err != nil {
		t.Fatal(err)
	}
	if got, err := j.Link(t.Context(), q, hash("link")); err != nil || got != want {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if _, err := j.Link(t.Context(), "other", hash("link")); !errors.Is(err, queue.ErrNoLink) {
		t.Errorf("in another queue: got %v", err)
	}
	queuetest.Inspect(t, address).Age(q, time.Minute)
	if _, err := j.Link(t.Context(), q, hash("link")); !errors.Is(err, queue.ErrNoLink) {
		t.Errorf("after a minute: got %v", err)
	}
}

func TestALinkIsWhole(t *testing.T) {
	t.Parallel()
	j := journal(t, queuetest.Redis(t), queue.Options{})
	for what, err := range map[string]error{
		"no name":  j.OpenLink(t.Context(), q, "", queue.Link{Photo: "p", Agent: "ben"}, time.Minute),
		"no photo": j.OpenLink(t.Context(), q, hash("link"), queue.Link{Agent: "ben"}, time.Minute),
		"no agent": j.OpenLink(t.Context(), q, hash("link"), queue.Link{Photo: "p"}, time.Minute),
		"no time":  j.OpenLink(t.Context(), q, hash("link"), queue.Link{Photo: "p", Agent: "ben"}, 0),
		"no queue": j.OpenLink(t.Context(), "Q", hash("link"), queue.Link{Photo: "p", Agent: "ben"}, time.Minute),
	} {
		if !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if _, err := j.Link(t.Context(), q, "no hash"); !errors.Is(err, queue.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}
