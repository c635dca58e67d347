package load_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/gatewaytest/platforms"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/load"
	"github.com/lightlock/lightlock/gateway/queue"
)

const publicURL = "https://gateway.test"

// channels are all that there are.
func channels() (list []load.Channel) {
	for _, p := range platforms.All() {
		list = append(list, load.Channel{Channel: p.Channel, Simulate: p.Start})
	}
	return list
}

// speakers are platforms that end with the test.
func speakers(t *testing.T, of ...load.Channel) []*load.Speaker {
	t.Helper()
	var list []*load.Speaker
	for _, c := range of {
		s, err := load.Speak(c, nil, publicURL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		list = append(list, s)
	}
	return list
}

// picture is a photo of that size.
func picture(t *testing.T, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, width, height)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// everything is a plan in which all of it happens.
func everything(t *testing.T, messages int) load.Plan {
	t.Helper()
	return load.Plan{
		Seed: 7, Name: t.Name(), Messages: messages, Consumers: 20, Photos: 0.3, Originals: [][]byte{picture(t, 30, 20), picture(t, 20, 30)},
		Duplicates: 0.2, Unsends: 0.1, Edits: 0.1, Forged: 0.1, Albums: 0.3, Closes: 0.1,
	}
}

// house is a gateway of a few lines, with its queue in memory, that can be made
// to break its promise.
type house struct {
	t        *testing.T
	speakers []*load.Speaker
	server   *httptest.Server
	broken   map[string]bool // by what is wrong with it

	mu      sync.Mutex
	fates   map[string]queue.Fate
	entries []string       // documents; empty where one was taken out
	places  map[string]int // of messages' documents
	held    []string       // documents of messages that come behind later ones
	calls   int
	asked   int // to recall
	refused int // questions to its Redis, which is away
	called  time.Time
}

func open(t *testing.T, broken ...string) *house {
	t.Helper()
	h := &house{t: t, speakers: speakers(t, channels()...), broken: map[string]bool{}, fates: map[string]queue.Fate{}, places: map[string]int{}}
	for _, b := range broken {
		h.broken[b] = true
	}
	h.server = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.server.Close)
	return h
}

func (h *house) target() *load.Target {
	return &load.Target{Speakers: h.speakers, Gateways: []string{h.server.URL}, Journal: h}
}

// run carries out a plan.
func (h *house) run(o load.Options) *load.Report {
	h.t.Helper()
	if o.Connections == 0 {
		o.Connections = 4
	}
	if o.Wait == 0 {
		o.Wait = 300 * time.Millisecond
	}
	r, err := load.Run(h.t.Context(), h.target(), o)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func (h *house) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		h.t.Error(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls++
	h.called = time.Now()
	for i, s := range h.speakers {
		if !strings.HasPrefix(r.URL.Path, "/webhooks/"+s.Name()) {
			continue
		}
		channel := channels()[i]
		c, err := channel.New(s.Settings, connectors.Env{Now: time.Now})
		if err != nil {
			h.t.Error(err)
		}
		request := &connectors.Request{Method: r.Method, URL: publicURL + r.URL.RequestURI(), Header: r.Header, Body: body}
		if c.Verify(request) != nil && !h.broken["believes everybody"] {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if h.broken["is full now and then"] && h.calls%5 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		events, err := c.Parse(request)
		if err != nil || len(events) != 1 {
			h.t.Errorf("%d events, %v", len(events), err)
		}
		h.accept(inbound.EventKey(channel.Name, events[0]), events[0])
		return
	}
	w.WriteHeader(http.StatusNotFound)
}

// accept puts an event into the queue at once.
func (h *house) accept(key string, e connectors.Event) {
	gone := e.Account + e.MessageID
	_, repeated := h.fates[key]
	switch {
	case repeated && (!h.broken["knows no repeats"] || e.Kind != connectors.Message):
		return
	case h.broken["loses every tenth"] && h.calls%10 == 0:
		return
	case h.broken["keeps every tenth"] && h.calls%10 == 0:
		h.fates[key] = queue.FateAccepted
		return
	case h.broken["is read by others"] && h.calls%10 == 0:
		h.fates[key] = queue.FateDone
		return
	case e.Kind == connectors.Unsend:
		h.fates[gone] = queue.FateWithdrawn
		if at, told := h.places[gone]; told && h.broken["is read late"] {
			h.entries[at] = ""
		}
	case h.fates[gone] != "" && !h.broken["forgets unsends"]:
		h.fates[key] = queue.FateWithdrawn
		return
	}
	h.fates[key] = queue.FateDone
	h.tell(key, "lightlock.message.received", e)
}

// tell writes a document.
func (h *house) tell(key, kind string, e connectors.Event) {
	photos := make([]map[string]string, len(e.Photos))
	for i := range photos {
		photos[i] = map[string]string{"status": "ready"}
		if h.broken["never settles photos"] {
			photos[i]["status"] = "pending"
		}
	}
	document, err := json.Marshal(map[string]any{"id": key, "type": kind, "data": map[string]any{"photos": photos}})
	if err != nil {
		h.t.Error(err)
	}
	if h.broken["forgets unsends"] && e.Kind == connectors.Message {
		h.held = append(h.held, string(document))
		return
	}
	if e.Kind == connectors.Message {
		h.places[e.Account+e.MessageID] = len(h.entries)
	}
	h.entries = append(h.entries, string(document))
}

// away is the error of a Redis that is away, or nil. Some go in the middle of the
// calls, and come back when they have been asked in vain a few times.
func (h *house) away(toRecall bool) error {
	switch {
	case h.broken["loses its redis"] && h.calls > 100:
	case h.broken["misses its redis"] && h.calls > 100 && h.refused < 5:
	case h.broken["misses its redis at the end"] && toRecall && h.refused < 3:
	default:
		return nil
	}
	h.refused++
	return fmt.Errorf("queue: %w", queue.ErrAway)
}

// Last, WatchFrom, Recall and Stats make it a load.Journal.
func (h *house) Last(context.Context, string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strconv.Itoa(len(h.entries)), h.away(false)
}

func (h *house) WatchFrom(ctx context.Context, name, place string, found func(string, []byte) bool) error {
	if name != load.Queue {
		return fmt.Errorf("asked for queue %q", name)
	}
	for at, _ := strconv.Atoi(place); ctx.Err() == nil; time.Sleep(time.Millisecond) {
		h.mu.Lock()
		if err := h.away(false); err != nil {
			h.mu.Unlock()
			return err
		}
		if len(h.held) > 40 || time.Since(h.called) > 100*time.Millisecond {
			h.entries, h.held = append(h.entries, h.held...), nil
		}
		entries := slices.Clone(h.entries[at:])
		if h.broken["is read late"] && h.asked == 0 {
			entries = nil
		}
		h.mu.Unlock()
		for _, e := range entries {
			at++
			if e != "" {
				found(strconv.Itoa(at), []byte(e))
			}
		}
	}
	return ctx.Err()
}

func (h *house) Recall(_ context.Context, _ string, keys []string) ([]queue.Fate, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.away(true); err != nil {
		return nil, err
	}
	fates := make([]queue.Fate, len(keys))
	h.asked++
	for i, key := range keys {
		if fates[i] = h.fates[key]; h.broken["spools at first"] && h.asked < 3 && i%10 == 0 {
			fates[i] = queue.FateUnknown
		}
	}
	return fates, nil
}

func (h *house) Stats(context.Context, string) (queue.Stats, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return queue.Stats{}, h.away(false)
}
