package line

import (
	"encoding/json"
	"regexp"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// parseEvent translates one event. Where not all of it can be read, its type and
// ID are read on their own, so that a type that we pass over may have any shape,
// and a broken event that is delivered again is known again: its bytes then
// differ in a flag.
func parseEvent(destination string, raw json.RawMessage) connectors.Event {
	out := wire.NewEvent(destination, raw)
	var e event
	var unreadable error
	broken := json.Unmarshal(raw, &e)
	if broken != nil {
		e.head = head{}
		// A wrong type of one field leaves the other readable.
		unreadable = json.Unmarshal(raw, &e.head)
	}
	if e.WebhookEventID != "" {
		out.ID = e.WebhookEventID
	}
	if unreadable != nil && e.Type == "" {
		return out.As(connectors.Broken, "event has no readable type")
	}
	if e.Type != "message" && e.Type != edited && e.Type != "unsend" {
		return out.As(connectors.Ignored, wire.Label(e.Type, "unknown_event_type", "follow", "unfollow", "join", "leave",
			"memberJoined", "memberLeft", "postback", "videoPlayComplete", "beacon", "accountLink", "membership", "module",
			"activated", "deactivated", "botSuspended", "botResumed", "delivery"))
	}
	if broken != nil {
		return out.As(connectors.Broken, e.Type+" event does not parse")
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
	default:
		return out.As(connectors.Ignored, wire.Label(m.Type, "unknown_message_type", "video", "audio", "location"))
	}
	if s := m.ImageSet.Value; s.ID != "" {
		out.Album = &connectors.Album{ID: s.ID, Index: max(s.Index, 0), Total: max(s.Total, 0)}
	}
	return out
}

// A reference is the message's id, or the address of an external original.
const (
	messagePrefix  = "message:"
	externalPrefix = "external:"
	// maxURL is how long an image's address may be.
	// https://developers.line.biz/en/reference/messaging-api/#image-message
	maxURL = 2000
)

// contentID is the form of an id that may become part of an address. LINE's
// are decimal digits; it does not promise that.
var contentID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

func idRef(messageID string) string { return messagePrefix + messageID }

func imageRef(m message) (string, bool) {
	if m.ContentProvider.Value.Type != "external" {
		return idRef(m.ID), true
	}
	address := m.ContentProvider.Value.OriginalContentURL
	return externalPrefix + address, address != "" && len(address) <= maxURL
}
