package inbound_test

import (
	"testing"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/outbound"
	"github.com/lightlock/lightlock/gateway/queue"
)

// What the platform says of a reply reaches the conversation.
func TestReceiptsReachTheirReply(t *testing.T) {
	p := platform(t, twiliosim.Start)
	h := newHouse(t, p)
	g := h.open().work()
	g.receive(text("a"))
	c := g.chat(g.documents(1)[0]).Conversation
	said := queue.ReplyData{By: queue.Actor{Kind: queue.ActorService, Agent: queue.Agent{ID: "desktop"}}, Text: "hello"}
	out := queue.Outgoing{Key: key, Conversation: c.ID, Party: c.Party, Payload: []byte("hello")}
	if fresh, err := g.backend.Reply(t.Context(), q, queue.Reply{Outgoing: out, Agent: queue.AnyAgent, Said: said}); err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	id, err := g.route().Connector.Send(t.Context(), connectors.Outgoing{Account: c.AccountID, Consumer: c.Consumer.ID, Key: "k", Text: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := g.backend.Claim(t.Context(), q, c.ID+" "+c.Party)
	if err != nil || s == nil {
		t.Fatal(s, err)
	}
	s.Receipt = outbound.ReceiptKey(c.Channel, c.AccountID, id)
	if outcome, err := g.backend.Conclude(t.Context(), *s, queue.ResultSent, id); err != nil || outcome != queue.Mine {
		t.Fatal(outcome, err)
	}
	address := base + "/webhooks/twilio/acme"
	for _, step := range []struct {
		status string
		code   int
		want   queue.Result
	}{{"delivered", 0, queue.ResultDelivered}, {"undelivered", 30003, queue.ResultFailed}} {
		g.hand(p.Status(address, p.Sent()[0], step.status, step.code))
		gatewaytest.Await(t, "the reply is "+string(step.want), func() bool {
			items, err := g.backend.ItemsByID(t.Context(), q, c.ID, []string{key})
			return err == nil && items[0].Reply.Delivery.State == step.want && (items[0].Reply.Delivery.Detail != "") == (step.want == queue.ResultFailed)
		})
	}
}

// key is a reply's.
const key = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
