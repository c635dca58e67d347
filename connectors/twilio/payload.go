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
