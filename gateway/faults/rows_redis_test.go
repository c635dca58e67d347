package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// stream sends messages of all channels, one after the other, until stop is
// called, which returns how many there were. Each is repeated until it is
// answered 200.
func (w *world) stream(pause time.Duration) (stop func() int) {
	end, ended := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-end:
				ended <- n
				return
			case <-time.After(pause):
			}
			for _, c := range w.say(streamed(n)) {
				w.deliver(c)
			}
		}
	}()
	return func() int { close(end); return <-ended }
}

// streamed is a message of a stream, by its number.
func streamed(n int) message {
	return message{
		channel: channelNames[n%len(channelNames)], id: fmt.Sprintf("stream %d", n), consumer: fmt.Sprintf("consumer %d", n),
		text: fmt.Sprintf("%s %d", canary, n), pictures: goodPictures[n%3 : n%3+n%2],
	}
}

// TestRow06: the redis-server is killed and started again, twice, while messages
// come in. No platform notices, gateways reconnect by themselves, and all that
// was acknowledged is there. An operator's server takes its file as a crash has left
// it, which was in the midst of a script each time. None of that comes back.
func TestRow06(t *testing.T) {
	t.Run("as we start it", func(t *testing.T) {
		t.Parallel()
		redisKilled(newWorld(t), func() {}, func() {})
	})
	t.Run("as operators do", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		w := worldOn(newStage(t), queuetest.StartIn(t, dir, "--aof-load-truncated", "yes"))
		redisKilled(w, func() { halfAScript(t, dir) }, func() {
			w.await("the file is written anew", func() bool {
				return w.inspector.Info("persistence", "aof_enabled:") == 1 && w.inspector.Info("persistence", "aof_last_rewrite_time_sec:") >= 0
			})
		})
		if w.inspector.Has("half") {
			t.Error("half a script came back at a later start")
		}
	})
}

// redisKilled does something while the server is away, and waits each time after
// its start.
func redisKilled(w *world, meanwhile, started func()) {
	w.t.Helper()
	w.start()
	w.start()
	stop := w.stream(10 * time.Millisecond)
	for range 2 {
		delivered := w.stats().Delivered
		w.awaitStats("something is delivered", func(s queue.Stats) bool { return s.Delivered > delivered+5 })
		w.server.Kill()
		meanwhile()
		time.Sleep(300 * time.Millisecond) // the time for which it is away
		w.server.Restart()
		started()
	}
	n := stop()
	if w.hits(failpoint.AfterAppend) == 0 {
		w.t.Error("nothing was spooled meanwhile")
	}
	if b := w.settle(); b.delivered < n || w.refused > 0 {
		w.t.Errorf("%v, %d calls refused; want %d messages or more delivered, and none refused", b, w.refused, n)
	}
}

// halfAScript leaves in the file of a server that was killed what it has of a script
// that it was writing: a whole change, and a part of the next.
func halfAScript(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the files are %v, %v; want one", files, err)
	}
	f, err := os.OpenFile(files[len(files)-1], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = f.WriteString("*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$1\r\n1\r\n*3\r\n$3\r\nSE"); err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestRow07: Redis is asleep, or loads its data. Each call is answered 2xx within
// the platform's time, and is there afterwards.
func TestRow07(t *testing.T) {
	t.Run("asleep", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		g := w.start()
		w.server.Pause()
		asleep := time.Now()
		for i := 0; time.Since(asleep) < 5*time.Second; i++ {
			time.Sleep(20 * time.Millisecond) // some are enough
			g.accepts(w.say(message{channel: "line", id: fmt.Sprint(i), consumer: "ana", text: canary})...)
		}
		if len(w.spooled()) == 0 {
			t.Error("nothing is spooled")
		}
		w.server.Continue()
		g.accepts(w.say(message{channel: "line", id: "after", consumer: "ana", text: canary})...)
		w.settle()
	})
	t.Run("loading", func(t *testing.T) {
		t.Parallel()
		w := worldOn(newStage(t), queuetest.Start(t, "--key-load-delay", "5000")) // 5 ms for each command
		g := w.start()
		for i := range 50 {
			g.accepts(w.say(message{channel: "viber", id: fmt.Sprint(i), consumer: "ana", text: canary})...)
		}
		w.idle()
		w.server.Kill()
		loaded := make(chan struct{})
		go func() {
			w.server.Restart()
			close(loaded)
		}()
		for i := 0; ; i++ {
			select {
			case <-loaded:
				if i == 0 || w.hits(failpoint.AfterAppend) == 0 {
					t.Error("Redis was never seen loading, or nothing was spooled")
				}
				w.settle()
				return
			case <-time.After(10 * time.Millisecond):
			}
			g.accepts(w.say(message{channel: "line", id: fmt.Sprint(i), consumer: "ana", text: canary})...)
		}
	})
}

// TestRow11: a Redis that evicts, or keeps nothing on its disk, is not served
// from: the gateway ends, and says what is wrong.
func TestRow11(t *testing.T) {
	for setting, values := range map[string][2]string{
		"maxmemory-policy": {"allkeys-lru", "a full memory would delete whole queues"},
		"appendonly":       {"no", "a restart would lose everything"},
		"appendfsync":      {"everysec", "a crash would lose what was just acknowledged"},
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			w := worldOn(newStage(t), queuetest.Start(t, "--"+setting, values[0]))
			g := w.launch()
			w.await("the gateway ends", g.dead)
			if code := g.cmd.ProcessState.ExitCode(); code != 2 || !g.said(values[1]) || !g.said("CONFIG SET "+setting) {
				t.Errorf("ended with %d, want 2 and a sentence about %s:\n%s", code, setting, g.log.String())
			}
		})
	}
}

// TestRow12: the reply to every fourth command is lost, after Redis has executed
// it. Each has one effect. TestALostReplyMakesNoSecondEffect shows that of each
// script by itself.
func TestRow12(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t)
	proxy := queuetest.NewProxy(t, server.Address())
	w := worldAt(newStage(t), server, proxy.Address())
	w.start()
	w.start()
	n := 0
	proxy.Arm(queuetest.CutAfter, 500, func(command []string) bool {
		if !strings.HasPrefix(command[0], "eval") {
			return false
		}
		n++ // the proxy asks one at a time
		return n%4 == 0
	})
	for i := range 40 {
		m := message{
			channel: channelNames[i%len(channelNames)], id: fmt.Sprint(i), consumer: fmt.Sprintf("consumer %d", i),
			text: canary, pictures: goodPictures[i%3 : i%3+i%2],
		}
		for _, c := range w.say(m) {
			w.deliver(c)
		}
	}
	b := w.settle()
	if b.delivered < 40 || proxy.Struck() < 20 {
		t.Errorf("%v, %d replies lost; want 40 messages or more, and at least 20 lost replies", b, proxy.Struck())
	}
}
