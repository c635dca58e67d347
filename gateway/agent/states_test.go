package agent_test

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

// The states of a conversation, from where Ben sits.
const (
	waiting      = "waiting"
	mine         = "mine"
	others       = "other's"
	closedMine   = "closed, mine"
	closedOthers = "closed, other's"
	closedNobody = "closed, nobody's"
	// The same, when they have left Redis.
	archivedMine   = "closed, mine, archived"
	archivedOthers = "closed, other's, archived"
	archivedNobody = "closed, nobody's, archived"
	// Ben had it when it was closed, and a message that came late has put it back.
	late         = "late"
	lateArchived = "late, archived"
	// It is with an agent who has lost the queue.
	lost = "lost"
)

func states() []string {
	return []string{
		waiting, mine, others, closedMine, closedOthers, closedNobody, archivedMine, archivedOthers, archivedNobody,
		late, lateArchived, lost,
	}
}

// in makes a conversation in a state, with a photo.
func (h *house) in(state string) (conversation, photo string) {
	h.Helper()
	conversation, photo, _ = h.made(state, stored)
	return conversation, photo
}

// What the photo of a conversation is made with: nothing, its pictures, or a link to
// them besides, which was minted while Ben had it.
const (
	named = iota
	stored
	linked
)

// made makes a conversation in a state, with a photo.
func (h *house) made(state string, with int) (conversation, photo, link string) {
	h.Helper()
	before, archived := strings.CutSuffix(state, ", archived")
	h.number++
	s := said{queue: support, consumer: "P" + strconv.Itoa(h.number), text: "look"}
	id := h.hear(s)
	p := h.rejected()
	if with >= stored {
		p = h.photo(id)
	}
	s.text, s.photos = "here", []queue.Photo{p}
	h.hear(s)
	as := func(token, what, body string) {
		h.call(token, http.MethodPost, "/v1/conversations/"+id+"/"+what, body).want(h, state+": "+what, http.StatusOK)
	}
	if with == linked {
		as(benToken, "take", "")
		a := h.call(benToken, http.MethodPost, "/v1/photos/"+p.ID+"/links", "").want(h, "a link", http.StatusOK)
		_, link, _ = strings.Cut(read[struct{ Preview string }](h, a).Preview, "?")
		as(benToken, "transfer", `{"to":null}`)
	}
	switch before {
	case mine, closedMine, late:
		as(evaToken, "take", "")
		as(evaToken, "transfer", `{"to":"ben"}`)
	case others, closedOthers:
		as(evaToken, "take", "")
	case lost:
		_, err := h.journal.Assign(h.Context(), support, strings.TrimPrefix(id, support+"."), queue.Assignment{To: queue.Agent{ID: "lea"}})
		h.must(err)
	}
	var e queue.Entry
	if before == late {
		s.text = "late"
		e = h.accept(s)
	}
	switch before {
	case closedMine, late:
		as(benToken, "close", "")
	case closedOthers:
		as(evaToken, "close", "")
	case closedNobody:
		as(deskToken, "close", "")
	}
	if archived {
		h.put(id)
	}
	if before == late {
		h.finish(e, s)
	}
	return id, p.ID, link
}

// rejected is a photo without pictures.
func (h *house) rejected() queue.Photo {
	h.Helper()
	h.number++
	id := store.Key{Queue: support, Attempt: hash("attempt", strconv.Itoa(h.number))[:32], Kind: store.Preview}.PhotoID()
	return queue.Photo{ID: id, Status: queue.Rejected, Reason: "corrupt"}
}
