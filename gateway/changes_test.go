package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors/apple/applesim"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/queue"
)

// TestUnsendOnEveryChannelThatHasIt: the photo's pictures are gone, its message
// is out of the queue, and agents are told; and so on every later copy.
func TestUnsendOnEveryChannelThatHasIt(t *testing.T) {
	h := open(t)
	for channel, p := range h.platforms {
		c, can := p.(sim.Unsender)
		if !can {
			continue
		}
		before := int(h.idle())
		h.hear(channel, sim.Said{ID: "a", Consumer: "ana", At: time.Now(), Photos: [][]byte{picture(t, 40, 30)}})
		got := h.documents(int(h.idle()))[before:]
		if len(got) != 1 || got[0].Data.Photos[0].Status != "ready" {
			t.Fatalf("%s: got %+v, want a ready photo", channel, got)
		}
		call, err := c.Unsend(webhookURL(channel), sim.Said{ID: "a", Consumer: "ana", At: time.Now(), Photos: [][]byte{nil}})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			h.post(call)
		}
		after := h.documents(int(h.idle()))[before:]
		if len(after) != 1 || after[0].Type != string(queue.MessageUnsent) || after[0].Data.Message != got[0].ID {
			t.Errorf("%s: got %+v, want one unsend of %s and nothing else", channel, after, got[0].ID)
		}
		if status, _ := h.getPicture(t, got[0].Data.Photos[0].Preview.Href); status != 404 {
			t.Errorf("%s: the preview is answered %d, want 404", channel, status)
		}
		h.hear(channel, sim.Said{ID: "a", Consumer: "ana", At: time.Now(), Photos: [][]byte{picture(t, 40, 30)}})
		if n := int(h.idle()) - before; n != 1 {
			t.Errorf("%s: %d entries after a late copy, want 1", channel, n)
		}
	}
}

// TestAppleClose: the consumer ends the conversation before its photo was
// judged. The message is late, agents are told, and nothing more is said to a
// consumer who has gone; their next message opens another conversation.
func TestAppleClose(t *testing.T) {
	h := open(t)
	p := h.platforms["apple"].(*applesim.Platform)
	fetched, goOn := make(chan struct{}, 1), make(chan struct{})
	p.Wrap(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case fetched <- struct{}{}:
				<-goOn
			default:
			}
			next.ServeHTTP(w, r)
		})
	})
	h.hear("apple", sim.Said{ID: "a", Consumer: "ana", Photos: [][]byte{[]byte("no photo at all")}})
	<-fetched
	call, err := p.Call(webhookURL("apple"), p.Event(sim.Said{ID: "close", Consumer: "ana"}, "close"))
	if err != nil {
		t.Fatal(err)
	}
	if response, body := h.post(call); response.StatusCode != http.StatusOK {
		t.Fatalf("answered %d %q", response.StatusCode, body)
	}
	closed := h.documents(1)[0]
	close(goOn)
	late := h.documents(int(h.idle()))[1]
	if closed.Type != string(queue.ConversationClosed) || !late.Data.Late || late.Data.Conversation != closed.Data.Conversation ||
		len(late.Data.Photos) != 1 || late.Data.Photos[0].Reason != "unsupported_type" {
		t.Errorf("got %+v and %+v, want a close and a late message with its reason", closed, late)
	}
	if sent := h.awaitSent("apple"); len(sent) != 0 {
		t.Errorf("a consumer who has gone got %+v", sent)
	}
	h.hear("apple", sim.Said{ID: "b", Consumer: "ana", Text: "me again"})
	if again := h.documents(int(h.idle()))[2]; again.Data.Conversation == closed.Data.Conversation || again.Data.Seq != 1 || again.Data.Late {
		t.Errorf("got %+v, want the first message of another conversation", again)
	}
}

func TestEditOnEveryChannelThatHasIt(t *testing.T) {
	h := open(t)
	for channel, p := range h.platforms {
		c, can := p.(sim.Editor)
		if !can {
			continue
		}
		before := int(h.idle())
		h.hear(channel, sim.Said{ID: "a", Consumer: "ana", At: time.Now(), Photos: [][]byte{picture(t, 40, 30)}})
		call, err := c.Edit(webhookURL(channel), sim.Said{ID: "a", Consumer: "ana", At: time.Now(), Photos: [][]byte{nil}}, "new words")
		if err != nil {
			t.Fatal(err)
		}
		h.post(call)
		got := h.documents(int(h.idle()))[before:]
		if len(got) != 2 || got[1].Type != string(queue.MessageEdited) || got[1].Data.Text != "new words" || got[1].Data.Message != got[0].ID {
			t.Errorf("%s: got %+v, want a message and its edit", channel, got)
		}
	}
}
