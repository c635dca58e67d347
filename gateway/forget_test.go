package main

import (
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/archive"
	"github.com/lightlock/lightlock/gateway/forget"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/spool"
	"github.com/lightlock/lightlock/gateway/store"
)

// What a gateway has spooled while Redis was away, and not handed in before it was
// stopped, is destroyed with the rest, and what others have written is not.
func TestForgetEmptiesTheSpool(t *testing.T) {
	h, redis := prepareOn(t)
	h.start()
	redis.Kill()
	words := map[string]string{"ana": "words-of-ana-7c1e", "bob": "words-of-bob-7c1e"}
	for consumer, text := range words {
		said := sim.Said{ID: consumer + "-1", Consumer: consumer, At: time.Now(), Text: text}
		if response, _ := h.post(h.calls("line", said)[0]); response.StatusCode != http.StatusOK {
			t.Fatalf("%s: answered %d", consumer, response.StatusCode)
		}
	}
	if err := h.app.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	c := h.loaded.Config
	id := linesim.UserID("ana")
	for _, text := range []string{id, words["ana"], words["bob"]} {
		if !onDisk(t, c.SpoolFolder(), text) {
			t.Fatal("nothing of it is in the spool, so this test proves nothing")
		}
	}
	redis.Restart()
	j := attached(t, c)
	h.forget(j, id)
	for _, text := range []string{id, words["ana"], words["bob"]} {
		if onDisk(t, c.Data, text) {
			t.Errorf("%s is on the disk of the gateway", text)
		}
	}
	s, err := j.Stats(t.Context(), testQueue)
	if err != nil || s.Waiting != 1 || s.Dead != 0 || s.Unaccounted != 0 {
		t.Errorf("got %+v, %v; want bob's message waiting, and nothing else", s, err)
	}
	h.start()
	if got := h.documents(1); got[0].Data.Text != words["bob"] {
		t.Errorf("got %q, want bob's", got[0].Data.Text)
	}
	if got := h.idle(); got != 1 {
		t.Errorf("%d were delivered, want bob's alone", got)
	}
}

// attached is the Redis of a gateway, as a command reaches it.
func attached(t *testing.T, c config.Config) *queue.Backend {
	t.Helper()
	j, err := queue.Attach(t.Context(), queue.OpenOptions{Redis: c.Redis, Data: c.Data, Journal: queue.OptionsOf(c)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close(t.Context()) })
	gatewaytest.Await(t, "Redis is back", func() bool { return j.Prepare(t.Context(), []string{testQueue}) == nil })
	return j
}

// forget does what the command does.
func (h *house) forget(j *queue.Backend, id string) {
	h.t.Helper()
	c := h.loaded.Config
	pictures, err := store.New(c, slog.New(slog.DiscardHandler))
	if err != nil {
		h.t.Fatal(err)
	}
	defer pictures.Close()
	f := &forget.Forgetter{Journal: j.Journal, Store: pictures, Archive: &archive.Archive{
		Journal: j.Journal, Heads: j.Journal, Open: j.Journal, Documents: pictures.Documents(), Queues: []string{testQueue}, Metrics: ops.NewMetrics(),
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
	}}
	var account forget.Account
	for _, s := range h.loaded.Connectors {
		if s.Common().Channel == "line" {
			account = forget.Account{Name: "line/acme", Channel: "line", ID: s.AccountList()[0].ID}
		}
	}
	who := forget.Consumer{ID: id, Accounts: []forget.Account{account}}
	if _, err := f.Forget(h.t.Context(), testQueue, who); err != nil {
		h.t.Fatal(err)
	}
	r, err := f.Spool(h.t.Context(), spool.Options{Folder: c.SpoolFolder(), Limit: c.Spool.Limit(), Queues: []string{testQueue}, Journal: j, Ready: j.Ready}, who)
	if found := r.Found(); err != nil || len(found) != 1 || found[0] != (forget.Found{Account: "line/acme", Place: forget.Spooled, Number: 1}) {
		h.t.Errorf("of the spool: got %v, %v, want one message of line/acme", found, err)
	}
}

// onDisk tells whether a file below a folder has a text in it.
func onDisk(t *testing.T, folder, text string) (found bool) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		found = found || strings.Contains(string(data), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
