package console_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/lightlock/lightlock/gateway/console"
)

// kB is how the budget counts.
const kB = 1024

func served(t *testing.T, o console.Options) *echo.Echo {
	t.Helper()
	e := echo.New()
	if err := console.Mount(e, o); err != nil {
		t.Fatal(err)
	}
	return e
}

func get(h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func zipped(t *testing.T, h http.Handler, path string) int {
	t.Helper()
	w := get(h, path, "Accept-Encoding", "gzip, br")
	if w.Code != http.StatusOK || w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("%s: %d, encoded as %q", path, w.Code, w.Header().Get("Content-Encoding"))
	}
	return w.Body.Len()
}

// api answers with fifty conversations as they are.
func api() http.Handler {
	var list []map[string]any
	for i := range 50 {
		id := fmt.Sprintf("support.%032x", 0x9e3779b97f4a7c15*uint64(i+1))
		list = append(list, map[string]any{
			"id": id, "queue": "support", "channel": "whatsapp", "channel_title": "WhatsApp", "account": "whatsapp/acme",
			"consumer": map[string]any{"id": fmt.Sprint(4915112345678 + 7919*i), "name": fmt.Sprint("Customer number ", i)}, "state": "waiting", "mine": false,
			"opened_at":       time.Unix(1763820000+int64(i)*61, 0).UTC(),
			"waiting_since":   time.Unix(1763820000+int64(i)*61, 0).UTC(),
			"last_message_at": time.Unix(1763820900+int64(i)*67, 0).UTC(), "late": false, "arrived": 2, "read": 0, "unread": 2,
			"last": map[string]any{"from": "consumer", "text": fmt.Sprintf("Here is what arrived this morning, parcel %d of mine", i*37), "photos": 1 + i%3},
			"can":  map[string]any{"reply": false, "reason": "not_taken"}, "text_limit": 4096, "version": 7,
		})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/me", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"kind":"agent","id":"ben","queues":[]}`)
	})
	mux.HandleFunc("/v1/conversations", func(w http.ResponseWriter, r *http.Request) {
		some := list
		if r.URL.Query().Get("view") == "mine" {
			some = list[:0]
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"conversations": some, "total": len(some), "event": "support=1763821800000-0"})
	})
	return mux
}

func TestBudget(t *testing.T) {
	t.Parallel()
	e := served(t, console.Options{API: api()})
	for _, row := range []struct {
		what  string
		paths []string
		most  int
	}{
		{"JavaScript", []string{"/assets/app.js", "/assets/worker.js", "/assets/stream.js"}, 30 * kB},
		{"CSS", []string{"/assets/console.css"}, 8 * kB},
		{"the shell with 50 rows", []string{"/waiting"}, 14 * kB},
	} {
		size := 0
		for _, path := range row.paths {
			size += zipped(t, e, path)
		}
		t.Logf("%s: %d bytes", row.what, size)
		if size > row.most {
			t.Errorf("%s: %d bytes compressed; the budget is %d", row.what, size, row.most)
		}
	}
}

func TestThePageBearsWhatItShowsFirst(t *testing.T) {
	t.Parallel()
	e := served(t, console.Options{API: api(), Keep: 13 * 730 * time.Hour, Tries: 8})
	page := get(e, "/waiting").Body.String()
	_, after, _ := strings.Cut(page, `<script type="application/json" id="data">`)
	block, _, ok := strings.Cut(after, "</script>")
	if !ok {
		t.Fatalf("no data in %s", page)
	}
	var data struct {
		Me      struct{ ID string }
		Waiting struct{ Conversations []any }
		Mine    struct{ Conversations []any }
		Keep    int
		Tries   int
	}
	if err := json.Unmarshal([]byte(block), &data); err != nil {
		t.Fatal(err)
	}
	if data.Me.ID != "ben" || len(data.Waiting.Conversations) != 50 || data.Keep != 13 || data.Tries != 8 {
		t.Errorf("got %+v", data)
	}
}

// TestHostileDataStaysData gives the shell what would end its block of JSON.
func TestHostileDataStaysData(t *testing.T) {
	t.Parallel()
	hostile := `</script><script>alert(1)</script><!-- <template> ]]>` + "\u2028"
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/me", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"id": hostile})
	})
	page := get(served(t, console.Options{API: mux}), "/").Body.String()
	if got, want := strings.Count(page, "</script>"), 2; got != want {
		t.Errorf("the page has %d ends of scripts, want %d", got, want)
	}
}

func TestWhatTheAPIDoesNotSayIsLeftOut(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"refused":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"not JSON":  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{") },
		"too large": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("1"), 1<<20)) },
		"silent":    func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		if page := get(served(t, console.Options{API: h}), "/"); page.Code != http.StatusOK || strings.Contains(page.Body.String(), `"me":`) {
			t.Errorf("%s: %d, %s", name, page.Code, page.Body)
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	e := served(t, console.Options{API: api()})
	for path, cache := range map[string]string{"/": "no-store", "/c/support.00/photo/support.00.0": "no-store", "/assets/app.js": "no-cache", "/assets/worker.js": "no-cache"} {
		h := get(e, path).Header()
		want := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; worker-src 'self'; " +
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lightlock"
		if got := h.Get("Content-Security-Policy"); got != want {
			t.Errorf("%s: policy\ngot  %s\nwant %s", path, got, want)
		}
		if h.Get("Cache-Control") != cache || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, h)
		}
	}
	page := get(e, "/").Body.String()
	for _, never := range []string{"style=", " onclick", "<style", "javascript:"} {
		if strings.Contains(page, never) {
			t.Errorf("the shell has %q, which its own policy refuses", never)
		}
	}
}

func TestAssetsAreAskedForByETag(t *testing.T) {
	t.Parallel()
	e := served(t, console.Options{})
	first := get(e, "/assets/app.js", "Accept-Encoding", "gzip")
	r, err := gzip.NewReader(first.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(r)
	plain := get(e, "/assets/app.js", "Accept-Encoding", "gzip;q=0, identity")
	if plain.Header().Get("Content-Encoding") != "" || plain.Body.String() != string(text) {
		t.Errorf("plain and compressed differ, or both are compressed")
	}
	for _, tag := range []string{first.Header().Get("ETag"), plain.Header().Get("ETag")} {
		if got := get(e, "/assets/app.js", "If-None-Match", tag, "Accept-Encoding", "gzip"); got.Code != http.StatusNotModified || got.Body.Len() > 0 {
			t.Errorf("If-None-Match %s: %d with %d bytes, want 304 and none", tag, got.Code, got.Body.Len())
		}
	}
	if got := get(e, "/assets/absent.js").Code; got != http.StatusNotFound {
		t.Errorf("an asset that is not there: %d, want 404", got)
	}
}

func TestThemeIsKnownBeforeThePageIsPainted(t *testing.T) {
	t.Parallel()
	e := served(t, console.Options{})
	for cookie, want := range map[string]string{"dark": ` data-theme="dark"`, "light": ` data-theme="light"`, `"><script>`: "", "": ""} {
		page := get(e, "/", "Cookie", "lightlock_theme="+cookie).Body.String()
		head, _, _ := strings.Cut(page, "<head>")
		if got := strings.Contains(head, "data-theme"); got != (want != "") || !strings.Contains(head, `lang="en"`+want+">") {
			t.Errorf("cookie %q: %s", cookie, head)
		}
	}
}

// TestNoStringGoesOverALine keeps the promise that joining the scripts builds on:
// what looks like code in a line of its own is code.
func TestNoStringGoesOverALine(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("assets/*.js")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if strings.Count(line, "`")%2 != 0 {
				t.Errorf("%s:%d: a template goes over the end of its line", name, i+1)
			}
			if strings.Count(line, "/*") != strings.Count(line, "*/") {
				t.Errorf("%s:%d: a comment goes over the end of its line", name, i+1)
			}
		}
		if n := strings.Count(string(text), "\n"); n > 300 {
			t.Errorf("%s has %d lines; a module has 300 at most", name, n)
		}
	}
}
