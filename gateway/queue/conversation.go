package queue

import "time"

// Conversation is the head of a conversation: what is known of it without its
// messages. An open one lives in Redis, a closed one in the archive.
type Conversation struct {
	Queue string
	// ID is 128 random bits in hex. Documents name it as their subject.
	ID string
	// Party is the Item's of that name.
	Party string
	// Channel is the platform, Account the account's name as documents have it, and
	// AccountID the account by the platform's id, by which a reply finds its way.
	Channel, Account, AccountID string
	Consumer                    Consumer
	State                       ConversationState
	// Agent has the conversation, or had it when it was closed; zero if nobody has.
	Agent Agent
	// OpenedAt is when its first message was received, LastMessageAt when the
	// consumer's newest was, and LastReplyAt when somebody last answered.
	OpenedAt, LastMessageAt, LastReplyAt time.Time
	// WaitingSince is when the oldest message was received that nobody has answered,
	// or when the conversation was put back; zero where everything is answered.
	WaitingSince time.Time
	// ClosedAt and ClosedBy are zero while it is open.
	ClosedAt time.Time
	ClosedBy Actor
	// Late tells that a message was finished after it had been closed, which puts it
	// back among the waiting. It can be read and closed, and not answered.
	Late bool
	// Partial tells that the archive has an older part of it.
	Partial bool
	// Arrived is how many of the consumer's messages have been put into it, and Read
	// how many of them its agent has seen: both count arrivals, not Seq.
	Arrived, Read int64
	// Last is the newest item in short.
	Last Gist
	// Previous is the conversation that the party had before, as far as Redis knows.
	Previous string
	// Version rises with every change.
	Version int64
	// Place is where it stands in the list by which it was read, in milliseconds of a
	// clock: whoever is answered and waits on has no WaitingSince. Zero elsewhere.
	Place int64
}

// Unread is how many messages the agent has not seen.
func (c Conversation) Unread() int64 { return max(c.Arrived-c.Read, 0) }

// Open tells whether it can be answered.
func (c Conversation) Open() bool { return c.ClosedAt.IsZero() }

// ConversationState says who has a conversation.
type ConversationState string

// The states of a conversation.
const (
	ConversationWaiting  ConversationState = "waiting"  // nobody has it
	ConversationAssigned ConversationState = "assigned" // one agent has it
	ConversationOver     ConversationState = "closed"   // and nothing in it is new
)

// Agent is a person who answers consumers.
type Agent struct {
	// ID is unique among all agents of a gateway, 1 to 128 bytes.
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// ActorKind says what sort of actor has done something.
type ActorKind string

// The kinds of actor.
const (
	ActorConsumer ActorKind = "consumer"
	ActorAgent    ActorKind = "agent"
	ActorService  ActorKind = "service" // a program of the operator's
	ActorIdle     ActorKind = "idle"    // nobody: the conversation was silent for too long, or has grown too long
)

// Actor is who has done something.
type Actor struct {
	Kind ActorKind `json:"kind"`
	// Agent is set for an agent; for a service ID is its name.
	Agent
}

// Gist is an item in short, for lists.
type Gist struct {
	From ActorKind `json:"from"`
	// Text is the beginning of the text, at most MaxGist characters.
	Text   string `json:"text,omitempty"`
	Photos int    `json:"photos,omitempty"`
	// Unsent tells that its sender has taken it back.
	Unsent bool `json:"unsent,omitempty"`
}

// MaxGist is how many characters of a text stand in a Gist.
const MaxGist = 120

// ConversationItem is a message in a conversation: a consumer's, or a reply.
type ConversationItem struct {
	// ID is the event's key, or the reply's.
	ID string `json:"id"`
	// Position orders the items of a conversation. That of a consumer's message is
	// its Seq times 2^20; a reply stands behind what had been accepted before it. It
	// is below 2^53, so that every JSON reader has it exactly.
	Position int64 `json:"position"`
	// Arrival counts the consumer's messages in the order in which they came here,
	// from 1; it is zero for a reply.
	Arrival int64     `json:"arrival,omitempty"`
	From    ActorKind `json:"from"`
	// Message is what the consumer said. Nil for a reply and for what was unsent.
	Message *MessageData `json:"message,omitempty"`
	// Edit is the newest text of a message that its sender has changed.
	Edit *ItemEdited `json:"edit,omitempty"`
	// UnsentAt is when the gateway was told that the sender has taken it back.
	UnsentAt time.Time `json:"unsent_at,omitzero"`
	// Reply is what an agent or a service has said.
	Reply *ReplyData `json:"reply,omitempty"`
	// Notice is what the consumer was told about a rejected photo of Message, if
	// anything.
	Notice *Delivery `json:"notice,omitempty"`
	// Tried is how often the photos of Message that are pending have been tried, and
	// nil where that is not known. It is read from the journal and kept nowhere else.
	Tried *int `json:"-"`
}

// ItemEdited is a text that has taken the place of another.
type ItemEdited struct {
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

// ReplyData is what an agent or a service has said to a consumer.
type ReplyData struct {
	By   Actor     `json:"by"`
	Text string    `json:"text"`
	At   time.Time `json:"at"`
	// ReplyTo is the platform's id of the message that is answered.
	ReplyTo  string   `json:"reply_to,omitempty"`
	Delivery Delivery `json:"delivery"`
}

// Delivery says what became of something that was sent to a consumer.
type Delivery struct {
	// State is waiting, sent, delivered, failed or unknown.
	State Result `json:"state"`
	// Detail says why it was not sent, in a sentence for people.
	Detail string    `json:"detail,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// ResultDelivered means that the platform says that the consumer has it.
const ResultDelivered Result = "delivered"

// Change tells that a conversation is not as it was.
type Change struct {
	// ID is its place among the changes of its queue, and grows.
	ID           string
	Conversation string
	// Item is the item that is new or not as it was, or empty.
	Item string
	// Agent is the ID of who has the conversation now, and Before of who had it
	// before this change; both may be empty.
	Agent, Before string
	// Gone tells that the conversation is not in Redis any more: it has been moved to
	// the archive, or was forgotten.
	Gone bool
}

// Snapshot is all that Redis holds of a conversation.
type Snapshot struct {
	Conversation Conversation       `json:"conversation"`
	Items        []ConversationItem `json:"items"`
}
