package queue_test

import (
	"context"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// meddler does something to Redis around each call of a script by its digest.
type meddler struct {
	recorder
	before, afterNoScript func()
	forgotten             int
}

func (m *meddler) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() != "evalsha" {
			return next(ctx, cmd)
		}
		m.before()
		err := next(ctx, cmd)
		if err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT") {
			m.forgotten++
			m.afterNoScript()
		}
		return err
	}
}

func TestEachScriptRunsThoughRedisHasForgottenIt(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	client, other := connect(t, address), connect(t, address)
	m := &meddler{before: func() { other.ScriptFlush(t.Context()) }, afterNoScript: func() {}}
	client.AddHook(m)
	for _, s := range scenarios() {
		other.FlushAll(t.Context())
		j := journalOn(t, client, queue.Options{})
		e := s.prepare(t, j, other)
		m.forgotten = 0
		if _, err := s.act(t, j, e); err != nil || m.forgotten == 0 {
			t.Errorf("%s: error %v, forgotten %d times; want it to run all the same", s.name, err, m.forgotten)
		}
	}
}

// Redis may be killed between its word that it does not know a script and the
// script's text.
func TestAScriptRunsThoughRedisRestartsInTheMiddle(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t)
	client := connect(t, server.Address())
	m := &meddler{before: func() {}, afterNoScript: func() { server.Kill(); server.Restart() }}
	client.AddHook(m)
	j := journalOn(t, client, queue.Options{})
	accept(t, j, "a")
	e := begun(t, j)
	want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, queue.End{Document: []byte("document")}))
	wantCounts(t, j, counts{delivered: 1})
	if m.forgotten < 4 {
		t.Errorf("Redis was restarted %d times, so this test proves little", m.forgotten)
	}
}
