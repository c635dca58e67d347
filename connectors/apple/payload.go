package apple

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
)

// message is what we read of a webhook. What may be missing or of another shape
// stays as it is until it is looked at, because no message is lost for it.
// https://register.apple.com/resources/messages/msp-rest-api/messages-received
type message struct {
	ID            string          `json:"id"`
	Type          string          `json:"type"`
	SourceID      string          `json:"sourceId"`      // the consumer
	DestinationID string          `json:"destinationId"` // the business, our account
	Locale        json.RawMessage `json:"locale"`
	Body          json.RawMessage `json:"body"`
	Attachments   json.RawMessage `json:"attachments"`
}

// outgoing is what Apple wants of a text. Its locale is the one of Apple's
// samples; nothing that we send depends on it.
type outgoing struct {
	V             int    `json:"v"`
	ID            string `json:"id"`
	Type          string `json:"type"`
	SourceID      string `json:"sourceId"`
	DestinationID string `json:"destinationId"`
	Locale        string `json:"locale"`
	Body          string `json:"body"`
}

// id is one of the ids that a webhook has twice.
type id struct {
	header, value string
	same          func(header, value string) bool
}

// ids returns what stands in the headers too. A UUID is the same in capitals
// (RFC 9562, section 4).
func (m message) ids() []id {
	exactly := func(header, value string) bool { return header == value }
	return []id{
		{"id", m.ID, strings.EqualFold},
		{"source-id", m.SourceID, exactly},
		{"destination-id", m.DestinationID, func(header, value string) bool { return businessID(header) == businessID(value) }},
	}
}

// businessID returns a business's id as it is registered. In the Messages app it
// is written urn:biz:ID.
// https://register.apple.com/resources/messages/msp-api-tutorial/receiving-sending-messages
func businessID(id string) string { return strings.TrimPrefix(id, businessPrefix) }

const businessPrefix = "urn:biz:"

var (
	errUnpack = errors.New("body cannot be unpacked")
	errObject = errors.New("body is not a JSON object")
)

// open reads a webhook's body, and returns it as Apple wrote it. Of the members
// that have another type than documented, the zero value is read.
func open(body []byte) (message, json.RawMessage, error) {
	var m message
	raw, err := unpack(body)
	if err != nil {
		return m, nil, err
	}
	raw = bytes.TrimSpace(raw)
	var other *json.UnmarshalTypeError
	if err := json.Unmarshal(raw, &m); err != nil && !errors.As(err, &other) || raw[0] != '{' {
		return m, nil, errObject
	}
	return m, raw, nil
}

// unpack takes gzip off a body. Its first bytes tell, and not Content-Encoding:
// some proxies unpack and leave the header, others take it away and unpack
// nothing. However little a body is, it does not grow beyond maxBody.
func unpack(body []byte) ([]byte, error) {
	if !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return body, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, errUnpack
	}
	data, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err != nil || len(data) > maxBody {
		return nil, errUnpack
	}
	return data, nil
}

// localeForm is what the name of a language looks like.
var localeForm = regexp.MustCompile(`^[A-Za-z]{2,8}([_-][A-Za-z0-9]{1,8}){0,4}$`)

// language returns the language of a locale, without what a phone adds behind
// "@", such as the calendar.
func language(raw json.RawMessage) string {
	var locale string
	_ = json.Unmarshal(raw, &locale) // another shape is no language
	locale, _, _ = strings.Cut(locale, "@")
	if !localeForm.MatchString(locale) {
		return ""
	}
	return locale
}
