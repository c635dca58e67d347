package twittersim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lightlock/lightlock/connectors/sim"
)

// apiHost is the host of the API, which this server stands for as for TonHost.
const apiHost = "api.x.com"

// ton serves a photo as ton.twitter.com does: to requests that the account has
// signed. Who shows nothing of the kind is sent away to log in.
// https://github.com/sferik/twitter-ruby/issues/648
func (p *Platform) ton(w http.ResponseWriter, r *http.Request) {
	switch p.caller(r, p.TonHost) {
	case theUser1:
		p.photo(w, r, "image/jpeg")
	case forged:
		w.WriteHeader(http.StatusUnauthorized)
	default:
		w.Header().Set("Location", "https://twitter.com/login")
		w.WriteHeader(http.StatusFound)
	}
}

// download serves a photo as the API does: to OAuth 2.0 tokens of somebody who
// takes part in the conversation, as bytes of no type.
// https://docs.x.com/x-api/direct-messages/download-dm-media
func (p *Platform) download(w http.ResponseWriter, r *http.Request) {
	switch p.caller(r, apiHost) {
	case theUser2:
		p.photo(w, r, "application/octet-stream")
	case nobody, forged:
		unauthorized(w)
	default:
		fail(w, http.StatusForbidden, "unsupported-authentication", "Unsupported Authentication", "Supported authentication types are [OAuth 2.0 User Context].")
	}
}

func (p *Platform) photo(w http.ResponseWriter, r *http.Request, contentType string) {
	data, ok := p.photos.Get(key(r.PathValue("dm"), r.PathValue("media"), r.PathValue("file")))
	if !ok {
		fail(w, http.StatusNotFound, "resource-not-found", "Not Found Error", "Could not find that resource.")
		return
	}
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(data)
}

// Keep makes X serve data as the photo at the address that ends like this:
// message, medium and file.
func (p *Platform) Keep(message, media, file string, data []byte) {
	p.photos.Put(key(message, media, file), data)
}

// maxText is how many characters a message may have.
const maxText = 10_000

// send takes a message for a consumer.
// https://docs.x.com/x-api/direct-messages/create-dm-message-by-participant-id
func (p *Platform) send(w http.ResponseWriter, r *http.Request) {
	switch p.caller(r, apiHost) {
	case nobody, forged:
		unauthorized(w)
		return
	case theApp:
		fail(w, http.StatusForbidden, "unsupported-authentication", "Unsupported Authentication", "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.")
		return
	}
	var message struct {
		Text *string `json:"text"`
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&message); err != nil || r.Header.Get("Content-Type") != "application/json" || message.Text == nil ||
		*message.Text == "" || utf8.RuneCountInString(*message.Text) > maxText {
		invalid(w, "")
		return
	}
	consumer := r.PathValue("id")
	id, known := p.accept(consumer)
	if !known {
		fail(w, http.StatusNotFound, "resource-not-found", "Not Found Error", "Could not find user with id: ["+consumer+"].")
		return
	}
	p.Deliver(sim.Sent{ID: id, Account: p.UserID, Consumer: consumer, Text: *message.Text})
	answer(w, http.StatusCreated, Object{"data": Object{"dm_conversation_id": conversation(p.UserID, consumer), "dm_event_id": id}})
}

// accept gives a message its id, if X knows the consumer. Two messages with the
// same text are two: X has no key for repeats.
func (p *Platform) accept(consumer string) (id string, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, known = p.people[consumer]
	p.sends++
	return "18" + sim.Decimal(17, p.UserID, consumer, strconv.Itoa(p.sends)), known
}

// conversation is the id of a conversation of two: the smaller id comes first.
func conversation(a, b string) string {
	if len(a) > len(b) || len(a) == len(b) && a > b {
		a, b = b, a
	}
	return a + "-" + b
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// fail answers as X describes its errors.
// https://docs.x.com/x-api/fundamentals/response-codes-and-errors
func fail(w http.ResponseWriter, status int, kind, title, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Object{
		"type": "https://api.x.com/2/problems/" + kind, "title": title, "detail": detail, "status": status,
	})
}

func unauthorized(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusUnauthorized)
	_ = json.NewEncoder(w).Encode(Object{"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"})
}

// invalid answers that a parameter is wrong, and which rule it breaks, if any.
func invalid(w http.ResponseWriter, reason string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(Object{
		"errors": []Object{{"message": strings.TrimSpace(reason + ": ")}},
		"title":  "Invalid Request", "detail": "One or more parameters to your request was invalid.",
		"type": "https://api.x.com/2/problems/invalid-request",
	})
}
