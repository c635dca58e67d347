package messenger

import (
	"encoding/json"
	"regexp"

	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/wire"
)

// The shapes below are the parts that we read of Messenger's webhook payload.
// https://developers.facebook.com/docs/messenger-platform/reference/webhook-events
// Everything else, and everything that Meta adds one day, is passed over.

// entry is what happened on one Page. Meta says that messaging holds exactly
// one item, and sends a list.
type entry struct {
	ID        id                `json:"id"` // of the Page
	Time      json.RawMessage   `json:"time"`
	Messaging []json.RawMessage `json:"messaging"`
	Standby   []json.RawMessage `json:"standby"` // of conversations that another app holds
	Changes   []json.RawMessage `json:"changes"` // in the Page's feed
}

// head is what all items have in common, whatever stands beside it.
type head struct {
	Sender    wire.Optional[party] `json:"sender"`
	Recipient wire.Optional[party] `json:"recipient"`
	Timestamp json.RawMessage      `json:"timestamp"`
}

// party is a Page or a person. A person who came by a plugin may have a
// user_ref instead of an id.
type party struct {
	ID id `json:"id"`
}

// id is decimal digits in a string. Written as a number it is taken digit by
// digit, because it may be beyond what a float64 holds. One of any other shape
// counts as absent.
type id string

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (i *id) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) != nil && meta.Digits.Match(raw) {
		text = string(raw)
	}
	*i = id(text)
	return nil
}

type message struct {
	MID       string              `json:"mid"`
	Text      string              `json:"text"`
	IsEcho    wire.Optional[bool] `json:"is_echo"`
	IsDeleted wire.Optional[bool] `json:"is_deleted"`
	ReplyTo   wire.Optional[struct {
		MID string `json:"mid"`
	}] `json:"reply_to"`
	StickerID   present         `json:"sticker_id"` // of a thumb, in old payloads
	Attachments json.RawMessage `json:"attachments"`
}

type attachment struct {
	Type string `json:"type"`
	// Payload may be missing, and hold anything for a type that we pass over.
	Payload wire.Optional[struct {
		URL       string  `json:"url"`
		StickerID present `json:"sticker_id"`
	}] `json:"payload"`
}

// present tells that a value is there, whatever it is.
type present bool

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (p *present) UnmarshalJSON(raw []byte) error {
	*p = string(raw) != "null"
	return nil
}

type postback struct {
	MID   string `json:"mid"` // missing before version 11
	Title string `json:"title"`
}

type edit struct {
	MID  string `json:"mid"`
	Text string `json:"text"`
	// NumEdit is an integer by the documentation's words and a string by its
	// example.
	NumEdit id `json:"num_edit"`
}

type delivery struct {
	MIDs wire.Optional[[]json.RawMessage] `json:"mids"` // may be missing
}

// reference is where a photo is: the address in the webhook, and what Graph has
// to be asked for another one once that is over.
type reference struct {
	URL string `json:"url"`
	MID string `json:"mid,omitempty"`
	// Index counts the photos of the message from 0, and Total is how many
	// there are.
	Index int `json:"index"`
	Total int `json:"total"`
}

// String returns the text of a Photo's Ref.
func (r reference) String() string {
	text, _ := json.Marshal(r) // strings and numbers only, so it cannot fail
	return string(text)
}

// messageID is the form of a mid that may become part of an address. Those seen
// are like mid.$cAAJ..., mid.145...:41d... and m_...; what must not be is a slash
// or a dot at the beginning.
var messageID = regexp.MustCompile(`^[0-9A-Za-z_-][0-9A-Za-z_.:$=+-]{0,255}$`)

// stored is Graph's answer about the attachments of a message.
// https://developers.facebook.com/docs/graph-api/reference/message/attachments
type stored struct {
	Attachments wire.Optional[struct {
		Data []struct {
			ImageData struct {
				URL             string `json:"url"`
				RenderAsSticker bool   `json:"render_as_sticker"`
			} `json:"image_data"`
		} `json:"data"`
	}] `json:"attachments"`
}

// address returns the address of a photo, or none. Where Graph has another
// number of photos than the webhook had, nobody knows which is which.
func (s stored) address(r reference) string {
	var list []string
	for _, a := range s.Attachments.Value.Data {
		if a.ImageData.URL != "" && !a.ImageData.RenderAsSticker {
			list = append(list, a.ImageData.URL)
		}
	}
	if len(list) != r.Total || r.Index < 0 || r.Index >= r.Total {
		return ""
	}
	return list[r.Index]
}

// outgoing is a text that answers a consumer.
// https://developers.facebook.com/docs/messenger-platform/reference/send-api
type outgoing struct {
	Recipient     recipient `json:"recipient"`
	MessagingType string    `json:"messaging_type"`
	Message       words     `json:"message"`
}

type recipient struct {
	ID string `json:"id"`
}

type words struct {
	Text string `json:"text"`
}
