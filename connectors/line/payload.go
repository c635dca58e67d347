package line

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// The shapes below are the parts that we read of LINE's webhook payload.
// https://github.com/line/line-openapi/blob/main/webhook.yml
// Everything else, and everything that LINE adds one day, is passed over.

type envelope struct {
	// Destination is the user id of the bot, our account.
	Destination string            `json:"destination"`
	Events      []json.RawMessage `json:"events"`
}

type event struct {
	Type            string                         `json:"type"`
	Mode            wire.Optional[string]          `json:"mode"` // active or standby
	WebhookEventID  string                         `json:"webhookEventId"`
	Timestamp       wire.Optional[int64]           `json:"timestamp"` // ms, of the event even when redelivered
	DeliveryContext wire.Optional[deliveryContext] `json:"deliveryContext"`
	Source          source                         `json:"source"`
	ReplyToken      wire.Optional[string]          `json:"replyToken"`
	Message         message                        `json:"message"`
	Unsend          struct {
		MessageID string `json:"messageId"`
	} `json:"unsend"`
}

type deliveryContext struct {
	IsRedelivery bool `json:"isRedelivery"`
}

type source struct {
	Type   string `json:"type"`   // user, group or room
	UserID string `json:"userId"` // may be absent, even for a message
}

type message struct {
	Type            string                         `json:"type"`
	ID              string                         `json:"id"`
	Text            string                         `json:"text"`
	FileSize        wire.Optional[int64]           `json:"fileSize"`
	QuotedMessageID wire.Optional[string]          `json:"quotedMessageId"`
	ContentProvider wire.Optional[contentProvider] `json:"contentProvider"`
	ImageSet        wire.Optional[imageSet]        `json:"imageSet"`
}

// contentProvider says who holds the bytes: LINE, or any host on the internet.
type contentProvider struct {
	Type               string `json:"type"` // line or external
	OriginalContentURL string `json:"originalContentUrl"`
}

// imageSet groups photos that were sent together. LINE for Android 11.15 and
// older leaves index and total out.
type imageSet struct {
	ID    string `json:"id"`
	Index int    `json:"index"`
	Total int    `json:"total"`
}

// replyToken returns the token that answers e, if it is any good. One on an
// event that comes again has most likely expired.
func (e event) replyToken() string {
	if e.DeliveryContext.Value.IsRedelivery || e.standby() {
		return ""
	}
	return e.ReplyToken.Value
}

// standby tells that another module holds the conversation now, and answers.
// https://developers.line.biz/en/docs/partner-docs/module-technical-chat-control/
func (e event) standby() bool { return e.Mode.Value == "standby" }

// parseEvent translates one event. Its type and ID are read on their own first,
// so that a type that we pass over may have any shape, and a broken event that
// is delivered again is known again: its bytes then differ in a flag.
func parseEvent(destination string, raw json.RawMessage) connectors.Event {
	out := connectors.Event{Account: destination, ID: connectors.DigestID(raw), Raw: raw}
	var head struct {
		Type           string `json:"type"`
		WebhookEventID string `json:"webhookEventId"`
	}
	// A wrong type of one field leaves the other readable.
	err := json.Unmarshal(raw, &head)
	if head.WebhookEventID != "" {
		out.ID = head.WebhookEventID
	}
	if err != nil && head.Type == "" {
		return out.As(connectors.Broken, "event has no readable type")
	}
	if head.Type != "message" && head.Type != edited && head.Type != "unsend" {
		return out.As(connectors.Ignored, eventReason(head.Type))
	}
	var e event
	if err := json.Unmarshal(raw, &e); err != nil {
		return out.As(connectors.Broken, head.Type+" event does not parse")
	}
	return parseKnown(out, e)
}

// parseKnown translates an event of a type that we forward.
func parseKnown(out connectors.Event, e event) connectors.Event {
	if e.WebhookEventID == "" && e.Message.ID != "" && e.Type == "message" {
		out.ID = e.Message.ID
	}
	out.SentAt = connectors.UnixMillis(e.Timestamp.Value)
	out.Consumer.ID = e.Source.UserID
	// A group is several consumers, and a message in it may name none.
	if e.Source.Type == "group" || e.Source.Type == "room" {
		return out.As(connectors.Ignored, "group")
	}
	if e.Source.Type != "user" || e.Source.UserID == "" {
		return out.As(connectors.Ignored, "no_consumer")
	}
	switch e.Type {
	case "unsend":
		return parseUnsend(out, e)
	case edited:
		return parseEdit(out, e.Message)
	}
	out.ReplyToken, out.NoReply = e.replyToken(), e.standby()
	return parseMessage(out, e.Message)
}

// eventReason is the metric's label for an event type that we pass over. Types
// that LINE may add one day share a label, so that no stranger can make new ones.
func eventReason(kind string) string {
	switch kind {
	case "follow", "unfollow", "join", "leave", "memberJoined", "memberLeft", "postback",
		"videoPlayComplete", "beacon", "accountLink", "membership", "module", "activated",
		"deactivated", "botSuspended", "botResumed", "delivery":
		return kind
	default:
		return "unknown_event_type"
	}
}

func parseUnsend(out connectors.Event, e event) connectors.Event {
	if e.Unsend.MessageID == "" {
		return out.As(connectors.Broken, "unsend event names no message")
	}
	out.Kind, out.MessageID = connectors.Unsend, e.Unsend.MessageID
	return out
}

// edited is the type of an event that tells a new text of an old message. In a
// chat with the bot alone LINE lets nobody edit so far, only in a group.
// https://developers.line.biz/en/reference/messaging-api/#edit-event
const edited = "messageEdited"

func parseEdit(out connectors.Event, m message) connectors.Event {
	switch {
	case m.ID == "":
		return out.As(connectors.Broken, "edit names no message")
	case m.Type != "text":
		return out.As(connectors.Ignored, "unknown_message_type")
	}
	out.Kind, out.MessageID, out.Text = connectors.Edit, m.ID, m.Text
	return out
}

func parseMessage(out connectors.Event, m message) connectors.Event {
	if m.ID == "" {
		return out.As(connectors.Broken, "message event has no message id")
	}
	out.Kind, out.MessageID, out.ReplyTo = connectors.Message, m.ID, m.QuotedMessageID.Value
	switch m.Type {
	case "text":
		out.Text = m.Text
	case "image":
		ref, ok := imageRef(m)
		if !ok {
			return out.As(connectors.Broken, "image has no usable address")
		}
		out.Photos = []connectors.Photo{{Account: out.Account, Ref: ref}}
	case "file":
		// Originals and HEIC come as files; only content tells a photo.
		out.Photos = []connectors.Photo{{Account: out.Account, Ref: idRef(m.ID), ClaimedBytes: m.FileSize.Value}}
	case "sticker":
		// On some stickers the consumer has written something, which is a text.
		// https://developers.line.biz/en/reference/messaging-api/#wh-sticker
		if out.Text = m.Text; m.Text == "" {
			return out.As(connectors.Ignored, m.Type)
		}
	case "video", "audio", "location":
		return out.As(connectors.Ignored, m.Type)
	default:
		return out.As(connectors.Ignored, "unknown_message_type")
	}
	if s := m.ImageSet.Value; s.ID != "" {
		out.Album = &connectors.Album{ID: s.ID, Index: max(s.Index, 0), Total: max(s.Total, 0)}
	}
	return out
}

// The shapes of what we send.
// https://github.com/line/line-openapi/blob/main/messaging-api.yml

type replyMessage struct {
	ReplyToken string        `json:"replyToken"`
	Messages   []textMessage `json:"messages"`
}

type pushMessage struct {
	To       string        `json:"to"`
	Messages []textMessage `json:"messages"`
}

type textMessage struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// webhook is what LINE has on record about where events go.
type webhook struct {
	Endpoint string `json:"endpoint"`
	Active   bool   `json:"active,omitempty"` // only LINE's console sets it
}

// webhookTest is what became of LINE's own call to the webhook.
type webhookTest struct {
	Success    bool   `json:"success"`
	StatusCode int    `json:"statusCode"` // 0 or negative if no answer came
	Reason     string `json:"reason"`
}

// reason returns LINE's word for it where it is one of those documented,
// because it goes into a log.
func (t webhookTest) reason() string {
	switch t.Reason {
	case "COULD_NOT_CONNECT", "ERROR_STATUS_CODE", "REQUEST_TIMEOUT", "UNCLASSIFIED":
		return t.Reason
	default:
		return "no reason given"
	}
}

// sentID returns the id of the message that was sent, or nothing if it cannot
// be read, which changes nothing about its having been sent.
func sentID(body []byte) string {
	var answer struct {
		SentMessages []struct {
			ID string `json:"id"`
		} `json:"sentMessages"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.SentMessages) == 0 {
		return ""
	}
	return answer.SentMessages[0].ID
}

// errorMessage returns LINE's own words about a failed call, in lower case. They
// decide where LINE has no codes, and are never shown.
// https://developers.line.biz/en/reference/messaging-api/#error-responses
func errorMessage(f *wire.StatusFailure) string {
	var answer struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(f.Body, &answer)
	return strings.ToLower(answer.Message)
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// requestID returns what LINE's support asks for, if it has LINE's form.
// https://developers.line.biz/en/reference/messaging-api/#response-headers
func requestID(f *wire.StatusFailure) string {
	if f == nil || !uuid.MatchString(f.Header.Get("X-Line-Request-Id")) {
		return ""
	}
	return f.Header.Get("X-Line-Request-Id")
}

// isInvalidToken tells that LINE refused a reply token, which has expired or
// has been used.
func isInvalidToken(err error) bool {
	_, f := wire.Failure(err)
	return f != nil && f.Status == http.StatusBadRequest && strings.Contains(errorMessage(f), "invalid reply token")
}
