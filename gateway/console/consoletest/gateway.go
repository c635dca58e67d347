// Package consoletest is what tests of the agents' page need: a real browser, and
// a gateway in memory that answers the agents' API as it is described.
//
// It promises that the browser is one for a whole package, with a profile of its
// own that is removed with it, and that every page is in a context of its own, so
// that no test sees another's cookies or storage. The gateway keeps the API's
// rules about who sees what, and nothing else of a gateway's work. Only tests
// import it.
package consoletest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/lightlock/lightlock/gateway/console"
)

// Queue is the name of the one queue there is.
const Queue = "support"

// step is how far apart the positions of two messages are.
const step = 1 << 20

// Gateway is a gateway in memory. Its agents sign in by their id as the token.
type Gateway struct {
	// URL is where it listens.
	URL string

	t      testing.TB
	server *httptest.Server
	echo   *echo.Echo
	agents []Agent

	mu            sync.Mutex
	conversations map[string]*Conversation
	messages      map[string][]Message
	sessions      map[string]string // cookie -> agent
	replies       map[string]Message
	texts         map[string]string
	changes       []change
	woken         chan struct{} // closed at every change
	serial        int
	reads         map[string]int64
	requests      []string
	faults        map[string]Fault
	away          bool
	over          chan struct{} // closed with the test: nothing is held back any more
}

// Fault is what happens to calls of one path.
type Fault struct {
	// Status is answered; 0 answers as always.
	Status int
	// Times is for how many calls it holds; 0 for ever.
	Times int
	// Until keeps the answer back until it is closed.
	Until <-chan struct{}
}

// New starts a gateway with the given agents, with the page in front of it. It
// ends with the test.
func New(t testing.TB, agents ...Agent) *Gateway {
	t.Helper()
	g := &Gateway{
		t: t, agents: agents, conversations: map[string]*Conversation{}, messages: map[string][]Message{}, sessions: map[string]string{},
		replies: map[string]Message{}, texts: map[string]string{}, woken: make(chan struct{}), reads: map[string]int64{}, faults: map[string]Fault{},
		over: make(chan struct{}),
	}
	e := echo.New()
	g.echo = e
	g.mount(e)
	if err := console.Mount(e, console.Options{API: e, Keep: 13 * 30 * 24 * time.Hour, Tries: 8}); err != nil {
		t.Fatal(err)
	}
	g.server = httptest.NewServer(e)
	g.URL = g.server.URL
	t.Cleanup(func() {
		close(g.over)
		g.SetAway(true)
		g.server.CloseClientConnections()
		g.server.Close()
	})
	return g
}

// Static serves files below a path, beside the page's own.
func (g *Gateway) Static(path string, files fs.FS) { g.echo.StaticFS(path, files) }

// Open begins a waiting conversation and returns its id. What is not given is
// made up.
func (g *Gateway) Open(c Conversation) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.serial++
	now := time.Now()
	c.Queue = Queue
	if c.ID == "" {
		c.ID = fmt.Sprintf("%s.%032x", Queue, g.serial)
	}
	if c.Channel == "" {
		c.Channel, c.ChannelTitle = "line", "LINE"
	}
	if c.Account == "" {
		c.Account = c.Channel + "/acme"
	}
	if c.Consumer.ID == "" {
		c.Consumer.ID = fmt.Sprintf("U%08x", g.serial)
	}
	if c.State == "" {
		c.State = "waiting"
	}
	if c.OpenedAt.IsZero() {
		c.OpenedAt = now
	}
	if c.WaitingSince.IsZero() && c.State != "closed" {
		c.WaitingSince = c.OpenedAt
	}
	if c.LastMessageAt.IsZero() {
		c.LastMessageAt = c.OpenedAt
	}
	if c.TextLimit == 0 {
		c.TextLimit = 5000
	}
	c.Version = 1
	g.conversations[c.ID] = &c
	g.changed(change{conversation: c.ID})
	return c.ID
}

// Say puts a message into a conversation, as if its consumer had sent it, or an
// agent.
func (g *Gateway) Say(id string, m Message) Message {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.say(id, m)
}

func (g *Gateway) say(id string, m Message) Message {
	c := g.conversations[id]
	g.serial++
	if m.ID == "" {
		m.ID = fmt.Sprintf("%032x", g.serial)
	}
	if m.From == "" {
		m.From = "consumer"
	}
	if m.At.IsZero() {
		m.At = time.Now()
	}
	if m.Photos == nil {
		m.Photos = []Photo{}
	}
	m.Position = int64(len(g.messages[id])+1) * step
	if m.From == "consumer" {
		c.Arrived++
		m.Arrival = c.Arrived
		if m.MessageID == "" {
			m.MessageID = "mid-" + m.ID
		}
		c.LastMessageAt = m.At
	} else {
		c.LastReplyAt, c.WaitingSince = m.At, time.Time{}
	}
	c.Last = &Gist{From: m.From, Text: gist(m.Text), Photos: len(m.Photos)}
	g.messages[id] = append(g.messages[id], m)
	g.changed(change{conversation: id, item: m.ID})
	return m
}

func gist(text string) string {
	if signs := []rune(text); len(signs) > 120 {
		return string(signs[:120])
	}
	return text
}

// Given is a conversation that a consumer began an hour ago with these messages, and
// that an agent has taken.
func (g *Gateway) Given(agent, consumer string, said ...Message) string {
	id := g.Open(Conversation{Consumer: Consumer{Name: consumer}, OpenedAt: time.Now().Add(-time.Hour)})
	for _, m := range said {
		g.Say(id, m)
	}
	g.Assign(id, agent)
	return id
}

// Change alters a message that is there.
func (g *Gateway) Change(id, message string, alter func(m *Message)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.messages[id] {
		if g.messages[id][i].ID == message {
			alter(&g.messages[id][i])
			g.changed(change{conversation: id, item: message})
			return
		}
	}
	g.t.Errorf("there is no message %s in %s", message, id)
}

// Alter changes a conversation.
func (g *Gateway) Alter(id string, alter func(c *Conversation)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.alter(id, alter)
}

func (g *Gateway) alter(id string, alter func(c *Conversation)) {
	c := g.conversations[id]
	before := ""
	if c.State == "assigned" && c.Agent != nil {
		before = c.Agent.ID
	}
	alter(c)
	now := ""
	if c.State == "assigned" && c.Agent != nil {
		now = c.Agent.ID
	}
	if before == now {
		before = ""
	}
	g.changed(change{conversation: id, before: before})
}

// Assign gives a conversation to an agent; "" puts it back.
func (g *Gateway) Assign(id, agent string) {
	g.Alter(id, func(c *Conversation) { g.assign(c, agent) })
}

func (g *Gateway) assign(c *Conversation, agent string) {
	c.State, c.Agent = "waiting", nil
	if agent == "" {
		c.WaitingSince = time.Now()
		return
	}
	for _, a := range g.agents {
		if a.ID == agent {
			c.State, c.Agent = "assigned", &a
		}
	}
}

// Close closes a conversation, by its agent.
func (g *Gateway) Close(id string) {
	g.Alter(id, func(c *Conversation) { closeIt(c) })
}

func closeIt(c *Conversation) {
	c.State, c.ClosedAt, c.ClosedBy = "closed", time.Now(), &Actor{Kind: "idle"}
	if c.Agent != nil {
		c.ClosedBy = &Actor{Kind: "agent", Agent: *c.Agent}
	}
}

// Gone says that a conversation has left Redis, or that only a part of it is there:
// whoever shows it asks again.
func (g *Gateway) Gone(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changed(change{conversation: id, gone: true})
}

// Reset says that listeners have missed something, nobody knows what.
func (g *Gateway) Reset() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changes = append(g.changes, change{reset: true})
	g.wake()
}

// Rewrite changes a message without a word to anybody, as the archive's part of a
// conversation changes.
func (g *Gateway) Rewrite(id, message string, alter func(m *Message)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.messages[id] {
		if g.messages[id][i].ID == message {
			alter(&g.messages[id][i])
		}
	}
}

// Conversation returns one as it is now.
func (g *Gateway) Conversation(id string) Conversation {
	g.mu.Lock()
	defer g.mu.Unlock()
	return *g.conversations[id]
}

// Messages returns a conversation's.
func (g *Gateway) Messages(id string) []Message {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]Message(nil), g.messages[id]...)
}

// Fail makes calls fail whose method and path begin so, such as "GET /v1/photos/".
func (g *Gateway) Fail(prefix string, f Fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults[prefix] = f
}

// Mend takes a fault back.
func (g *Gateway) Mend(prefix string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.faults, prefix)
}

// SetAway cuts every stream of live updates, and refuses new ones as long as it
// is set.
func (g *Gateway) SetAway(away bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.away = away
	g.wake()
}

// EndSessions signs everybody out.
func (g *Gateway) EndSessions() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sessions = map[string]string{}
	g.wake()
}

// Requests returns what was asked for so far: method and path.
func (g *Gateway) Requests() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.requests...)
}

func (g *Gateway) changed(c change) {
	g.conversations[c.conversation].Version++
	g.changes = append(g.changes, c)
	g.wake()
}

// wake has every listener look what is new.
func (g *Gateway) wake() {
	close(g.woken)
	g.woken = make(chan struct{})
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
