package twitter

import (
	"encoding/json"

	"github.com/lightlock/lightlock/connectors/wire"
)

// The shapes below are the parts that we read of X's webhooks; everything else,
// and everything that X adds one day, is passed over. A webhook of the Account
// Activity API is an object of which each member is a list of events of one
// kind; one of the X Activity API is a single activity that may hold such lists.
// https://docs.x.com/x-api/account-activity/introduction
// https://docs.x.com/x-api/activity/introduction

// activity is the "data" of a webhook of the X Activity API.
type activity struct {
	EventUUID word `json:"event_uuid"` // may be a negative number in a string
	EventType word `json:"event_type"`
	Filter    struct {
		UserID word `json:"user_id"`
	} `json:"filter"`
	Payload struct {
		DirectMessageEvents json.RawMessage `json:"direct_message_events"`
		Users               json.RawMessage `json:"users"`
	} `json:"payload"`
}

// message is one direct message.
// https://developer.x.com/en/docs/x-api/v1/data-dictionary/object-model/dm-event
type message struct {
	Type             word `json:"type"`
	ID               word `json:"id"`
	CreatedTimestamp word `json:"created_timestamp"` // ms
	MessageCreate    *struct {
		Target      json.RawMessage `json:"target"`
		SenderID    word            `json:"sender_id"`
		SourceAppID word            `json:"source_app_id"`
		MessageData content         `json:"message_data"`
	} `json:"message_create"`
}

type target struct {
	RecipientID word `json:"recipient_id"`
}

type content struct {
	Text       string          `json:"text"` // escaped as HTML
	Attachment json.RawMessage `json:"attachment"`
}

// attachment is the one thing beside the text. Its media id is not read: in
// "id" it is a number that not every JSON library keeps exact, and the address
// holds it.
type attachment struct {
	Type  word `json:"type"` // media, location
	Media struct {
		Type          word `json:"type"` // photo, animated_gif, video
		MediaURL      word `json:"media_url"`
		MediaURLHTTPS word `json:"media_url_https"`
		URL           word `json:"url"` // the t.co link at the end of the text
	} `json:"media"`
}

// person is a member of "users". The X Activity API has it inside "data".
type person struct {
	Name word `json:"name"`
	Data struct {
		Name word `json:"name"`
	} `json:"data"`
}

// word is a text, or a number in its own digits.
type word = wire.Word
