package applesim

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/lightlock/lightlock/connectors/sim"
)

// Apple's gateway answers by status alone: 400 for what is missing or makes no
// sense, 401 for no token and 403 for a wrong one, 404 for an id that it does
// not know.
// https://register.apple.com/resources/messages/msp-rest-api/common-specs

// maxPayload is how long a message may be here. Apple publishes no figure.
const maxPayload = 1 << 20

// authorized tells whether the provider called, for its own business. If not, it
// has answered.
func (p *Platform) authorized(w http.ResponseWriter, r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	var status int
	switch {
	case !ok:
		status = http.StatusUnauthorized
	case p.checkToken(token) != nil:
		status = http.StatusForbidden
	case r.Header.Get("source-id") == "":
		status = http.StatusBadRequest
	case r.Header.Get("source-id") != p.BusinessID:
		status = http.StatusNotFound
	default:
		return true
	}
	w.WriteHeader(status)
	return false
}

// preDownload tells where an attachment lies. The two sets of headers are the
// two dialects; each is complete or absent, and right.
func (p *Platform) preDownload(w http.ResponseWriter, r *http.Request) {
	if !p.authorized(w, r) {
		return
	}
	id, err := "", errLocator
	for _, prefix := range []string{"", "MMCS-"} {
		if r.Header.Get(prefix+"url") == "" {
			continue
		}
		if id, err = p.located(r.Header, prefix); err != nil {
			break
		}
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if _, ok := p.contents.Get(id); !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(Object{"download-url": p.URL + "/content/" + id + "?token=" + sim.Digest(20, id)})
}

var errLocator = errors.New("no such locator")

// located returns what a set of headers is about. The signature is Base64 of
// bytes: its hex, which Base64 decodes as well, is another.
func (p *Platform) located(h http.Header, prefix string) (id string, err error) {
	id, ok := strings.CutPrefix(h.Get(prefix+"url"), p.URL+"/mmcs/")
	if !ok || len(id) < 40 || h.Get(prefix+"owner") != owner(id) {
		return "", errLocator
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(h.Get(prefix + "signature"))
	if err != nil || string(raw) != string(fileSignature(id)) {
		return "", errLocator
	}
	return id, nil
}

// locator answers who takes a locator for an address.
func (*Platform) locator(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusBadRequest)
}

// content serves what is encrypted to whoever has its address, and to nobody who
// shows credentials: the host is another's.
func (p *Platform) content(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	data, ok := p.contents.Get(id)
	switch {
	case r.Header.Get("Authorization") != "" || r.Header.Get("source-id") != "":
		w.WriteHeader(http.StatusBadRequest)
	case r.URL.Query().Get("token") != sim.Digest(20, id):
		w.WriteHeader(http.StatusForbidden)
	case !ok:
		w.WriteHeader(http.StatusNotFound)
	default:
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(Crypt(contentKey(id), data))
	}
}

// text is a message from the provider.
type text struct {
	V             int
	ID            string `json:"id"`
	Type          string
	SourceID      string `json:"sourceId"`
	DestinationID string `json:"destinationId"`
	Body          string
}

// message takes a provider's message to a consumer.
func (p *Platform) message(w http.ResponseWriter, r *http.Request) {
	if !p.authorized(w, r) {
		return
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, maxPayload+1))
	var m text
	if err != nil || len(data) > maxPayload || !utf8.Valid(data) || json.Unmarshal(data, &m) != nil || !m.sound(r.Header) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if !p.present(m.DestinationID) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	p.Deliver(sim.Sent{ID: m.ID, Account: m.SourceID, Consumer: m.DestinationID, Text: m.Body})
}

// sound tells whether a message is complete and says the same as its headers.
func (m text) sound(h http.Header) bool {
	reply := h.Get("auto-reply")
	return m.V == 1 && m.Type == "text" && m.Body != "" && m.ID != "" && strings.HasPrefix(h.Get("Content-Type"), "application/json") &&
		h.Get("id") == m.ID && h.Get("source-id") == m.SourceID && h.Get("destination-id") == m.DestinationID &&
		(reply == "" || reply == "true" || reply == "false")
}

// present tells whether a consumer has written, and has not left since: a
// business cannot begin a conversation.
func (p *Platform) present(consumer string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.people[consumer]
}
