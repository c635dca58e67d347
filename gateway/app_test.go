package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/darkroom"
	"github.com/lightlock/lightlock/gateway/ending"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// The tests here start the whole gateway: real listeners, a real redis-server,
// real darkroom children, and every platform simulated.

const (
	testURL   = "https://gateway.test/base"
	testQueue = "support"
	testToken = "a-service-token-of-more-than-32-characters"
)

func TestMain(m *testing.M) {
	darkroom.RunIfChild()
	os.Exit(m.Run())
}

// house is a running gateway with its simulated platforms.
type house struct {
	t         *testing.T
	app       *App
	platforms map[string]sim.Platform // by channel
	loaded    *config.Loaded
	log       *gatewaytest.Log
}

// open starts a gateway on a real redis-server.
func open(t *testing.T, edit ...func(*config.Config)) *house {
	t.Helper()
	h := prepare(t)
	for _, e := range edit {
		e(&h.loaded.Config)
	}
	h.start()
	return h
}

// prepare starts the platforms, and configures a gateway that is not started.
func prepare(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, platforms: map[string]sim.Platform{}, log: &gatewaytest.Log{}, loaded: &config.Loaded{Config: config.Default()}}
	c := &h.loaded.Config
	c.Listen, c.AdminListen, c.Data, c.PublicURL = "127.0.0.1:0", "127.0.0.1:0", t.TempDir(), testURL
	c.Redis = &config.Redis{Address: queuetest.Redis(t)}
	c.Services = []config.Service{{Name: "desktop", Token: config.NewSecret(testToken), Queues: []string{testQueue}}}
	for _, channel := range channels() {
		platform, err := channel.Simulate()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = platform.Close() })
		h.platforms[channel.Name] = platform
		settings := platform.Settings("acme", testQueue)
		settings.Common().Registration = "off" // they call us without
		h.loaded.Connectors = append(h.loaded.Connectors, settings)
	}
	return h
}

// start starts the gateway.
func (h *house) start() {
	h.t.Helper()
	app, err := NewApp(h.loaded, slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		h.t.Fatal(err)
	}
	if err := app.Start(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		if err := app.Close(); err != nil {
			h.t.Errorf("close: %v", err)
		}
	})
	h.app = app
}

// webhookURL is the address of a channel's webhook as the platform knows it.
func webhookURL(channel string) string { return testURL + "/webhooks/" + channel + "/acme" }

// calls are the platform's calls for what was said.
func (h *house) calls(channel string, said ...sim.Said) []*connectors.Request {
	h.t.Helper()
	calls, err := h.platforms[channel].Webhook(webhookURL(channel), said...)
	if err != nil {
		h.t.Fatal(err)
	}
	return calls
}

// post sends a call to where the gateway listens, and returns its answer with
// the whole body.
func (h *house) post(call *connectors.Request) (*http.Response, string) {
	h.t.Helper()
	return post(h.t, h.app.Addresses().Public, call)
}

func post(t *testing.T, address string, call *connectors.Request) (*http.Response, string) {
	t.Helper()
	url := "http://" + address + strings.TrimPrefix(call.URL, testURL)
	request, err := http.NewRequestWithContext(t.Context(), call.Method, url, bytes.NewReader(call.Body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = call.Header.Clone()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// message is what the tests read of a document.
type message struct {
	ID, Type, Source string

	Data struct {
		Conversation string
		Message      string
		Consumer     struct{ ID string }
		Seq          int64
		Late         bool
		Text         string
		Photos       []struct {
			ID, Status, Reason string
			Damaged            bool
			Source             struct{ Width, Height int }
			Preview, Thumbnail struct {
				Href          string
				Bytes         int
				Width, Height int
			}
		}
	}
}

// documents waits until the queue holds n documents, checks each against the
// published schema, and returns them.
func (h *house) documents(n int) []message {
	h.t.Helper()
	return documents(h.t, h.app, n)
}

func documents(t *testing.T, app *App, n int) []message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var found []message
	err := app.Journal().Watch(ctx, testQueue, func(document []byte) bool {
		queuetest.CheckDocument(t, document)
		var m message
		if err := json.Unmarshal(document, &m); err != nil {
			t.Error(err)
		}
		found = append(found, m)
		return len(found) < n
	})
	if err != nil {
		t.Fatalf("%d of %d documents: %v", len(found), n, err)
	}
	return found
}

// idle waits until nothing is in the journal, and returns how many documents
// were delivered.
func (h *house) idle() int64 {
	h.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		s, err := h.app.backend.Stats(h.t.Context(), testQueue)
		if err != nil {
			h.t.Fatal(err)
		}
		if s.Unfinished() == 0 {
			return s.Delivered
		}
	}
	h.t.Fatal("the journal does not become empty")
	return 0
}

// delivered is how many documents are in the queue.
func (h *house) delivered() int64 {
	h.t.Helper()
	s, err := h.app.backend.Stats(h.t.Context(), testQueue)
	if err != nil {
		h.t.Fatal(err)
	}
	return s.Delivered
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// picture is a JPEG with a red left half and a blue right half.
func picture(t *testing.T, width, height int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{200, 20, 20, 255}
			if x >= width/2 {
				c = color.RGBA{20, 20, 200, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sideways puts an EXIF block before the picture: orientation 6, and a text
// that must not be found in anything that we give out.
func sideways(photo []byte, secret string) []byte {
	tiff := append([]byte("MM\x00\x2a\x00\x00\x00\x08\x00\x01"+
		"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"+"\x00\x00\x00\x00"), secret...)
	payload := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1, byte((len(payload) + 2) >> 8), byte(len(payload) + 2)}, payload...)
	return append(out, photo[2:]...)
}

// A stop leaves some of the 30 s that orchestrators usually give, and each of its
// parts a moment, if all before it hang.
func TestAStopIsOverInTime(t *testing.T) {
	by := []time.Duration{0, askingBy, doorsBy, workBy, darkroomBy, storeBy, spoolBy, journalBy}
	for i, until := range by[1:] {
		if left := until - by[i] - ending.LastBreath; left < 250*time.Millisecond {
			t.Errorf("part %d of a stop has %v if those before it hang, want 250 ms at least", i+1, left)
		}
	}
	if most := journalBy + ending.LastBreath; most > 25*time.Second {
		t.Errorf("a stop takes up to %v, want 25 s at most", most)
	}
	// Loops begin to end when the doors are closed, and then keep their own time.
	if most := doorsBy + ending.LastBreath + grace + inbound.LastWord; most > workBy+ending.LastBreath {
		t.Errorf("the lines may take until %v, and are left behind after %v", most, workBy+ending.LastBreath)
	}
}
