package inbound_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// document is what these tests read of an entry of the agents' queue.
type document struct {
	ID, Type, Source, Subject string

	Data struct {
		MessageID string `json:"message_id"`
		Message   string
		Text      string
		Seq       int64
		Late      bool
		Photos    []queue.Photo
	}
}

// documents waits until the agents' queue tells of n things and everything accepted
// has had its end, and returns them as agents' software knows them: with their
// photos settled.
func (g *gateway) documents(n int) []document {
	g.h.t.Helper()
	g.await("everything is forwarded", func(s queue.Stats) bool { return s.Unfinished() == 0 && s.Delivered >= int64(n) })
	all := make([]document, 0, n)
	for _, d := range g.raw() {
		if d.Type == string(queue.PhotoSettled) {
			g.h.settle(all, d)
			continue
		}
		all = append(all, d)
	}
	if len(all) != n {
		g.h.t.Fatalf("the agents' queue tells of %d things, want %d: %+v", len(all), n, all)
	}
	g.wantChats(all)
	for _, d := range all {
		for _, p := range d.Data.Photos {
			if p.Status == queue.Pending {
				g.h.t.Errorf("a photo of %s is pending for ever: %+v", d.ID, p)
			}
		}
	}
	return all
}

// settle puts what became of photos in the place of those that were pending.
func (h *house) settle(all []document, settled document) {
	h.t.Helper()
	for _, d := range all {
		if d.ID != settled.Data.Message {
			continue
		}
		for _, p := range settled.Data.Photos {
			i := slices.IndexFunc(d.Data.Photos, func(old queue.Photo) bool { return old.ID == p.ID && old.Status == queue.Pending })
			if i < 0 {
				h.t.Errorf("photo %s was not pending in %+v", p.ID, d)
				continue
			}
			d.Data.Photos[i] = p
		}
		if settled.ID != queue.SettledID(d.ID) || settled.Subject != d.Subject || settled.Source != d.Source {
			h.t.Errorf("got %+v about %+v", settled, d)
		}
		return
	}
	h.t.Errorf("got %+v before its message", settled)
}

// raw returns the agents' queue as it is, and checks each entry: its schema, and
// what it must not hold. An unsend may take some out while it is read, which is then
// begun again.
func (g *gateway) raw() (all []document) {
	g.h.t.Helper()
	n := int(g.stats().Delivered)
	if n == 0 {
		return nil
	}
	keys := map[string]bool{}
	ctx, cancel := context.WithTimeout(g.h.t.Context(), 5*time.Second)
	defer cancel()
	err := g.backend.Watch(ctx, q, func(entry []byte) bool {
		queuetest.CheckDocument(g.h.t, entry)
		for _, p := range g.h.platforms {
			if l, ok := p.(*linesim.Platform); ok {
				g.h.lacks(entry, l.Secret, l.Token, l.URL)
			}
		}
		g.h.lacks(entry, "http://", "https://", "/content", "message:", "external:")
		var d document
		if err := json.Unmarshal(entry, &d); err != nil {
			g.h.t.Fatal(err)
		}
		if keys[d.ID] {
			g.h.t.Errorf("key %s is twice in the queue", d.ID)
		}
		keys[d.ID] = true
		all = append(all, d)
		return len(all) < n
	})
	if err != nil && int(g.stats().Delivered) != n {
		return g.raw()
	}
	if err != nil {
		g.h.t.Fatal(err)
	}
	return all
}

func (h *house) lacks(entry []byte, words ...string) {
	h.t.Helper()
	for _, word := range words {
		if bytes.Contains(entry, []byte(word)) {
			h.t.Errorf("a document holds %q:\n%s", word, entry)
		}
	}
}

// photo returns the one photo of the one document.
func (g *gateway) photo() queue.Photo {
	g.h.t.Helper()
	d := g.documents(1)[0]
	if len(d.Data.Photos) != 1 {
		g.h.t.Fatalf("got %d photos, want 1: %+v", len(d.Data.Photos), d)
	}
	return d.Data.Photos[0]
}
