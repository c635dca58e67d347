package queue

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"
)

// What every document says of itself.
const (
	specVersion = "1.0"
	contentType = "application/json"
)

// DocumentType says what a document is about.
type DocumentType string

// The types of document.
const (
	// MessageReceived is about a consumer's message, once nothing about it is
	// open but perhaps a photo. Its data is a MessageData, that of PhotoSettled a
	// SettledData, and that of the others a ChangeData.
	MessageReceived DocumentType = "lightlock.message.received"
	// PhotoSettled is about the photos that were pending when their message was
	// received. It follows once, unless the message is unsent before.
	PhotoSettled DocumentType = "lightlock.photo.settled"
	// MessageEdited is about a message whose sender has changed its text. It
	// follows the message itself.
	MessageEdited DocumentType = "lightlock.message.edited"
	// MessageUnsent is about a message that its sender has taken back: whoever
	// has it destroys it. No received follows, though none may have come before.
	MessageUnsent DocumentType = "lightlock.message.unsent"
	// ConversationClosed is about a conversation that has ended: its consumer, an agent
	// or a service has closed it, or it was idle for too long, or has grown too long.
	// Nothing can be said in it any more.
	ConversationClosed DocumentType = "lightlock.conversation.closed"
)

// Schema returns the name of the JSON Schema of this type's data, the documents'
// dataschema. It is a URN, because CloudEvents wants an absolute URI and the
// gateway's own address is not the same for all who read: what is named
// urn:lightlock:schema:NAME:1 is published at /schemas/NAME.json. The number rises
// when a field goes or changes its meaning, not when one is added; a later one is
// published beside the first, at /schemas/NAME.NUMBER.json.
func (t DocumentType) Schema() string { return "urn:lightlock:schema:" + string(t) + ":1" }

//go:embed schemas/*.json
var schemaFiles embed.FS

// Schemas returns the JSON Schemas (draft 2020-12): event.json is of whole
// documents, TYPE.json of the data of one type. The gateway publishes them at
// /schemas/. They leave room for fields that are added later.
func Schemas() fs.FS {
	sub, err := fs.Sub(schemaFiles, "schemas")
	if err != nil {
		return schemaFiles // cannot be: the folder is compiled in
	}
	return sub
}

// Document is what agents' software finds in a queue: a CloudEvents 1.0 event in
// JSON. It holds no photo's bytes, no platform's address and no secret.
type Document struct {
	// ID is stable for ever: the same event always has the same. Use
	// Item.Key, or SettledID of it.
	ID   string
	Type DocumentType
	// Account is the source: "line/acme" or "whatsapp/acme/shop".
	Account string
	// Conversation is the subject.
	Conversation string
	// Time is when the gateway received the event.
	Time time.Time
	Data Data
}

// Data is what a document says, by its type.
type Data interface {
	// in returns the data as it stands in the document: times in UTC, account
	// and conversation those of the document.
	in(d Document) Data
}

// MessageData is the data of a MessageReceived document.
type MessageData struct {
	Conversation string   `json:"conversation"`
	Account      string   `json:"account"`
	Channel      string   `json:"channel"`
	Consumer     Consumer `json:"consumer"`
	// MessageID is the platform's, by which ReplyTo and later documents name the
	// message.
	MessageID string `json:"message_id,omitempty"`
	// Seq orders the messages of a conversation, from 1.
	Seq int64 `json:"seq"`
	// Late marks a message that was finished after its conversation had been
	// closed.
	Late bool   `json:"late,omitempty"`
	Text string `json:"text"`
	// SentAt is by the platform's clock, absent where it does not say.
	SentAt time.Time `json:"sent_at,omitzero"`
	// ReceivedAt is by the gateway's.
	ReceivedAt time.Time `json:"received_at"`
	Album      *Album    `json:"album,omitempty"`
	// ReplyTo is the platform's id of the message that this one answers.
	ReplyTo string  `json:"reply_to,omitempty"`
	Photos  []Photo `json:"photos"`
}

func (m MessageData) in(d Document) Data {
	m.Account, m.Conversation = d.Account, d.Conversation
	m.SentAt, m.ReceivedAt = m.SentAt.UTC(), m.ReceivedAt.UTC()
	if m.Photos == nil {
		m.Photos = []Photo{}
	}
	return m
}

// SettledData is the data of a PhotoSettled document.
type SettledData struct {
	Conversation string   `json:"conversation"`
	Account      string   `json:"account"`
	Channel      string   `json:"channel"`
	Consumer     Consumer `json:"consumer"`
	// MessageID is the platform's id of the message, and Message the id of its
	// own document.
	MessageID string `json:"message_id,omitempty"`
	Message   string `json:"message"`
	Seq       int64  `json:"seq,omitempty"`
	// Photos are those that were pending, each with the ID that it had then.
	// Where the pictures are served is another place: readers take Href as it is.
	Photos []Photo `json:"photos"`
}

func (s SettledData) in(d Document) Data {
	s.Account, s.Conversation = d.Account, d.Conversation
	if s.Photos == nil {
		s.Photos = []Photo{}
	}
	return s
}

// SettledID returns the id of the PhotoSettled document of a message's event.
func SettledID(message string) string { return message + ".settled" }

// ChangeData is the data of a document about something that happened to a
// message or a conversation.
type ChangeData struct {
	Conversation string   `json:"conversation"`
	Account      string   `json:"account"`
	Channel      string   `json:"channel"`
	Consumer     Consumer `json:"consumer,omitzero"`
	// MessageID is the platform's id of the message, and Message the id of its
	// own document, absent if the gateway never had the message.
	MessageID string `json:"message_id,omitempty"`
	Message   string `json:"message,omitempty"`
	// Text is the new text of an edited message.
	Text       *string   `json:"text,omitempty"`
	SentAt     time.Time `json:"sent_at,omitzero"`
	ReceivedAt time.Time `json:"received_at"`
	// ClosedBy is who has closed a conversation.
	ClosedBy *ClosedBy `json:"closed_by,omitempty"`
}

// ClosedBy is an Actor as documents name it: ID is an agent's or a service's.
type ClosedBy struct {
	Kind ActorKind `json:"kind"`
	ID   string    `json:"id,omitempty"`
}

func (c ChangeData) in(d Document) Data {
	c.Account, c.Conversation = d.Account, d.Conversation
	c.SentAt, c.ReceivedAt = c.SentAt.UTC(), c.ReceivedAt.UTC()
	return c
}

// Consumer is the person who wrote.
type Consumer struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Album tells which photos a consumer sent together.
type Album struct {
	ID    string `json:"id"`
	Index int    `json:"index,omitempty"`
	Total int    `json:"total,omitempty"`
}

// Status says what became of a photo.
type Status string

// The states of a photo.
const (
	Ready    Status = "ready"    // developed: preview and thumbnail are there
	Rejected Status = "rejected" // never to be shown, for the given reason
	Pending  Status = "pending"  // not settled yet; another document will say
)

// Photo is one photo of a message.
type Photo struct {
	ID     string `json:"id"`
	Status Status `json:"status"`
	// Reason is set for Rejected: one of the public words of package media.
	Reason string `json:"reason,omitempty"`
	// Damaged marks a ready photo of which a part was missing.
	Damaged   bool     `json:"damaged,omitempty"`
	Source    *Source  `json:"source,omitempty"`
	Preview   *Picture `json:"preview,omitempty"`
	Thumbnail *Picture `json:"thumbnail,omitempty"`
}

// Source is what is known about the original; zero means unknown.
type Source struct {
	Type   string `json:"type,omitempty"`
	Bytes  int64  `json:"bytes,omitempty"`
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
}

// Picture is a picture that the gateway made and serves.
type Picture struct {
	// Href is PreviewHref or ThumbnailHref: relative to the gateway, stable.
	Href   string `json:"href"`
	Type   string `json:"type"`
	Bytes  int    `json:"bytes"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

// PreviewHref returns where a photo's preview is served.
func PreviewHref(photo string) string { return "/v1/photos/" + photo + "/preview" }

// ThumbnailHref returns where a photo's thumbnail is served.
func ThumbnailHref(photo string) string { return "/v1/photos/" + photo + "/thumbnail" }

// cloudEvent has the attributes in the order in which people read them.
type cloudEvent struct {
	SpecVersion     string       `json:"specversion"`
	ID              string       `json:"id"`
	Type            DocumentType `json:"type"`
	Source          string       `json:"source"`
	Subject         string       `json:"subject"`
	Time            time.Time    `json:"time"`
	DataContentType string       `json:"datacontenttype"`
	DataSchema      string       `json:"dataschema"`
	Data            Data         `json:"data"`
}

// Marshal returns the document as it stands in the queue. Times are UTC, the
// account and the conversation in data are those of the document, and photos is
// a list even if it is empty.
func (d Document) Marshal() ([]byte, error) {
	text, err := json.Marshal(cloudEvent{
		SpecVersion: specVersion, ID: d.ID, Type: d.Type, Source: d.Account, Subject: d.Conversation,
		Time: d.Time.UTC(), DataContentType: contentType, DataSchema: d.Type.Schema(), Data: d.Data.in(d),
	})
	if err != nil {
		return nil, fmt.Errorf("queue: document: %w", err)
	}
	return text, nil
}
