package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/queue"
)

// refusing answers 502 to the first call of a platform, and lets the others wait
// until it is opened.
func refusing(p sim.Platform) (refused, open chan struct{}) {
	refused, open = make(chan struct{}), make(chan struct{})
	first := make(chan struct{}, 1)
	first <- struct{}{}
	p.Wrap(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-first:
				w.WriteHeader(http.StatusBadGateway)
				close(refused)
				return
			default:
			}
			select {
			case <-open:
				next.ServeHTTP(w, r)
			case <-r.Context().Done():
			}
		})
	})
	return refused, open
}

// slow lets each call of a platform wait until it is opened.
func slow(p sim.Platform) (open chan struct{}) {
	open = make(chan struct{})
	p.Wrap(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-open:
				next.ServeHTTP(w, r)
			case <-r.Context().Done():
			}
		})
	})
	return open
}

// TestPhotosThatAreSettledLater: on every channel agents have the text of a message
// whose photo fails at first, or takes long, and then what became of the photo under
// the name that it had, once. Its pictures are served.
func TestPhotosThatAreSettledLater(t *testing.T) {
	h := open(t, func(c *config.Config) {
		c.Work.Promise = config.Duration(200 * time.Millisecond)
		c.Work.RetryMin, c.Work.RetryMax = config.Duration(time.Millisecond), config.Duration(time.Millisecond)
	})
	for channel, p := range h.platforms {
		for name, open := range map[string]func() chan struct{}{
			"fails": func() chan struct{} { _, open := refusing(p); return open },
			"slow":  func() chan struct{} { return slow(p) },
		} {
			before := int(h.idle())
			goOn := open()
			h.hear(channel, sim.Said{ID: name, Consumer: "ana", At: time.Now(), Photos: [][]byte{picture(t, 40, 30)}})
			told := h.documents(before + 1)[before]
			if told.Type != string(queue.MessageReceived) || len(told.Data.Photos) != 1 || told.Data.Photos[0].Status != "pending" {
				t.Fatalf("%s, %s: got %+v, want a message with a pending photo", channel, name, told)
			}
			close(goOn)
			all := h.documents(int(h.idle()))[before:]
			if len(all) != 2 || all[1].Type != string(queue.PhotoSettled) || all[1].Data.Message != told.ID || len(all[1].Data.Photos) != 1 {
				t.Fatalf("%s, %s: got %+v, want the message and its photo", channel, name, all)
			}
			p := all[1].Data.Photos[0]
			if p.ID != told.Data.Photos[0].ID || p.Status != "ready" || p.Source.Width != 40 {
				t.Errorf("%s, %s: got %+v, want photo %s ready", channel, name, p, told.Data.Photos[0].ID)
			}
			if status, _ := h.getPicture(t, p.Preview.Href); status != http.StatusOK {
				t.Errorf("%s, %s: the preview is answered %d", channel, name, status)
			}
		}
		p.Wrap(nil)
	}
}
