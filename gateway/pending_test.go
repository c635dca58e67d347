package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
)

// refusing answers 502 to the first calls of a platform, and lets the others wait
// until it is opened.
func refusing(p sim.Platform, calls int) (open chan struct{}) {
	open = make(chan struct{})
	left := make(chan struct{}, calls)
	for range calls {
		left <- struct{}{}
	}
	p.Wrap(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-left:
				w.WriteHeader(http.StatusBadGateway)
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
	return open
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
// the name that it had, once. Its pictures are served. Meanwhile the API says which try
// is under way.
func TestPhotosThatAreSettledLater(t *testing.T) {
	h := open(t, func(c *config.Config) {
		c.Work.Promise = config.Duration(200 * time.Millisecond)
		c.Work.RetryMin, c.Work.RetryMax = config.Duration(time.Millisecond), config.Duration(time.Millisecond)
	})
	for channel, p := range h.platforms {
		for name, open := range map[string]func() chan struct{}{
			"fails": func() chan struct{} { return refusing(p, 1) },
			"slow":  func() chan struct{} { return slow(p) },
		} {
			before := int(h.idle())
			goOn := open()
			h.hear(channel, sim.Said{ID: name, Consumer: "ana", At: time.Now(), Photos: [][]byte{picture(t, 40, 30)}})
			told := h.documents(before + 1)[before]
			if told.Type != string(queue.MessageReceived) || len(told.Data.Photos) != 1 || told.Data.Photos[0].Status != "pending" {
				t.Fatalf("%s, %s: got %+v, want a message with a pending photo", channel, name, told)
			}
			h.wantTry(channel, told, map[string]int{"fails": 2, "slow": 1}[name])
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
	h.wantTriesLive(h.platforms["line"], "line")
}

// wantTry waits until the API says of a message's photo which try is under way.
func (h *house) wantTry(channel string, told message, try int) {
	h.t.Helper()
	title := ""
	for _, c := range channels() {
		if c.Name == channel {
			title = c.Title
		}
	}
	want := fmt.Sprintf(`"status":"pending","try":%d,"of":8,"host_title":%q`, try, title)
	gatewaytest.Await(h.t, channel+": a photo with "+want, func() bool {
		_, body := h.getPicture(h.t, "/v1/conversations/"+testQueue+"."+told.Data.Conversation+"/messages")
		return strings.Contains(string(body), want)
	})
}

// wantTriesLive has a platform refuse a photo more often, and wants each try to be
// told to who listens, whom nothing else would tell.
func (h *house) wantTriesLive(p sim.Platform, channel string) {
	h.t.Helper()
	ctx, enough := context.WithTimeout(h.t.Context(), time.Minute)
	defer enough()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.app.Addresses().Public+"/v1/events", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+testToken)
	stream, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer stream.Body.Close()
	open := refusing(p, 3)
	defer close(open)
	h.hear(channel, sim.Said{ID: "often", Consumer: "ana", At: time.Now(), Photos: [][]byte{picture(h.t, 40, 30)}})
	lines := bufio.NewScanner(stream.Body)
	for lines.Scan() {
		if strings.Contains(lines.Text(), `"try":4`) {
			return
		}
	}
	h.t.Errorf("the updates end before the fourth try: %v", lines.Err())
}
