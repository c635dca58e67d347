package inbound_test

import (
	"fmt"
	"testing"

	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
	"github.com/lightlock/lightlock/gateway/queue"
)

// wantChats checks that conversations, as agents see them, say what the documents of
// the agents' queue say when all photos are settled.
func (g *gateway) wantChats(all []document) {
	g.h.t.Helper()
	unsent, edited := map[string]bool{}, map[string]string{}
	for _, d := range all {
		switch queue.DocumentType(d.Type) {
		case queue.MessageUnsent:
			unsent[d.Data.Message] = true
		case queue.MessageEdited:
			edited[d.Data.Message] = d.Data.Text
		}
	}
	for _, d := range all {
		if d.Type != string(queue.MessageReceived) || unsent[d.ID] {
			continue
		}
		items, err := g.backend.ItemsByID(g.h.t.Context(), q, d.Subject, []string{d.ID})
		if err != nil || len(items) != 1 || items[0].Message == nil {
			g.h.t.Errorf("got %+v of message %s, error %v", items, d.ID, err)
			continue
		}
		got := items[0].Message
		if got.Text != d.Data.Text || got.Seq != d.Data.Seq || got.Late != d.Data.Late || got.Account != d.Source || got.Conversation != d.Subject ||
			items[0].Position != queue.Position(d.Data.Seq) || items[0].Arrival < 1 {
			g.h.t.Errorf("the conversation has %+v, the document %+v", items[0], d)
		}
		if text, was := edited[d.ID]; was && (items[0].Edit == nil || items[0].Edit.Text != text) {
			g.h.t.Errorf("message %s was edited, and has edit %+v", d.ID, items[0].Edit)
		}
		if fmt.Sprint(photosOf(got.Photos)) != fmt.Sprint(photosOf(d.Data.Photos)) {
			g.h.t.Errorf("message %s: the conversation has %+v, the document %+v", d.ID, got.Photos, d.Data.Photos)
		}
	}
}

// photosOf is what must be the same of photos wherever they are told of.
func photosOf(photos []queue.Photo) (all []string) {
	for _, p := range photos {
		href := ""
		if p.Preview != nil {
			href = p.Preview.Href
		}
		all = append(all, fmt.Sprint(p.ID, p.Status, p.Reason, p.Damaged, href))
	}
	return all
}

// chat returns the conversation of a document, as agents see it.
func (g *gateway) chat(d document) queue.Snapshot {
	g.h.t.Helper()
	s, err := g.backend.Snapshot(g.h.t.Context(), q, d.Subject)
	if err != nil {
		g.h.t.Fatal(err)
	}
	return s
}

func TestAConversationKnowsItsNotice(t *testing.T) {
	h := newHouse(t, platform(t, twiliosim.Start))
	g := h.open().work()
	g.receive(captioned("a", moving(t)))
	s := g.chat(g.documents(1)[0])
	if n := s.Items[0].Notice; n == nil || n.State != queue.ResultWaiting {
		t.Errorf("got notice %+v, want it to wait", n)
	}
	c := s.Conversation
	if c.Channel != "twilio" || c.Account != "twilio/acme" || c.AccountID == "" || c.Consumer.ID == "" || c.Last.Photos != 1 || c.Party == "" {
		t.Errorf("got %+v", c)
	}
}

func TestAnUnsentMessageIsATombstone(t *testing.T) {
	p := startLINE(t)
	h := newHouse(t, p)
	g := h.open().work()
	g.receive(photo("a", picture(t, 40, 30)), text("b"))
	before := g.chat(g.documents(2)[0])
	g.hand(unsend(t, p))
	g.documents(2)
	s, err := g.backend.Snapshot(t.Context(), q, before.Conversation.ID)
	if err != nil || len(s.Items) != 2 {
		t.Fatalf("got %+v, %v", s, err)
	}
	for _, i := range s.Items {
		if wasUnsent := i.Position == queue.Position(1); i.UnsentAt.IsZero() == wasUnsent || (i.Message == nil) != wasUnsent {
			t.Errorf("got %+v", i)
		}
	}
}
