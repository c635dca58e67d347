package faults

import (
	"bytes"
	"flag"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// TestRow05: darkroom children die over a photo. By a signal of their own doing,
// twice, it is rejected; killed from outside, it is tried again. The other photo
// of the message is unharmed both times. What a child may use of processor time
// and memory is tested in gateway/darkroom, where both can be made scarce.
func TestRow05(t *testing.T) {
	for name, test := range map[string]struct {
		signal syscall.Signal
		want   string
	}{
		"by its own doing": {syscall.SIGSEGV, "rejected too_complex false"},
		"from outside":     {syscall.SIGKILL, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			// The first development is the trial at the start.
			g := w.start(fault("mid-develop=stop@2", "mid-develop=stop@3"))
			m := message{channel: "twilio", id: "a", consumer: "ana", text: canary, pictures: []string{"red", "grey"}, at: time.Now()}
			c := w.say(m)[0]
			if test.want != "" {
				w.differs[c.keys[0]] = canary + " | " + test.want + " | " + verdicts(t)["grey"]
			}
			g.accepts(c)
			for range 2 {
				g.awaitStopped()
				for _, pid := range g.children() {
					_ = syscall.Kill(pid, test.signal)
				}
				g.resume()
				w.await("the gateway goes on", func() bool { return !g.stopped() })
			}
			g.accepts(w.say(message{channel: "line", id: "b", consumer: "bob", pictures: []string{"red"}})...)
			if b := w.settle(); b.delivered != 2 {
				t.Errorf("%v; want both delivered", b)
			}
		})
	}
}

// answerer answers the calls for photos as a test says, each with its number from
// 1; next is the platform's own answer.
type answerer = func(call int, w http.ResponseWriter, r *http.Request, next http.Handler)

// mediaHost answers LINE's content calls.
func (w *world) mediaHost(do answerer) *calls {
	return w.hostOf("line", func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/content") }, do)
}

// hostOf answers those calls to a platform that are for photos.
func (w *world) hostOf(channel string, photos func(*http.Request) bool, do answerer) *calls {
	c := &calls{}
	w.platforms[channel].Wrap(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
			if !photos(r) {
				next.ServeHTTP(answer, r)
				return
			}
			do(c.note(), answer, r, next)
		})
	})
	return c
}

// calls are the times of a host's calls.
type calls struct {
	mu    sync.Mutex
	times []time.Time
}

func (c *calls) note() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.times = append(c.times, time.Now())
	return len(c.times)
}

func (c *calls) all() []time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.times
}

// drip is how long a host drips.
var drip = flag.Duration("drip", 3*time.Second, "how long a media host drips; in the long form 75s, which is longer than a fetch may take")

// fetchTime is how long a fetch may take in all; a wait for the next byte may take
// ten seconds. Both are pinned in connectors/wire.
const fetchTime = time.Minute

// TestRow13: what media hosts do to a gateway with four slots. Of each kind two
// photos are in hand. Another account's photo is developed meanwhile, and at last so
// are these: their slots were freed, and they are fetched again.
func TestRow13(t *testing.T) {
	part := func(w http.ResponseWriter, length, send int) {
		w.Header().Set("Content-Length", strconv.Itoa(length))
		_, _ = w.Write(picture("red")[:send])
		_ = http.NewResponseController(w).Flush()
	}
	size := len(picture("red"))
	hosts := map[string]func(w http.ResponseWriter, r *http.Request){
		"hangs before it answers": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"hangs in the middle":     func(w http.ResponseWriter, r *http.Request) { part(w, size, size/2); <-r.Context().Done() },
		"resets":                  func(w http.ResponseWriter, _ *http.Request) { part(w, size, size/2); panic(http.ErrAbortHandler) },
		"ends too early":          func(w http.ResponseWriter, _ *http.Request) { part(w, size+1000, size) },
		"drips a byte a second": func(w http.ResponseWriter, r *http.Request) {
			part(w, size, 0)
			for begin, n := time.Now(), 0; time.Since(begin) < *drip; n++ {
				select {
				case <-r.Context().Done():
					return
				case <-time.After(time.Second):
				}
				_, _ = w.Write(picture("red")[n : n+1])
				_ = http.NewResponseController(w).Flush()
			}
			panic(http.ErrAbortHandler)
		},
	}
	for name, bad := range hosts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(s settings) { s["work"].(settings)["slots"] = 4 })
			g := w.start()
			var over, cut atomic.Int64
			host := w.mediaHost(func(call int, answer http.ResponseWriter, r *http.Request, next http.Handler) {
				if call > 2 {
					next.ServeHTTP(answer, r)
					return
				}
				defer func() {
					over.Add(1)
					if r.Context().Err() != nil {
						cut.Add(1)
					}
				}()
				bad(answer, r)
			})
			for _, id := range []string{"a", "b"} {
				g.accepts(w.say(message{channel: "line", id: id, consumer: id, pictures: []string{"red"}})...)
			}
			w.await("both are in hand", func() bool { return len(host.all()) >= 2 })
			other := w.say(message{channel: "viber", id: "other", consumer: "bob", pictures: []string{"grey"}})[0]
			g.accepts(other)
			w.awaitReady(other)
			waits := strings.HasPrefix(name, "hangs") || strings.HasPrefix(name, "drips")
			if waits && over.Load() > 1 {
				t.Errorf("the other account's photo came behind %d of the host's, want it meanwhile", over.Load())
			}
			if b := w.settle(); b.delivered != 3 || len(host.all()) < 4 {
				t.Errorf("%v after %d calls; want three delivered, and two photos fetched again", b, len(host.all()))
			}
			if ours := strings.HasPrefix(name, "hangs") || waits && *drip > fetchTime; ours && cut.Load() != 2 {
				t.Errorf("%d fetches were given up, want both", cut.Load())
			}
		})
	}
	t.Run("endless", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		g := w.start()
		w.mediaHost(func(_ int, answer http.ResponseWriter, r *http.Request, _ http.Handler) {
			for block := make([]byte, 1<<20); r.Context().Err() == nil; {
				if _, err := answer.Write(block); err != nil {
					return
				}
			}
		})
		c := w.say(message{channel: "line", id: "a", consumer: "ana", pictures: []string{"red"}})[0]
		w.differs[c.keys[0]] = " | rejected too_large false"
		g.accepts(c)
		if b := w.settle(); b.delivered != 1 {
			t.Errorf("%v; want one delivered", b)
		}
	})
}

// awaitReady waits until agents have a message's photos.
func (w *world) awaitReady(c call) {
	w.t.Helper()
	err := w.journal.Watch(w.t.Context(), testQueue, func(document []byte) bool {
		return !bytes.Contains(document, []byte(c.keys[0])) || !bytes.Contains(document, []byte(`"ready"`))
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestRow15: what a platform no longer has is expired at the first try, if it is
// not of this very minute; 429 and 503 are answered with the patience that they
// ask for, up to a quarter of an hour.
func TestRow15(t *testing.T) {
	// 403 is an address that has expired, where it was not our credentials that were shown.
	for status, channel := range map[int]string{http.StatusNotFound: "line", http.StatusGone: "line", http.StatusForbidden: "viber"} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			// Accepted ten minutes ago, by a gateway that has gone.
			w.edits = append(w.edits, func(s settings) { s["work"].(settings)["paused"] = true })
			earlier := w.start()
			c := w.say(message{channel: channel, id: "a", consumer: "ana", pictures: []string{"red"}})[0]
			w.differs[c.keys[0]] = " | rejected expired false"
			earlier.accepts(c)
			earlier.kill()
			w.inspector.Backdate(testQueue, 10*time.Minute)
			photos := func(r *http.Request) bool { return r.Method == http.MethodGet }
			host := w.hostOf(channel, photos, func(_ int, answer http.ResponseWriter, _ *http.Request, _ http.Handler) { answer.WriteHeader(status) })
			w.edits = nil
			w.start()
			if b := w.settle(); b.delivered != 1 || len(host.all()) != 1 {
				t.Errorf("%v after %d calls; want one delivered after one", b, len(host.all()))
			}
		})
	}
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			g := w.start()
			host := w.mediaHost(func(call int, answer http.ResponseWriter, r *http.Request, next http.Handler) {
				switch call {
				case 1:
					answer.Header().Set("Retry-After", "2")
					answer.WriteHeader(status)
				case 2:
					answer.Header().Set("Retry-After", "7200")
					answer.WriteHeader(status)
				default:
					next.ServeHTTP(answer, r)
				}
			})
			g.accepts(w.say(message{channel: "line", id: "a", consumer: "ana", text: canary, pictures: []string{"red"}})...)
			w.awaitStats("it was asked for twice and is delayed", func(s queue.Stats) bool { return len(host.all()) == 2 && s.Delayed == 1 })
			if asked := host.all(); asked[1].Sub(asked[0]) < 2*time.Second {
				t.Errorf("asked again after %v, want the 2 s that it was told", asked[1].Sub(asked[0]))
			}
			for _, due := range w.inspector.Delayed(testQueue) {
				if wait := time.Until(due); wait < 10*time.Minute || wait > 15*time.Minute {
					t.Errorf("delayed by %v, want the longest time of 15 minutes for two hours", wait)
				}
			}
			// Another gateway has not been asked for patience, and its time is come.
			g.kill()
			w.inspector.Hasten(testQueue)
			w.start()
			w.settle()
		})
	}
}
