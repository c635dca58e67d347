package faults

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// TestRow09: the disk under Redis is full, or the one under the spool while Redis
// is away. The first is spooled; the second is answered 503, and the platform
// comes again. What was answered 2xx is there when there is room.
func TestRow09(t *testing.T) {
	long := strings.Repeat(canary+" ", 200)
	say := func(w *world, n int) call {
		return w.say(message{channel: "viber", id: fmt.Sprint(n), consumer: "ana", text: long})[0]
	}
	t.Run("under Redis", func(t *testing.T) {
		t.Parallel()
		disk := filepath.Join(t.TempDir(), "disk")
		gatewaytest.SmallDiskOn(t, disk, 1)
		server := queuetest.StartIn(t, disk)
		w := worldOn(newStage(t), server)
		g := w.start()
		g.accepts(w.say(message{channel: "line", id: "before", consumer: "ana", text: canary, pictures: []string{"red"}})...)
		w.idle()
		filler := filepath.Join(disk, "filler")
		fill(t, filler)
		n := 0
		w.await("Redis has ended on its full disk", func() bool {
			n++
			g.accepts(say(w, n))
			return server.Ended()
		})
		for range 5 {
			n++
			g.accepts(say(w, n))
		}
		if len(w.spooled()) == 0 {
			t.Error("nothing is spooled")
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		server.Kill()
		server.Restart()
		if b := w.settle(); b.delivered != n+2 {
			t.Errorf("%v; want %d delivered", b, n+2)
		}
	})
	t.Run("under the spool", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		disk := w.spoolFolder(0)
		gatewaytest.SmallDiskOn(t, disk, 1)
		g := w.start()
		w.server.Kill()
		var refused call
		n := 0
		w.await("the spool is full", func() bool {
			n++
			refused = say(w, n)
			switch status := g.post(refused); status {
			case http.StatusOK:
				return false
			case http.StatusServiceUnavailable:
				return true
			default:
				t.Fatalf("answered %d", status)
				return true
			}
		})
		if status, text := g.get("/readyz"); status != http.StatusServiceUnavailable {
			t.Errorf("/readyz: %d %s; want 503 where neither Redis nor the spool works", status, text)
		}
		w.server.Restart()
		w.deliver(refused)
		if b := w.settle(); b.delivered != n {
			t.Errorf("%v; want %d delivered", b, n)
		}
		if status, text := g.get("/readyz"); status != http.StatusOK {
			t.Errorf("/readyz: %d %s; want 200 after it", status, text)
		}
	})
}

// TestRow10: a backlog fills Redis up to its maxmemory. What comes then is
// spooled, workers drain the backlog while agents read, and the gateway recovers by
// itself. Conversations stay in Redis for as long as they are open, so that they would
// have to be closed for that; here agents have another desk.
func TestRow10(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.elsewhere = true
	elsewhere := func(s settings) { s["conversations"] = settings{"enabled": false} }
	w.edits = append(w.edits, elsewhere, func(s settings) { s["work"].(settings)["paused"] = true })
	g := w.start()
	w.inspector.Set("maxmemory", fmt.Sprint(w.inspector.UsedMemory()+3<<20))
	long := strings.Repeat(canary+" ", 300)
	n := 0
	w.await("Redis is full", func() bool {
		n++
		g.accepts(w.say(message{channel: "viber", id: fmt.Sprint(n), consumer: fmt.Sprint(n % 50), text: long})...)
		return len(w.spooled()) > 10
	})
	var status int
	var text string
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("/readyz said: %d %s", status, text)
		}
	})
	w.await("/readyz names what fills it", func() bool {
		status, text = g.get("/readyz")
		return status == http.StatusOK && strings.Contains(text, "the inbox of "+testQueue)
	})
	w.edits = []func(settings){elsewhere}
	w.start()
	gone := w.desk()
	w.idle()
	gone()
	if b := w.settle(); b.delivered != n {
		t.Errorf("%v; want %d delivered", b, n)
	}
	w.await("/readyz names nothing any more", func() bool {
		status, text = g.get("/readyz")
		return status == http.StatusOK && !strings.Contains(text, "the inbox of")
	})
}
