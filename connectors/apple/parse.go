package apple

import (
	"encoding/json"
	"strings"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// parseMessage translates a message by its type. Apple puts no time into any.
func parseMessage(out connectors.Event, m message) connectors.Event {
	switch {
	case m.Type == "":
		return out.As(connectors.Broken, "message has no readable type")
	case m.Type != "text" && m.Type != "close":
		// What is attached to an interactive message are its own pictures, and no
		// photos.
		return out.As(connectors.Ignored, wire.Label(m.Type, "unknown_message_type", "typing_start", "typing_end", "interactive"))
	case m.ID == "":
		return out.As(connectors.Broken, "message has no readable id")
	case m.SourceID == "":
		return out.As(connectors.Ignored, "no_consumer")
	case m.Type == "close":
		// The consumer has deleted the conversation, and wants no more of it.
		out.Kind, out.MessageID = connectors.Close, ""
		return out
	}
	return parseText(out, m)
}

// parseText translates a message of a consumer's. A reaction to a message of
// ours is one as well: a sentence in the consumer's language.
func parseText(out connectors.Event, m message) connectors.Event {
	var body string
	readable := len(m.Body) == 0 || json.Unmarshal(m.Body, &body) == nil
	list := attachments(m.Attachments)
	if len(list) > maxAttachments {
		return out.As(connectors.Broken, "text message has too many attachments")
	}
	for _, raw := range list {
		if p, ok := newPhoto(out.Account, raw); ok {
			out.Photos = append(out.Photos, p)
		}
	}
	out.Text = caption(body, len(list) > 0)
	switch {
	case out.Text != "" || len(out.Photos) > 0:
		out.Kind = connectors.Message
		return out
	case !readable:
		return out.As(connectors.Broken, "text message has no readable body")
	case len(list) > 0:
		return out.As(connectors.Ignored, "attachment") // a voice note, a pass, a film
	}
	return out.As(connectors.Ignored, "no_content")
}

// caption returns what the consumer wrote. The body has one object replacement
// character for each attachment, and blanks around them.
func caption(body string, attached bool) string {
	text := strings.ReplaceAll(body, "\uFFFC", "")
	if attached || text != body {
		text = strings.TrimSpace(text)
	}
	return text
}
