package inbound_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/queue"
)

// retry retries a letter, as an operator would, twice at once.
func (g *gateway) retry(l queue.Letter) {
	g.h.t.Helper()
	r := inbound.Reviver{Journal: g.backend.Journal, Routes: g.Routes}
	second := make(chan error)
	go func() { second <- r.Retry(g.h.t.Context(), q, l) }()
	if err := errors.Join(r.Retry(g.h.t.Context(), q, l), <-second); err != nil {
		g.h.t.Fatalf("retry: %v", err)
	}
}

// A photo whose tries are used up can be had again by an operator, who has mended
// a token. Its message does not come twice, and an unsend still finds all of it.
func TestAPhotoThatWasGivenUpFollowsARetry(t *testing.T) {
	for name, attempts := range map[string]int{"that was never told": 1, "that was told": 2} {
		t.Run(name, func(t *testing.T) {
			p := startMessenger(t)
			h := newHouse(t, p)
			h.config.Work.Attempts = attempts
			h.config.Work.RetryMin, h.config.Work.RetryMax = config.Duration(time.Millisecond), config.Duration(time.Millisecond)
			g := h.open().work()
			var mended atomic.Bool
			f := &flaky{counts: map[string]int{}}
			h.answer(func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
				if number, _ := f.note(r.URL.Path); number == 1 && !mended.Load() {
					w.WriteHeader(http.StatusBadGateway)
					return
				}
				next.ServeHTTP(w, r)
			})
			said := photo("a", picture(t, 20, 20), picture(t, 30, 20))
			g.receive(said)
			first := g.documents(1)[0]
			g.wantReady(first.Data.Photos[0])
			g.wantRejected(first.Data.Photos[1], "unreachable")

			letter := g.letters(1)[0]
			read := inbound.Read(letter)
			if !strings.HasPrefix(letter.Cause, "photo 2 was given up: ") || read.Account != "messenger/acme" || read.Kind != "message" || len(read.Raw) == 0 {
				t.Errorf("got a letter with cause %q, read as %+v", letter.Cause, read)
			}
			before := len(g.raw())
			g.retry(letter) // and it fails once more
			g.await("it is dead again", func(s queue.Stats) bool { return s.Dead == 1 && s.Unfinished() == 0 && s.Delivered == int64(before+1) })
			mended.Store(true)
			g.retry(g.letters(1)[0])
			g.await("its photo has followed", func(s queue.Stats) bool {
				return s.Dead == 0 && s.Unfinished() == 0 && s.Unaccounted == 0 && s.Delivered == int64(before+2)
			})
			all := g.raw()
			last := all[len(all)-1]
			if last.Type != string(queue.PhotoSettled) || last.ID != queue.SettledID(first.ID)+".2" || len(last.Data.Photos) != 1 ||
				last.Data.Photos[0].ID != first.Data.Photos[1].ID {
				t.Errorf("got %+v last, want its second photo settled, under the name that it had in %+v", last, first)
			}
			g.wantReady(last.Data.Photos[0])
			if n := h.pictures(); n != 4 {
				t.Errorf("got %d pictures, want two of each photo", n)
			}

			r, err := p.Unsend(base+"/webhooks/messenger/acme", said)
			if err != nil {
				t.Fatal(err)
			}
			r.ReceivedAt = time.Now()
			g.hand(r)
			gatewaytest.Await(t, "nothing is left of it", func() bool {
				for _, d := range g.raw() {
					if d.Type == string(queue.MessageReceived) {
						return false
					}
				}
				return h.pictures() == 0
			})
		})
	}
}

// What no repeat would help is refused in a sentence.
func TestRetryRefuses(t *testing.T) {
	h := newHouse(t, startLINE(t))
	g := h.open()
	r := inbound.Reviver{Journal: g.backend.Journal, Routes: g.Routes}
	for want, l := range map[string]queue.Letter{
		"a newer release has written it":          {Content: queue.ContentPayload, Raw: []byte(`{"version":99}`)},
		"journal entry does not parse":            {Content: queue.ContentPayload, Raw: []byte(`{`)},
		"no connector of channel \"x\" has":       {Content: queue.ContentPayload, Raw: []byte(`{"version":1,"channel":"x"}`)},
		"no connector is named \"line/gone\" any": {Content: queue.ContentWebhook, Connector: "line/gone", Raw: []byte(`{}`)},
		"it is one event that did not parse":      {Content: queue.ContentEvent, Raw: []byte(`{}`)},
		"only 2 of its 3 bytes are kept":          {Content: queue.ContentWebhook, Raw: []byte(`{}`), RawBytes: 3},
	} {
		l.Key = strings.Repeat("ab", 32)
		err := r.Retry(t.Context(), q, l)
		if refusal, ok := errors.AsType[inbound.Refusal](err); !ok || !strings.HasPrefix(refusal.Reason, want) {
			t.Errorf("got %v, want a refusal: %s", err, want)
		}
	}
}
