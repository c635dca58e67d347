package forget_test

import (
	"context"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/gateway/store"
)

// interjected are documents of a mover; something happens before or after it puts one
// in a folder, once.
type interjected struct {
	store.Documents
	folder string
	after  bool
	do     func()
}

func (d *interjected) Put(ctx context.Context, name string, data []byte) error {
	do := d.do
	if do == nil || !strings.HasPrefix(name, d.folder) {
		return d.Documents.Put(ctx, name, data)
	}
	d.do = nil
	if !d.after {
		do()
	}
	err := d.Documents.Put(ctx, name, data)
	if d.after {
		do()
	}
	return err
}

// A gateway that moves a conversation to the archive while its consumer is forgotten
// takes back what it puts.
func TestForgetWhileAConversationMoves(t *testing.T) {
	address := queuetest.Redis(t)
	for _, folder := range []string{"conversations/", "parties/", "closed/"} {
		for _, after := range []bool{false, true} {
			w := newWorld(t, address)
			e := w.begin(canary, "a", true)
			w.end(canary, e, "a", "", w.picture(canary, e))
			w.sends(canary, e.Conversation)
			w.closed(e.Conversation)
			d := &interjected{Documents: w.store.Documents(), folder: folder, after: after}
			happened := false
			d.do = func() {
				happened = true
				if _, err := w.forgetter().Forget(t.Context(), q, canary.who()); err != nil {
					t.Fatal(err)
				}
			}
			mover := w.archiveOn(w.journal, d)
			for !happened {
				if _, err := mover.Move(t.Context(), q); err != nil {
					t.Fatal(err)
				}
			}
			for _, in := range []string{"conversations", "parties", "closed"} {
				left, err := w.store.Documents().List(t.Context(), in, "", 10)
				if err != nil || len(left) > 0 {
					t.Errorf("forgotten at %s, after %v: %v are left, %v", folder, after, left, err)
				}
			}
			w.wantForgotten(canary, nil)
			if n := len(w.pictures()); n > 0 {
				t.Errorf("forgotten at %s, after %v: %d attempts' pictures are left", folder, after, n)
			}
		}
	}
}
