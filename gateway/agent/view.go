package agent

import (
	"time"

	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/routes"
)

// standing is how a caller stands to a conversation of one of their queues. What
// they see of it follows from this alone.
type standing int

const (
	// colleague: another agent of the queue, who may read.
	colleague standing = iota
	// owner: the agent to whom it is assigned, or who had it when it was closed.
	owner
	// service: a program of the operator's.
	service
	standings = iota
)

// owns tells whether an agent may see a conversation's photos.
func owns(agentID string, head queue.Conversation) bool {
	return agentID != "" && head.State != queue.ConversationWaiting && head.Agent.ID == agentID
}

func standingOf(c identity.Caller, head queue.Conversation) standing {
	switch {
	case c.Kind == queue.ActorService:
		return service
	case owns(c.Agent.ID, head):
		return owner
	}
	return colleague
}

// sees tells whether the photos are shown.
func (s standing) sees() bool { return s == owner || s == service }

// conversation is a queue.Conversation as openapi.yaml describes it.
type conversation struct {
	ID           string                  `json:"id"`
	Queue        string                  `json:"queue"`
	Channel      string                  `json:"channel"`
	ChannelTitle string                  `json:"channel_title"`
	Account      string                  `json:"account"`
	Consumer     queue.Consumer          `json:"consumer"`
	State        queue.ConversationState `json:"state"`
	Agent        *queue.Agent            `json:"agent,omitempty"`
	Mine         bool                    `json:"mine"`
	OpenedAt     time.Time               `json:"opened_at,omitzero"`
	WaitingSince time.Time               `json:"waiting_since,omitzero"`
	LastMessage  time.Time               `json:"last_message_at,omitzero"`
	LastReply    time.Time               `json:"last_reply_at,omitzero"`
	ClosedAt     time.Time               `json:"closed_at,omitzero"`
	ClosedBy     *queue.Actor            `json:"closed_by,omitempty"`
	Late         bool                    `json:"late"`
	Arrived      int64                   `json:"arrived"`
	Read         int64                   `json:"read"`
	Unread       int64                   `json:"unread"`
	Last         *queue.Gist             `json:"last,omitempty"`
	Previous     string                  `json:"previous,omitempty"`
	Next         string                  `json:"next,omitempty"`
	Can          can                     `json:"can"`
	ReplyUntil   time.Time               `json:"reply_until,omitzero"`
	TextLimit    int                     `json:"text_limit,omitempty"`
	Version      int64                   `json:"version"`
	Before       string                  `json:"before,omitempty"`
}

// can says what the caller may do, and why not.
type can struct {
	Reply  bool   `json:"reply"`
	Reason string `json:"reason,omitempty"`
}

// view is a conversation as somebody sees it who stands to it like that.
func (o Options) view(head queue.Conversation, s standing) conversation {
	c := conversation{
		ID: publicID(head.Queue, head.ID), Queue: head.Queue, Channel: head.Channel, ChannelTitle: head.Channel,
		Account: head.Account, Consumer: head.Consumer, State: head.State, Mine: s == owner,
		OpenedAt: head.OpenedAt.UTC(), WaitingSince: head.WaitingSince.UTC(), LastMessage: head.LastMessageAt.UTC(),
		LastReply: head.LastReplyAt.UTC(), ClosedAt: head.ClosedAt.UTC(), Late: head.Late, Arrived: head.Arrived, Read: head.Read, Unread: head.Unread(), Version: head.Version,
	}
	if head.Agent.ID != "" {
		c.Agent = &head.Agent
	}
	if head.ClosedBy.Kind != "" {
		c.ClosedBy = &head.ClosedBy
	}
	if head.Last.From != "" {
		c.Last = &head.Last
	}
	route, _, err := o.Routes.Find(head.Channel, head.AccountID)
	if err != nil {
		route = nil
	} else {
		c.ChannelTitle, c.TextLimit = route.Channel.Title, route.Channel.Texts.Limit
		if head.Open() {
			c.ReplyUntil = windowEnd(route, head)
		}
	}
	c.Can = o.can(head, s, route)
	return c
}

// windowEnd is when the platform's time for an answer is over; zero if it sets none.
func windowEnd(route *routes.Route, head queue.Conversation) time.Time {
	if w := route.Channel.Texts.Window; w > 0 {
		return head.LastMessageAt.Add(w).UTC()
	}
	return time.Time{}
}

func (o Options) can(head queue.Conversation, s standing, route *routes.Route) can {
	var reason string
	switch {
	case !head.Open():
		reason = "closed"
	case s == colleague && head.State == queue.ConversationWaiting:
		reason = "not_taken"
	case s == colleague:
		reason = "not_yours"
	case route == nil:
		reason = "no_channel"
	default:
		if until := windowEnd(route, head); !until.IsZero() && !o.Now().Before(until) {
			reason = "window_over"
		}
	}
	return can{Reply: reason == "", Reason: reason}
}

// message is a queue.ConversationItem as openapi.yaml describes it.
type message struct {
	ID        string          `json:"id"`
	Position  int64           `json:"position"`
	Arrival   int64           `json:"arrival,omitempty"`
	From      queue.ActorKind `json:"from"`
	Agent     *queue.Agent    `json:"agent,omitempty"`
	Text      string          `json:"text"`
	At        time.Time       `json:"at,omitzero"`
	SentAt    time.Time       `json:"sent_at,omitzero"`
	MessageID string          `json:"message_id,omitempty"`
	Late      bool            `json:"late,omitempty"`
	EditedAt  time.Time       `json:"edited_at,omitzero"`
	UnsentAt  time.Time       `json:"unsent_at,omitzero"`
	ReplyTo   string          `json:"reply_to,omitempty"`
	Album     *queue.Album    `json:"album,omitempty"`
	Photos    []photo         `json:"photos"`
	Notice    *queue.Delivery `json:"notice,omitempty"`
	Delivery  *queue.Delivery `json:"delivery,omitempty"`
}

// photo is a queue.Photo, with its addresses only where they lead somewhere.
type photo struct {
	ID         string         `json:"id"`
	Status     queue.Status   `json:"status"`
	Reason     string         `json:"reason,omitempty"`
	Damaged    bool           `json:"damaged,omitempty"`
	Source     *queue.Source  `json:"source,omitempty"`
	LimitBytes int64          `json:"limit_bytes,omitempty"`
	Try        int            `json:"try,omitempty"`
	Of         int            `json:"of,omitempty"`
	HostTitle  string         `json:"host_title,omitempty"`
	Visible    bool           `json:"visible"`
	Preview    *queue.Picture `json:"preview,omitempty"`
	Thumbnail  *queue.Picture `json:"thumbnail,omitempty"`
}

// viewItem is an item as somebody sees it who stands to its conversation like that.
func (o Options) viewItem(head queue.Conversation, item queue.ConversationItem, s standing) message {
	m := message{
		ID: item.ID, Position: item.Position, Arrival: item.Arrival, From: item.From, UnsentAt: item.UnsentAt.UTC(),
		Notice: item.Notice, Photos: []photo{},
	}
	if said := item.Message; said != nil {
		m.Text, m.At, m.SentAt, m.MessageID = said.Text, said.ReceivedAt.UTC(), said.SentAt.UTC(), said.MessageID
		m.Late, m.ReplyTo, m.Album = said.Late, said.ReplyTo, said.Album
		for _, p := range said.Photos {
			m.Photos = append(m.Photos, o.viewPhoto(head, p, s, item.Tried))
		}
	}
	if e := item.Edit; e != nil && item.UnsentAt.IsZero() {
		m.Text, m.EditedAt = e.Text, e.At.UTC()
	}
	if r := item.Reply; r != nil {
		m.Text, m.At, m.ReplyTo, m.Agent = r.Text, r.At.UTC(), r.ReplyTo, &r.By.Agent
		m.Delivery = &r.Delivery
	}
	return m
}

func (o Options) viewPhoto(head queue.Conversation, p queue.Photo, s standing, tried *int) photo {
	v := photo{ID: p.ID, Status: p.Status, Reason: p.Reason, Damaged: p.Damaged, Source: p.Source}
	if p.Reason == "too_large" {
		if _, account, err := o.Routes.Find(head.Channel, head.AccountID); err == nil {
			v.LimitBytes = account.Photos.MaxBytes
		}
	}
	if p.Status == queue.Pending && tried != nil {
		o.viewTries(&v, head, *tried)
	}
	if p.Status == queue.Ready && s.sees() {
		v.Visible, v.Preview, v.Thumbnail = true, p.Preview, p.Thumbnail
	}
	return v
}

// viewTries says of a photo that is still being fetched from where, and which try is
// under way, or comes next.
func (o Options) viewTries(v *photo, head queue.Conversation, tried int) {
	if route, _, err := o.Routes.Find(head.Channel, head.AccountID); err == nil {
		v.HostTitle = route.Channel.Title
	}
	if o.Attempts > 0 {
		v.Try, v.Of = min(tried+1, o.Attempts), o.Attempts
	}
}
