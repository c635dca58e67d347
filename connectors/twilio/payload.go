package twilio

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"mime"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lightlock/lightlock/connectors"
)

// maxMedia is how many media a message may have.
const maxMedia = 10

// message is the part that we read of a webhook's form.
// https://www.twilio.com/docs/messaging/guides/webhook-request
// Everything else, and everything that Twilio adds one day, is passed over.
type message struct {
	SID, From, To string
	Body          string // absent or empty where there is no caption
	NumMedia      string
	Media         []medium
	// The second is the older name, and the one that inbound messages have.
	MessageStatus, SMSStatus string
	// OptOutType is what Twilio made of the text: STOP, START or HELP.
	OptOutType string
}

type medium struct{ URL, ContentType string }

// readMessage reads a form. It is not ok if one of the parameters is repeated,
// because the signature does not tell which value stood first.
func readMessage(form url.Values) (m message, ok bool) {
	ok = true
	get := func(name string) string {
		ok = ok && len(form[name]) <= 1
		return strings.ToValidUTF8(form.Get(name), "\uFFFD")
	}
	m = message{
		SID: cmp.Or(get("MessageSid"), get("SmsMessageSid"), get("SmsSid")), From: get("From"), To: get("To"),
		Body: get("Body"), NumMedia: get("NumMedia"),
		MessageStatus: get("MessageStatus"), SMSStatus: get("SmsStatus"),
		OptOutType: get("OptOutType"),
	}
	count, err := strconv.Atoi(m.NumMedia)
	if err != nil {
		count = 0
	}
	for i := range min(count, maxMedia) {
		n := strconv.Itoa(i)
		part := medium{URL: get("MediaUrl" + n), ContentType: get("MediaContentType" + n)}
		if part.URL != "" {
			m.Media = append(m.Media, part)
		}
	}
	return m, ok
}

// outboundStatus returns what became of a message of ours, or nothing for a
// message to us.
// https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
func (m message) outboundStatus() string {
	for _, status := range []string{m.MessageStatus, m.SMSStatus} {
		if status != "" && status != "received" && status != "receiving" {
			return status
		}
	}
	return ""
}

// text returns what was written. Carriers turn some long texts into Base64: as
// an MMS or, if they are not plain ASCII, as an SMS; and may have cut them inside
// a character.
func (m message) text() string {
	if len(m.Body) < minBase64 {
		return m.Body
	}
	plain, err := base64.StdEncoding.Strict().DecodeString(m.Body)
	plain = cutPartial(plain)
	if err != nil || !utf8.Valid(plain) || bytes.ContainsFunc(plain, unprintable) {
		return m.Body
	}
	if !strings.HasPrefix(m.SID, "MM") && !bytes.ContainsFunc(plain, notASCII) {
		return m.Body // such as a licence key
	}
	return string(plain)
}

// cutPartial takes away the beginning of a character at the end of a text.
func cutPartial(text []byte) []byte {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if end := text[len(text)-n:]; utf8.RuneStart(end[0]) && !utf8.FullRune(end) {
			return text[:len(text)-n]
		}
	}
	return text
}

func notASCII(r rune) bool { return r > unicode.MaxASCII }

// minBase64 is how long a body must be to count as Base64: an order number or a
// voucher can look the same, and must arrive as it was typed.
const minBase64 = 60

func unprintable(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }

// addedByCarrier tells whether carriers add such a part to an MMS with that body
// on their own: its layout, and its text once more.
func (p medium) addedByCarrier(body string) bool {
	kind, _, err := mime.ParseMediaType(p.ContentType)
	return err == nil && (kind == "application/smil" || kind == "text/plain" && body != "")
}

// isOther tells whether a part says of itself that it is something else than a
// picture, and not a text that may be the message's own. Of a part that says
// less, only content tells.
func (p medium) isOther() bool {
	kind, _, err := mime.ParseMediaType(p.ContentType)
	family, _, _ := strings.Cut(kind, "/")
	return err == nil && (family == "video" || family == "audio" || family == "text" && kind != "text/plain")
}

// optsOut tells whether Twilio itself has answered: with advanced opt-out it says
// so, otherwise these words alone in a message end it. What we said then would
// be refused, or be the message that the consumer has just forbidden.
// https://help.twilio.com/articles/223134027
func (m message) optsOut() bool {
	switch strings.ToUpper(strings.TrimSpace(m.Body)) {
	case "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE":
		return true
	}
	return m.OptOutType != ""
}

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
		switch prefix, _, found := strings.Cut(address, ":"); {
		case !found:
		case prefix == "whatsapp", prefix == "messenger", prefix == "rcs":
			return prefix
		default:
			return "unknown_channel"
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
