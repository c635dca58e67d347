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
)

// The shapes below are the parts that we read of WhatsApp's webhook payload.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components
// Everything else, and everything that Meta adds one day, is passed over.

type envelope struct {
	Object string            `json:"object"`
	Entry  []json.RawMessage `json:"entry"`
}

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
	Contacts meta.Optional[[]contact] `json:"contacts"`
	Messages []json.RawMessage        `json:"messages"`
	Statuses []json.RawMessage        `json:"statuses"`
	Errors   []json.RawMessage        `json:"errors"`
}

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
	Context    meta.Optional[struct {
		ID string `json:"id"`
	}] `json:"context"`
	Errors meta.Optional[[]struct {
		Code int `json:"code"`
	}] `json:"errors"`
	content content
	amends  amendment
}

// content is what may stand under the name of a message's type.
type content struct {
	Body string `json:"body"` // text
	Text string `json:"text"` // button, order

	ButtonReply words `json:"button_reply"` // interactive
	ListReply   words `json:"list_reply"`
	FlowReply   words `json:"nfm_reply"`

	// A medium. The url beside its id is not read: it dies after five minutes,
	// and our queue may be longer than that.
	ID       string `json:"id"`
	Caption  string `json:"caption"`
	MimeType string `json:"mime_type"`
	SHA256   string `json:"sha256"`
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
	found, ok := fields[m.Type]
	switch {
	case !ok:
	case m.Type == "edit", m.Type == "revoke":
		err = errors.Join(err, json.Unmarshal(found, &m.amends))
	default:
		err = errors.Join(err, json.Unmarshal(found, &m.content))
	}
	return m, err
}

// amendment is what stands under the types edit and revoke. Of an edit Meta
// documents a message without an id there; its content is read as well where it
// stands without that cover, because only coexistence numbers get edits and few
// have been seen.
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/edit
type amendment struct {
	OriginalMessageID string                `json:"original_message_id"`
	Message           meta.Optional[edited] `json:"message"`
	edited
}

// edited is a text, or a medium with a caption or without.
type edited struct {
	Text     json.RawMessage `json:"text"` // {"body": ...}, or the text itself
	Image    json.RawMessage `json:"image"`
	Video    json.RawMessage `json:"video"`
	Document json.RawMessage `json:"document"`
}

// said returns the text after an edit.
func (a amendment) said() (text string, ok bool) {
	if text, ok = a.Message.Value.said(); ok {
		return text, true
	}
	return a.edited.said()
}

// said returns the new text. Only a caption can have been taken away.
func (e edited) said() (text string, ok bool) {
	var written struct {
		Body string `json:"body"`
	}
	if json.Unmarshal(e.Text, &written.Body) != nil {
		_ = json.Unmarshal(e.Text, &written) // what cannot be read is no text
	}
	if written.Body != "" {
		return written.Body, true
	}
	for _, raw := range []json.RawMessage{e.Image, e.Video, e.Document} {
		var medium *struct {
			Caption string `json:"caption"`
		}
		if json.Unmarshal(raw, &medium) == nil && medium != nil {
			return medium.Caption, true
		}
	}
	return "", false
}

// said returns the text of a message of any type, or nothing.
func (m message) said() string {
	c := m.content
	return cmp.Or(c.Body, c.Text, c.Caption, c.ButtonReply.Title, c.ListReply.Title, c.FlowReply.Body)
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
}

// outgoing is a text that we send.
// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
type outgoing struct {
	Product       string    `json:"messaging_product"`
	RecipientType string    `json:"recipient_type"`
	To            string    `json:"to,omitempty"`        // a phone number
	Recipient     string    `json:"recipient,omitempty"` // an id scoped to the business
	Type          string    `json:"type"`
	Text          writing   `json:"text"`
	Context       *answered `json:"context,omitempty"`
	// Data comes back in the statuses of the message.
	Data string `json:"biz_opaque_callback_data,omitempty"`
}

type writing struct {
	Body       string `json:"body"`
	PreviewURL bool   `json:"preview_url"` // Meta would fetch what the text links to
}

type answered struct {
	MessageID string `json:"message_id"`
}

// newOutgoing addresses a consumer by the id that the webhook had: digits are a
// phone number, and one scoped to the business has a country before a dot.
func newOutgoing(o connectors.Outgoing) outgoing {
	out := outgoing{
		Product: "whatsapp", RecipientType: "individual", Type: "text",
		Text: writing{Body: o.Text}, Data: o.Key,
	}
	if digits.MatchString(o.Consumer) {
		out.To = o.Consumer
	} else {
		out.Recipient = o.Consumer
	}
	if o.ReplyTo != "" {
		out.Context = &answered{o.ReplyTo}
	}
	return out
}

// subscribedApp is an app that gets the webhooks of a WhatsApp Business Account,
// at an address of its own or at the account's.
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/override
type subscribedApp struct {
	App struct {
		ID string `json:"id"`
	} `json:"whatsapp_business_api_data"`
	Override string `json:"override_callback_uri"`
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
