package queuetest_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// through connects with one connection, of protocol 2 or 3, and repeats nothing.
func through(t *testing.T, address string, protocol int) *redis.Client {
	t.Helper()
	options := &redis.Options{
		Addr: address, Network: "unix", Protocol: protocol, MaxRetries: -1, ContextTimeoutEnabled: true, DisableIdentity: true,
		DialTimeout: time.Minute, ReadTimeout: time.Minute, WriteTimeout: time.Minute, // this process may stand still
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestAProxyStrikesTheCommandThatWasMeant(t *testing.T) {
	server := queuetest.Redis(t)
	for name, row := range map[string]struct {
		fault queuetest.Fault
		done  string
		hangs bool
	}{
		"before":  {queuetest.CutBefore, "0", false},
		"after":   {queuetest.CutAfter, "1", false},
		"no more": {queuetest.Mute, "1", true},
	} {
		for _, protocol := range []int{2, 3} {
			t.Run(name, func(t *testing.T) {
				p := queuetest.NewProxy(t, server)
				client := through(t, p.Address(), protocol)
				ctx := t.Context()
				client.Set(ctx, "n", 0, 0)
				p.Arm(row.fault, 1, queuetest.Named("incr"))
				client.XAdd(ctx, &redis.XAddArgs{Stream: "s", Values: []string{"a", "b"}})
				if err := client.XRange(ctx, "s", "-", "+").Err(); err != nil {
					t.Errorf("a command that was not meant: %v", err)
				}
				answer := make(chan error, 2)
				go func() { answer <- client.Incr(ctx, "n").Err() }()
				gatewaytest.Await(t, "it has struck", func() bool { return p.Struck() == 1 })
				if row.hangs {
					select {
					case err := <-answer:
						t.Errorf("got %v; want it to hang", err)
						answer <- err
					case <-time.After(100 * time.Millisecond):
					}
					p.Down()
					p.Up()
				}
				if err := <-answer; err == nil {
					t.Error("got an answer")
				}
				if got := through(t, server, protocol).Get(t.Context(), "n").Val(); got != row.done || p.Struck() != 1 {
					t.Errorf("executed %s times, struck %d; want %s, 1", got, p.Struck(), row.done)
				}
				if err := client.Incr(t.Context(), "n").Err(); err != nil {
					t.Errorf("after the fault: %v", err)
				}
			})
		}
	}
}

func TestAProxyWaitsForTheScriptThatRuns(t *testing.T) {
	server := queuetest.Redis(t)
	p := queuetest.NewProxy(t, server)
	client := through(t, p.Address(), 3)
	p.Arm(queuetest.CutAfter, 1, queuetest.Scripts())
	if err := redis.NewScript("return redis.call('INCR', KEYS[1])").Run(t.Context(), client, []string{"n"}).Err(); err == nil {
		t.Error("the reply should have been lost")
	}
	if got := through(t, server, 3).Get(t.Context(), "n").Val(); got != "1" || p.Struck() != 1 {
		t.Errorf("executed %q times, struck %d; want 1, 1", got, p.Struck())
	}
}

func TestAProxyGoesDownAndHangs(t *testing.T) {
	p := queuetest.NewProxy(t, queuetest.Redis(t))
	client := through(t, p.Address(), 3)
	ask := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		return client.Ping(ctx).Err()
	}
	for what, row := range map[string]struct{ start, end func() }{
		"down":   {p.Down, p.Up},
		"paused": {p.Pause, p.Continue},
		"slow":   {func() { p.Delay(time.Second) }, func() { p.Delay(0) }},
	} {
		row.start()
		if err := ask(); err == nil {
			t.Errorf("%s: got an answer", what)
		}
		row.end()
		if err := client.Ping(t.Context()).Err(); err != nil {
			t.Errorf("after %s: %v", what, err)
		}
	}
}
