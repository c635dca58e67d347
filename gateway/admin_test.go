package main

import (
	"bufio"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors/sim"
)

// get asks the operators' listener.
func (h *house) get(t *testing.T, path string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+h.app.Addresses().Admin+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// counted sums the samples in /metrics whose line contains what.
func (h *house) counted(t *testing.T, what string) (sum float64) {
	t.Helper()
	_, text := h.get(t, "/metrics")
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "#") || !strings.Contains(line, what) {
			continue
		}
		value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += value
	}
	return sum
}

func TestAdmin(t *testing.T) {
	h := open(t)
	if status, body := h.get(t, "/healthz"); status != http.StatusOK || body != "alive\n" {
		t.Errorf("/healthz: %d %q", status, body)
	}
	for _, call := range h.calls("line", sim.Said{ID: "unread", Consumer: "ana", At: time.Now(), Text: "hello"}) {
		h.post(call)
	}
	h.documents(1)
	status, body := h.get(t, "/readyz")
	if status != http.StatusOK || !strings.HasPrefix(body, "ready, 1 warning\n") {
		t.Errorf("/readyz: %d %q", status, body)
	}
	for _, want := range []string{"fsync", "queue support   warn", "line/acme", "twilio/acme", "whatsapp/acme"} {
		if !strings.Contains(body, want) {
			t.Errorf("/readyz has no %q:\n%s", want, body)
		}
	}
	h.app.health.Drain()
	if status, _ := h.get(t, "/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("/readyz while draining: %d, want 503", status)
	}
}

// TestPaused: a paused gateway accepts and says that it does nothing more; one
// that is not goes on with what waits.
func TestPaused(t *testing.T) {
	h := prepare(t)
	h.loaded.Config.Work.Paused = true
	h.start()
	h.hear("line", sim.Said{ID: "paused", Consumer: "ana", At: time.Now(), Text: "hello"})
	if status, body := h.get(t, "/readyz"); status != http.StatusOK || !strings.Contains(body, "paused by work.paused") {
		t.Errorf("/readyz: %d %q, want 200 and a warning", status, body)
	}
	if n := h.delivered(); n != 0 {
		t.Errorf("%d messages were worked on", n)
	}
	if err := h.app.Close(); err != nil {
		t.Fatal(err)
	}
	h.loaded.Config.Work.Paused = false
	h.start()
	if got := h.documents(1)[0].Data.Text; got != "hello" {
		t.Errorf("got %q, want the message that waited", got)
	}
	if _, body := h.get(t, "/readyz"); strings.Contains(body, "paused") {
		t.Errorf("/readyz still says so: %q", body)
	}
}
