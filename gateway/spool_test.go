package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/gateway/spool"
)

// prepareOn configures a gateway on a Redis that the test can kill. A message that
// was being handed to a worker then is taken over when its lease ends.
func prepareOn(t *testing.T) (*house, *queuetest.Server) {
	t.Helper()
	h, redis := prepare(t), queuetest.Start(t)
	h.loaded.Config.Redis.Address = redis.Address()
	h.loaded.Config.Work.Lease = config.Duration(2 * time.Second)
	return h, redis
}

// say sends a text as LINE would, and returns the gateway's answer.
func (h *house) say(consumer string, n int) *http.Response {
	h.t.Helper()
	said := sim.Said{ID: fmt.Sprintf("%s-%d", consumer, n), Consumer: consumer, At: time.Now(), Text: fmt.Sprint(n)}
	response, _ := h.post(h.calls("line", said)[0])
	return response
}

// accepted sends a text that the gateway must accept.
func (h *house) accepted(consumer string, n int) {
	h.t.Helper()
	if got := h.say(consumer, n).StatusCode; got != http.StatusOK {
		h.t.Errorf("%s's text %d was answered %d", consumer, n, got)
	}
}

// wantOnceInOrder waits for n texts of each of so many consumers, and checks that
// each came once and has the number in its conversation that it was said with.
func (h *house) wantOnceInOrder(consumers, n int) {
	h.t.Helper()
	for h.app.backend.Ping(h.t.Context()) != nil && h.t.Context().Err() == nil {
		time.Sleep(10 * time.Millisecond) // its client waits a second before it tries again
	}
	seqs := map[string][]int64{} // by conversation; place is the text
	for _, m := range h.documents(consumers * n) {
		var said int
		if _, err := fmt.Sscan(m.Data.Text, &said); err != nil {
			h.t.Fatal(err)
		}
		if seqs[m.Data.Conversation] == nil {
			seqs[m.Data.Conversation] = make([]int64, n)
		}
		seqs[m.Data.Conversation][said] = m.Data.Seq
	}
	if len(seqs) != consumers {
		h.t.Errorf("got %d conversations, want %d", len(seqs), consumers)
	}
	for conversation, seq := range seqs {
		for said, got := range seq {
			if got != int64(said)+1 {
				h.t.Errorf("conversation %s: text %d has number %d, want %d", conversation, said, got, said+1)
			}
		}
	}
	if got := h.idle(); got != int64(consumers*n) {
		h.t.Errorf("%d were delivered, want %d", got, consumers*n)
	}
}

// TestRedisKilledUnderLoad kills Redis while consumers write. Every webhook is
// answered 200 and arrives once, each consumer's in order.
func TestRedisKilledUnderLoad(t *testing.T) {
	const consumers, n = 6, 60
	h, redis := prepareOn(t)
	h.start()
	killed, spooling := make(chan struct{}), make(chan struct{})
	var writing sync.WaitGroup
	for c := range consumers {
		writing.Go(func() {
			for i := range n {
				switch {
				case i == n/3 && c == 0:
					redis.Kill()
					close(killed)
				case i == n/3:
					<-killed
				case i == 2*n/3:
					<-spooling
				}
				h.accepted(fmt.Sprint("consumer", c), i)
			}
		})
	}
	<-killed
	for h.counted(t, `lightlock_spool_records{queue="support"}`) < consumers*n/3 && !t.Failed() {
		time.Sleep(5 * time.Millisecond)
	}
	status, body := h.get(t, "/readyz")
	if status != http.StatusOK || !strings.Contains(body, "spool           warn") || !strings.Contains(body, "redis           warn") {
		t.Errorf("/readyz while spooling: %d\n%s", status, body)
	}
	redis.Restart()
	close(spooling) // they write on while it is drained
	writing.Wait()
	h.wantOnceInOrder(consumers, n)
	if got := h.counted(t, `lightlock_webhooks_total{connector="line/acme",result="accepted"}`); got != consumers*n {
		t.Errorf("%v webhooks are counted as accepted, want %d", got, consumers*n)
	}
	if got := h.counted(t, `lightlock_spooled_total{queue="support"}`); got < consumers*n/3 {
		t.Errorf("%v webhooks are counted as spooled, want %d and more", got, consumers*n/3)
	}
	if used := h.counted(t, "lightlock_spool_bytes"); used != 0 {
		t.Errorf("the spool still takes %v bytes", used)
	}
	if _, body := h.get(t, "/readyz"); !strings.Contains(body, "spool           ok    0 waiting") {
		t.Errorf("/readyz after it:\n%s", body)
	}
}

// A Redis that sleeps answers nothing, and the platform waits no longer than two
// seconds. What Redis does when it wakes is done once.
func TestRedisAsleep(t *testing.T) {
	const n = 10
	h, redis := prepareOn(t)
	h.start()
	h.accepted("ana", 0)
	redis.Pause()
	for i := 1; i < n; i++ {
		h.accepted("ana", i) // 503 after the webhook's deadline
	}
	redis.Continue()
	h.wantOnceInOrder(1, n)
}

func TestAStartWithoutRedis(t *testing.T) {
	h, redis := prepareOn(t)
	h.loaded.Config.Redis.Durability = "trusted"
	redis.Kill()
	h.start()
	h.accepted("ana", 0)
	if got := h.log.String(); !strings.Contains(got, "REDIS IS AWAY") || strings.Contains(got, "journal open") {
		t.Errorf("want only that Redis is away in the log:\n%s", got)
	}
	if status, body := h.get(t, "/readyz"); status != http.StatusOK || !strings.HasPrefix(body, "ready, ") {
		t.Errorf("/readyz: %d\n%s", status, body)
	}
	redis.Restart()
	h.wantOnceInOrder(1, 1)
	h.accepted("ana", 1)
	h.wantOnceInOrder(1, 2)
	h.wantDurability("trusted")
}

// wantDurability checks that the log names the level at which the journal keeps
// what it is given.
func (h *house) wantDurability(level string) {
	h.t.Helper()
	if got := h.log.String(); strings.Count(got, `msg="journal open" durability=`+level+" ") != 1 {
		h.t.Errorf("the log does not say once that the journal is open with durability %s:\n%s", level, got)
	}
}

func TestTheLogNamesTheDurability(t *testing.T) {
	for configured, level := range map[string]string{"": "fsync", "trusted": "trusted"} {
		h := prepare(t)
		h.loaded.Config.Redis.Durability = configured
		h.start()
		h.wantDurability(level)
	}
}

// What is spooled outlives the gateway.
func TestAStopWhileSpooling(t *testing.T) {
	h, redis := prepareOn(t)
	h.start()
	h.accepted("ana", 0)
	redis.Kill()
	h.accepted("ana", 1)
	if err := h.app.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	h.start()
	h.accepted("ana", 2)
	redis.Restart()
	h.wantOnceInOrder(1, 3)
}

// TestNeitherIsThere: without a place to make it durable a webhook is refused,
// and the load balancer is told.
func TestNeitherIsThere(t *testing.T) {
	for what, edit := range map[string]func(h *house){
		"spool off":  func(h *house) { h.loaded.Config.Spool.Enabled = false },
		"spool full": func(h *house) { h.loaded.Config.Spool.MaxBytes = 1 },
	} {
		t.Run(what, func(t *testing.T) {
			h, redis := prepareOn(t)
			edit(h)
			h.start()
			if status, body := h.get(t, "/readyz"); status != http.StatusOK {
				t.Errorf("/readyz with Redis there: %d\n%s", status, body)
			}
			redis.Kill()
			response := h.say("ana", 0)
			if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
				t.Errorf("got %d with Retry-After %q, want 503 with a pause", response.StatusCode, response.Header.Get("Retry-After"))
			}
			if status, body := h.get(t, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "nothing can be made durable") {
				t.Errorf("/readyz: %d\n%s", status, body)
			}
			redis.Restart()
			for h.say("ana", 0).StatusCode != http.StatusOK && !t.Failed() {
				time.Sleep(10 * time.Millisecond)
			}
			h.wantOnceInOrder(1, 1)
		})
	}
}

func TestTwoGatewaysOnOneSpool(t *testing.T) {
	h, _ := prepareOn(t)
	h.start()
	second, err := NewApp(h.loaded, discard())
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Start(t.Context()); !errors.Is(err, spool.ErrInUse) {
		t.Errorf("got %v, want %v", err, spool.ErrInUse)
	}
}
