package webhook_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
	"github.com/lightlock/lightlock/gateway/webhook"
)

const (
	supportToken = "token-of-support-0123456789abcdefghijkl"
	salesToken   = "token-of-sales-0123456789abcdefghijklmn"
)

// gallery serves two pictures of one photo, of the queue support.
type gallery struct {
	*edge
	id                 string
	preview, thumbnail []byte
}

// broken is a store that can be made to fail.
type broken struct {
	webhook.PictureStore
	fail bool
}

func (b *broken) Get(ctx context.Context, k store.Key) (io.ReadSeekCloser, error) {
	if b.fail {
		return nil, errors.New("input/output error")
	}
	return b.PictureStore.Get(ctx, k)
}

func openGallery(t *testing.T) (*gallery, *broken) {
	t.Helper()
	t.Parallel()
	files, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close() })
	key := store.Key{Queue: q, Attempt: strings.Repeat("0a", 16), Kind: store.Preview}
	g := &gallery{id: key.PhotoID(), preview: []byte("\xff\xd8 the <html> preview"), thumbnail: []byte("\xff\xd8 the thumbnail")}
	if err := files.Put(t.Context(), key, g.preview); err != nil {
		t.Fatal(err)
	}
	key.Kind = store.Thumbnail
	if err := files.Put(t.Context(), key, g.thumbnail); err != nil {
		t.Fatal(err)
	}
	log := &gatewaytest.Log{}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	breakable := &broken{PictureStore: files}
	e := webhook.NewEcho(logger)
	(&webhook.Pictures{Store: breakable, Log: logger, Services: []config.Service{
		{Name: "desktop", Token: config.NewSecret(supportToken), Queues: []string{"other", q}},
		{Name: "sales", Token: config.NewSecret(salesToken), Queues: []string{"sales"}},
		{Name: "unset", Queues: []string{q}},
	}}).Mount(e)
	e.StaticFS("/schemas", queue.Schemas())
	g.edge = &edge{t: t, log: log, address: serve(t, e, logger)}
	t.Cleanup(func() {
		for _, token := range []string{supportToken, salesToken} {
			if strings.Contains(log.String(), token) {
				t.Errorf("the log holds a token:\n%s", log)
			}
		}
	})
	return g, breakable
}

// get asks for target with an Authorization header, and with more headers.
func (g *gallery) get(method, target, authorization string, more ...string) *answer {
	h := http.Header{}
	if authorization != "" {
		h.Set("Authorization", authorization)
	}
	for i := 0; i < len(more); i += 2 {
		h.Set(more[i], more[i+1])
	}
	return g.raw(request(method, target, h, nil))
}

func TestPictures(t *testing.T) {
	g, _ := openGallery(t)
	for kind, want := range map[string][]byte{"preview": g.preview, "thumbnail": g.thumbnail} {
		target := "/v1/photos/" + g.id + "/" + kind
		got := g.get(http.MethodGet, target, "Bearer "+supportToken)
		g.want(kind, got, http.StatusOK)
		if got.body != string(want) {
			t.Errorf("%s: got %q", kind, got.body)
		}
		head := g.get(http.MethodHead, target, "bearer "+supportToken)
		g.want("HEAD "+kind, head, http.StatusOK)
		if head.head != got.head {
			t.Errorf("HEAD says\n%s and GET\n%s", head.head, got.head)
		}
		for name, value := range map[string]string{
			"Content-Type": "image/jpeg", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Content-Security-Policy": "default-src 'none'; sandbox", "Content-Disposition": "inline",
			"Cross-Origin-Resource-Policy": "same-origin", "Last-Modified": "", "Etag": "", "Set-Cookie": "",
		} {
			if got.header.Get(name) != value {
				t.Errorf("%s: %s is %q, want %q", kind, name, got.header.Get(name), value)
			}
		}
	}
}

func TestRanges(t *testing.T) {
	g, _ := openGallery(t)
	for _, test := range []struct {
		asked  string
		status int
		body   string
	}{
		{"bytes=0-1", http.StatusPartialContent, string(g.preview[:2])},
		{"bytes=-7", http.StatusPartialContent, "preview"},
		{"bytes=0-1,4-5", http.StatusOK, string(g.preview)}, // another type otherwise
		{"nonsense", http.StatusRequestedRangeNotSatisfiable, ""},
		{"bytes=9000-", http.StatusRequestedRangeNotSatisfiable, ""},
	} {
		got := g.get(http.MethodGet, "/v1/photos/"+g.id+"/preview", "Bearer "+supportToken, "Range", test.asked)
		g.want(test.asked, got, test.status)
		if test.body == "" {
			if strings.Contains(got.body, "html") || got.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: answered %q with %v", test.asked, got.body, got.header)
			}
			continue
		}
		if got.body != test.body || got.header.Get("Content-Type") != "image/jpeg" || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: answered %q with %v", test.asked, got.body, got.header)
		}
	}
}

// Who may not see a picture cannot tell it from one that there is not.
func TestWhoMaySeeAPicture(t *testing.T) {
	g, breakable := openGallery(t)
	good, other := g.id, strings.Replace(g.id, "0a", "0b", 1)
	const bearer = "Bearer "
	var hidden []string
	for _, test := range []struct {
		name, authorization, id string
		status                  int
	}{
		{"no token", "", good, 401},
		{"no token, unknown photo", "", other, 401},
		{"no token, no id", "", "x", 401},
		{"empty token", bearer, good, 401},
		{"unset token", bearer + "\"\"", good, 401},
		{"wrong token", bearer + strings.ToUpper(supportToken), good, 401},
		{"token cut short", bearer + supportToken[:38], good, 401},
		{"token and more", bearer + supportToken + "x", good, 401},
		{"another scheme", "Basic " + supportToken, good, 401},
		{"the token alone", supportToken, good, 401},
		{"token of another queue", bearer + salesToken, good, 404},
		{"unknown photo", bearer + supportToken, other, 404},
		{"unknown photo of another queue", bearer + supportToken, "sales" + strings.TrimPrefix(good, q), 404},
		{"number beyond the message", bearer + supportToken, strings.TrimSuffix(good, "0") + "1", 404},
		{"two numbers", bearer + supportToken, good + ".0", 404},
		{"number in another spelling", bearer + supportToken, strings.TrimSuffix(good, "0") + "00", 404},
		{"upper case", bearer + supportToken, strings.ToUpper(good), 404},
		{"dots", bearer + supportToken, "..", 404},
		{"escaped dots", bearer + supportToken, "%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404},
		{"a path", bearer + supportToken, "../" + good, 404},
		{"an escaped path", bearer + supportToken, "..%2f" + q + "%2f0a", 404},
		{"NUL", bearer + supportToken, good + "%00", 404},
		{"no id", bearer + supportToken, "", 404},
		{"broken escape", bearer + supportToken, "%", 400},
		{"endless", bearer + supportToken, strings.Repeat("a", 8000), 404},
	} {
		got := g.get(http.MethodGet, "/v1/photos/"+test.id+"/preview", test.authorization)
		g.want(test.name, got, test.status)
		if test.status != 400 && got.body != "" {
			t.Errorf("%s: answered %q", test.name, got.body)
		}
		if got.status == 404 && !strings.Contains(test.id, "/") {
			hidden = append(hidden, got.head)
		}
	}
	for _, head := range hidden {
		if head != hidden[0] {
			t.Errorf("two 404s differ:\n%s\n%s", head, hidden[0])
		}
	}
	if !strings.Contains(hidden[0], "Cache-Control: no-store") {
		t.Errorf("a 404 may be kept:\n%s", hidden[0])
	}
	for _, method := range []string{http.MethodPost, http.MethodDelete, http.MethodPut, "BREW"} {
		g.want(method, g.get(method, "/v1/photos/"+good+"/preview", bearer+supportToken), http.StatusMethodNotAllowed)
	}
	g.want("another kind", g.get(http.MethodGet, "/v1/photos/"+good+"/original", bearer+supportToken), http.StatusNotFound)
	breakable.fail = true
	got := g.get(http.MethodGet, "/v1/photos/"+good+"/preview", bearer+supportToken)
	g.want("a store that fails", got, http.StatusServiceUnavailable)
	if got.body != "" || !strings.Contains(g.log.String(), "input/output error") {
		t.Errorf("answered %q, log:\n%s", got.body, g.log)
	}
}

func TestSchemasArePublished(t *testing.T) {
	g, _ := openGallery(t)
	names, err := fs.Glob(queue.Schemas(), "*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("got %d schemas, error %v", len(names), err)
	}
	for _, name := range names {
		got := g.get(http.MethodGet, "/schemas/"+name, "")
		g.want(name, got, http.StatusOK)
		if kind := got.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") || !strings.Contains(got.body, "2020-12/schema") {
			t.Errorf("%s: got %q %q", name, kind, got.body)
		}
	}
	for _, target := range []string{"/schemas/", "/schemas/nothing.json", "/schemas/../go.mod", "/schemas/%2e%2e/go.mod"} {
		if got := g.get(http.MethodGet, target, ""); got.status != http.StatusNotFound && got.status != http.StatusMovedPermanently {
			t.Errorf("%s: answered %d %q", target, got.status, got.body)
		}
	}
}
