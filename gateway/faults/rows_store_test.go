package faults

import (
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store/s3test"
)

// TestRow16: the pictures' store is full, cannot be written, is down or slow. The
// message waits, and no photo is ready before its pictures are there.
func TestRow16(t *testing.T) {
	t.Run("bucket", bucket)
	t.Run("full", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		data := filepath.Join(w.dir, "data", "photos")
		gatewaytest.SmallDiskOn(t, data, 1)
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
		gatewaytest.SmallDiskOn(t, data, 1)
		g := w.start()
		gatewaytest.ReadOnly(t, data, true)
		g.accepts(w.say(message{channel: "whatsapp", id: "a", consumer: "ana", text: canary, pictures: []string{"red"}})...)
		w.awaitStats("it is delayed", func(s queue.Stats) bool { return s.Delayed == 1 })
		gatewaytest.ReadOnly(t, data, false)
		w.inspector.Hasten(testQueue)
		w.settle()
	})
}

// TestRow16 with a bucket.
func bucket(t *testing.T) {
	for name, hurt := range map[string]struct{ begin, end func(*s3test.Server) }{
		"down": {(*s3test.Server).Kill, (*s3test.Server).Restart},
		"slow": {(*s3test.Server).Pause, (*s3test.Server).Continue},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := s3test.Start(t)
			w := newWorld(t)
			w.photos = filepath.Join(server.Folder, s3test.Bucket)
			w.edits = append(w.edits, func(s settings) {
				s["store"] = w.plain(reflect.ValueOf(server.Store()))
				s["work"].(settings)["promise"] = "1s"
			})
			g := w.start()
			hurt.begin(server)
			c := w.say(message{channel: "whatsapp", id: "a", consumer: "ana", text: canary, pictures: []string{"red"}})[0]
			g.accepts(c)
			if name == "down" {
				w.awaitStats("it is delayed", func(s queue.Stats) bool { return s.Delayed == 1 })
			} else {
				// The first development is the trial at the start.
				w.await("it is developed", func() bool { return hits(w.hitsFile(g.name))[failpoint.MidDevelop] == 2 })
				w.awaitStats("it is in work for so long that agents are told its text", func(s queue.Stats) bool { return s.Told == 1 && s.InWork == 1 })
			}
			w.await("agents have its text", func() bool { return len(w.audit().found) == 1 })
			if a := w.audit(); !a.pending() || w.hits(failpoint.MidBlobs) > 0 {
				t.Errorf("got %+v; want its photo pending, for none of its pictures is stored", a.found)
			}
			hurt.end(server)
			w.inspector.Hasten(testQueue)
			w.awaitReady(c)
			if b := w.settle(); b.delivered != 1 || b.pictures != 1 || len(w.stored()) != 1 {
				t.Errorf("%v, pictures of %v; want one delivered with its pictures", b, w.stored())
			}
		})
	}
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
