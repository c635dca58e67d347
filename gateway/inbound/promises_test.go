package inbound

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
)

// A gateway that stops, or whose Redis is away, does not wait for one message after
// the other.
func TestPromisesAreLeftToOthers(t *testing.T) {
	backend, err := queue.Open(t.Context(), queue.OpenOptions{Redis: &config.Redis{Address: "127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close(t.Context())
	payload, err := encodeJob(jobOf(1))
	if err != nil {
		t.Fatal(err)
	}
	e := queue.Entry{Queue: "support", Key: "00", Conversation: "00", AcceptedAt: time.Now(), Seq: 1, Payload: payload}
	c := &crew{Line: &Line{Journal: backend.Journal, Metrics: ops.NewMetrics(), Log: slog.New(slog.DiscardHandler), Now: time.Now}}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, test := range map[string]struct {
		ctx  context.Context
		want int
	}{
		"redis is away": {t.Context(), 1},
		"stopping":      {stopped, 0},
	} {
		tried := 0
		if err := c.keepThese(test.ctx, []queue.Entry{e, e, e}); err != nil {
			tried = strings.Count(err.Error(), queue.ErrAway.Error())
		}
		if tried != test.want {
			t.Errorf("%s: %d of three messages were tried, want %d", name, tried, test.want)
		}
	}
}
