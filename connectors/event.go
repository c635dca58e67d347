package connectors

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Kind says what an event is about, and so what the gateway does with it.
type Kind string

// The kinds of event. Every event has exactly one.
const (
	// Message carries text, photos or both from a consumer.
	Message Kind = "message"
	// Edit replaces the text of the message that MessageID names.
	Edit Kind = "edit"
	// Unsend withdraws the message that MessageID names.
	Unsend Kind = "unsend"
	// Close ends the conversation.
	Close Kind = "close"
	// Receipt says what became of something that we sent: MessageID is the id
	// that Send returned, and Reason one of sent, delivered, read and failed.
	Receipt Kind = "receipt"
	// Ignored is anything that agents have no use for: typing, reactions,
	// follows, event types that this release does not know.
	Ignored Kind = "ignored"
	// Broken is an event of a type that we forward, but which does not parse.
	// It is kept among the dead letters.
	Broken Kind = "broken"
)

// Event is one thing that a platform tells us. Its fields are set as far as the
// kind has use for them; ID, Account and Raw always are, Account as far as the
// platform names it.
type Event struct {
	Kind Kind `json:"kind"`
	// ID is what the platform repeats when it delivers this event again. It is
	// unique within the account and may be any text.
	ID string `json:"id"`
	// MessageID is what later events use to name this message. On some
	// platforms it is not ID.
	MessageID string `json:"message_id,omitempty"`
	// Account is the platform's own id of the business's side, taken from this
	// event and not from the configuration.
	Account  string   `json:"account"`
	Consumer Consumer `json:"consumer,omitzero"`
	// SentAt is by the platform's clock; zero where it does not say.
	SentAt time.Time `json:"sent_at,omitzero"`
	Text   string    `json:"text,omitempty"`
	Photos []Photo   `json:"photos,omitempty"`
	Album  *Album    `json:"album,omitempty"`
	// ReplyTo is the MessageID of the message that this one answers.
	ReplyTo string `json:"reply_to,omitempty"`
	// Language is the consumer's, as far as the platform tells, in its own form:
	// "en", "en_US", "pt-BR".
	Language string `json:"language,omitempty"`
	// ReplyToken lets us answer this event once, for a short time, by means of
	// its own. It is as good as a credential and is never logged.
	ReplyToken string `json:"reply_token,omitempty"`
	// NoReply tells that no program should answer: the message is an automatic
	// one itself, or another application holds the conversation.
	NoReply bool `json:"no_reply,omitempty"`
	// Reason says why an event is Ignored or Broken, in one of few fixed words
	// or sentences: it labels a metric and never holds a consumer's text.
	Reason string `json:"reason,omitempty"`
	// Raw is the platform's own text of this event, for dead letters.
	Raw json.RawMessage `json:"raw,omitempty"`
}

// As returns e as an event of the given kind, with the reason for it; what was
// read of it so far is kept.
func (e Event) As(kind Kind, reason string) Event {
	e.Kind, e.Reason = kind, reason
	return e
}

// DigestID is the ID of an event that bears none that can be read: the same
// bytes, the same ID.
func DigestID(raw []byte) string {
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// lastMillisecond is the end of the year 9999, the last that JSON can say.
const lastMillisecond = 253_402_300_799_999

// Later returns the end of a span that began at a time of a platform's clock. It
// is the zero time where the beginning is, or where JSON cannot say the end.
func Later(t time.Time, span time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	return UnixMillis(t.Add(span).UnixMilli())
}

// UnixMillis reads a platform's clock, in milliseconds since 1970. A time that
// no clock shows, such as one before then or one that JSON cannot say, is the
// zero time, because no message may be lost for its time.
func UnixMillis(ms int64) time.Time {
	if ms <= 0 || ms > lastMillisecond {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Consumer is the person who writes to the business.
type Consumer struct {
	// ID is the platform's, unique within the account.
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Photo is a picture that a consumer sent and that has not been fetched yet.
type Photo struct {
	// Account is the platform's id of the account that the photo was sent to,
	// whose credentials fetch it.
	Account string `json:"account"`
	// Ref says where the original is. It means something only to the connector
	// that made it, holds no secret, and stays valid as long as the platform
	// keeps the photo.
	Ref string `json:"ref"`
	// The claims are the sender's word and decide nothing but a refusal.
	ClaimedType  string `json:"claimed_type,omitempty"`
	ClaimedBytes int64  `json:"claimed_bytes,omitempty"`
	// ClaimedSHA256 is the lower-case hex digest of the original that the
	// platform announced, or empty.
	ClaimedSHA256 string `json:"claimed_sha256,omitempty"`
	// Until is when the platform drops the photo, by its own clock; zero where it
	// does not say. No try after it makes sense. It is not the end of an address
	// that Fetch can have anew.
	Until time.Time `json:"until,omitzero"`
}

// Album tells which photos a consumer sent together. Each is still a message
// of its own, and none waits for the others.
type Album struct {
	ID string `json:"id"`
	// Index counts from 1; it and Total are 0 where the platform does not say.
	Index int `json:"index,omitempty"`
	Total int `json:"total,omitempty"`
}
