package twilio

import (
	"cmp"
	"net/url"
	"regexp"
	"strings"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// parseEvent translates a form. No form says when the message was sent.
func (c *Connector) parseEvent(out connectors.Event, form url.Values) connectors.Event {
	m, ok := readMessage(form)
	out.ID, out.MessageID = cmp.Or(m.SID, out.ID), m.SID
	out.Account, out.Consumer.ID = m.To, m.From
	if !ok {
		return out.As(connectors.Broken, "form repeats a parameter")
	}
	if reason := otherChannel(m.From, m.To); reason != "" {
		return out.As(connectors.Ignored, reason)
	}
	if status := m.outboundStatus(); status != "" {
		return parseReceipt(out, m, status)
	}
	if m.From == "" {
		return out.As(connectors.Ignored, "no_consumer")
	}
	if m.SID == "" && form.Has("CallSid") {
		return out.As(connectors.Ignored, "call")
	}
	// A group MMS goes to several people, who answer each other. Twilio has this
	// parameter for it, and documents it nowhere.
	if form.Get("OtherRecipients0") != "" {
		return out.As(connectors.Ignored, "group")
	}
	return c.parseMessage(out, m)
}

// otherChannel is the metric's label for a message that Twilio passes on from
// another platform. Such have addresses like "whatsapp:+14155550123", and other
// rules.
func otherChannel(addresses ...string) string {
	for _, address := range addresses {
		if prefix, _, found := strings.Cut(address, ":"); found {
			return wire.Label(prefix, "unknown_channel", "whatsapp", "messenger", "rcs")
		}
	}
	return ""
}

// parseReceipt translates a status callback, which belongs to another address.
// It is about a message of ours, so From is us, and one message has several.
func parseReceipt(out connectors.Event, m message, status string) connectors.Event {
	out.Account, out.Consumer.ID = m.From, m.To
	if out.MessageID == "" {
		return out.As(connectors.Broken, "status callback has no message id")
	}
	out.ID = m.SID + "/" + status
	if out.Reason = outcome(status); out.Reason == "" {
		return out.As(connectors.Ignored, "no_outcome")
	}
	out.Kind = connectors.Receipt
	return out
}

// outcome is what a status means for a message of ours. Those on the way to one
// of these, and any that Twilio adds one day, mean nothing yet.
// https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
func outcome(status string) string {
	switch status {
	case "sent", "delivered", "read", "failed":
		return status
	case "undelivered", "canceled":
		return "failed"
	default:
		return ""
	}
}

func (c *Connector) parseMessage(out connectors.Event, m message) connectors.Event {
	if out.MessageID == "" {
		return out.As(connectors.Broken, "message has no message id")
	}
	out.Kind, out.Text, out.Photos = connectors.Message, m.text(), c.photos(m)
	out.NoReply = m.optsOut()
	if out.Text != "" || len(out.Photos) > 0 {
		return out
	}
	if len(m.Media) > 0 {
		return out.As(connectors.Ignored, "attachment") // a film, a contact
	}
	if m.NumMedia != "" && m.NumMedia != "0" {
		return out.As(connectors.Broken, "message has no readable media")
	}
	return out.As(connectors.Ignored, "empty")
}

// photos returns the media that may be photos, which only content tells. What
// carriers add to an MMS was not sent by a person, and counts only where there
// is nothing else: no text, and no other medium.
func (c *Connector) photos(m message) []connectors.Photo {
	var photos, added []connectors.Photo
	others := 0
	for _, part := range m.Media {
		photo := connectors.Photo{Account: m.To, Ref: c.ref(m.SID, part.URL), ClaimedType: part.ContentType}
		switch {
		case part.addedByCarrier(m.Body):
			added = append(added, photo)
		case part.isOther():
			others++
		default:
			photos = append(photos, photo)
		}
	}
	if len(photos) == 0 && others == 0 && m.Body == "" {
		return added
	}
	return photos
}

// A reference is the ids of message and medium, so that host and account are
// always our own. What lies elsewhere is foreign: never called, and refused
// rather than lost.
const (
	messageForm = `((?:SM|MM)[0-9a-fA-F]{32})`
	mediaForm   = `(ME[0-9a-fA-F]{32})`
	foreign     = "foreign"
)

var mediaRef = regexp.MustCompile(`^` + messageForm + `/` + mediaForm + `$`)

// mediaURL returns the form of a MediaUrl: on the API that we call or any other
// of Twilio's, and below our account.
// https://www.twilio.com/docs/messaging/api/media-resource
func mediaURL(base, accountSID string) *regexp.Regexp {
	return regexp.MustCompile(`^(?:https://api(?:\.[a-z0-9-]+\.[a-z0-9-]+)?\.twilio\.com|` + regexp.QuoteMeta(base) + `)` +
		mediaPath(regexp.QuoteMeta(accountSID), messageForm, mediaForm) + `$`)
}

func mediaPath(account, message, media string) string {
	return "/2010-04-01/Accounts/" + account + "/Messages/" + message + "/Media/" + media
}

func (c *Connector) ref(messageSID, address string) string {
	m := c.mediaURL.FindStringSubmatch(address)
	if m == nil || m[1] != messageSID {
		return foreign
	}
	return m[1] + "/" + m[2]
}
