package phones_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/phones"
)

// platform notes what was said on it, and has what consumers got.
type platform struct {
	mu   sync.Mutex
	said []sim.Said
	sent []sim.Sent
	err  error
}

func (p *platform) say(_ context.Context, said sim.Said) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = append(p.said, said)
	return p.err
}

func (p *platform) got() []sim.Sent {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent
}

// open serves a page with one phone on LINE.
func open(t *testing.T) (*platform, *httptest.Server) {
	t.Helper()
	line := &platform{}
	page, err := phones.New(phones.Options{
		Console: "http://127.0.0.1:8080/",
		Phones:  []phones.Phone{{Channel: "line", Title: "LINE", Consumer: "Ana", Say: line.say, Sent: line.got}},
		Small:   func(context.Context, []byte) []byte { return jpeg },
		Samples: []phones.Sample{{Name: "moving", Label: "A moving GIF", Make: func(p phones.Phone) ([]byte, error) {
			return []byte("GIF89a for " + p.Title), nil
		}}},
	}, map[string][]phones.Item{"line": {{From: "Ana", Text: "was here", At: time.Unix(1, 0), Image: jpeg}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	server.Config.Handler = page.Handler(server.Listener.Addr().String())
	server.Start()
	t.Cleanup(server.Close)
	return line, server
}

// form is what the page's form sends; a value that begins with "@" is a file's.
func form(t *testing.T, url string, fields map[string]string) *http.Request {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, value := range fields {
		part, err := w.CreateFormField(name)
		if content, file := strings.CutPrefix(value, "@"); file {
			part, err = w.CreateFormFile(name, "cat.jpg")
			value = content
		}
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(part, value)
	}
	_ = w.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, &b)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	return r
}

func answer(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

func TestSend(t *testing.T) {
	for name, c := range map[string]struct {
		fields map[string]string
		status int
		want   sim.Said
	}{
		"text":             {map[string]string{"text": " hello "}, 204, sim.Said{Consumer: "Ana", Name: "Ana", Text: "hello"}},
		"somebody else":    {map[string]string{"text": "hi", "consumer": "Chidi"}, 204, sim.Said{Consumer: "Chidi", Name: "Chidi", Text: "hi"}},
		"file":             {map[string]string{"photo": "@JPEG"}, 204, sim.Said{Consumer: "Ana", Name: "Ana", Photos: [][]byte{[]byte("JPEG")}}},
		"file and text":    {map[string]string{"photo": "@JPEG", "text": "look"}, 204, sim.Said{Consumer: "Ana", Name: "Ana", Text: "look", Photos: [][]byte{[]byte("JPEG")}}},
		"sample":           {map[string]string{"sample": "moving"}, 204, sim.Said{Consumer: "Ana", Name: "Ana", Photos: [][]byte{[]byte("GIF89a for LINE")}}},
		"nothing":          {map[string]string{"text": "  "}, 400, sim.Said{}},
		"no such sample":   {map[string]string{"sample": "x"}, 400, sim.Said{}},
		"empty file":       {map[string]string{"photo": "@"}, 400, sim.Said{}},
		"a long text":      {map[string]string{"text": strings.Repeat("x", 21<<10)}, 400, sim.Said{}},
		"too large a file": {map[string]string{"photo": "@" + strings.Repeat("x", 42<<20)}, 400, sim.Said{}},
	} {
		t.Run(name, func(t *testing.T) {
			line, server := open(t)
			status, body := answer(t, form(t, server.URL+"/phones/line", c.fields))
			if status != c.status {
				t.Fatalf("got %d %q, want %d", status, body, c.status)
			}
			if name == "nothing" && body != "Write something, or choose a file.\n" {
				t.Errorf("it says %q", body)
			}
			if c.status != 204 {
				if len(line.said) != 0 {
					t.Errorf("said %+v, want nothing", line.said)
				}
				return
			}
			got := line.said[0]
			if got.ID == "" || got.At.IsZero() {
				t.Errorf("got %+v, want an ID and a time", got)
			}
			got.ID, got.At = "", time.Time{}
			if a, b := asJSON(t, got), asJSON(t, c.want); a != b {
				t.Errorf("got %s, want %s", a, b)
			}
		})
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestScreen follows what stands on a phone: what was there before, what was sent,
// what failed, and the business's answers, once each.
func TestScreen(t *testing.T) {
	line, server := open(t)
	answer(t, form(t, server.URL+"/phones/line", map[string]string{"text": "<b>one</b>"}))
	line.sent = []sim.Sent{{Text: "answer"}}
	for range 2 {
		_, _ = screen(t, server)
	}
	line.err = errors.New("the webhook was answered 503")
	answer(t, form(t, server.URL+"/phones/line", map[string]string{"text": "two", "photo": "@JPEG"}))
	items, raw := screen(t, server)
	var got []string
	for _, i := range items {
		got = append(got, strings.Join([]string{i.From, i.Text, i.Photo, i.Failed}, "|"))
	}
	want := "Ana|was here||,Ana|<b>one</b>||,|answer||,Ana|two|cat.jpg, 1 kB|Not sent: the webhook was answered 503"
	if strings.Join(got, ",") != want {
		t.Errorf("got %s\nwant %s", strings.Join(got, ","), want)
	}
	if strings.Contains(raw, "<b>") {
		t.Errorf("got %s, want no markup in it", raw)
	}
	for range 60 {
		answer(t, form(t, server.URL+"/phones/line", map[string]string{"text": "more"}))
	}
	if items, _ = screen(t, server); len(items) != 50 {
		t.Errorf("got %d items, want the newest 50", len(items))
	}
}

func screen(t *testing.T, server *httptest.Server) ([]phones.Item, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/phones.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, body := answer(t, r)
	var list []struct{ Items []phones.Item }
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list) != 1 {
		t.Fatalf("got %s, %v", body, err)
	}
	return list[0].Items, body
}

// TestStrangers has other sites try: by a name of theirs that leads here, and by a
// form that a browser sends for them.
func TestStrangers(t *testing.T) {
	line, server := open(t)
	for name, change := range map[string]func(*http.Request){
		"another name":      func(r *http.Request) { r.Host = "evil.example" },
		"another site":      func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"an old browser":    func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"no such phone":     func(r *http.Request) { r.URL.Path = "/phones/sms" },
		"another's address": func(r *http.Request) { r.URL.Path = "/phones/../phones/line/x" },
	} {
		r := form(t, server.URL+"/phones/line", map[string]string{"text": "hi"})
		change(r)
		if status, _ := answer(t, r); status < 400 {
			t.Errorf("%s: answered %d", name, status)
		}
	}
	if len(line.said) != 0 {
		t.Errorf("said %+v, want nothing", line.said)
	}
}

// TestPictures: a phone shows a small picture of what was sent: the one that is made of
// it or, where it is small and one that browsers show, itself. What says of itself
// that it is one is not one.
func TestPictures(t *testing.T) {
	_, server := open(t)
	moving := "GIF89a" + strings.Repeat("\x00", 20)
	for _, file := range []string{"@" + moving, "@<svg onload=alert(1)>", "@" + moving + strings.Repeat("\x00", 1<<20)} {
		answer(t, form(t, server.URL+"/phones/line", map[string]string{"photo": file}))
	}
	items, _ := screen(t, server)
	want := []string{string(jpeg), moving, string(jpeg), string(jpeg)}
	if len(items) != len(want) {
		t.Fatalf("got %d items", len(items))
	}
	for i, item := range items {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/"+item.Picture, nil)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if kind := response.Header.Get("Content-Type"); string(body) != want[i] || kind != "image/jpeg" && kind != "image/gif" {
			t.Errorf("picture %d is %q as %s, want %q", i, body, kind, want[i])
		}
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/pictures/", nil)
	if status, _ := answer(t, r); status != http.StatusNotFound {
		t.Errorf("a picture without a name: answered %d", status)
	}
}

// jpeg is what browsers take for one.
var jpeg = []byte("\xff\xd8\xff\xe0 small") //nolint:gochecknoglobals // nobody changes it

func TestIndex(t *testing.T) {
	_, server := open(t)
	for path, want := range map[string]string{"/": `data-channel="line"`, "/phones.css": "--accent", "/phones.js": "textContent"} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if status, body := answer(t, r); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: got %d, want %q in it", path, status, want)
		}
	}
}
