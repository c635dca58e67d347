package outbound

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// Kind says who speaks.
type Kind string

// The kinds of message. They label a metric.
const (
	Notice Kind = "notice" // the gateway, about a photo
	Reply  Kind = "reply"  // an agent
)

// Message is what the journal keeps of a message to a consumer. Its JSON is read
// by other releases: fields are added and never change their meaning, and a
// change that an older release must not touch raises Version.
type Message struct {
	Version int    `json:"version"`
	Kind    Kind   `json:"kind"`
	Channel string `json:"channel"`
	// Account is the platform's id.
	Account  string `json:"account"`
	Consumer string `json:"consumer"`
	// Parts are sent one after the other. Each fits into one of the platform's
	// messages.
	Parts []string `json:"parts"`
	// ReplyTo is the platform's id of the message that this one answers.
	ReplyTo string `json:"reply_to,omitempty"`
	// Since is when the consumer last wrote, from which the platform's window
	// for an answer counts.
	Since time.Time `json:"since"`
	// Until, unless it is zero, is when the message is of no use any more.
	Until time.Time `json:"until,omitzero"`
	// ReplyToken is good for one answer until TokenUntil.
	ReplyToken string    `json:"reply_token,omitempty"`
	TokenUntil time.Time `json:"token_until,omitzero"`
}

const messageVersion = 1

var errNewer = errors.New("written by a newer release")

// Encode returns the message as the journal keeps it.
func (m Message) Encode() ([]byte, error) {
	m.Version = messageVersion
	return json.Marshal(m)
}

func decode(payload []byte) (Message, error) {
	var m Message
	if err := json.Unmarshal(payload, &m); err != nil {
		return m, errors.New("message does not parse")
	}
	if m.Version > messageVersion {
		return m, errNewer
	}
	if len(m.Parts) == 0 {
		return m, errors.New("message without a text")
	}
	return m, nil
}

// sendKey names one part of a message to the platform, the same at every try.
func sendKey(key string, part int) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(key+" "+strconv.Itoa(part))).String()
}
