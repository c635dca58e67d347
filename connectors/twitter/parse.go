package twitter

import (
	"cmp"
	"encoding/json"
	"html"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// directMessages is the one list of events that holds what consumers say.
const directMessages = "direct_message_events"

// parseLists translates a webhook of the Account Activity API: the messages
// first, then whatever else it holds, one event for each list.
func (c *Connector) parseLists(body json.RawMessage, lists map[string]json.RawMessage) []connectors.Event {
	account := string(readWord(lists["for_user_id"]))
	events := c.parseMessages(account, lists["users"], lists[directMessages])
	_, known := lists[directMessages]
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		if reason := listReason(name); reason != "" && !holdsNothing(lists[name]) {
			events, known = append(events, wire.NewEvent(account, lists[name]).As(connectors.Ignored, reason)), true
		}
	}
	if !known {
		events = append(events, wire.NewEvent(account, body).As(connectors.Ignored, "unknown_event_type"))
	}
	return events
}

// holdsNothing tells a list that stands there for nothing.
func holdsNothing(raw json.RawMessage) bool {
	return len(raw) == 0 || string(raw) == "null"
}

func readWord(raw json.RawMessage) word {
	var w word
	_ = json.Unmarshal(raw, &w)
	return w
}

// listReason is the metric's label for a member of the webhook that holds events
// which we pass over, or empty for one that holds none. Kinds that X may add one
// day share a label, so that no stranger can make new ones. user_event says that
// an account has taken its permission back, and names no for_user_id; that the
// account is no longer subscribed is seen when its registration is checked.
func listReason(name string) string {
	switch name {
	case "direct_message_indicate_typing_events", "direct_message_mark_read_events", "tweet_create_events",
		"tweet_delete_events", "favorite_events", "follow_events", "unfollow_events", "block_events", "unblock_events",
		"mute_events", "unmute_events", "user_event", "replay_job_status":
		return name
	case directMessages:
		return ""
	}
	if strings.HasSuffix(name, "_events") {
		return "unknown_event_type"
	}
	return ""
}

// parseActivity translates an activity of the X Activity API.
func (c *Connector) parseActivity(raw json.RawMessage) []connectors.Event {
	var a activity
	// A wrong type of one member leaves the others readable.
	_ = json.Unmarshal(raw, &a)
	out := wire.NewEvent(string(a.Filter.UserID), raw)
	out.ID = cmp.Or(string(a.EventUUID), out.ID)
	reason := activityReason(string(a.EventType))
	switch {
	case a.EventType == "":
		return []connectors.Event{out.As(connectors.Broken, "activity has no readable type")}
	case reason != "":
		return []connectors.Event{out.As(connectors.Ignored, reason)}
	case strings.HasPrefix(string(a.EventType), "chat."):
		// X encrypts what was said from end to end and gives it to whoever holds
		// the account's keys. The consumer waits for an answer all the same, so
		// an operator has to see it.
		return []connectors.Event{out.As(connectors.Broken, "encrypted chat cannot be read")}
	case len(a.Payload.DirectMessageEvents) > 0:
		return c.parseMessages(out.Account, a.Payload.Users, a.Payload.DirectMessageEvents)
	case a.EventType == received:
		return []connectors.Event{out.As(connectors.Broken, "activity holds no message")}
	}
	return []connectors.Event{out.As(connectors.Ignored, "unknown_event_type")}
}

// The types of activity by which messages come: to be read, and encrypted.
const (
	received     = "dm.received"
	chatReceived = "chat.received"
)

// activityReason is the metric's label for a type of activity that we pass over,
// or empty for one that may bring messages. What we do not know may: X has
// renamed these types before.
// https://docs.x.com/changelog
func activityReason(kind string) string {
	switch kind {
	case "dm.sent", "chat.sent":
		return "echo"
	case "dm.read", "dm.indicate_typing", "oauth.revoke", "chat.conversation_join":
		return kind
	default:
		return ""
	}
}

// parseMessages translates a list of direct messages. users is what X tells of
// the people in it.
func (c *Connector) parseMessages(account string, users, raw json.RawMessage) []connectors.Event {
	if holdsNothing(raw) {
		return []connectors.Event{}
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return []connectors.Event{wire.NewEvent(account, raw).As(connectors.Broken, "direct messages are no list")}
	}
	// Read once: many messages may be one person's.
	var people map[string]wire.Optional[person]
	_ = json.Unmarshal(users, &people)
	events := make([]connectors.Event, 0, len(list))
	for _, raw := range list {
		events = append(events, c.parseMessage(account, people, raw))
	}
	return events
}

// parseMessage translates one direct message. What can be read of it is read
// even if the rest has another shape.
func (c *Connector) parseMessage(account string, people map[string]wire.Optional[person], raw json.RawMessage) connectors.Event {
	out := wire.NewEvent(account, raw)
	var m message
	err := json.Unmarshal(raw, &m)
	out.ID, out.MessageID = cmp.Or(string(m.ID), out.ID), string(m.ID)
	if ms, err := strconv.ParseInt(string(m.CreatedTimestamp), 10, 64); err == nil {
		out.SentAt = connectors.UnixMillis(ms)
	}
	switch {
	case m.Type == "":
		return out.As(connectors.Broken, "message has no readable type")
	case m.Type != "message_create":
		return out.As(connectors.Ignored, "unknown_message_type")
	case m.MessageCreate == nil:
		return out.As(connectors.Broken, "message has no content")
	case c.isEcho(account, m):
		return out.As(connectors.Ignored, "echo")
	case err != nil:
		return out.As(connectors.Broken, "message does not parse")
	case m.ID == "":
		return out.As(connectors.Broken, "message has no id")
	case m.MessageCreate.SenderID == "":
		return out.As(connectors.Ignored, "no_consumer")
	}
	if out.Account == "" {
		// A webhook that names nobody is for whom the message is for.
		var to target
		_ = json.Unmarshal(m.MessageCreate.Target, &to)
		out.Account = string(to.RecipientID)
	}
	out.Consumer.ID = string(m.MessageCreate.SenderID)
	sender := people[out.Consumer.ID].Value
	out.Consumer.Name = string(cmp.Or(sender.Name, sender.Data.Name))
	return parseContent(out, m.MessageCreate.MessageData)
}

// isEcho tells whether the business itself said it: from its own account, or by
// our app from another account that it has. X delivers both.
// https://docs.x.com/x-api/account-activity/introduction
func (c *Connector) isEcho(account string, m message) bool {
	own := string(m.MessageCreate.SenderID)
	app := string(m.MessageCreate.SourceAppID)
	return own != "" && own == account || app != "" && app == c.config.SourceAppID
}

// maxURL is how long an address may be that we keep. X's have about 100 bytes.
const maxURL = 2000

// parseContent reads what was said. A message has at most one attachment:
// several photos are as many messages. The address of a video or an animated GIF
// shows a still of it, which is no photo; of one whose type we are not told,
// content decides.
func parseContent(out connectors.Event, said content) connectors.Event {
	a, ok := readAttachment(said.Attachment)
	if !ok {
		return out.As(connectors.Broken, "attachment does not parse")
	}
	out.Kind = connectors.Message
	out.Text = html.UnescapeString(cutLink(said.Text, string(a.Media.URL)))
	switch {
	case a.Media.Type == "photo", a.Media.Type == "" && a.address() != "":
		address := a.address()
		if len(address) > maxURL {
			address = ""
		}
		if address == "" && out.Text == "" {
			return out.As(connectors.Broken, "photo has no usable address")
		}
		// Whether there is one, and of X's, is judged where it is called, so that
		// the text arrives if X one day uses another.
		out.Photos = []connectors.Photo{{Account: out.Account, Ref: address}}
	case out.Text != "":
	case a.Type == "":
		return out.As(connectors.Broken, "message has neither text nor attachment")
	default:
		return out.As(connectors.Ignored, wire.Label(string(cmp.Or(a.Media.Type, a.Type)), "unknown_attachment", "animated_gif", "video", "location"))
	}
	return out
}

// readAttachment reads an attachment as far as it can be read. One that has
// neither a type nor an address might have been a photo.
func readAttachment(raw json.RawMessage) (a attachment, ok bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return a, true
	}
	_ = json.Unmarshal(raw, &a)
	return a, a.Type != "" && (a.Type != "media" || a.Media.Type != "" || a.address() != "")
}

func (a attachment) address() string {
	return string(cmp.Or(a.Media.MediaURLHTTPS, a.Media.MediaURL))
}

// cutLink takes away the link to the attachment, which X puts behind the text.
// Other links are the consumer's own.
func cutLink(text, link string) string {
	if link == "" {
		return text
	}
	if rest, ok := strings.CutSuffix(strings.TrimSpace(text), link); ok {
		return strings.TrimSpace(rest)
	}
	return text
}
