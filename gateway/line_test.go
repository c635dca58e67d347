package main

import (
	"bytes"
	"image/jpeg"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

const canary = "canary-7f3a"

// TestEveryChannel sends text and a sideways photo through each channel and
// looks at what an agent's software gets.
func TestEveryChannel(t *testing.T) {
	h := open(t)
	for channel := range h.platforms {
		t.Run(channel, func(t *testing.T) {
			before := int(h.idle())
			calls := h.calls(channel, sim.Said{
				ID: channel, Consumer: "ana", Name: "Ana", At: time.Now(), Text: canary + " look",
				Photos: [][]byte{sideways(picture(t, 400, 300), canary)},
			})
			for _, call := range calls {
				if response, body := h.post(call); response.StatusCode != http.StatusOK {
					t.Fatalf("answered %d %q", response.StatusCode, body)
				}
			}
			h.checkMessages(t, h.documents(int(h.idle()))[before:], channel)
		})
	}
	if log := h.log.String(); strings.Contains(log, canary) {
		t.Error("the log holds a consumer's words")
	}
}

// checkMessages looks at one channel's messages, which may be one with text and
// photo, or one of each.
func (h *house) checkMessages(t *testing.T, messages []message, channel string) {
	t.Helper()
	var text string
	photos := 0
	for _, m := range messages {
		if m.Source != channel+"/acme" {
			t.Errorf("source is %q", m.Source)
		}
		if m.Data.Seq < 1 || m.Data.Consumer.ID == "" || m.Data.Conversation == "" {
			t.Errorf("incomplete: %+v", m)
		}
		text += m.Data.Text
		for _, p := range m.Data.Photos {
			photos++
			if p.Status != "ready" || p.Source.Width != 300 || p.Source.Height != 400 {
				t.Errorf("photo is %s %s %dx%d, want ready, upright 300x400", p.Status, p.Reason, p.Source.Width, p.Source.Height)
				continue
			}
			h.checkPicture(t, p.Preview.Href, 300, 400)
			h.checkPicture(t, p.Thumbnail.Href, 240, 240)
		}
	}
	if photos != 1 || text != canary+" look" {
		t.Errorf("got %d photos and text %q", photos, text)
	}
}

// checkPicture fetches a picture as a service does and looks at its pixels: red
// was left and is on top now.
func (h *house) checkPicture(t *testing.T, href string, width, height int) {
	t.Helper()
	status, data := h.getPicture(t, href)
	if bytes.Contains(data, []byte(canary)) {
		t.Errorf("%s holds metadata of the original", href)
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %d, %v", href, status, err)
	}
	if got := img.Bounds().Size(); got.X != width || got.Y != height {
		t.Errorf("%s is %v, want %dx%d", href, got, width, height)
	}
	if r, _, b, _ := img.At(width/2, 10).RGBA(); r < b {
		t.Errorf("%s: the top is not red: it is not upright", href)
	}
	if r, _, b, _ := img.At(width/2, height-10).RGBA(); b < r {
		t.Errorf("%s: the bottom is not blue: it is not upright", href)
	}
}

// getPicture fetches a picture as a service does.
func (h *house) getPicture(t *testing.T, href string) (status int, data []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+h.app.Addresses().Public+href, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+testToken)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err = io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, data
}

// TestForgedWebhooks sends each channel what a forger could send. Every answer
// is the same, nothing is stored, and each is counted.
func TestForgedWebhooks(t *testing.T) {
	h := open(t)
	strangers := open(t) // the same platforms with other secrets
	answers := map[string]bool{}
	sent := 0
	for channel := range h.platforms {
		said := sim.Said{ID: "forged", Consumer: "eve", At: time.Now(), Text: "pay here", Photos: [][]byte{picture(t, 40, 30)}}
		good := h.calls(channel, said)[0]
		for name, forged := range map[string]*connectors.Request{
			"no signature":   without(good),
			"stale secret":   strangers.calls(channel, said)[0],
			"flipped bit":    changed(good, func(b []byte) []byte { b[len(b)/2] ^= 1; return b }),
			"longer":         changed(good, func(b []byte) []byte { return append(b, ' ') }),
			"two MB too big": changed(good, func(b []byte) []byte { return append(b, make([]byte, 6<<20)...) }),
		} {
			response, body := h.post(forged)
			sent++
			if response.StatusCode != http.StatusUnauthorized || body != "" {
				t.Errorf("%s, %s: answered %d %q, want an empty 401", channel, name, response.StatusCode, body)
			}
			response.Header.Del("Date")
			response.Header.Del("Connection") // closed behind a body that was not read
			answers[headerText(response.Header)] = true
		}
	}
	unknown := &connectors.Request{Method: http.MethodPost, URL: webhookURL("nobody"), Header: http.Header{}, Body: []byte("{}")}
	response, _ := h.post(unknown)
	response.Header.Del("Date")
	answers[headerText(response.Header)] = true
	if len(answers) != 1 {
		t.Errorf("a forger can tell %d kinds of refusal apart: %v", len(answers), answers)
	}
	stats, err := h.app.backend.Stats(t.Context(), testQueue)
	if err != nil {
		t.Fatal(err)
	}
	if n := stats.Unfinished() + stats.Dead + stats.Delivered; n != 0 {
		t.Errorf("%d events of a forger were stored", n)
	}
	if got := h.counted(t, `result="unauthentic"`) + h.counted(t, `result="too_large"`); got != float64(sent) {
		t.Errorf("%v refusals are counted, want %d", got, sent)
	}
}

func headerText(h http.Header) string {
	var lines []string
	for name, values := range h {
		lines = append(lines, name+": "+strings.Join(values, ","))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// without returns the call with everything of the platform's header but its
// content type gone, and no query, which may repeat a signature.
func without(call *connectors.Request) *connectors.Request {
	c := *call
	c.URL, _, _ = strings.Cut(call.URL, "?")
	c.Header = http.Header{"Content-Type": call.Header["Content-Type"]}
	return &c
}

// changed returns the call with another body under the same signature.
func changed(call *connectors.Request, change func([]byte) []byte) *connectors.Request {
	c := *call
	c.Body = change(bytes.Clone(call.Body))
	return &c
}

// TestCopiesAtOnce posts the same webhook eight times at once, over connections
// of their own: one entry reaches the queue.
func TestCopiesAtOnce(t *testing.T) {
	h := open(t)
	for channel := range h.platforms {
		call := h.calls(channel, sim.Said{
			ID: "copies", Consumer: "ana", At: time.Now(), Photos: [][]byte{picture(t, 40, 30)},
		})[0]
		before := h.idle()
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				client := &http.Client{Transport: &http.Transport{}}
				defer client.CloseIdleConnections()
				url := "http://" + h.app.Addresses().Public + strings.TrimPrefix(call.URL, testURL)
				request, err := http.NewRequestWithContext(t.Context(), call.Method, url, bytes.NewReader(call.Body))
				if err != nil {
					t.Error(err)
					return
				}
				request.Header = call.Header.Clone()
				response, err := client.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				defer response.Body.Close()
				if response.StatusCode != http.StatusOK {
					t.Errorf("%s: a copy was answered %d", channel, response.StatusCode)
				}
			})
		}
		all.Wait()
		if got := h.idle() - before; got != 1 {
			t.Errorf("%s: eight copies gave %d entries", channel, got)
		}
	}
	if got := h.counted(t, "lightlock_duplicates_total"); got != float64(7*len(h.platforms)) {
		t.Errorf("%v duplicates are counted, want %d", got, 7*len(h.platforms))
	}
}

// TestRejectedPhoto shows that a photo's verdict leaves the text beside it
// alone.
func TestRejectedPhoto(t *testing.T) {
	h := open(t)
	for _, call := range h.calls("twilio", sim.Said{
		ID: "pdf", Consumer: "ana", At: time.Now(), Text: "my invoice", Photos: [][]byte{[]byte("%PDF-1.7 no photo")},
	}) {
		h.post(call)
	}
	m := h.documents(1)[0]
	if m.Data.Text != "my invoice" || len(m.Data.Photos) != 1 {
		t.Fatalf("got %+v", m.Data)
	}
	if p := m.Data.Photos[0]; p.Status != "rejected" || p.Reason != "unsupported_type" {
		t.Errorf("the photo is %s %s, want rejected unsupported_type", p.Status, p.Reason)
	}
}
