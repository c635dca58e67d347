package whatsapp

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/wire"
)

// The shapes below are the parts that we read of WhatsApp's webhook payload.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components
// Everything else, and everything that Meta adds one day, is passed over.

// entry is what happened in one WhatsApp Business Account. Its id is not our
// account: that is the number, which each change names.
type entry struct {
	Changes []json.RawMessage `json:"changes"`
}

type change struct {
	Field string `json:"field"`
	Value value  `json:"value"`
}

type value struct {
	Metadata struct {
		PhoneNumberID string `json:"phone_number_id"`
	} `json:"metadata"`
	Contacts wire.Optional[[]contact] `json:"contacts"`
	Messages []json.RawMessage        `json:"messages"`
	Statuses []json.RawMessage        `json:"statuses"`
	Errors   []json.RawMessage        `json:"errors"`
}

// empty tells whether v holds nothing that we read.
func (v value) empty() bool { return len(v.Messages)+len(v.Statuses)+len(v.Errors) == 0 }

// contact tells more about a sender. A user with a username may have no wa_id,
// which is the phone number; the user_id is scoped to the business.
type contact struct {
	WaID    string `json:"wa_id"`
	UserID  string `json:"user_id"`
	Profile struct {
		Name     string `json:"name"`
		Username string `json:"username"`
	} `json:"profile"`
}

// directory finds contacts by either of their ids.
func directory(contacts []contact) map[string]contact {
	people := make(map[string]contact, 2*len(contacts))
	for _, c := range contacts {
		people[c.WaID], people[c.UserID] = c, c
	}
	delete(people, "")
	return people
}

// message is one of any type. Its content stands under the type's name.
type message struct {
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	From       string          `json:"from"`         // phone number, or the user id
	FromUserID string          `json:"from_user_id"` // scoped to the business
	GroupID    any             `json:"group_id"`     // of any shape
	Timestamp  json.RawMessage `json:"timestamp"`
	Context    wire.Optional[struct {
		ID string `json:"id"`
	}] `json:"context"`
	Errors wire.Optional[[]struct {
		Code int `json:"code"`
	}] `json:"errors"`
	content content
	raw     json.RawMessage // what content was read from
}

// content is what may stand under the name of a message's type.
type content struct {
	Body string                `json:"body"` // text
	Text wire.Optional[string] `json:"text"` // button, order

	ButtonReply words `json:"button_reply"` // interactive
	ListReply   words `json:"list_reply"`
	FlowReply   words `json:"nfm_reply"`

	// A medium. The url beside its id is not read: it dies after five minutes,
	// and our queue may be longer than that.
	ID       wire.Word             `json:"id"`
	Caption  wire.Optional[string] `json:"caption"`
	MimeType wire.Optional[string] `json:"mime_type"`
	SHA256   wire.Optional[string] `json:"sha256"`

	OriginalMessageID string `json:"original_message_id"` // edit, revoke
}

// words are the title of the choice that somebody tapped, or what WhatsApp says
// of a form that somebody filled in.
type words struct {
	Body  string `json:"body"`
	Title string `json:"title"`
}

// readMessage reads as much of a message as it can; the error says that there
// was more.
func readMessage(raw json.RawMessage) (message, error) {
	var m message
	var fields map[string]json.RawMessage
	err := errors.Join(json.Unmarshal(raw, &m), json.Unmarshal(raw, &fields))
	if found, ok := fields[m.Type]; ok {
		m.raw, err = found, errors.Join(err, json.Unmarshal(found, &m.content))
	}
	return m, err
}

// edited returns the text after an edit, of which only a caption can have been
// taken away. Meta documents a message without an id under "message". Its
// content counts without that cover too, because only coexistence numbers get
// edits and few have been seen.
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/edit
func edited(raw json.RawMessage) (text string, ok bool) {
	var bare, covered map[string]json.RawMessage
	_ = json.Unmarshal(raw, &bare) // what cannot be read is not there
	_ = json.Unmarshal(bare["message"], &covered)
	for _, parts := range []map[string]json.RawMessage{covered, bare} {
		if json.Unmarshal(parts["text"], &text) == nil && text != "" {
			return text, true
		}
		for _, kind := range []string{"text", "image", "video", "document"} {
			var c *struct{ Body, Caption string }
			if json.Unmarshal(parts[kind], &c) == nil && c != nil && (kind != "text" || c.Body != "") {
				return cmp.Or(c.Body, c.Caption), true
			}
		}
	}
	return "", false
}

// said returns the text in a content of any type, or nothing.
func (c content) said() string {
	return cmp.Or(c.Body, c.Text.Value, c.Caption.Value, c.ButtonReply.Title, c.ListReply.Title, c.FlowReply.Body)
}

// consumer returns who wrote m. The user id comes first, wherever it stands,
// because a user with a username may have no phone number to be known by: one
// who shows it only sometimes is still one consumer.
func (m message) consumer(people map[string]contact) connectors.Consumer {
	known, ok := people[m.FromUserID]
	if !ok {
		known = people[m.From]
	}
	return connectors.Consumer{
		ID:   cmp.Or(m.FromUserID, known.UserID, m.From),
		Name: cmp.Or(known.Profile.Name, known.Profile.Username),
	}
}

// maxInbound is the largest file that WhatsApp hands over.
const maxInbound = 100 * config.MB

// tooLarge tells whether m stands for a file above 100 MB, which WhatsApp has
// kept to itself.
// https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
func (m message) tooLarge() bool {
	for _, e := range m.Errors.Value {
		if e.Code == 131052 {
			return true
		}
	}
	return false
}

type status struct {
	ID              string          `json:"id"` // of a message that we sent
	Status          string          `json:"status"`
	Timestamp       json.RawMessage `json:"timestamp"`
	RecipientID     string          `json:"recipient_id"`
	RecipientUserID string          `json:"recipient_user_id"`
	RecipientType   any             `json:"recipient_type"` // of any shape; "group" or none
}

// outgoing is a text that we send, addressed by the id that the webhook had:
// digits are a phone number, and an id scoped to the business is not. The key
// comes back in the message's statuses.
// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
func outgoing(o connectors.Outgoing) map[string]any {
	body := map[string]any{
		"messaging_product": "whatsapp", "recipient_type": "individual", "biz_opaque_callback_data": o.Key,
		"type": "text", "text": map[string]any{"body": o.Text, "preview_url": false},
	}
	if meta.Digits.MatchString(o.Consumer) {
		body["to"] = o.Consumer
	} else {
		body["recipient"] = o.Consumer
	}
	if o.ReplyTo != "" {
		body["context"] = map[string]any{"message_id": o.ReplyTo}
	}
	return body
}

// media is Graph's answer about a medium. Its file_size comes as a number or
// as a string, and is not needed: what is read is counted.
type media struct {
	URL string `json:"url"`
}

// digest returns a SHA-256 in lower-case hex. WhatsApp sends it as Base64, in
// older samples as hex; the length tells which. One that is neither is no
// claim at all.
func digest(claimed string) string {
	decode := base64.RawStdEncoding.Strict().DecodeString
	if len(claimed) == hex.EncodedLen(sha256.Size) {
		decode = hex.DecodeString
	}
	sum, err := decode(strings.TrimSuffix(claimed, "="))
	if err != nil || len(sum) != sha256.Size {
		return ""
	}
	return hex.EncodeToString(sum)
}
