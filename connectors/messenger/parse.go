package messenger

import (
	"cmp"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/wire"
)

// parseEntry translates what happened on one Page. Of an entry of another shape
// the readable part counts.
func (c *Connector) parseEntry(raw json.RawMessage) []connectors.Event {
	var e entry
	err := json.Unmarshal(raw, &e)
	var events []connectors.Event
	if err != nil {
		events = append(events, wire.NewEvent(string(e.ID), raw).As(connectors.Broken, "entry does not parse"))
	}
	for _, item := range e.Messaging {
		events = append(events, c.parseItem(e, item, false)...)
	}
	for _, item := range e.Standby {
		events = append(events, c.parseItem(e, item, true)...)
	}
	for _, change := range e.Changes {
		events = append(events, wire.NewEvent(string(e.ID), change).As(connectors.Ignored, "page_change"))
	}
	if len(events) == 0 {
		events = append(events, wire.NewEvent(string(e.ID), raw).As(connectors.Ignored, "empty_entry"))
	}
	return events
}

// parseItem translates one item. Its head is read on its own, so that what we
// pass over may have any shape.
func (c *Connector) parseItem(e entry, raw json.RawMessage, standby bool) []connectors.Event {
	var h head
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || json.Unmarshal(raw, &h) != nil || fields == nil {
		return []connectors.Event{wire.NewEvent(string(e.ID), raw).As(connectors.Broken, "item does not parse")}
	}
	out := wire.NewEvent(string(cmp.Or(e.ID, h.Recipient.Value.ID)), raw)
	out.Consumer.ID = string(h.Sender.Value.ID)
	out.SentAt = cmp.Or(meta.Time(h.Timestamp), meta.Time(e.Time))
	// Another app holds the conversation, or a person in the Page's inbox does.
	// https://developers.facebook.com/docs/messenger-platform/reference/webhook-events/standby
	out.NoReply = standby
	kind := itemKind(fields)
	switch kind {
	case "message":
		return []connectors.Event{c.parseMessage(out, fields[kind])}
	case "message_edit":
		return []connectors.Event{parseEdit(out, fields[kind])}
	case "postback":
		return []connectors.Event{parsePostback(out, fields[kind])}
	case "delivery":
		return parseDelivery(out, fields[kind])
	}
	return []connectors.Event{out.As(connectors.Ignored, kind)}
}

// itemKind returns the key under which an item has its content. It is also the
// metric's label for an item that we pass over; kinds that Meta may add one day
// share one, so that no stranger can make new ones.
func itemKind(fields map[string]json.RawMessage) string {
	for _, kind := range []string{
		"message", "message_edit", "postback", "delivery", "read", "reaction", "optin", "referral",
		"account_linking", "policy_enforcement", "policy-enforcement", "pass_thread_control",
		"take_thread_control", "request_thread_control", "app_roles", "response_feedback", "game_play",
	} {
		if raw, ok := fields[kind]; ok && string(raw) != "null" {
			return kind
		}
	}
	return "unknown_event_type"
}

func (c *Connector) parseMessage(out connectors.Event, raw json.RawMessage) connectors.Event {
	var m message
	err := json.Unmarshal(raw, &m)
	out.ID, out.MessageID, out.ReplyTo = cmp.Or(m.MID, out.ID), m.MID, m.ReplyTo.Value.MID
	// What the Page itself says comes back as an echo. Taken for a consumer's
	// message, it would make us answer ourselves.
	if m.IsEcho.Value || out.Consumer.ID != "" && out.Consumer.ID == out.Account {
		return out.As(connectors.Ignored, "echo")
	}
	if err != nil {
		return out.As(connectors.Broken, "message does not parse")
	}
	if out.Consumer.ID == "" {
		return out.As(connectors.Ignored, "no_consumer")
	}
	if m.IsDeleted.Value {
		if m.MID == "" {
			return out.As(connectors.Broken, "deletion names no message")
		}
		out.Kind, out.ID = connectors.Unsend, m.MID+":deleted"
		return out
	}
	return c.parseContent(out, m)
}

// parseContent translates a message's text and photos. A message carries the
// one or the other, by Meta's word; we read both.
func (c *Connector) parseContent(out connectors.Event, m message) connectors.Event {
	var list []attachment
	var err error
	if m.Attachments != nil {
		err = json.Unmarshal(m.Attachments, &list)
	}
	addresses, reasons := c.photos(m, list)
	out.Kind, out.Text = connectors.Message, m.Text
	switch {
	case out.Text != "" || strings.Join(addresses, "") != "":
		out.Photos = photosOf(out, addresses)
		return out
	case err != nil:
		return out.As(connectors.Broken, "attachments do not parse")
	case len(addresses) > 0:
		return out.As(connectors.Broken, "photo has no usable address")
	case len(reasons) > 0:
		return out.As(connectors.Ignored, reasons[0])
	}
	return out.As(connectors.Ignored, "no_content")
}

// photosOf returns the photos at these addresses. One without is refused where
// it is fetched, so that what stands beside it arrives, and that there was one.
func photosOf(out connectors.Event, addresses []string) []connectors.Photo {
	var photos []connectors.Photo
	for i, address := range addresses {
		ref := reference{URL: address, Index: i, Total: len(addresses)}
		if messageID.MatchString(out.MessageID) {
			ref.MID = out.MessageID
		}
		photos = append(photos, connectors.Photo{Account: out.Account, Ref: ref.String()})
	}
	return photos
}

// photos returns the addresses of a message's photos, in order, empty for those
// that have no usable one, and why each of the other attachments is none.
func (c *Connector) photos(m message, list []attachment) (addresses, reasons []string) {
	stickers := map[string]bool{}
	for _, a := range list {
		stickers[a.Payload.Value.URL] = stickers[a.Payload.Value.URL] || a.Type == "sticker"
	}
	delete(stickers, "")
	for _, a := range list {
		reason, payload := attachmentReason(a.Type), a.Payload.Value
		switch {
		case reason != "":
		case bool(m.StickerID), bool(payload.StickerID), stickers[payload.URL]:
			// Stickers and the thumb have come as images; between June and August
			// 2026 each came twice, and the image without a sticker_id.
			// https://developers.facebook.com/docs/messenger-platform/changelog
			reason = "sticker"
		}
		switch {
		case reason != "":
			reasons = append(reasons, reason)
		case c.usable(payload.URL):
			addresses = append(addresses, payload.URL)
		default:
			addresses = append(addresses, "")
		}
	}
	return addresses, reasons
}

// attachmentReason is the metric's label for an attachment that is no photo by
// its type, or empty for one that may be.
func attachmentReason(kind string) string {
	switch kind {
	case "image":
		return ""
	case "audio", "video", "file", "sticker", "reel", "ig_reel", "post", "ig_post",
		"appointment_booking", "fallback", "template", "location":
		return kind
	default:
		return "unknown_attachment_type"
	}
}

// maxAddress is well above what Meta's signed addresses come to.
const maxAddress = 8 << 10

// usable tells whether a photo can be fetched by its address. Relative ones,
// such as "/reel/123/", have been seen. On which hosts it may lie is a matter of
// Fetch.
func (c *Connector) usable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || len(address) > maxAddress {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && c.config.AllowPrivateAddresses
}

// parsePostback translates the tap on a button. Its title stands in the chat as
// if the consumer had written it, and is a text for the agent, too: without it
// nobody would understand what follows.
// https://developers.facebook.com/docs/messenger-platform/reference/webhook-events/messaging_postbacks
func parsePostback(out connectors.Event, raw json.RawMessage) connectors.Event {
	var p postback
	err := json.Unmarshal(raw, &p)
	out.ID = cmp.Or(p.MID, out.ID)
	switch {
	case out.Consumer.ID == "":
		return out.As(connectors.Ignored, "no_consumer")
	case err != nil:
		return out.As(connectors.Broken, "postback does not parse")
	case p.Title == "":
		return out.As(connectors.Ignored, "postback")
	}
	out.Kind, out.MessageID, out.Text = connectors.Message, out.ID, p.Title
	return out
}

// parseEdit translates a new text of an old message.
// https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events/message-edits
func parseEdit(out connectors.Event, raw json.RawMessage) connectors.Event {
	var e edit
	err := json.Unmarshal(raw, &e)
	if e.MID == "" {
		return out.As(connectors.Broken, "edit names no message")
	}
	// The same message may be edited again, and the event itself has no ID.
	out.ID = e.MID + ":edit:" + cmp.Or(string(e.NumEdit), out.ID)
	switch {
	case out.Consumer.ID == "":
		return out.As(connectors.Ignored, "no_consumer")
	case err != nil || e.Text == "":
		return out.As(connectors.Broken, "edit has no readable text")
	}
	out.Kind, out.MessageID, out.Text = connectors.Edit, e.MID, e.Text
	return out
}

// parseDelivery translates what became of messages that we sent. It may name
// them, and else tells a time before which all were delivered.
// https://developers.facebook.com/docs/messenger-platform/reference/webhook-events/message-deliveries
func parseDelivery(out connectors.Event, raw json.RawMessage) []connectors.Event {
	var d delivery
	_ = json.Unmarshal(raw, &d) // what cannot be read names no message
	var receipts []connectors.Event
	for _, raw := range d.MIDs.Value {
		var mid string
		if json.Unmarshal(raw, &mid) != nil || mid == "" {
			continue
		}
		receipt := out.As(connectors.Receipt, "delivered")
		receipt.ID, receipt.MessageID = mid+":delivered", mid
		receipt.Raw = raw // and not all of the item for each of its messages
		receipts = append(receipts, receipt)
	}
	if len(receipts) == 0 {
		return []connectors.Event{out.As(connectors.Ignored, "delivery")}
	}
	return receipts
}
