package line

import (
	"encoding/json"

	"github.com/lightlock/lightlock/connectors/wire"
)

// The shapes below are the parts that we read of LINE's webhook payload.
// https://github.com/line/line-openapi/blob/main/webhook.yml
// Everything else, and everything that LINE adds one day, is passed over.

type envelope struct {
	// Destination is the user id of the bot, our account.
	Destination string            `json:"destination"`
	Events      []json.RawMessage `json:"events"`
}

// head is what tells events apart.
type head struct {
	Type           string `json:"type"`
	WebhookEventID string `json:"webhookEventId"`
}

type event struct {
	head
	Mode            wire.Optional[string]          `json:"mode"`      // active or standby
	Timestamp       wire.Optional[int64]           `json:"timestamp"` // ms, of the event even when redelivered
	DeliveryContext wire.Optional[deliveryContext] `json:"deliveryContext"`
	Source          source                         `json:"source"`
	ReplyToken      wire.Optional[string]          `json:"replyToken"`
	Message         message                        `json:"message"`
	Unsend          struct {
		MessageID string `json:"messageId"`
	} `json:"unsend"`
}

type deliveryContext struct {
	IsRedelivery bool `json:"isRedelivery"`
}

type source struct {
	Type   string `json:"type"`   // user, group or room
	UserID string `json:"userId"` // may be absent, even for a message
}

type message struct {
	Type            string                         `json:"type"`
	ID              string                         `json:"id"`
	Text            string                         `json:"text"`
	FileSize        wire.Optional[int64]           `json:"fileSize"`
	QuotedMessageID wire.Optional[string]          `json:"quotedMessageId"`
	ContentProvider wire.Optional[contentProvider] `json:"contentProvider"`
	ImageSet        wire.Optional[imageSet]        `json:"imageSet"`
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

// replyToken returns the token that answers e, if it is any good. One on an
// event that comes again has most likely expired.
func (e event) replyToken() string {
	if e.DeliveryContext.Value.IsRedelivery || e.standby() {
		return ""
	}
	return e.ReplyToken.Value
}

// standby tells that another module holds the conversation now, and answers.
// https://developers.line.biz/en/docs/partner-docs/module-technical-chat-control/
func (e event) standby() bool { return e.Mode.Value == "standby" }

// The shapes of what we send.
// https://github.com/line/line-openapi/blob/main/messaging-api.yml

type replyMessage struct {
	ReplyToken string        `json:"replyToken"`
	Messages   []textMessage `json:"messages"`
}

type pushMessage struct {
	To       string        `json:"to"`
	Messages []textMessage `json:"messages"`
}

type textMessage struct {
	Type string `json:"type"`
	Text string `json:"text"`
}
