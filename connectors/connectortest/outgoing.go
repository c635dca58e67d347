package connectortest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

// dialogue is what a check of Send works with: a consumer who has just spoken,
// and a connector that can answer.
type dialogue struct {
	*bench
	// heard is what the consumer said.
	heard connectors.Event
}

// speaking makes a check of something about Send.
func speaking(run func(dialogue) error) func(*bench) error {
	return func(b *bench) error {
		heard, err := b.speaks("ada")
		if err != nil {
			return err
		}
		return run(dialogue{b, heard})
	}
}

// speaks returns the event of a consumer who says something right now: platforms
// let nobody answer what was said long ago.
func (b *bench) speaks(consumer string) (connectors.Event, error) {
	messages, err := b.hear(sim.Said{ID: "question from " + consumer, Consumer: consumer, Name: consumer, Text: "a question", At: time.Now()})
	if err != nil {
		return connectors.Event{}, err
	}
	if len(messages) != 1 {
		return connectors.Event{}, fmt.Errorf("got %s\nwant one message", show(messages))
	}
	return messages[0], nil
}

// answer returns a message to the consumer with a new key.
func (d dialogue) answer(text string) connectors.Outgoing {
	return connectors.Outgoing{Account: d.heard.Account, Consumer: d.heard.Consumer.ID, Key: newKey(), Text: text}
}

// newKey returns a random UUID of version 4 (RFC 9562, section 5.4).
func newKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// arrived returns an error unless the consumers have got n messages so far, of
// which o is the last one; id is the platform's id of it.
func (d dialogue) arrived(n int, o connectors.Outgoing) (id string, err error) {
	sent := d.platform.Sent()
	if len(sent) != n {
		return "", fmt.Errorf("consumers got %d messages, want %d", len(sent), n)
	}
	got := sent[n-1]
	want := sim.Sent{ID: got.ID, Account: o.Account, Consumer: o.Consumer, Text: o.Text}
	if got != want {
		return "", fmt.Errorf("the consumer got %.300q\nwant %.300q", fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want))
	}
	return got.ID, nil
}

// silence returns an error if a consumer got anything, or the platform a call.
func (d dialogue) silence(calls func() int) error {
	if n := calls(); n != 0 {
		return fmt.Errorf("got %d calls to the platform, want none", n)
	}
	if sent := d.platform.Sent(); len(sent) != 0 {
		return fmt.Errorf("a consumer got %+v, want nothing", sent)
	}
	return nil
}

// try sends a short text by a connector.
func (d dialogue) try(ctx context.Context, c connectors.Connector) error {
	_, err := c.Send(ctx, d.answer("an answer"))
	return err
}

// sendSteps returns the requests that one message takes.
func (d dialogue) sendSteps() ([]step, error) {
	return d.steps(func() error { return d.try(d.ctx, d.connector) })
}

// seen wraps the platform's API so that what it is sent is kept, header and body.
func (b *bench) seen() (dumps func() []string) {
	var mu sync.Mutex
	var list []string
	b.platform.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text := dump(r)
			mu.Lock()
			list = append(list, text)
			mu.Unlock()
			h.ServeHTTP(w, r)
		})
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return list
	}
}
