package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors/messenger"
	"github.com/lightlock/lightlock/connectors/messenger/messengersim"
	"github.com/lightlock/lightlock/connectors/sim"
)

// TestSeveralAccountsInOneCall: of three Pages that Meta tells of in one call,
// two are configured and the third is not. Each of the two gets its own event in
// its own queue with its own photo; the third's is a dead letter. The same call
// again, after the third was added and the first renamed, brings the third's
// event and doubles nothing.
func TestSeveralAccountsInOneCall(t *testing.T) {
	h := prepare(t)
	p := h.platforms["messenger"].(*messengersim.Platform)
	for _, name := range []string{"second", "third"} {
		p.AddPage(name)
	}
	var entries []any
	for i, page := range p.Pages {
		said := sim.Said{ID: page.ID, Consumer: "ana", At: time.Now(), Photos: [][]byte{picture(t, 40+i, 30)}}
		entries = append(entries, messengersim.Object{"id": page.ID, "time": said.At.UnixMilli(), "messaging": p.Items(page, said)})
	}
	call, err := p.Call(webhookURL("messenger"), entries...)
	if err != nil {
		t.Fatal(err)
	}

	var settings *messenger.Config
	for i, s := range h.loaded.Connectors {
		if s.Common().Channel == "messenger" {
			settings = p.Settings("acme", testQueue).(*messenger.Config)
			settings.Registration = "off"
			h.loaded.Connectors[i] = settings
		}
	}
	all := settings.Accounts
	for i := range all {
		all[i].Name = []string{"first", "second", "third"}[i]
	}
	settings.Accounts = all[:2:2]
	h.start()
	if response, body := h.post(call); response.StatusCode != http.StatusOK {
		t.Fatalf("answered %d %q", response.StatusCode, body)
	}
	h.wantSources("messenger/acme/first", "messenger/acme/second")
	if letters, err := h.app.backend.Letters(t.Context(), testQueue, 10); err != nil || len(letters) != 1 {
		t.Errorf("got %d dead letters, %v, want the third's", len(letters), err)
	}
	if err := h.app.Close(); err != nil {
		t.Fatal(err)
	}

	settings.Accounts = all
	settings.Accounts[0].Name = "renamed"
	settings.Accounts[2].Queue = "another" // where the third's dead letter does not lie
	h.start()
	if response, body := h.post(call); response.StatusCode != http.StatusOK {
		t.Fatalf("answered %d %q", response.StatusCode, body)
	}
	h.wantSources("messenger/acme/first", "messenger/acme/second")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		s, err := h.app.backend.Stats(t.Context(), "another")
		if err == nil && s.Delivered == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the third's event is not forwarded: %+v, %v", s, err)
		}
	}
}

// wantSources checks from which accounts the queue's documents are, each with a
// ready photo.
func (h *house) wantSources(want ...string) {
	h.t.Helper()
	documents := h.documents(int(h.idle()))
	if len(documents) != len(want) {
		h.t.Fatalf("got %d documents, want %d", len(documents), len(want))
	}
	seen := map[string]bool{}
	for _, m := range documents {
		seen[m.Source] = true
		if len(m.Data.Photos) != 1 || m.Data.Photos[0].Status != "ready" {
			h.t.Errorf("%s: got %+v, want a ready photo", m.Source, m.Data.Photos)
		}
	}
	for _, source := range want {
		if !seen[source] {
			h.t.Errorf("got documents of %v, want one of %s", seen, source)
		}
	}
}
