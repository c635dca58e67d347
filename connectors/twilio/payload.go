package twilio

import (
	"bytes"
	"encoding/base64"
	"mime"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
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
		SID: get("MessageSid"), From: get("From"), To: get("To"),
		Body: get("Body"), NumMedia: get("NumMedia"),
		MessageStatus: get("MessageStatus"), SMSStatus: get("SmsStatus"),
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

// text returns what was written. Carriers turn some long texts into an MMS whose
// body is Base64.
func (m message) text() string {
	if !strings.HasPrefix(m.SID, "MM") || len(m.Body) < minBase64 {
		return m.Body
	}
	plain, err := base64.StdEncoding.Strict().DecodeString(m.Body)
	if err != nil || !utf8.Valid(plain) || bytes.ContainsFunc(plain, unprintable) {
		return m.Body
	}
	return string(plain)
}

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
