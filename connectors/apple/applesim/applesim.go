// Package applesim is Apple's side of the conversation: it signs, compresses and
// encrypts as Apple Messages for Business does, and answers as its gateway does.
// It is written from Apple's documentation and samples, with code of its own for
// tokens and counter mode, and its tokens are checked against golang-jwt.
package applesim

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/apple"
	"github.com/lightlock/lightlock/connectors/sim"
)

// Platform is an Apple with one messaging service provider on it, which speaks
// for one business.
type Platform struct {
	*sim.Server
	// MSPID and Secret are the provider; the secret is in Base64, as Apple
	// Business Register shows it. BusinessID is the business.
	MSPID, Secret, BusinessID string
	// Plain leaves the webhooks uncompressed.
	Plain bool
	// OldNames writes attachments with the keys of Apple's older samples.
	OldNames bool

	contents sim.Shelf // by the last part of the locator; encrypted when it is fetched

	mu     sync.Mutex
	people map[string]bool // who has written; false once they have left
}

// Start starts an Apple on a loopback port.
func Start() (*Platform, error) {
	p := &Platform{
		MSPID: "msp-" + sim.Secret(), Secret: base64.StdEncoding.EncodeToString([]byte(sim.Secret())),
		BusinessID: UUID("business", sim.Secret()), people: map[string]bool{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/message", p.message)
	mux.HandleFunc("GET /v1/preDownload", p.preDownload)
	mux.HandleFunc("GET /mmcs/{id}", p.locator)
	mux.HandleFunc("GET /content/{id}", p.content)
	var err error
	p.Server, err = sim.Serve(mux)
	return p, err
}

// Settings implements sim.Platform.
func (p *Platform) Settings(name, queue string) config.Settings {
	return &apple.Config{
		Connector: config.Connector{
			Channel: "apple", Name: name, APIBase: p.URL + "/v1", AllowPrivateAddresses: true,
		},
		MSPID:      p.MSPID,
		Secret:     config.Secrets{config.NewSecret(p.Secret)},
		MediaHosts: []string{strings.TrimPrefix(p.URL, "http://")},
		Accounts:   []apple.Account{{Account: config.Account{ID: p.BusinessID, Queue: queue}}},
	}
}

// Adopt implements sim.Platform.
func (p *Platform) Adopt(s config.Settings) error {
	c := s.(*apple.Config)
	p.MSPID, p.Secret, p.BusinessID = c.MSPID, c.Secret[0].Reveal(), c.Accounts[0].ID
	return p.Move(c.APIBase)
}

// Webhook implements sim.Platform: a call for each message, with its text and
// all its photos.
func (p *Platform) Webhook(url string, said ...sim.Said) ([]*connectors.Request, error) {
	var calls []*connectors.Request
	for _, s := range said {
		r, err := p.Call(url, p.Message(s))
		if err != nil {
			return nil, err
		}
		calls = append(calls, r)
	}
	return calls, nil
}

// Object is a JSON object.
type Object = map[string]any

// placeholder stands in a text where an attachment is.
const placeholder = "\uFFFC"

// Message returns the message that Apple makes of what was said. Tests change
// what they like in it.
func (p *Platform) Message(s sim.Said) Object {
	m := p.Event(s, "text")
	m["body"] = strings.Repeat(placeholder, len(s.Photos)) + s.Text
	var attachments []any
	for i, photo := range s.Photos {
		attachments = append(attachments, p.Attach(s.ID+" "+strconv.Itoa(i), photo))
	}
	if attachments != nil {
		m["attachments"] = attachments
	}
	return m
}

// Event returns a message of a type that has no text: typing_start, typing_end
// or close. Its group and intent are those of the link by which the consumer
// found the business.
func (p *Platform) Event(s sim.Said, kind string) Object {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.people[UserID(s.Consumer)] = kind != "close"
	return Object{
		"v": 1, "id": UUID(s.ID, kind), "type": kind, "locale": "en_US",
		"sourceId": UserID(s.Consumer), "destinationId": p.BusinessID,
		"group": "support", "intent": "warranty",
	}
}

// Leave implements sim.Leaver.
func (p *Platform) Leave(url string, s sim.Said) (*connectors.Request, error) {
	return p.Call(url, p.Event(s, "close"))
}

// Attach keeps an original for the consumer's provider, and returns the
// dictionary by which it is found and with which it is decrypted.
func (p *Platform) Attach(name string, original []byte) Object {
	id := sim.Digest(40, name, p.BusinessID)
	p.contents.Put(id, original)
	o := Object{
		"name": "IMG_" + id[:4] + ".jpeg", "mimeType": "image/jpeg", "size": strconv.Itoa(len(original)),
		"key": "00" + hex.EncodeToString(contentKey(id)), "url": p.URL + "/mmcs/" + id,
		"owner": owner(id), "signature": hex.EncodeToString(fileSignature(id)),
	}
	if !p.OldNames {
		return o
	}
	return Object{
		"name": o["name"], "mime-type": "image/jpg", "file-size": o["size"], "decryption-key": o["key"],
		"mmcs-url": o["url"], "mmcs-owner": o["owner"], "mmcs-signature-hex": strings.ToUpper(hex.EncodeToString(fileSignature(id))),
	}
}

// contentKey encrypts the content behind a locator.
func contentKey(id string) []byte {
	key := sha256.Sum256([]byte("key " + id))
	return key[:]
}

// owner is the opaque owner of a locator.
func owner(id string) string { return "M" + id[:12] + ".example~1" }

// fileSignature is the opaque signature of a locator: 0x81 and 20 bytes.
func fileSignature(id string) []byte {
	sum := sha256.Sum256([]byte("signature " + id))
	return append([]byte{0x81}, sum[:20]...)
}

// Call returns the call that delivers message m, signed now.
func (p *Platform) Call(url string, m Object) (*connectors.Request, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	text := func(name string) string { s, _ := m[name].(string); return s }
	r := p.Sign(url, body)
	r.Header.Set("id", text("id"))
	r.Header.Set("source-id", text("sourceId"))
	r.Header.Set("destination-id", text("destinationId"))
	return r, nil
}

// Sign makes the call that Apple would make with this body, but for the headers
// with its ids. Apple adds /message to the registered address.
func (p *Platform) Sign(url string, body []byte) *connectors.Request {
	header := http.Header{}
	header.Set("Authorization", "Bearer "+p.Token(Object{"aud": p.MSPID, "iat": time.Now().Unix()}))
	header.Set("Content-Type", "application/json")
	header.Set("capability-list", "AUTH,LIST,TIME,QUICK,AUTH2,FORM")
	header.Set("device-agent", "iPhone OS")
	if !p.Plain {
		header.Set("Content-Encoding", "gzip")
		body = Gzip(body)
	}
	return &connectors.Request{Method: http.MethodPost, URL: url + "/message", Header: header, Body: body}
}

// Gzip compresses a body.
func Gzip(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body) // into memory
	_ = w.Close()
	return b.Bytes()
}

// UUID returns a UUID that is always the same for the same words.
func UUID(words ...string) string {
	d := []byte(sim.Digest(32, words...))
	d[12], d[16] = '4', '8' // random, as RFC 9562 has it
	return string(d[:8]) + "-" + string(d[8:12]) + "-" + string(d[12:16]) + "-" + string(d[16:20]) + "-" + string(d[20:])
}

// UserID is Apple's id of a consumer: opaque, long, and full of what is no part
// of a path.
func UserID(consumer string) string {
	return "urn:mbid:AQAAY" + base64.StdEncoding.EncodeToString([]byte(sim.Digest(64, "user", consumer))) + "/+x2="
}
