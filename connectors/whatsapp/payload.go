package whatsapp

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
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
	Contacts json.RawMessage   `json:"contacts"`
	Messages []json.RawMessage `json:"messages"`
	Statuses []json.RawMessage `json:"statuses"`
	Errors   []json.RawMessage `json:"errors"`
}

// contact tells more about a sender. A user with a username may have no wa_id,
// which is the phone number; the user_id is scoped to the business.
type contact struct {
	WaID    string `json:"wa_id"`
	UserID  string `json:"user_id"`
	Profile struct {
		Name string `json:"name"`
	} `json:"profile"`
}

// directory finds contacts by either of their ids. They only add to messages,
// so what cannot be read of them harms none.
func directory(raw json.RawMessage) map[string]contact {
	var contacts []contact
	_ = json.Unmarshal(raw, &contacts)
	people := make(map[string]contact, 2*len(contacts))
	for _, c := range contacts {
		people[c.WaID], people[c.UserID] = c, c
	}
	delete(people, "")
	return people
}

type message struct {
	ID         string          `json:"id"`
	From       string          `json:"from"`         // phone number, or the user id
	FromUserID string          `json:"from_user_id"` // scoped to the business
	GroupID    string          `json:"group_id"`
	Timestamp  json.RawMessage `json:"timestamp"`
	Context    struct {
		ID string `json:"id"`
	} `json:"context"`
	Errors []struct {
		Code int `json:"code"`
	} `json:"errors"`
	content
	Edit struct {
		OriginalMessageID string  `json:"original_message_id"`
		Message           content `json:"message"`
	} `json:"edit"`
	Revoke struct {
		OriginalMessageID string `json:"original_message_id"`
	} `json:"revoke"`
}

// consumer returns who wrote m. The user id comes first, wherever it stands,
// because a user with a username may have no phone number to be known by: one
// who shows it only sometimes is still one consumer.
func (m message) consumer(people map[string]contact) connectors.Consumer {
	known, ok := people[m.FromUserID]
	if !ok {
		known = people[m.From]
	}
	return connectors.Consumer{ID: cmp.Or(m.FromUserID, known.UserID, m.From), Name: known.Profile.Name}
}

// content is what was said: of the fields beside Type, the one that it names.
type content struct {
	Type   string `json:"type"`
	Text   words  `json:"text"`
	Button struct {
		Text string `json:"text"`
	} `json:"button"`
	Interactive struct {
		ButtonReply words `json:"button_reply"`
		ListReply   words `json:"list_reply"`
		FlowReply   words `json:"nfm_reply"`
	} `json:"interactive"`
	Image    file `json:"image"`
	Document file `json:"document"`
	Video    file `json:"video"`
	Audio    file `json:"audio"`
	Sticker  file `json:"sticker"`
}

// words are a text: the body that somebody typed, or the title of the choice
// that somebody tapped.
type words struct {
	Body  string `json:"body"`
	Title string `json:"title"`
}

// file is one medium. The url beside its id is not read: it dies after five
// minutes, and our queue may be longer than that.
type file struct {
	ID       string `json:"id"`
	Caption  string `json:"caption"`
	MimeType string `json:"mime_type"`
	SHA256   string `json:"sha256"`
}

// said returns the text of any content, or nothing.
func (c content) said() string {
	i := c.Interactive
	return cmp.Or(c.Text.Body, c.Button.Text, i.ButtonReply.Title, i.ListReply.Title, i.FlowReply.Body, c.file().Caption)
}

// file returns the medium that c consists of, or an empty one.
func (c content) file() file { return cmp.Or(c.Image, c.Document, c.Video, c.Audio, c.Sticker) }

// maxInbound is the largest file that WhatsApp hands over.
const maxInbound = 100 * config.MB

// tooLarge tells whether m stands for a file above 100 MB, which WhatsApp has
// kept to itself.
// https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
func (m message) tooLarge() bool {
	for _, e := range m.Errors {
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
