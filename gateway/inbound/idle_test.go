package inbound

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

func TestIdleConversationsAreClosed(t *testing.T) {
	b, err := queue.Open(t.Context(), queue.OpenOptions{
		Redis: &config.Redis{Address: queuetest.Redis(t)}, Journal: queue.Options{ConversationFor: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close(context.WithoutCancel(t.Context())) })
	key := strings.Repeat("a", 64)
	accepted, errAccept := b.Accept(t.Context(), "support", []queue.Item{{Kind: queue.ItemMessage, Key: key, Party: jobOf(0).party()}})
	entries, err := b.Take(t.Context(), "support", queue.Words, 1, 0)
	if err != nil || errAccept != nil || len(entries) != 1 {
		t.Fatal(errAccept, err, len(entries))
	}
	e := entries[0]
	if err := b.Begin(t.Context(), &e, ""); err != nil {
		t.Fatal(err)
	}
	if outcome, err := b.Complete(t.Context(), e, queue.End{Document: []byte("document"), Chat: shown(e, jobOf(0), nil)}); outcome != queue.Mine || err != nil {
		t.Fatal(outcome, err)
	}
	log := &gatewaytest.Log{}
	c := &crew{Line: &Line{Journal: b.Journal, Metrics: ops.NewMetrics(), Log: slog.New(slog.NewTextHandler(log, nil)), Now: time.Now}}
	gatewaytest.Await(t, "the conversation is closed", func() bool {
		c.closeIdle(t.Context(), "support")
		got, err := b.Conversation(t.Context(), "support", accepted[0].Conversation)
		return err == nil && got.State == queue.ConversationOver && got.ClosedBy.Kind == queue.ActorIdle
	})
	if !strings.Contains(log.String(), "idle conversations closed") {
		t.Errorf("the log says %s", log)
	}
}
