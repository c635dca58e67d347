package faults

import (
	"context"
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/gateway/spool"
)

const serviceToken = "a-service-token-of-more-than-32-characters"

// lease is how long the gateways hold on to what they work on.
const lease = time.Second

// settings are keys of lightlock.yaml, by their names.
type settings = map[string]any

// world is what gateways share: a stage, a Redis, and a folder.
type world struct {
	*stage
	server    *queuetest.Server // nil where a test brings its own
	inspector *queuetest.Inspector
	journal   *queue.Backend
	redis     settings
	dir       string
	photos    string // the folder of pictures
	program   string // what start starts, where it is not this release
	edits     []func(settings)
	secrets   []string         // NAME=value, for the environment
	log       *gatewaytest.Log // of all processes

	mu       sync.Mutex
	gateways []*gateway
	// spools are the gateways that have the folders of spools, by number: a new
	// one has that of one that has gone, as with a volume.
	spools  []*gateway
	refused int // calls that were not answered 2xx
	acked   map[string]time.Time
	// read are the documents that agents' software has taken out of the queue.
	read []queuetest.Entry
	// window is the time in which what a primary acknowledged may go with it.
	window [2]time.Time

	// elsewhere tells that agents have another desk, and no conversations are kept.
	elsewhere bool
	// unharmed is what each event's documents say in a run without faults.
	unharmed map[string]string
	// differs is what they say where a fault may not go unseen.
	differs map[string]string
}

// newWorld makes a world with a redis-server of its own on a stage of its own.
func newWorld(t testing.TB, edits ...func(settings)) *world {
	t.Helper()
	return newWorldOn(newStage(t), edits...)
}

// newWorldOn makes a world with a redis-server of its own on a stage that others
// may have used.
func newWorldOn(s *stage, edits ...func(settings)) *world {
	s.t.Helper()
	return worldOn(s, queuetest.Start(s.t), edits...)
}

// worldOn makes a world with a redis-server of the test's.
func worldOn(s *stage, server *queuetest.Server, edits ...func(settings)) *world {
	s.t.Helper()
	return worldAt(s, server, server.Address(), edits...)
}

// worldAt makes a world whose gateways reach Redis at another address than ours.
func worldAt(s *stage, server *queuetest.Server, address string, edits ...func(settings)) *world {
	s.t.Helper()
	w := worldOf(s, config.Redis{Address: server.Address()}, settings{"address": address}, edits...)
	w.server, w.inspector = server, queuetest.Inspect(s.t, server.Address())
	return w
}

// worldOf makes a world of Redis servers of any number. The test says where to
// inspect them.
func worldOf(s *stage, ours config.Redis, theirs settings, edits ...func(settings)) *world {
	s.t.Helper()
	w := &world{
		stage: s, redis: theirs, edits: edits, log: &gatewaytest.Log{}, acked: map[string]time.Time{}, differs: map[string]string{},
	}
	// Not t.TempDir: a child that is being killed may still write to it.
	var err error
	if w.dir, err = os.MkdirTemp("", "faults-world-"); err != nil {
		s.t.Fatal(err)
	}
	w.photos = filepath.Join(w.dir, "data", "photos")
	s.t.Cleanup(func() { _ = os.RemoveAll(w.dir) })
	w.open(ours)
	s.t.Cleanup(w.checkLog)
	return w
}

// open opens the journal for ourselves, beside the gateways.
func (w *world) open(at config.Redis) {
	w.t.Helper()
	var err error
	if w.journal, err = queue.Open(context.Background(), queue.OpenOptions{Redis: &at}); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = w.journal.Close(context.Background()) })
}

// checkLog ends each world: its gateways' logs hold no consumer's words, name, id or
// number, and no secret.
func (w *world) checkLog() {
	log := w.log.String()
	for _, secret := range append(w.secrets, "="+canary, "="+serviceToken) {
		if _, value, _ := strings.Cut(secret, "="); strings.Contains(log, value) {
			w.t.Errorf("the log holds %q", value)
		}
	}
	w.stage.mu.Lock()
	for id := range w.people {
		if strings.Contains(log, id) {
			w.t.Errorf("the log holds %q, which is a consumer", id)
		}
	}
	w.stage.mu.Unlock()
	if w.t.Failed() {
		w.t.Logf("the log of all gateways:\n%s", log)
	}
}

// configure writes the files of a gateway and returns the path of the first.
// Gateways share their folder of pictures.
func (w *world) configure(name, spool string) string {
	w.t.Helper()
	file := settings{
		"listen": "127.0.0.1:0", "admin_listen": "127.0.0.1:0", "public_url": publicURL,
		"data": filepath.Join(w.dir, "data"), "connectors": filepath.Join(w.dir, name, "connectors"),
		"redis":    maps.Clone(w.redis),
		"spool":    settings{"folder": spool},
		"work":     settings{"lease": lease.String(), "attempts": 4, "retry_min": "10ms", "retry_max": "200ms"},
		"services": []any{settings{"name": "desktop", "token": w.secret(serviceToken), "queues": []string{testQueue}}},
	}
	for _, edit := range w.edits {
		edit(file)
	}
	for channel, s := range w.settings {
		w.write(filepath.Join(w.dir, name, "connectors", channel+".yaml"), w.plain(reflect.ValueOf(s).Elem()))
	}
	path := filepath.Join(w.dir, name, "lightlock.yaml")
	w.write(path, file)
	return path
}

// write writes JSON, which is YAML.
func (w *world) write(path string, content any) {
	w.t.Helper()
	text, err := json.MarshalIndent(content, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// secret puts a secret into the environment, and returns how files name it.
func (w *world) secret(value string) string {
	for i, s := range w.secrets {
		if s == fmt.Sprintf("FAULTS_SECRET_%d=%s", i, value) {
			return fmt.Sprintf("${FAULTS_SECRET_%d}", i)
		}
	}
	w.secrets = append(w.secrets, fmt.Sprintf("FAULTS_SECRET_%d=%s", len(w.secrets), value))
	return fmt.Sprintf("${FAULTS_SECRET_%d}", len(w.secrets)-1)
}

// plain is a connector's settings as they stand in its file, without what is not
// set.
func (w *world) plain(v reflect.Value) any {
	switch known := v.Interface().(type) {
	case config.Secret:
		return w.secret(known.Reveal())
	case encoding.TextMarshaler:
		text, _ := known.MarshalText()
		return string(text)
	}
	switch v.Kind() {
	case reflect.Struct:
		keys := settings{}
		w.fields(v, keys)
		return keys
	case reflect.Slice:
		list := []any{}
		for i := range v.Len() {
			list = append(list, w.plain(v.Index(i)))
		}
		return list
	case reflect.Pointer:
		return w.plain(v.Elem())
	}
	return v.Interface()
}

func (w *world) fields(v reflect.Value, keys settings) {
	for i := range v.NumField() {
		tag, inline := strings.CutSuffix(v.Type().Field(i).Tag.Get("yaml"), ",inline")
		switch secret, ok := v.Field(i).Interface().(config.Secret); {
		case inline:
			w.fields(v.Field(i), keys)
		case ok && !secret.IsZero(), !ok && !v.Field(i).IsZero():
			keys[tag] = w.plain(v.Field(i))
			if part, ok := keys[tag].(settings); ok && len(part) == 0 {
				delete(keys, tag)
			}
		}
	}
}

// stats counts the queue.
func (w *world) stats() queue.Stats {
	w.t.Helper()
	s, err := w.journal.Stats(context.Background(), testQueue)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// desk is agents' software from now on: it reads the queue, and deletes what it has
// read. Its end is waited for.
func (w *world) desk() (end func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			entries := w.inspector.Read(testQueue, 100)
			w.read = append(w.read, entries...)
			select {
			case <-quit:
				if len(entries) == 0 {
					return
				}
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() { close(quit); <-ended }
}

// patience is how long anything may take that has to happen, and how long a queue may
// stand still.
const patience = 2 * time.Minute

// await waits until a condition holds.
func (w *world) await(what string, condition func() bool) {
	w.t.Helper()
	if !holds(condition) {
		w.t.Fatalf("waited in vain until %s", what)
	}
}

// holds waits for a condition, and tells whether it came to hold.
func holds(condition func() bool) bool {
	return comesToHold(func() (bool, int64) { return condition(), 0 })
}

// comesToHold is holds for a condition that tells besides how far its matter has come:
// as long as that goes on, it is waited for.
func comesToHold(condition func() (holds bool, done int64)) bool {
	begin, before := time.Now(), int64(-1)
	for {
		holds, done := condition()
		if holds {
			return true
		}
		if done != before {
			begin, before = time.Now(), done
		}
		waited := time.Since(begin)
		if waited > patience {
			return false
		}
		time.Sleep(min(max(waited/20, 5*time.Millisecond), 100*time.Millisecond)) // a look costs something
	}
}

// awaitStats waits until the queue's counts are as wanted; a Redis that does not
// answer is asked again.
func (w *world) awaitStats(what string, condition func(queue.Stats) bool) {
	w.t.Helper()
	var last queue.Stats
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Logf("%s: last seen %+v", what, last)
		}
	})
	met := comesToHold(func() (bool, int64) {
		s, err := w.journal.Stats(context.Background(), testQueue)
		if err != nil {
			return false, last.Finished
		}
		last = s
		return condition(s), s.Finished
	})
	if !met {
		w.t.Fatalf("waited in vain until %s; messages with photos:\n%s", what, strings.Join(w.inspector.Photos(testQueue), "\n"))
	}
}

// spooled are the keys of the events that wait in spools.
func (w *world) spooled() []string {
	w.t.Helper()
	var keys []string
	for n := range w.spools {
		contents, err := spool.Look(w.spoolFolder(n))
		if err != nil {
			w.t.Fatal(err)
		}
		for _, c := range contents {
			keys = append(keys, c.Keys...)
			if len(c.Aside) > 0 {
				w.t.Errorf("the spool has put %v aside", c.Aside)
			}
		}
	}
	return keys
}

func (w *world) spoolFolder(n int) string { return filepath.Join(w.dir, fmt.Sprintf("spool%d", n)) }

// idle waits until every event that was accepted has had its effect, and all
// that is to be said to consumers has a result. The journal is asked before the
// spools, whose look costs more, and after them, because they empty into it.
func (w *world) idle() {
	w.t.Helper()
	done := func(s queue.Stats) bool { return s.Unfinished() == 0 && s.Talks == 0 }
	w.awaitStats("journal and spools are empty", func(s queue.Stats) bool {
		if !done(s) || len(w.spooled()) > 0 {
			return false
		}
		again, err := w.journal.Stats(context.Background(), testQueue)
		if err != nil || !done(again) {
			return false
		}
		n, err := w.journal.Outstanding(context.Background(), testQueue)
		return err == nil && n == 0
	})
}
