package agent_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// event is one that was heard.
type event struct{ id, name, data string }

// ears listen to a stream.
type ears struct {
	*house
	heard  chan event // closed with the stream
	hangUp context.CancelFunc
	header http.Header
}

// listen opens a stream as somebody, which must be let in. Headers follow as name,
// value.
func (h *house) listen(token, query string, headers ...string) *ears {
	h.Helper()
	ctx, cancel := context.WithCancel(h.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.address+"/v1/events"+query, nil)
	h.must(err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a, err := http.DefaultClient.Do(r)
	h.must(err)
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "text/event-stream" {
		h.Fatalf("listening: answered %d %s", a.StatusCode, a.Header.Get("Content-Type"))
	}
	e := &ears{house: h, heard: make(chan event, 4096), hangUp: cancel, header: a.Header}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(e.heard)
		defer a.Body.Close()
		e.read(bufio.NewReader(a.Body))
	}()
	h.Cleanup(func() { cancel(); <-ended })
	return e
}

// read reads events as a browser does.
func (e *ears) read(r *bufio.Reader) {
	var now event
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "id":
			now.id = value
		case "event":
			now.name = value
		case "data":
			now.data = value
		case "":
			e.heard <- now
			now = event{id: now.id} // a browser keeps it
		}
	}
}

// next is the next event but for heartbeats, and must be as described.
func (e *ears) next() event {
	e.Helper()
	for {
		got, ok := e.any()
		if !ok {
			e.Fatal("the stream has ended")
		}
		if got.name != "heartbeat" {
			return got
		}
	}
}

// any is the next event, or tells that there are no more.
func (e *ears) any() (event, bool) {
	e.Helper()
	select {
	case got, ok := <-e.heard:
		if ok {
			asDescribed(e, got)
		}
		return got, ok
	case <-time.After(time.Minute):
		e.Fatal("nothing is heard")
		return event{}, false
	}
}

// until is the next event of a name that fits; others are passed over.
func (e *ears) until(name string, fits func(data string) bool) event {
	e.Helper()
	for {
		if got := e.next(); got.name == name && fits(got.data) {
			return got
		}
	}
}

// ended waits for the end of the stream.
func (e *ears) ended() {
	e.Helper()
	for {
		if _, more := e.any(); !more {
			return
		}
	}
}

// asDescribed holds an event against the document.
func asDescribed(t testing.TB, e event) {
	t.Helper()
	schema := part(eventSchemas(), e.name)
	var data any
	if err := json.Unmarshal([]byte(e.data), &data); err != nil || schema == nil {
		t.Errorf("event %q with data %s: %v", e.name, e.data, err)
		return
	}
	if err := fits(t, schema, data); err != nil {
		t.Errorf("event %q is not as described: %v\n%s", e.name, err, e.data)
	}
}

// eventSchemas are what the document says of each event.
var eventSchemas = sync.OnceValue(func() object {
	return part(document(&testing.B{}), "paths", "/v1/events", "get", "responses", "200", "content", "text/event-stream", "x-events")
})

// of reads an event's data.
func of[T any](t testing.TB, e event) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(e.data), &v); err != nil {
		t.Fatalf("%v in %s", err, e.data)
	}
	return v
}

func anything(string) bool { return true }

func containing(text string) func(string) bool {
	return func(data string) bool { return strings.Contains(data, text) }
}
