package faults

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
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

// mediaHost answers LINE's content calls as a test says, each with its number
// from 1; next is LINE's own answer.
func (w *world) mediaHost(do func(call int, w http.ResponseWriter, r *http.Request, next http.Handler)) *calls {
	c := &calls{}
	w.platforms["line"].Wrap(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/content") {
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

// TestRow13: what media hosts do to a gateway with two slots. Of each kind two
// photos are in hand; another account's photo is developed meanwhile or soon
// after, and at last so are these. The deadlines of 10 and 60 s are tested by a
// clock of their own in connectors/wire.
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
			for _, b := range picture("red")[:5] {
				select {
				case <-r.Context().Done():
					return
				case <-time.After(time.Second):
				}
				_, _ = w.Write([]byte{b})
				_ = http.NewResponseController(w).Flush()
			}
			panic(http.ErrAbortHandler)
		},
	}
	for name, bad := range hosts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(s settings) { s["work"].(settings)["slots"] = 2 })
			g := w.start()
			host := w.mediaHost(func(call int, answer http.ResponseWriter, r *http.Request, next http.Handler) {
				if call <= 2 {
					bad(answer, r)
					return
				}
				next.ServeHTTP(answer, r)
			})
			for _, id := range []string{"a", "b"} {
				g.accepts(w.say(message{channel: "line", id: id, consumer: id, pictures: []string{"red"}})...)
			}
			w.await("both are in hand", func() bool { return len(host.all()) >= 2 })
			g.accepts(w.say(message{channel: "viber", id: "other", consumer: "bob", pictures: []string{"grey"}})...)
			if b := w.settle(); b.delivered != 3 || len(host.all()) < 4 {
				t.Errorf("%v after %d calls; want three delivered, and two photos fetched again", b, len(host.all()))
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

// TestRow15: what a platform no longer has is expired at the first try, if it is
// not of this very minute; 429 and 503 are answered with the patience that they
// ask for, up to a quarter of an hour.
func TestRow15(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusGone} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			// Accepted ten minutes ago, by a gateway that has gone.
			w.edits = append(w.edits, func(s settings) { s["work"].(settings)["paused"] = true })
			earlier := w.start()
			c := w.say(message{channel: "line", id: "a", consumer: "ana", pictures: []string{"red"}})[0]
			w.differs[c.keys[0]] = " | rejected expired false"
			earlier.accepts(c)
			earlier.kill()
			w.inspector.Backdate(testQueue, 10*time.Minute)
			host := w.mediaHost(func(_ int, answer http.ResponseWriter, _ *http.Request, _ http.Handler) { answer.WriteHeader(status) })
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

// TestRow16: the pictures' store is full, or cannot be written. The message waits,
// and no photo is ready before its pictures are there.
func TestRow16(t *testing.T) {
	t.Run("full", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		data := filepath.Join(w.dir, "data", "photos")
		smallDisk(t, data)
		g := w.start()
		filler := filepath.Join(data, "filler")
		fill(t, filler)
		g.accepts(w.say(message{channel: "whatsapp", id: "a", consumer: "ana", text: canary, pictures: []string{"red"}})...)
		w.awaitStats("it is delayed", func(s queue.Stats) bool { return s.Delayed == 1 })
		if a := w.audit(); len(a.found) != 0 && !a.pending() {
			t.Errorf("got %+v; want no ready photo without pictures", a.found)
		}
		if status, text := g.get("/readyz"); status != http.StatusOK || !strings.Contains(text, "photos are delayed") {
			t.Errorf("/readyz: %d %s; want 200 and a warning", status, text)
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		w.inspector.Hasten(testQueue)
		w.settle()
	})
	t.Run("read-only", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		data := filepath.Join(w.dir, "data", "photos")
		smallDisk(t, data)
		g := w.start()
		remount(t, data, syscall.MS_RDONLY)
		g.accepts(w.say(message{channel: "whatsapp", id: "a", consumer: "ana", text: canary, pictures: []string{"red"}})...)
		w.awaitStats("it is delayed", func(s queue.Stats) bool { return s.Delayed == 1 })
		remount(t, data, 0)
		w.inspector.Hasten(testQueue)
		w.settle()
	})
}

// pending tells whether every photo that agents know of is not settled yet.
func (a *audit) pending() bool {
	for _, documents := range a.found {
		for _, d := range documents {
			for _, p := range d.Data.Photos {
				if p.Status != queue.Pending {
					return false
				}
			}
		}
	}
	return true
}

// smallDisk mounts a file system of 1 MiB on a folder.
func smallDisk(t testing.TB, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root can mount the small file system that this test fills")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m,mode=700"); err != nil {
		t.Skipf("SKIPPED: this system does not let us mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
}

// fill writes a file until the disk is full.
func fill(t testing.TB, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); ; {
		if _, err := f.Write(block); err != nil {
			return
		}
	}
}

func remount(t testing.TB, dir string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|flags, ""); err != nil {
		t.Skipf("SKIPPED: this system does not let us mount it otherwise: %v", err)
	}
}
