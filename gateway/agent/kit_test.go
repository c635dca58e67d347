package agent_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/goleak"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/whatsapp"
	"github.com/lightlock/lightlock/connectors/whatsapp/whatsappsim"
	"github.com/lightlock/lightlock/gateway/agent"
	"github.com/lightlock/lightlock/gateway/archive"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/outbound"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/gateway/routes"
	"github.com/lightlock/lightlock/gateway/store"
	"github.com/lightlock/lightlock/gateway/webhook"
)

const (
	support, sales = "support", "sales"
	canary         = "canary-5d31"
)

// The tokens of everybody: agents of support, an agent of sales, an agent of both,
// and a service of each.
const (
	benToken  = "llat_ben-" + canary + "-ben-ben-ben-ben-ben"
	evaToken  = "llat_eva-" + canary + "-eva-eva-eva-eva-eva"
	salToken  = "llat_sal-" + canary + "-sal-sal-sal-sal-sal"
	bothToken = "llat_both-" + canary + "-both-both-both-both"
	leaToken  = "llat_lea-" + canary + "-lea-lea-lea-lea-lea"
	deskToken = "desk-" + canary + "-desk-desk-desk-desk-desk"
	shopToken = "shop-" + canary + "-shop-shop-shop-shop-shop"
)

func TestMain(m *testing.M) {
	queue.RedirectLog(slog.New(slog.DiscardHandler))
	// A pool of connections tries to reach a Redis that is away a second after it was closed.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

// house is a gateway's API before a real Redis and a real store.
type house struct {
	testing.TB
	redis    *queuetest.Server
	journal  *queue.Backend
	store    *store.Sealed
	archive  *archive.Archive
	people   *identity.Registry
	line     *outbound.Line
	routes   *routes.Table
	api      *agent.API
	echo     *echo.Echo
	address  string
	agents   string // the agents file
	data     string // where it keeps what it has
	log      *gatewaytest.Log
	accounts map[string]account // by queue
	clock    atomic.Int64       // how far the API's clock is ahead
	stop     func()
	number   int
}

// account is the one account that a queue has.
type account struct{ channel, name, id string }

// change is what a test has otherwise than the rest.
type change func(*agent.Options)

// open starts a gateway's API.
func open(t testing.TB, changes ...change) *house {
	t.Helper()
	return openWith(t, func(*config.Config) {}, changes...)
}

// openWith starts one that is configured otherwise.
func openWith(t testing.TB, configure func(*config.Config), changes ...change) *house {
	t.Helper()
	if t, ok := t.(*testing.T); ok {
		t.Parallel()
	}
	h := &house{TB: t, redis: queuetest.Start(t), log: &gatewaytest.Log{}, accounts: map[string]account{}}
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	loaded := h.configured()
	configure(&loaded.Config)
	var err error
	h.routes, err = routes.New(loaded, []connectors.Channel{line.Channel(), whatsapp.Channel()}, connectors.Env{Log: log, Now: time.Now})
	h.must(err)
	h.journal, err = queue.Open(t.Context(), queue.OpenOptions{
		Redis: &config.Redis{Address: h.redis.Address()}, Journal: queue.Options{ArchiveAfter: time.Millisecond},
	})
	h.must(err)
	t.Cleanup(func() { _ = h.journal.Close(context.Background()) })
	queuetest.Inspect(t, h.redis.Address()).Set("appendfsync", "no") // no test pulls the plug
	for _, name := range h.routes.Queues() {
		h.must(h.journal.EnsureQueue(t.Context(), name))
	}
	h.store, err = store.New(loaded.Config, log)
	h.must(err)
	t.Cleanup(func() { _ = h.store.Close() })
	h.people, err = identity.Open(t.Context(), identity.Options{
		Config: loaded.Config, Queues: h.routes.Queues(), Sessions: h.journal, Seen: h.journal, Log: log, Poll: time.Millisecond,
	})
	h.must(err)
	h.line = &outbound.Line{Journal: h.journal.Journal, Metrics: ops.NewMetrics(), Accounts: ops.NewAccounts(h.routes.AccountNames(), time.Now), Log: log, Work: loaded.Config.Work, Routes: h.routes, Now: time.Now}
	h.archive = &archive.Archive{
		Journal: h.journal, Heads: h.journal, Open: h.journal, Documents: h.store.Documents(), Queues: h.routes.Queues(), Keep: time.Duration(loaded.Config.Photos.Keep),
		Metrics: ops.NewMetrics(), Log: log, Now: time.Now,
	}
	o := agent.Options{
		Journal: h.journal, Archive: h.archive, Gallery: h.store, People: h.people, Speaker: h.line, Routes: h.routes, Log: log,
		Now: func() time.Time { return time.Now().Add(time.Duration(h.clock.Load())) },
	}
	for _, c := range changes {
		c(&o)
	}
	h.api = agent.New(o)
	h.serve(log)
	return h
}

// configured is the configuration: queue support has an account on LINE, and sales
// one on WhatsApp, which lets nobody answer after a day.
func (h *house) configured() *config.Loaded {
	h.Helper()
	loaded := &config.Loaded{Config: config.Default()}
	c := &loaded.Config
	h.data = h.TempDir()
	c.PublicURL, c.Data = "https://gateway.test", h.data
	lineSide, err := linesim.Start()
	h.must(err)
	h.Cleanup(func() { _ = lineSide.Close() })
	whatsappSide, err := whatsappsim.Start()
	h.must(err)
	h.Cleanup(func() { _ = whatsappSide.Close() })
	loaded.Connectors = []config.Settings{lineSide.Settings("acme", support), whatsappSide.Settings("acme", sales)}
	for _, s := range loaded.Connectors {
		one := s.AccountList()[0]
		h.accounts[one.Queue] = account{s.Common().Channel, s.Common().FullName(), one.ID}
	}
	h.agents = filepath.Join(h.TempDir(), "agents.yaml")
	c.Agents.File = h.agents
	h.employ("ben", "eva", "sal", "both", "zoe")
	c.Services = []config.Service{
		{Name: "desk", Token: config.NewSecret(deskToken), Queues: []string{support}},
		{Name: "shop", Token: config.NewSecret(shopToken), Queues: []string{sales}},
	}
	return loaded
}

// employ writes the agents file anew.
func (h *house) employ(who ...string) {
	h.Helper()
	all := map[string][2]string{
		"ben": {benToken, support}, "eva": {evaToken, support}, "sal": {salToken, sales}, "both": {bothToken, support + ", " + sales},
		"zoe": {"llat_zoe-" + canary, support}, "both in sales": {bothToken, sales},
		"lea": {leaToken, support}, "lea in sales": {leaToken, sales},
	}
	text := "agents:\n"
	for _, one := range who {
		id, _, _ := strings.Cut(one, " ")
		text += fmt.Sprintf("  - {id: %s, name: %s, token_sha256: %s, queues: [%s]}\n", id, strings.ToUpper(id[:1])+id[1:], config.TokenHash(all[one][0]), all[one][1])
	}
	h.must(os.WriteFile(h.agents+".new", []byte(text), 0o600))
	h.must(os.Rename(h.agents+".new", h.agents))
}

// serve opens the listener, and ends it with the test as a gateway does: the streams
// first.
func (h *house) serve(log *slog.Logger) {
	h.Helper()
	h.echo = webhook.NewEcho(log)
	h.people.Mount(h.echo)
	h.api.Mount(h.echo)
	server, err := webhook.Listen("127.0.0.1:0", h.echo, nil, log)
	h.must(err)
	h.address = server.Address()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); h.api.Run(ctx, 0) }()
	watching := make(chan struct{})
	go func() { defer close(watching); h.people.Run(ctx, 0) }()
	go server.Serve()
	var stopped atomic.Bool
	h.stop = func() {
		if stopped.Swap(true) {
			return
		}
		stop()
		<-ended
		<-watching
		h.must(server.Shutdown(context.Background()))
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		if strings.Contains(h.log.String(), canary) {
			h.Errorf("the log holds a secret or a consumer's word:\n%s", h.log)
		}
	}
	h.Cleanup(h.stop)
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func hash(words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, " ")))
	return hex.EncodeToString(sum[:])
}

// said is a message of a consumer's.
type said struct {
	queue    string
	consumer string
	text     string
	photos   []queue.Photo
	at       time.Time
}

// hear lets a consumer say something, all the way into the conversation, and returns
// the public id of that.
func (h *house) hear(s said) (conversation string) {
	h.Helper()
	return h.finish(h.accept(s), s)
}

// accept takes a message in, and begins work on it.
func (h *house) accept(s said) queue.Entry {
	h.Helper()
	h.number++
	a := h.accounts[s.queue]
	key := hash(s.queue, s.consumer, fmt.Sprint(h.number))
	_, err := h.journal.Accept(h.Context(), s.queue, []queue.Item{{
		Kind: queue.ItemMessage, Key: key, Party: inbound.Party(a.channel, a.id, s.consumer), Message: hash("message", key), Payload: []byte("{}"),
	}})
	h.must(err)
	return h.begun(s.queue)
}

// finish ends the work on a message, as soon as its conversation has been closed or
// not.
func (h *house) finish(e queue.Entry, s said) (conversation string) {
	h.Helper()
	if s.at.IsZero() {
		s.at = time.Now()
	}
	a := h.accounts[s.queue]
	party, consumer := inbound.Party(a.channel, a.id, s.consumer), queue.Consumer{ID: s.consumer, Name: canary + " " + s.consumer}
	data := queue.MessageData{
		Conversation: e.Conversation, Account: a.name, Channel: a.channel, Consumer: consumer, MessageID: "m" + fmt.Sprint(e.Seq), Seq: e.Seq,
		Text: s.text, ReceivedAt: s.at.UTC(), Photos: s.photos,
	}
	end := queue.End{
		Document: []byte("{}"), Party: party, Message: hash("message", e.Key),
		Chat: &queue.ChatUpdate{
			Kind: queue.ItemMessage, Party: party, Channel: a.channel, Account: a.name, AccountID: a.id, Consumer: consumer, ReceivedAt: s.at,
			Item: queue.ConversationItem{ID: e.Key, Position: queue.Position(e.Seq), Message: &data},
		},
	}
	outcome, err := h.journal.Complete(h.Context(), e, end)
	if outcome == queue.Late {
		end.Late = true
		outcome, err = h.journal.Complete(h.Context(), e, end)
	}
	h.must(err)
	if outcome != queue.Mine {
		h.Fatalf("the message has ended as %v", outcome)
	}
	return s.queue + "." + e.Conversation
}

// begun takes the one event that waits, and begins work on it.
func (h *house) begun(name string) queue.Entry {
	h.Helper()
	entries, err := h.journal.Take(h.Context(), name, queue.Words, 1, 5*time.Second)
	h.must(err)
	if len(entries) != 1 {
		h.Fatalf("took %d entries", len(entries))
	}
	h.must(h.journal.Begin(h.Context(), &entries[0], ""))
	return entries[0]
}

// wait makes a conversation of support that waits.
func (h *house) wait(text string) string {
	h.Helper()
	return h.hear(said{queue: support, consumer: "U" + fmt.Sprint(h.number), text: text})
}

// put moves a closed conversation into the archive.
func (h *house) put(conversation string) {
	h.Helper()
	name, id, _ := strings.Cut(conversation, ".")
	gatewaytest.Await(h, "the conversation is in the archive", func() bool {
		_, err := h.archive.Move(h.Context(), name)
		h.must(err)
		_, err = h.journal.Conversation(h.Context(), name, id)
		return errors.Is(err, queue.ErrNoConversation)
	})
}

// photo puts a photo into the store, and returns how its message names it.
func (h *house) photo(conversation string) queue.Photo {
	h.Helper()
	h.number++
	name, id, _ := strings.Cut(conversation, ".")
	key := store.Key{Queue: name, Attempt: hash("attempt", fmt.Sprint(h.number))[:32], Conversation: id, Kind: store.Preview}
	h.must(h.store.Put(h.Context(), key, []byte(preview)))
	key.Kind = store.Thumbnail
	h.must(h.store.Put(h.Context(), key, []byte(thumbnail)))
	photo := key.PhotoID()
	return queue.Photo{
		ID: photo, Status: queue.Ready, Source: &queue.Source{Type: "image/jpeg", Bytes: 4 << 20, Width: 4032, Height: 3024},
		Preview:   &queue.Picture{Href: queue.PreviewHref(photo), Type: "image/jpeg", Bytes: len(preview), Width: 2048, Height: 1536},
		Thumbnail: &queue.Picture{Href: queue.ThumbnailHref(photo), Type: "image/jpeg", Bytes: len(thumbnail), Width: 240, Height: 240},
	}
}

const preview, thumbnail = "\xff\xd8 the <html> preview", "\xff\xd8 the thumbnail"

// answer is what came of a call.
type answer struct {
	status int
	header http.Header
	body   string
}

// call makes a call as somebody, with a body if it is not empty, and holds the
// answer against the document. Headers follow as name, value.
func (h *house) call(token, method, target, body string, headers ...string) answer {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), method, "http://"+h.address+target, strings.NewReader(body))
	h.must(err)
	if body == "" {
		r.Body = http.NoBody
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return h.do(r)
}

func (h *house) do(r *http.Request) answer {
	h.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	got, err := client.Do(r)
	h.must(err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	h.must(err)
	got.Body = io.NopCloser(bytes.NewReader(text))
	described(h, r, got)
	return answer{got.StatusCode, got.Header, string(text)}
}

// want wants a status, and a problem's type behind it where one is named.
func (a answer) want(t testing.TB, what string, status int, kind ...string) answer {
	t.Helper()
	if a.status != status {
		t.Errorf("%s: answered %d %s, want %d", what, a.status, a.body, status)
	}
	if len(kind) > 0 && !strings.Contains(a.body, "urn:lightlock:problem:"+kind[0]+`"`) {
		t.Errorf("%s: answered %s, want the problem %s", what, a.body, kind[0])
	}
	return a
}

// chat is a conversation as callers have it.
type chat struct {
	ID, Queue, State, Before string
	ChannelTitle             string `json:"channel_title"`
	Agent                    queue.Agent
	ClosedBy                 queue.Actor `json:"closed_by"`
	Mine, Late               bool
	Arrived, Read, Unread    int64
	Previous, Next           string
	Last                     queue.Gist
	Can                      struct {
		Reply  bool
		Reason string
	}
	ReplyUntil time.Time `json:"reply_until"`
	Version    int64
}

// note is a message as callers have it.
type note struct {
	ID, From, Text string
	Position       int64
	Agent          queue.Agent
	Photos         []struct {
		ID, Status, Reason string
		Visible            bool
		LimitBytes         int64 `json:"limit_bytes"`
		Preview, Thumbnail *queue.Picture
	}
	Delivery queue.Delivery
}

// pageOf is a list as callers have it.
type pageOf struct {
	Conversations []chat
	Messages      []note
	Next, Event   string
	Total         int64
	More          bool
}

// read reads an answer that must be good.
func read[T any](t testing.TB, a answer) (v T) {
	t.Helper()
	if a.status >= 300 {
		t.Fatalf("answered %d %s", a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	return v
}

func cursorOf(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
