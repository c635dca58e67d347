package viber

import "github.com/lightlock/lightlock/connectors"

// parseEvent translates e, of which err says that not all could be read. The
// token alone is no ID: what became of a message is told with the message's
// own, and once for each device.
func parseEvent(out connectors.Event, e event, err error) connectors.Event {
	if e.Event == "" {
		return out.As(connectors.Broken, "event has no readable name")
	}
	if e.Token != "" {
		out.ID = e.Event + ":" + string(e.Token)
	}
	// The event that checks a webhook may have its time and its token the wrong
	// way round, so a time that is none is no reason to doubt an event.
	out.SentAt = connectors.UnixMillis(e.Timestamp.Value)
	switch e.Event {
	case "message":
		return parseMessage(out, e, err)
	case "delivered", "seen", "failed":
		return parseReceipt(out, e)
	case "webhook", "subscribed", "unsubscribed", "conversation_started":
		return out.As(connectors.Ignored, e.Event)
	}
	return out.As(connectors.Ignored, "unknown_event_type")
}

// parseReceipt translates what became of a message. Viber tells it of incoming
// messages as well, so the token may be one that we never sent.
func parseReceipt(out connectors.Event, e event) connectors.Event {
	if e.Token == "" {
		return out.As(connectors.Ignored, "unreadable_receipt")
	}
	out.ID += ":" + e.UserID.Value
	out.MessageID, out.Consumer.ID = string(e.Token), e.UserID.Value
	reason := e.Event
	if reason == "seen" {
		reason = "read"
	}
	return out.As(connectors.Receipt, reason)
}

// parseMessage translates a message. One that we pass over may have any shape.
func parseMessage(out connectors.Event, e event, err error) connectors.Event {
	out.MessageID, out.Language = string(e.Token), e.Sender.Language.Value
	out.Consumer = connectors.Consumer{ID: e.Sender.ID, Name: e.Sender.Name.Value}
	// A group is several consumers; a bot is in one only as an extension of
	// their chat.
	if e.ChatID != nil && e.ChatID != "" {
		return out.As(connectors.Ignored, "group")
	}
	if e.Message.Type == "" {
		return out.As(connectors.Broken, "message has no readable type")
	}
	if reason := messageReason(e.Message); reason != "" {
		return out.As(connectors.Ignored, reason)
	}
	if err != nil {
		return out.As(connectors.Broken, "message does not parse")
	}
	if e.Token == "" {
		return out.As(connectors.Broken, "message has no token")
	}
	if e.Sender.ID == "" {
		return out.As(connectors.Ignored, "no_consumer")
	}
	return parseContent(out, e.Message)
}

// messageReason is the metric's label for a message that we pass over, or empty
// for one that may hold a text or a photo. Types that Viber may add one day
// share a label, so that no stranger can make new ones.
func messageReason(m message) string {
	switch m.Type {
	case "text", "picture", "file", "video", "url":
		return ""
	case "sticker", "contact", "location":
		if m.Text.Value != "" {
			return ""
		}
		return m.Type
	}
	return "unknown_message_type"
}

func parseContent(out connectors.Event, m message) connectors.Event {
	out.Kind, out.Text = connectors.Message, m.said()
	switch {
	case m.Type == "picture", m.Type == "file":
		// Originals come as files; only content tells a photo.
		return parsePhoto(out, m)
	case out.Text != "":
		return out // what somebody wrote below a video is a text as well
	case m.Type == "text":
		return out.As(connectors.Broken, "text message has no text")
	}
	return out.As(connectors.Ignored, m.Type)
}

const (
	// A reference is the address of the bytes, which is all that Viber tells of
	// a photo. Its query is signed, so not a character of it may change.
	mediaPrefix = "media:"
	// maxURL is how long it may be; those seen have about 700 characters.
	maxURL = 8000
)

// parsePhoto adds a photo. One without a usable address is refused where it is
// fetched, so that the text beside it arrives, and that there was one.
func parsePhoto(out connectors.Event, m message) connectors.Event {
	address := m.Media.Value
	if len(address) > maxURL {
		address = ""
	}
	if address == "" && out.Text == "" {
		return out.As(connectors.Broken, "photo has no usable address")
	}
	out.Photos = []connectors.Photo{{
		Account: out.Account, Ref: mediaPrefix + address, ClaimedBytes: max(m.Size.Value, 0),
		Until: until(address, out.SentAt),
	}}
	return out
}
