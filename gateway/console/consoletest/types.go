package consoletest

import (
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// What the API takes from the queue's documents as it is.
type (
	// Consumer is who writes.
	Consumer = queue.Consumer
	// Album is which messages were sent together.
	Album = queue.Album
	// Source is what is known of an original.
	Source = queue.Source
	// Picture is where a picture is.
	Picture = queue.Picture
)

// Unknown ends the names of accounts that are not configured (any more): no
// consumer's conversations are found by them.
const Unknown = "/unknown"

// Agent is an agent as the API has it.
type Agent struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Actor is who has done something.
type Actor struct {
	Kind string `json:"kind"`
	Agent
}

// Gist is a message in short.
type Gist struct {
	From   string `json:"from"`
	Text   string `json:"text,omitempty"`
	Photos int    `json:"photos,omitempty"`
}

// Can is what the caller may do.
type Can struct {
	Reply  bool   `json:"reply"`
	Reason string `json:"reason,omitempty"`
}

// Conversation is a conversation as the API has it.
type Conversation struct {
	ID            string    `json:"id"`
	Queue         string    `json:"queue"`
	Channel       string    `json:"channel"`
	ChannelTitle  string    `json:"channel_title"`
	Account       string    `json:"account"`
	Consumer      Consumer  `json:"consumer"`
	State         string    `json:"state"`
	Agent         *Agent    `json:"agent,omitempty"`
	Mine          bool      `json:"mine"`
	OpenedAt      time.Time `json:"opened_at,omitzero"`
	WaitingSince  time.Time `json:"waiting_since,omitzero"`
	LastMessageAt time.Time `json:"last_message_at,omitzero"`
	LastReplyAt   time.Time `json:"last_reply_at,omitzero"`
	ClosedAt      time.Time `json:"closed_at,omitzero"`
	ClosedBy      *Actor    `json:"closed_by,omitempty"`
	Late          bool      `json:"late"`
	Arrived       int64     `json:"arrived"`
	Read          int64     `json:"read"`
	Unread        int64     `json:"unread"`
	Last          *Gist     `json:"last,omitempty"`
	Previous      string    `json:"previous,omitempty"`
	Next          string    `json:"next,omitempty"`
	Can           Can       `json:"can"`
	ReplyUntil    time.Time `json:"reply_until,omitzero"`
	TextLimit     int       `json:"text_limit,omitempty"`
	Version       int64     `json:"version"`
	Before        string    `json:"before,omitempty"`
}

// Message is a message as the API has it.
type Message struct {
	ID        string    `json:"id"`
	Position  int64     `json:"position"`
	Arrival   int64     `json:"arrival,omitempty"`
	From      string    `json:"from"`
	Agent     *Agent    `json:"agent,omitempty"`
	Text      string    `json:"text"`
	At        time.Time `json:"at,omitzero"`
	MessageID string    `json:"message_id,omitempty"`
	Late      bool      `json:"late,omitempty"`
	EditedAt  time.Time `json:"edited_at,omitzero"`
	UnsentAt  time.Time `json:"unsent_at,omitzero"`
	ReplyTo   string    `json:"reply_to,omitempty"`
	Album     *Album    `json:"album,omitempty"`
	Photos    []Photo   `json:"photos"`
	Notice    *Delivery `json:"notice,omitempty"`
	Delivery  *Delivery `json:"delivery,omitempty"`
}

// Delivery is what became of something that was sent.
type Delivery struct {
	State  string `json:"state"`
	Detail string `json:"detail,omitempty"`
}

// Photo is a photo as the API has it.
type Photo struct {
	ID         string   `json:"id"`
	Status     string   `json:"status"`
	Reason     string   `json:"reason,omitempty"`
	Damaged    bool     `json:"damaged,omitempty"`
	Source     *Source  `json:"source,omitempty"`
	LimitBytes int64    `json:"limit_bytes,omitempty"`
	Try        int      `json:"try,omitempty"`
	Of         int      `json:"of,omitempty"`
	HostTitle  string   `json:"host_title,omitempty"`
	Visible    bool     `json:"visible"`
	Preview    *Picture `json:"preview,omitempty"`
	Thumbnail  *Picture `json:"thumbnail,omitempty"`
}
