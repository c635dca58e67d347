package whatsappsim

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/lightlock/lightlock/connectors/sim"
)

// desk is what the business has sent, and to whom it may send.
type desk struct {
	mu sync.Mutex
	// known are the consumers who have written to a number, by its ID and the
	// phone number or the user id.
	known map[string]bool
	sent  map[string]delivery
}

// delivery is one message on its way.
type delivery struct{ consumer, data string }

// meets notes that a consumer has written to n.
func (p *Platform) meets(n Number, consumer string) {
	p.desk.mu.Lock()
	defer p.desk.mu.Unlock()
	if p.desk.known == nil {
		p.desk.known, p.desk.sent = map[string]bool{}, map[string]delivery{}
	}
	p.desk.known[n.ID+" "+Phone(consumer)] = true
	p.desk.known[n.ID+" "+UserID(consumer)] = true
}

// order is what may stand in a text message that the business sends.
// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
type order struct {
	Product       string `json:"messaging_product"`
	RecipientType string `json:"recipient_type"`
	To            string `json:"to"`
	Recipient     string `json:"recipient"`
	Type          string `json:"type"`
	Text          struct {
		Body       *string `json:"body"`
		PreviewURL bool    `json:"preview_url"`
	} `json:"text"`
	Context *struct {
		MessageID string `json:"message_id"`
	} `json:"context"`
	Data string `json:"biz_opaque_callback_data"`
}

var (
	phone  = regexp.MustCompile(`^\+?[0-9]{5,15}$`)
	userID = regexp.MustCompile(`^[A-Z]{2}\.[0-9A-Za-z]{1,128}$`)
)

// wrong says which parameter of an order Graph would not take.
func (o order) wrong() string {
	switch {
	case o.Product != "whatsapp":
		return "Param messaging_product must be one of {WHATSAPP}"
	case o.RecipientType != "" && o.RecipientType != "individual":
		return "Param recipient_type must be one of {INDIVIDUAL}"
	case o.To == "" && o.Recipient == "":
		return "The parameter to is required."
	case o.To != "" && !phone.MatchString(o.To):
		return "Param to is not a valid phone number"
	case o.To == "" && !userID.MatchString(o.Recipient):
		return "Param recipient is not a valid business-scoped user ID"
	case o.Type != "text":
		return "Param type must be one of {TEXT}" // of what is simulated
	case o.Text.Body == nil || *o.Text.Body == "":
		return "The parameter text['body'] is required."
	case utf8.RuneCountInString(*o.Text.Body) > 4096:
		return "Param text['body'] must be at most 4096 characters long."
	case len(o.Data) > 512:
		return "Param biz_opaque_callback_data must be at most 512 characters long."
	}
	return ""
}

// send takes a message the way graph.facebook.com does.
func (p *Platform) send(w http.ResponseWriter, r *http.Request) {
	n, ok := p.caller(w, r)
	if !ok {
		return
	}
	if id := r.PathValue("number"); id != n.ID {
		failMissing(w, r, id)
		return
	}
	var o order
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&o); err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		failParam(w, "The parameters cannot be read")
		return
	}
	if what := o.wrong(); what != "" {
		failParam(w, what)
		return
	}
	if o.Context != nil && !strings.HasPrefix(o.Context.MessageID, "wamid.") {
		fail(w, http.StatusBadRequest, graphError{Code: 131009, Message: "(#131009) Parameter value is not valid"})
		return
	}
	p.accept(w, n, o)
}

// accept sends on what is well formed. That a consumer cannot be reached is told
// at once here; the real one often takes such a message and reports it failed.
func (p *Platform) accept(w http.ResponseWriter, n Number, o order) {
	consumer, contact := o.Recipient, Object{"input": o.Recipient, "user_id": o.Recipient}
	if o.To != "" {
		consumer = strings.TrimPrefix(o.To, "+")
		contact = Object{"input": o.To, "wa_id": consumer}
	}
	p.desk.mu.Lock()
	known := p.desk.known[n.ID+" "+consumer]
	wamid := Wamid("sent", n.ID+strconv.Itoa(len(p.desk.sent)))
	if known {
		p.desk.sent[wamid] = delivery{consumer, o.Data}
	}
	p.desk.mu.Unlock()
	if !known {
		fail(w, http.StatusBadRequest, graphError{Code: 131026, Message: "(#131026) Message undeliverable"})
		return
	}
	p.Deliver(sim.Sent{ID: wamid, Account: n.ID, Consumer: consumer, Text: *o.Text.Body})
	answer(w, http.StatusOK, Object{
		"messaging_product": "whatsapp", "contacts": []any{contact}, "messages": []any{Object{"id": wamid}},
	})
}

// Follow tells what became of a message that Graph took, with what the business
// had put beside it.
func (p *Platform) Follow(wamid, status string, at time.Time) Object {
	p.desk.mu.Lock()
	defer p.desk.mu.Unlock()
	sent := p.desk.sent[wamid]
	o := Object{"id": wamid, "status": status, "timestamp": strconv.FormatInt(at.Unix(), 10)}
	if sent.data != "" {
		o["biz_opaque_callback_data"] = sent.data
	}
	if userID.MatchString(sent.consumer) {
		o["recipient_user_id"] = sent.consumer
	} else {
		o["recipient_id"] = sent.consumer
	}
	return o
}
