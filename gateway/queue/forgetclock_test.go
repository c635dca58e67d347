package queue_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
)

// otherClock lets Redis' clock seem to be ahead of this machine's.
type otherClock struct {
	recorder
	by time.Duration
}

func (o *otherClock) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if c, ok := cmd.(*redis.TimeCmd); ok && err == nil {
			c.SetVal(c.Val().Add(o.by))
		}
		return err
	}
}

// A spool notes when something came in by its machine's clock, and a party is forgotten
// by Redis'.
func TestForgottenByAnotherClock(t *testing.T) {
	t.Parallel()
	client := connect(t, quickRedis(t))
	clock := new(otherClock)
	client.AddHook(clock)
	for _, row := range []struct {
		ahead, received time.Duration // of this machine's clock, against the forgetting
		want            queue.Fate
		dead            bool
	}{
		{0, -time.Minute, queue.FateWithdrawn, false},
		{0, time.Minute, queue.FateAccepted, true},
		{time.Hour, -59 * time.Minute, queue.FateAccepted, true},
		{time.Hour, -61 * time.Minute, queue.FateWithdrawn, false},
		{-time.Hour, 59 * time.Minute, queue.FateWithdrawn, false},
		{-time.Hour, 61 * time.Minute, queue.FateAccepted, true},
	} {
		client.FlushAll(t.Context())
		j := journalOn(t, client, queue.Options{})
		f := forget(t, j)
		clock.by = row.ahead
		spooled := item("a")
		spooled.ReceivedAt = f.At.Add(row.received)
		got, err := j.Accept(t.Context(), q, []queue.Item{spooled})
		if err != nil || got[0].Fate != row.want {
			t.Errorf("Redis is %v ahead, received %v after: got %+v, %v, want %v", row.ahead, row.received, got, err, row.want)
		}
		if _, err := j.Bury(t.Context(), q, []queue.Letter{{Key: hash("b"), Party: hash("party"), ReceivedAt: spooled.ReceivedAt, Raw: []byte("words")}}); err != nil {
			t.Fatal(err)
		}
		if s, err := j.Stats(t.Context(), q); err != nil || (s.Dead == 1) != row.dead {
			t.Errorf("Redis is %v ahead, a dead letter of %v after: got %d, %v", row.ahead, row.received, s.Dead, err)
		}
		clock.by = 0
	}
}
