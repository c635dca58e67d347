package outbound_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/messenger"
	"github.com/lightlock/lightlock/connectors/messenger/messengersim"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/outbound"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/gateway/routes"
)

const (
	q = "support"
	// canary stands in every text that is sent; it must never be logged.
	canary = "canary-93d2 "
)

// house is a gateway's way out on a real Redis, to one simulated platform.
type house struct {
	t        *testing.T
	platform sim.Platform
	journal  *queue.Journal
	waiting  queuetest.Outgoing
	line     *outbound.Line
	log      *gatewaytest.Log

	consumer, party, conversation, replyToken string
	clock                                     time.Time // if it stands still
}

// onLINE is a platform that recognises repeats, and onMessenger one that does
// not.
func onLINE(t *testing.T) *house { return newHouse(t, start(t, linesim.Start), line.Channel()) }
func onMessenger(t *testing.T) *house {
	return newHouse(t, start(t, messengersim.Start), messenger.Channel())
}

func start[P sim.Platform](t *testing.T, start func() (P, error)) sim.Platform {
	t.Helper()
	p, err := start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func newHouse(t *testing.T, p sim.Platform, channel connectors.Channel) *house {
	t.Helper()
	t.Parallel()
	h := &house{t: t, platform: p, log: &gatewaytest.Log{}, party: "party"}
	loaded := &config.Loaded{Config: config.Default(), Connectors: []config.Settings{p.Settings("acme", q)}}
	loaded.Config.Work.RetryMin, loaded.Config.Work.RetryMax = config.Duration(time.Millisecond), config.Duration(10*time.Millisecond)
	loaded.Config.Work.Attempts = 3
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	table, err := routes.New(loaded, []connectors.Channel{channel}, connectors.Env{Log: log, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	address := queuetest.Redis(t)
	backend, err := queue.Open(t.Context(), queue.OpenOptions{
		Redis: &config.Redis{Address: address}, Journal: queue.Options{Lease: 30 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close(context.Background()) })
	h.journal, h.waiting = backend.Journal, queuetest.OpenOutgoing(t, address, q)
	h.line = &outbound.Line{
		Journal: backend.Journal, Routes: table, Metrics: ops.NewMetrics(), Accounts: ops.NewAccounts(table.AccountNames(), time.Now),
		Log: log, Work: loaded.Config.Work, Now: h.now,
	}
	h.hear()
	t.Cleanup(h.checkLog)
	return h
}

func (h *house) now() time.Time {
	if h.clock.IsZero() {
		return time.Now()
	}
	return h.clock
}

// hear lets a consumer write first, which opens the conversation.
func (h *house) hear() {
	h.t.Helper()
	route := h.line.Routes.All()[0]
	calls, err := h.platform.Webhook(route.URL, sim.Said{ID: "hello", Consumer: "ana", Text: "hello", At: time.Now()})
	if err != nil {
		h.t.Fatal(err)
	}
	events, err := route.Connector.Parse(calls[0])
	if err != nil || len(events) != 1 {
		h.t.Fatalf("got %d events, %v", len(events), err)
	}
	h.consumer, h.replyToken = events[0].Consumer.ID, events[0].ReplyToken
	got, err := h.journal.Accept(h.t.Context(), q, []queue.Item{{Kind: queue.ItemMessage, Key: hash("hello"), Party: hash("party")}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.conversation = got[0].Conversation
	entries, err := h.journal.Take(h.t.Context(), q, queue.Words, 1, 0)
	if err != nil || len(entries) != 1 {
		h.t.Fatalf("got %d entries, %v", len(entries), err)
	}
	h.forward(entries[0], events[0])
	if _, err := h.journal.Assign(h.t.Context(), q, h.conversation, queue.Assignment{To: ben}); err != nil {
		h.t.Fatal(err)
	}
}

// forward lets agents see what the consumer wrote.
func (h *house) forward(e queue.Entry, said connectors.Event) {
	h.t.Helper()
	err := h.journal.Begin(h.t.Context(), &e, "")
	if err != nil {
		h.t.Fatal(err)
	}
	outcome, err := h.journal.Complete(h.t.Context(), e, queue.End{Document: []byte("document"), Chat: &queue.ChatUpdate{
		Kind: queue.ItemMessage, Party: hash("party"), Channel: h.line.Routes.All()[0].Channel.Name, AccountID: said.Account,
		Consumer: queue.Consumer{ID: said.Consumer.ID}, ReceivedAt: time.Now(),
		Item: queue.ConversationItem{ID: e.Key, Position: queue.Position(1), Message: &queue.MessageData{Text: said.Text}},
	}})
	if err != nil || outcome != queue.Mine {
		h.t.Fatalf("complete: got %v, %v", outcome, err)
	}
}

// checkLog is part of every test.
func (h *house) checkLog() {
	text := h.log.String()
	for _, secret := range []string{strings.TrimSpace(canary), h.consumer, h.replyToken} {
		if secret != "" && strings.Contains(text, secret) {
			h.t.Errorf("the log holds %q:\n%s", secret, text)
		}
	}
	if h.t.Failed() {
		h.t.Logf("log:\n%s", text)
	}
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// say posts a reply of these parts.
func (h *house) say(name string, edit func(*outbound.Message), parts ...string) {
	h.t.Helper()
	account := h.line.Routes.All()[0].Accounts[0]
	m := outbound.Message{
		Kind: outbound.Reply, Channel: h.line.Routes.All()[0].Channel.Name, Account: account.ID, Consumer: h.consumer, Since: time.Now(),
	}
	for _, part := range parts {
		m.Parts = append(m.Parts, canary+part)
	}
	if edit != nil {
		edit(&m)
	}
	payload, err := m.Encode()
	if err != nil {
		h.t.Fatal(err)
	}
	fresh, err := h.journal.Post(h.t.Context(), q, queue.Outgoing{
		Key: hash(name), Conversation: h.conversation, Party: hash(h.party), Payload: payload,
	})
	if err != nil || !fresh {
		h.t.Fatalf("post: got %v, %v", fresh, err)
	}
}

// work sets the line to work; stop ends it.
func (h *house) work() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.line.Run(ctx, 0)
	}()
	stop = func() { cancel(); <-done }
	h.t.Cleanup(stop)
	return stop
}

func (h *house) awaitLog(line string) { h.t.Helper(); h.awaitLogs(line, 1) }

func (h *house) awaitLogs(line string, n int) {
	h.t.Helper()
	for deadline := time.Now().Add(time.Minute); strings.Count(h.log.String(), line) < n; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("the log never says %q", line)
		}
	}
}

// told waits for a message's result.
func (h *house) told(name string) (queue.Result, string) {
	h.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		result, detail, err := h.journal.Told(context.Background(), q, hash(name))
		if err == nil && result != queue.ResultWaiting {
			return result, detail
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%s has no result: %q, %v", name, result, err)
		}
	}
}

func (h *house) wantTold(name string, want queue.Result) {
	h.t.Helper()
	if got, detail := h.told(name); got != want {
		h.t.Errorf("%s: got %s (%s), want %s", name, got, detail, want)
	}
}

// wantSent checks what the consumer has got, in order.
func (h *house) wantSent(want ...string) {
	h.t.Helper()
	var got []string
	for _, m := range h.platform.Sent() {
		if m.Consumer != h.consumer {
			h.t.Errorf("%q went to %s, want %s", m.Text, m.Consumer, h.consumer)
		}
		got = append(got, strings.TrimPrefix(m.Text, canary))
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		h.t.Errorf("got %q, want %q", got, want)
	}
}
