package main

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

// awaitSent waits until nothing is left to be sent, and returns what a
// platform's consumers have got.
func (h *house) awaitSent(channel string) []sim.Sent {
	h.t.Helper()
	h.idle()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		n, err := h.app.backend.Outstanding(h.t.Context(), testQueue)
		if err == nil && n == 0 {
			return h.platforms[channel].Sent()
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%d messages are never sent, %v", n, err)
		}
	}
}

// hear posts what a consumer says, and wants it to be accepted.
func (h *house) hear(channel string, said ...sim.Said) {
	h.t.Helper()
	for _, call := range h.calls(channel, said...) {
		if response, body := h.post(call); response.StatusCode != http.StatusOK {
			h.t.Fatalf("%s: answered %d %q", channel, response.StatusCode, body)
		}
	}
}

// TestNoticeOnEveryChannel sends files that are no photos through each channel,
// twenty where messages to consumers are rationed the most. The agent gets the
// reason of each, and the consumer is told once.
func TestNoticeOnEveryChannel(t *testing.T) {
	h := open(t)
	for channel, platform := range h.platforms {
		before := int(h.idle())
		burst := 2
		if channel == "twitter" {
			burst = 20
		}
		for i := range burst {
			h.hear(channel, sim.Said{ID: strconv.Itoa(i), Consumer: "ana", At: time.Now(), Photos: [][]byte{[]byte("%PDF-1.7 no photo")}})
		}
		sent := h.awaitSent(channel)
		documents := h.documents(int(h.idle()))[before:]
		if len(documents) != burst {
			t.Errorf("%s: got %d documents, want %d", channel, len(documents), burst)
		}
		for _, m := range documents {
			if len(m.Data.Photos) != 1 || m.Data.Photos[0].Reason != "unsupported_type" {
				t.Errorf("%s: got %+v, want a photo of an unsupported type", channel, m)
			}
		}
		want := "We cannot open this file. Please send your photo as JPEG, PNG, GIF."
		if len(sent) != 1 || sent[0].Text != want {
			t.Errorf("%s: the consumer got %+v, want one %q", channel, sent, want)
			continue
		}
		account := platform.Settings("acme", testQueue).AccountList()[0].ID
		if sent[0].Account != account && channel != "viber" { // Viber's messages do not name the bot
			t.Errorf("%s: account %s speaks, want %s", channel, sent[0].Account, account)
		}
	}
}

// TestPhotosSwitchedOff: the text reaches the agent, the photo is not fetched,
// and the consumer is told in the operator's words.
func TestPhotosSwitchedOff(t *testing.T) {
	no := false
	h := open(t, func(c *config.Config) {
		c.Photos.Enabled = &no
		c.Notices.Texts = []config.NoticeTexts{{Language: "en", Disabled: "Words only, please."}}
	})
	for channel := range h.platforms {
		before := int(h.idle())
		h.hear(channel, sim.Said{ID: "off", Consumer: "ana", At: time.Now(), Text: "my leaf", Photos: [][]byte{picture(t, 40, 30)}})
		sent := h.awaitSent(channel)
		text, reasons := "", ""
		for _, m := range h.documents(int(h.idle()))[before:] {
			text += m.Data.Text
			for _, p := range m.Data.Photos {
				reasons += p.Reason
			}
		}
		if text != "my leaf" || reasons != "disabled" {
			t.Errorf("%s: got text %q and reasons %q, want the text and disabled", channel, text, reasons)
		}
		if len(sent) != 1 || sent[0].Text != "Words only, please." {
			t.Errorf("%s: the consumer got %+v", channel, sent)
		}
	}
}

// TestNoNoticeForOldMessages: a platform that delivers after days is not
// answered, because it would not let us, or nobody would understand.
func TestNoNoticeForOldMessages(t *testing.T) {
	h := open(t)
	for _, channel := range []string{"whatsapp", "messenger", "line", "viber", "twitter"} {
		h.hear(channel, sim.Said{ID: "old", Consumer: "ana", At: time.Now().Add(-25 * time.Hour), Photos: [][]byte{[]byte("no photo")}})
		if sent := h.awaitSent(channel); len(sent) != 0 {
			t.Errorf("%s: the consumer got %+v, want nothing", channel, sent)
		}
	}
}

// TestWebhooksAreRegistered starts a gateway that repairs registrations, on
// platforms that have none and that call it before they agree.
func TestWebhooksAreRegistered(t *testing.T) {
	h := prepare(t)
	h.loaded.Config.PublicURL = "https://gateway.test" // as X wants it
	for _, settings := range h.loaded.Connectors {
		settings.Common().Registration = "repair"
	}
	started := make(chan struct{}) // Start asks before it returns
	for _, platform := range h.platforms {
		platform.Reach(func(r *connectors.Request) (int, string) {
			<-started
			r.URL = testURL + strings.TrimPrefix(r.URL, h.loaded.Config.PublicURL)
			response, body := h.post(r)
			return response.StatusCode, body
		})
	}
	h.start()
	close(started)
	registrars := 0
	for _, route := range h.app.routes.All() {
		registrar, ok := route.Connector.(connectors.Registrar)
		if !ok {
			continue
		}
		registrars++
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			found, err := registrar.Registered(t.Context(), route.Accounts[0].ID, route.URL)
			if err == nil && found.OK {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: got %+v, %v, want it registered\n%s", route.Name, found, err, h.log.String())
			}
		}
	}
	if registrars == 0 {
		t.Error("no platform can be asked")
	}
	for deadline := time.Now().Add(time.Minute); strings.Contains(h.ready(), "not registered"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("/readyz still says:\n%s", h.ready())
		}
	}
}

// ready is what /readyz says.
func (h *house) ready() string {
	h.t.Helper()
	status, body := h.get(h.t, "/readyz")
	if status != http.StatusOK {
		h.t.Errorf("/readyz answered %d", status)
	}
	return body
}
