package agent_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/queue"
)

// TestAnEditOfWhatIsArchived is told whole, though Redis knows nothing but the edit: the
// agent's own conversation, with the photo that is in the message.
func TestAnEditOfWhatIsArchived(t *testing.T) {
	h := open(t)
	s := said{queue: support, consumer: "P1", text: "look"}
	entry := h.accept(s)
	id := support + "." + entry.Conversation
	s.photos = []queue.Photo{h.photo(id)}
	h.finish(entry, s)
	for _, step := range []string{"take", "close"} {
		h.call(benToken, http.MethodPost, "/v1/conversations/"+id+"/"+step, "").want(t, step, http.StatusOK)
	}
	h.put(id)
	e := h.listen(benToken, "")
	h.edit(entry, s, "look here")
	if c := of[chat](t, e.until("conversation", anything)); !c.Mine || c.ID != id {
		t.Errorf("got %+v, want Ben's conversation", c)
	}
	m := e.until("message", containing("look here"))
	if !containing(s.photos[0].ID)(m.data) || !containing("/preview")(m.data) {
		t.Errorf("got %s, want the photo in it", m.data)
	}
}

// edit has the sender of a message change its text.
func (h *house) edit(message queue.Entry, s said, text string) {
	h.Helper()
	a := h.accounts[s.queue]
	party := inbound.Party(a.channel, a.id, s.consumer)
	_, err := h.journal.Accept(h.Context(), s.queue, []queue.Item{{
		Kind: queue.ItemEdit, Key: hash("edit", message.Key), Party: party, Message: hash("message", message.Key), Payload: []byte("{}"),
	}})
	h.must(err)
	_, err = h.journal.Complete(h.Context(), h.begun(s.queue), queue.End{Document: []byte("{}"), Chat: &queue.ChatUpdate{
		Kind: queue.ItemEdit, Party: party, Channel: a.channel, Account: a.name, AccountID: a.id, Consumer: queue.Consumer{ID: s.consumer}, ReceivedAt: time.Now(),
		Item: queue.ConversationItem{ID: message.Key, Position: queue.Position(message.Seq), Edit: &queue.ItemEdited{Text: text, At: time.Now()}},
	}})
	h.must(err)
}
