package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// TestRow09: the disk under Redis is full. What is answered 2xx is there when it
// has room again.
func TestRow09(t *testing.T) {
	t.Parallel()
	disk := filepath.Join(t.TempDir(), "disk")
	smallDisk(t, disk)
	server := queuetest.StartIn(t, disk)
	w := worldOn(newStage(t), server)
	g := w.start()
	g.accepts(w.say(message{channel: "line", id: "before", consumer: "ana", text: canary, pictures: []string{"red"}})...)
	w.idle()
	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	var refused []call
	long := strings.Repeat(canary+" ", 200)
	w.await("Redis has ended on its full disk", func() bool {
		c := w.say(message{channel: "viber", id: fmt.Sprint(len(refused)), consumer: "ana", text: long})[0]
		switch status := g.post(c); status {
		case 0:
			t.Error("a call hangs while the disk is full")
		case 200:
		default:
			refused = append(refused, c)
		}
		return server.Ended()
	})
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	server.Restart()
	for _, c := range refused {
		w.deliver(c)
	}
	w.settle()
}

// TestRow10: a backlog fills Redis up to its maxmemory. Workers go on and drain
// it, and the gateway recovers by itself.
func TestRow10(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.edits = append(w.edits, func(s settings) { s["work"].(settings)["paused"] = true })
	g := w.start()
	w.inspector.Set("maxmemory", fmt.Sprint(w.inspector.UsedMemory()+3<<20))
	long := strings.Repeat(canary+" ", 300)
	var refused call
	n := 0
	w.await("Redis is full", func() bool {
		n++
		c := w.say(message{channel: "viber", id: fmt.Sprint(n), consumer: fmt.Sprint(n % 50), text: long})[0]
		switch status := g.post(c); status {
		case 200:
			return false
		case 503:
			refused = c
			return true
		default:
			t.Fatalf("answered %d", status)
			return true
		}
	})
	w.edits = nil
	w.start()
	// Agents' software reads, or the queue itself would stay what fills it.
	w.idle()
	w.inspector.Set("maxmemory", fmt.Sprint(w.inspector.UsedMemory()+30<<20))
	w.deliver(refused)
	if b := w.settle(); b.delivered != n {
		t.Errorf("%v; want %d delivered", b, n)
	}
}
