// Package agent is the API of agents and of the programs that they work with:
// conversations, photos and live updates below /v1, as openapi.yaml describes them.
//
// It promises that a photo is shown only to the agent who has its conversation, or had
// it when it was closed; to whoever holds a link that was minted for this agent within
// the last minute; and to services of the queue. This is asked anew at every fetch.
// What is outside a caller's queues looks like what is not there, and no answer may be
// kept. A live update leaves nothing out without saying so.
//
// Who is calling is known by package identity, and what an agent does is done by
// package queue, in one step each. The routes stand in Mount; each has a handler
// that reads like its paragraph in openapi.yaml. call.go is what all have in
// common, problems.go the one table of what can go wrong, view.go the JSON, and
// live*.go the updates.
package agent

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/lightlock/lightlock/gateway/archive"
	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/outbound"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/routes"
	"github.com/lightlock/lightlock/gateway/store"
)

// Journal is what this package needs of the queue's: conversations in Redis.
type Journal interface {
	Lists
	Items
	Work
	Changes
}

// Lists finds conversations. They are in Redis as long as they are open, and a
// little longer.
type Lists interface {
	Conversation(ctx context.Context, queue, id string) (queue.Conversation, error)
	Conversations(ctx context.Context, queue string, ids []string) ([]queue.Conversation, error)
	Waiting(ctx context.Context, queue, after string, limit int) (list []queue.Conversation, next string, total int64, err error)
	Mine(ctx context.Context, queue, agentID, after string, limit int) (list []queue.Conversation, next string, total int64, err error)
}

// Items reads what is in a conversation.
type Items interface {
	Items(ctx context.Context, queue, id string, r queue.ItemRange) (items []queue.ConversationItem, more bool, err error)
	ItemsByID(ctx context.Context, queue, id string, items []string) ([]queue.ConversationItem, error)
}

// Work is what agents do with a conversation, one step each.
type Work interface {
	Assign(ctx context.Context, queue, id string, a queue.Assignment) (queue.Conversation, error)
	CloseConversation(ctx context.Context, queue, id string, c queue.Closing) (queue.Conversation, error)
	SeenUpTo(ctx context.Context, queue, id, agentID string, arrival int64) error
}

// Changes are what live updates are made of, and the links that stand for a minute.
type Changes interface {
	Changes(ctx context.Context, queue, after string, limit int, block time.Duration) ([]queue.Change, error)
	LastChange(ctx context.Context, queue string) (string, error)
	OpenLink(ctx context.Context, queue, name string, l queue.Link, life time.Duration) error
	Link(ctx context.Context, queue, name string) (queue.Link, error)
}

// People knows who is calling, and who else there is.
type People interface {
	Caller(r *http.Request) (identity.Caller, error)
	Agents(ctx context.Context, queue string) []queue.Agent
	Lookup(ctx context.Context, id, queue string) (queue.Agent, bool)
}

// Speaker writes an answer down, to be sent. fresh is false for a repeat.
type Speaker interface {
	Say(ctx context.Context, s outbound.Speech) (item queue.ConversationItem, fresh bool, err error)
}

// Gallery opens pictures, and tells whose a photo is.
type Gallery interface {
	Open(ctx context.Context, k store.Key) (store.Picture, error)
	Conversation(ctx context.Context, k store.Key) (string, error)
}

// Archive has the conversations that are not in Redis any more. What Redis knows of
// them since is part of what it returns.
type Archive interface {
	Get(ctx context.Context, queue, id string) (queue.Snapshot, error)
	List(ctx context.Context, q archive.Query) (archive.Page, error)
	Head(ctx context.Context, queue, id string) (queue.Conversation, error)
	Neighbours(ctx context.Context, of queue.Conversation) (previous, next string, err error)
}

// Options are what an API needs. All of them must be there but Archive, without
// which nothing is found of what has left Redis, and Now.
type Options struct {
	Journal Journal
	Archive Archive
	Gallery Gallery
	People  People
	Speaker Speaker
	Routes  *routes.Table
	Log     *slog.Logger
	Now     func() time.Time
	// Attempts is how often a photo is tried. Zero tells nobody.
	Attempts int
	// Without tells that no conversations are kept. Services have the photos of their
	// queues then; who is calling and who else there is can be asked; and all the rest
	// is not there.
	Without bool
}

// API answers the calls. Its Run must be running for live updates.
type API struct {
	Options
	hub    *hub
	failed *seldom
	shares *shares
	every  struct{ heartbeat, recheck time.Duration }
	// missed is how many changes of a queue are told to who comes back. Reading
	// everything anew is quicker than more.
	missed int
}

// New makes an API.
func New(o Options) *API {
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &API{Options: o, hub: newHub(o), failed: newSeldom(o.Log), shares: newShares()}
	a.every.heartbeat, a.every.recheck, a.missed = heartbeat, recheck, mostMissed
	return a
}

// Mount adds the routes. Calls below /v1 to which nothing answers are answered as
// the others are.
func (a *API) Mount(e *echo.Echo) {
	e.GET("/v1/me", a.known(a.me))
	e.GET("/v1/agents", a.known(a.agents))
	e.GET("/v1/conversations", a.known(a.list))
	e.GET("/v1/conversations/:conversation", a.known(a.one))
	e.GET("/v1/conversations/:conversation/messages", a.known(a.messages))
	e.POST("/v1/conversations/:conversation/take", a.known(a.take))
	e.POST("/v1/conversations/:conversation/transfer", a.known(a.transfer))
	e.POST("/v1/conversations/:conversation/close", a.known(a.close))
	e.POST("/v1/conversations/:conversation/read", a.known(a.read))
	e.POST("/v1/conversations/:conversation/replies", a.known(a.reply))
	e.POST("/v1/photos/:photo/links", a.known(a.links))
	for _, kind := range []store.Kind{store.Preview, store.Thumbnail} {
		e.Match([]string{http.MethodGet, http.MethodHead}, "/v1/photos/:photo/"+string(kind), a.picture(kind))
	}
	e.GET("/v1/events", a.known(a.events))
	a.answerErrors(e)
	mountOpenAPI(e)
}

// Run keeps live updates going until ctx ends, and then ends all streams at once.
func (a *API) Run(ctx context.Context, _ time.Duration) { a.hub.run(ctx) }
