package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/apple"
	"github.com/lightlock/lightlock/gateway/failpoint"
)

// TestRow21: SIGTERM under load. The gateway takes nothing more, finishes or gives
// back what it has, ends with 0 within 25 s, and nothing is lost.
func TestRow21(t *testing.T) {
	t.Run("the only one", stoppedUnderLoad)
	t.Run("in the midst of a photo", stoppedAtWork)
	t.Run("with a photo that takes too long", stoppedTooEarly)
	t.Run("rolling restart", rollingRestart)
}

func stoppedUnderLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.start()
	stop := w.stream(2 * time.Millisecond)
	w.await("it is at work", func() bool { return w.stats().Delivered > 20 })
	asked := time.Now()
	code := first.terminate()
	took := time.Since(asked)
	if code != 0 || took > 25*time.Second {
		t.Errorf("ended with %d after %v, want 0 within 25 s", code, took)
	}
	if s := w.stats(); s.InWork != 0 {
		t.Errorf("%d messages are left in dead hands, want them finished or given back", s.InWork)
	}
	w.start()
	n := stop()
	if b := w.settle(); b.delivered < n {
		t.Errorf("%v; want %d messages or more delivered", b, n)
	}
}

// stoppedAtWork: a photo is in hand. No other call is accepted, and this one
// finished.
func stoppedAtWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.start(fault("after-blobs=sleep:4s@1"))
	g.accepts(w.say(message{channel: "whatsapp", id: "a", consumer: "ana", text: canary, pictures: []string{"red"}})...)
	w.await("its pictures are stored", func() bool { return len(w.stored()) == 1 })
	g.signal(syscall.SIGTERM)
	w.await("it is stopping", func() bool { return g.said("msg=\"stopping") })
	other := w.say(message{channel: "line", id: "b", consumer: "bob", text: canary})[0]
	w.await("it accepts nothing", func() bool { return g.post(other) == 0 })
	if g.dead() {
		t.Error("it has ended before it was asked, which shows nothing")
	}
	w.await("it has ended", g.dead)
	if code := g.cmd.ProcessState.ExitCode(); code != 0 || !g.said("message forwarded") {
		t.Errorf("ended with %d, want 0 and that the message in hand is finished", code)
	}
	w.start().accepts(other)
	if b := w.settle(); b.delivered != 2 || b.documents != 2 {
		t.Errorf("%v; want both delivered", b)
	}
}

// stoppedTooEarly: a photo is in hand of which the end cannot be waited for. It is
// given back.
func stoppedTooEarly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var slow atomic.Bool
	slow.Store(true)
	host := w.mediaHost(func(_ int, answer http.ResponseWriter, r *http.Request, next http.Handler) {
		for ; slow.Load() && r.Context().Err() == nil; time.Sleep(time.Second) {
			_, _ = answer.Write([]byte{0xff})
			_ = http.NewResponseController(answer).Flush()
		}
		next.ServeHTTP(answer, r)
	})
	g := w.start()
	g.accepts(w.say(message{channel: "line", id: "a", consumer: "ana", pictures: []string{"red"}})...)
	w.await("it is fetched", func() bool { return len(host.all()) == 1 })
	asked := time.Now()
	if code, took := g.terminate(), time.Since(asked); code != 0 || took > 25*time.Second {
		t.Errorf("ended with %d after %v, want 0 within 25 s", code, took)
	}
	if s := w.stats(); s.Waiting != 1 || s.InWork != 0 {
		t.Errorf("%+v; want the photo given back", s)
	}
	slow.Store(false)
	w.start()
	if b := w.settle(); b.delivered != 1 {
		t.Errorf("%v; want one delivered", b)
	}
}

// fleet is a list of addresses behind which gateways come and go.
type fleet struct {
	*world
	slots []atomic.Pointer[gateway]
	next  atomic.Int64
	sent  atomic.Int64
	lost  atomic.Int64 // calls that no address answered 200
}

// rollingRestart: three gateways, of which each is stopped and replaced in turn
// while platforms call. A call that finds one gone goes to the next address of the
// list, and is accepted there.
func rollingRestart(t *testing.T) {
	t.Parallel()
	f := &fleet{world: newWorld(t), slots: make([]atomic.Pointer[gateway], 3)}
	for i := range f.slots {
		f.slots[i].Store(f.start())
	}
	stop := f.traffic(6)
	for i := range f.slots {
		sent := f.sent.Load()
		f.await("calls come", func() bool { return f.sent.Load() > sent+50 })
		old := f.slots[i].Load()
		if code := old.terminate(); code != 0 {
			t.Errorf("%s ended with %d, want 0", old.name, code)
		}
		sent = f.sent.Load()
		f.await("the others are called", func() bool { return f.sent.Load() > sent+50 })
		f.slots[i].Store(f.start())
	}
	stop()
	b := f.settle()
	t.Logf("%d calls; %d times the next address was taken", f.sent.Load(), f.refused)
	if f.lost.Load() > 0 || b.acked < int(f.sent.Load()) || b.dead > 0 {
		t.Errorf("%v, %d of %d calls were lost; want all accepted", b, f.lost.Load(), f.sent.Load())
	}
	if f.refused == 0 {
		t.Error("no address was ever left out, so nothing was restarted under load")
	}
}

// traffic calls the fleet from several platforms at once.
func (f *fleet) traffic(senders int) (stop func()) {
	end := make(chan struct{})
	var saying sync.Mutex
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for {
				select {
				case <-end:
					return
				case <-time.After(5 * time.Millisecond):
				}
				n := int(f.sent.Add(1))
				saying.Lock()
				calls := f.say(streamed(n))
				saying.Unlock()
				f.sent.Add(int64(len(calls) - 1))
				for _, c := range calls {
					f.pass(c)
				}
			}
		})
	}
	return func() { close(end); all.Wait() }
}

// pass goes through the list once.
func (f *fleet) pass(c call) {
	first := int(f.next.Add(1))
	for i := range f.slots {
		switch status := f.slots[(first+i)%len(f.slots)].Load().post(c); status {
		case http.StatusOK:
			return
		case 0: // nobody is there
		default:
			f.t.Errorf("a call of %s is answered %d", c.channel, status)
		}
	}
	f.lost.Add(1)
}

// newer builds a gateway that writes what this one cannot read: its changes are
// file, old text, new text.
func newer(t *testing.T, changes ...[3]string) string {
	t.Helper()
	dir := t.TempDir()
	overlay := map[string]map[string]string{"Replace": {}}
	for i, c := range changes {
		path, err := filepath.Abs(filepath.Join("..", c[0]))
		if err != nil {
			t.Fatal(err)
		}
		source, err := os.ReadFile(path)
		if err != nil || strings.Count(string(source), c[1]) != 1 {
			t.Fatalf("%s: %v, or %q does not stand in it once", c[0], err, c[1])
		}
		changed := filepath.Join(dir, fmt.Sprintf("%d.go", i))
		if err := os.WriteFile(changed, []byte(strings.Replace(string(source), c[1], c[2], 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay["Replace"][path] = changed
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "lightlock")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", "failpoints", "-overlay", file, "-o", binary,
		"github.com/lightlock/lightlock/gateway").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// TestRow22: this release and a newer one side by side, which writes jobs of
// another version. What is newer the older leaves alone, and the newer one does
// the older's work as well.
func TestRow22(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	release := newer(t, [3]string{"inbound/batch.go", "const jobVersion = 1", "const jobVersion = 2"})
	old := w.start()
	w.program, w.edits = release, append(w.edits, func(s settings) { s["work"].(settings)["paused"] = true })
	waiting := w.start()
	for i := range 10 {
		m := message{channel: "whatsapp", id: fmt.Sprint("new ", i), consumer: "ana", text: canary, pictures: goodPictures[:i%2]}
		waiting.accepts(w.say(m)...)
	}
	w.await("the older one has had one of the newer's messages", func() bool { return old.said("message left for a newer gateway") })
	w.edits = nil
	w.start()
	for i := range 10 {
		m := message{channel: "whatsapp", id: fmt.Sprint("old ", i), consumer: "ana", text: canary, pictures: goodPictures[:i%2]}
		old.accepts(w.say(m)...)
	}
	if b := w.settle(); b.delivered != 20 || b.dead != 0 {
		t.Errorf("%v; want all delivered", b)
	}
}

// TestRow24: a gateway's clock is ten minutes off. What a platform signs with a
// time is refused, and counted; a lease that runs out, a retry and a notice come
// neither too early nor too late for it, and once.
func TestRow24(t *testing.T) {
	for _, off := range []string{"10m", "-10m"} {
		t.Run(off, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.settings["apple"].(*apple.Config).MaxTokenAge = config.Duration(5 * time.Minute)
			clock := "LIGHTLOCK_FAILPOINTS_CLOCK=" + off
			first := w.start(clock, fault(at(failpoint.AfterBlobs, "kill")))
			fake := w.say(message{channel: "apple", id: "a", consumer: "ana", text: canary})[0]
			if status := first.post(fake); status != http.StatusUnauthorized || first.metric("lightlock_webhooks_total", `connector="apple/acme",result="unauthentic"`) != 1 {
				t.Errorf("Apple's call is answered %d, want 401 and that it is counted", status)
			}
			// A lease, a retry and a notice, all by this clock.
			begin := time.Now()
			photo := func(id, name string) call {
				return w.say(message{channel: "line", id: id, consumer: "ana", pictures: []string{name}})[0]
			}
			left := photo("a", "red")
			first.accepts(left)
			first.awaitDeath()
			host := w.failsOnce()
			second := w.start(clock)
			second.accepts(photo("b", "document"), photo("c", "grey"), photo("d", "document"))
			b := w.settle()
			if b.delivered != 4 || time.Since(begin) > time.Minute {
				t.Errorf("%v after %v; want four delivered, soon", b, time.Since(begin))
			}
			if n := strings.Count(second.log.String(), `msg="message taken over" key=`+left.keys[0]); n != 1 {
				t.Errorf("what was left by the gateway that died was taken over %d times, want once", n)
			}
			if n := len(host.all()); n < 5 {
				t.Errorf("%d calls for four photos, of which the first failed; want it tried again", n)
			}
			if sent := w.line().Sent(); len(sent) != 1 {
				t.Errorf("the consumer has %d notices about two documents, want one", len(sent))
			}
			w.start() // whose clock is right, and who finds nothing that is in its way
			w.deliver(w.say(message{channel: "line", id: "after", consumer: "ana", text: canary})[0])
			w.settle()
		})
	}
}
