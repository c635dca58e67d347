package whatsapp

import (
	"cmp"
	"encoding/json"
	"regexp"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/wire"
)

func parseEntry(raw json.RawMessage) []connectors.Event {
	var e entry
	if err := json.Unmarshal(raw, &e); err != nil || e.Changes == nil {
		return []connectors.Event{wire.NewEvent("", raw).As(connectors.Broken, "entry does not parse")}
	}
	var events []connectors.Event
	for _, change := range e.Changes {
		events = append(events, parseChange(change)...)
	}
	return events
}

// parseChange translates what one number has to tell. A field that we pass over
// may have a value of any shape; of one that we read, the readable part counts.
// Without the name of its field, a change is what its value holds.
func parseChange(raw json.RawMessage) []connectors.Event {
	var c change
	err := json.Unmarshal(raw, &c)
	account := c.Value.Metadata.PhoneNumberID
	if c.Field != "messages" && c.Field != "" {
		return []connectors.Event{wire.NewEvent(account, raw).As(connectors.Ignored, wire.Label(c.Field, "unknown_field",
			"smb_message_echoes", "smb_app_state_sync", "history", "calls", "account_update",
			"message_template_status_update", "phone_number_quality_update", "user_preferences"))}
	}
	var events []connectors.Event
	if err != nil || c.Field == "" && c.Value.empty() {
		events = append(events, wire.NewEvent(account, raw).As(connectors.Broken, "change does not parse"))
	}
	people := directory(c.Value.Contacts.Value)
	for _, raw := range c.Value.Messages {
		events = append(events, parseMessage(account, people, raw))
	}
	for _, raw := range c.Value.Statuses {
		events = append(events, parseStatus(account, raw))
	}
	for _, raw := range c.Value.Errors {
		events = append(events, wire.NewEvent(account, raw).As(connectors.Ignored, "account_error"))
	}
	if len(events) == 0 {
		events = append(events, wire.NewEvent(account, raw).As(connectors.Ignored, "empty_change"))
	}
	return events
}

// parseMessage translates one message. What can be read of it is read even if
// the rest has another shape, so that a type that we pass over may have any.
func parseMessage(account string, people map[string]contact, raw json.RawMessage) connectors.Event {
	out := wire.NewEvent(account, raw)
	m, err := readMessage(raw)
	out.ID, out.MessageID, out.ReplyTo = cmp.Or(m.ID, out.ID), m.ID, m.Context.Value.ID
	out.SentAt, out.Consumer = meta.Time(m.Timestamp), m.consumer(people)
	if m.Type == "" {
		return out.As(connectors.Broken, "message has no readable type")
	}
	// What somebody says beside a sound or a sticker is a text like any other.
	if reason := messageReason(m.Type); reason != "" && !m.tooLarge() && m.content.Caption.Value == "" {
		return out.As(connectors.Ignored, reason)
	}
	if err != nil {
		return out.As(connectors.Broken, "message does not parse")
	}
	// A group is several consumers, and a message in it may name none.
	if m.GroupID != nil && m.GroupID != "" {
		return out.As(connectors.Ignored, "group")
	}
	if out.Consumer.ID == "" {
		return out.As(connectors.Ignored, "no_consumer")
	}
	return parseContent(out, m)
}

// messageReason is the metric's label for a message type that we pass over, or
// empty for one that may hold a text or a photo.
func messageReason(kind string) string {
	switch kind {
	case "text", "button", "interactive", "order", "image", "document", "video", "edit", "revoke":
		return ""
	case "audio", "voice", "sticker", "location", "contacts", "reaction", "system", "unsupported", "request_welcome":
		return kind
	default:
		return "unknown_message_type"
	}
}

func parseContent(out connectors.Event, m message) connectors.Event {
	out.Kind, out.Text = connectors.Message, m.content.said()
	switch {
	case m.tooLarge():
		// There is nothing to fetch, and nobody knows whether it was a photo.
		// The claim alone has it rejected as too large, so the sender hears of
		// it like anybody whose photo is.
		out.Photos = []connectors.Photo{{
			Account: out.Account, ClaimedType: m.content.MimeType.Value, ClaimedBytes: int64(maxInbound) + 1,
		}}
	case m.Type == "edit", m.Type == "revoke":
		return parseAmendment(out, m)
	case m.Type == "image", m.Type == "document":
		// Originals and HEIC come as documents; only content tells a photo.
		return parsePhoto(out, m.content)
	case out.Text != "":
	case m.Type == "text", m.Type == "button":
		return out.As(connectors.Broken, m.Type+" message has no text")
	default:
		return out.As(connectors.Ignored, m.Type) // no photo, and nothing said
	}
	return out
}

// parseAmendment translates what became of an earlier message.
func parseAmendment(out connectors.Event, m message) connectors.Event {
	if m.content.OriginalMessageID == "" {
		return out.As(connectors.Broken, m.Type+" names no message")
	}
	if m.ID == m.content.OriginalMessageID {
		// Under the same ID it would pass for a redelivery of what it changes.
		out.ID = connectors.DigestID(out.Raw)
	}
	if m.Type == "revoke" {
		out.Kind, out.MessageID = connectors.Unsend, m.content.OriginalMessageID
		return out
	}
	text, ok := edited(m.raw)
	if !ok {
		return out.As(connectors.Broken, "edit has no text")
	}
	out.Kind, out.MessageID, out.Text = connectors.Edit, m.content.OriginalMessageID, text
	return out
}

// A reference is the medium's id, and never the address beside it in the
// webhook: that dies after five minutes.
const mediaPrefix = "media:"

// life is how long Meta keeps a medium of a webhook.
// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media
const life = 7 * 24 * time.Hour

// mediaID is the form of a medium's id. Those seen are digits; what must not
// be is a dot or a slash, since the id becomes part of an address.
var mediaID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`)

// parsePhoto adds a photo. One without a readable id is refused where it is
// fetched, so that the text beside it arrives, and that there was one.
func parsePhoto(out connectors.Event, c content) connectors.Event {
	id := string(c.ID)
	if !mediaID.MatchString(id) {
		id = ""
	}
	if id == "" && out.Text == "" {
		return out.As(connectors.Broken, "photo has no readable media id")
	}
	out.Photos = []connectors.Photo{{
		Account:       out.Account,
		Ref:           mediaPrefix + id,
		ClaimedType:   c.MimeType.Value,
		ClaimedSHA256: digest(c.SHA256.Value),
		Until:         connectors.Later(out.SentAt, life),
	}}
	return out
}

// parseStatus translates what became of a message that we sent. It has no ID
// of its own, and one message goes through several statuses.
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status
func parseStatus(account string, raw json.RawMessage) connectors.Event {
	out := wire.NewEvent(account, raw)
	var s status
	_ = json.Unmarshal(raw, &s) // what can be read counts
	if s.ID == "" || s.Status == "" {
		return out.As(connectors.Ignored, "unreadable_status")
	}
	out.ID, out.MessageID = s.ID+":"+s.Status, s.ID
	out.SentAt = meta.Time(s.Timestamp)
	if s.RecipientType == "group" {
		return out.As(connectors.Ignored, "group") // several consumers, and we send to none
	}
	out.Consumer.ID = cmp.Or(s.RecipientUserID, s.RecipientID)
	switch s.Status {
	case "sent", "delivered", "read", "failed":
		return out.As(connectors.Receipt, s.Status)
	case "played": // of a voice message, and so heard
		return out.As(connectors.Receipt, "read")
	}
	return out.As(connectors.Ignored, "unknown_status")
}
