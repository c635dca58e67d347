package line

import "encoding/json"

// The shapes below are the parts that we read of LINE's webhook payload.
// https://github.com/line/line-openapi/blob/main/webhook.yml
// Everything else, and everything that LINE adds one day, is passed over.

type envelope struct {
	// Destination is the user id of the bot, our account.
	Destination string            `json:"destination"`
	Events      []json.RawMessage `json:"events"`
}

type event struct {
	Type           string  `json:"type"`
	WebhookEventID string  `json:"webhookEventId"`
	Timestamp      int64   `json:"timestamp"` // ms, of the event even when redelivered
	Source         source  `json:"source"`
	Message        message `json:"message"`
	Unsend         struct {
		MessageID string `json:"messageId"`
	} `json:"unsend"`
}

type source struct {
	Type   string `json:"type"`   // user, group or room
	UserID string `json:"userId"` // may be absent, even for a message
}

type message struct {
	Type            string          `json:"type"`
	ID              string          `json:"id"`
	Text            string          `json:"text"`
	FileSize        int64           `json:"fileSize"`
	QuotedMessageID string          `json:"quotedMessageId"`
	ContentProvider contentProvider `json:"contentProvider"`
	ImageSet        *imageSet       `json:"imageSet"`
}

// contentProvider says who holds the bytes: LINE, or any host on the internet.
type contentProvider struct {
	Type               string `json:"type"` // line or external
	OriginalContentURL string `json:"originalContentUrl"`
}

// imageSet groups photos that were sent together. LINE for Android 11.15 and
// older leaves index and total out.
type imageSet struct {
	ID    string `json:"id"`
	Index int    `json:"index"`
	Total int    `json:"total"`
}
