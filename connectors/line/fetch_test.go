package line_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/line/linesim"
)

// photoOf is the photo of a message to p's bot.
func photoOf(p *linesim.Platform, ref string) connectors.Photo {
	return connectors.Photo{Account: p.BotID, Ref: ref}
}

// A file that holds a JPEG is fetched like a photo.
func TestFetchFile(t *testing.T) {
	p, c := start(t)
	p.Keep("580000000000000001", []byte(jpeg))
	r, err := p.Call(webhookURL, p.Event(said("one"), "file", linesim.Object{
		"type": "file", "id": "580000000000000001", "fileName": "IMG_1.JPG", "fileSize": len(jpeg),
	}))
	if err != nil {
		t.Fatal(err)
	}
	events, err := c.Parse(r)
	if err != nil || len(events) != 1 || len(events[0].Photos) != 1 {
		t.Fatalf("got %s, %v, want one photo", toJSON(t, events), err)
	}
	if got, err := fetch(c, events[0].Photos[0]); err != nil || got != jpeg {
		t.Errorf("got %q, %v, want %q", got, err, jpeg)
	}
}

func TestFetchAnswers(t *testing.T) {
	p, c := start(t)
	p.Keep("1", []byte(jpeg))
	photo := photoOf(p, "message:1")
	wantKind(t, "content that LINE does not have", fetchError(c, photoOf(p, "message:2")), connectors.Gone)
	p.Keep("2", []byte(jpeg))
	if got, err := fetch(c, photoOf(p, "message:2")); err != nil || got != jpeg {
		t.Errorf("404, then 200: got %q, %v, want the photo", got, err)
	}
	p.Wrap(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	})
	wantKind(t, "content that LINE is still preparing", fetchError(c, photo), connectors.Unavailable)
	p.Wrap(nil)
	if got, err := fetch(c, photo); err != nil || got != jpeg {
		t.Errorf("after the faults: got %q, %v, want the photo", got, err)
	}
	p.Token = "reissued"
	wantKind(t, "a token that was reissued", fetchError(c, photo), connectors.Misconfigured)
}

func fetchError(c connectors.Connector, p connectors.Photo) error {
	_, err := fetch(c, p)
	return err
}

// The token goes to the content API in one header and nowhere else.
func TestFetchRequest(t *testing.T) {
	p, c := start(t)
	p.Keep("580000000000000001", []byte(jpeg))
	var seen *http.Request
	p.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = r.Clone(context.Background())
			h.ServeHTTP(w, r)
		})
	})
	if err := fetchError(c, photoOf(p, "message:580000000000000001")); err != nil {
		t.Fatal(err)
	}
	if got, want := seen.Method+" "+seen.URL.String(), "GET /v2/bot/message/580000000000000001/content"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := seen.Header.Get("Authorization"), "Bearer "+p.Token; got != want {
		t.Errorf("got another Authorization than the bot's")
	}
	if got := seen.Header.Get("Accept-Encoding"); got != "" {
		t.Errorf("got Accept-Encoding %q, want none: a photo is not compressed", got)
	}
}

func TestFetchRefusesReferences(t *testing.T) {
	p, c := start(t)
	p.Wrap(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("a call came through: %s", r.URL) })
	})
	for _, ref := range []string{
		"", "580000000000000001", "message:", "message:..", "message:../../oauth/verify", "message:1/../2", "message:1?x", "message:1#x",
		"message:1%2f..", "message:1\n", "message:" + strings.Repeat("1", 65), "Message:1", "external:", "external:data:image/png;base64,AA==",
		"external:file:///etc/passwd", "external:ftp://h.example/a", "external:https://", "external:https://user:word@h.example/a",
	} {
		wantKind(t, ref, fetchError(c, photoOf(p, ref)), connectors.Refused)
	}
}

// strict is a connector as it is in production: no private addresses.
func strict(t *testing.T) connectors.Connector { return connect(t, settings()) }

// Any consumer can have an image point to any host.
func TestFetchExternalPrivate(t *testing.T) {
	h := startHost(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, jpeg) })
	port := h.URL[strings.LastIndex(h.URL, ":"):]
	for _, address := range []string{
		h.URL + "/a.jpg", "https://127.0.0.1" + port, "https://127.0.0.1/", "https://localhost" + port, "https://localhost/", "https://[::1]/", "https://2130706433/",
		"https://0x7f.1/", "https://169.254.169.254/latest/meta-data/", "https://10.0.0.1/", "http://h.example/a.jpg", "https://h.example:22/",
	} {
		photo := connectors.Photo{Account: botID, Ref: "external:" + address}
		wantKind(t, address, fetchError(strict(t), photo), connectors.Refused)
	}
	if n := len(h.calls()); n != 0 {
		t.Errorf("got %d calls at a private address, want none", n)
	}
}

func TestFetchExternal(t *testing.T) {
	p, c := start(t)
	h := startHost(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/a.jpg?size=full", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/a.jpg":
			_, _ = io.WriteString(w, jpeg)
		default:
			http.NotFound(w, r)
		}
	})
	for _, path := range []string{"/a.jpg", "/moved"} {
		if got, err := fetch(c, photoOf(p, "external:"+h.URL+path)); err != nil || got != jpeg {
			t.Errorf("%s: got %q, %v, want the photo", path, got, err)
		}
	}
	wantKind(t, "an endless redirect", fetchError(c, photoOf(p, "external:"+h.URL+"/round")), connectors.Refused)
	wantKind(t, "a photo that is gone", fetchError(c, photoOf(p, "external:"+h.URL+"/b.jpg")), connectors.Gone)
	if n, most := len(h.calls()), 1+2+4+1; n > most {
		t.Errorf("got %d calls, want at most %d", n, most)
	}
	for _, header := range h.calls() {
		for _, name := range []string{"Authorization", "Cookie", "Referer"} {
			if header.Get(name) != "" {
				t.Errorf("a stranger's host was sent a header %s", name)
			}
		}
	}
}

// A stranger's redirect to LINE itself does not borrow our token.
func TestFetchExternalToPlatform(t *testing.T) {
	p, c := start(t)
	p.Keep("1", []byte(jpeg))
	h := startHost(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, p.URL+"/v2/bot/message/1/content", http.StatusFound)
	})
	if got, err := fetch(c, photoOf(p, "external:"+h.URL)); err == nil {
		t.Errorf("got %q, want an error: the content API wants a token", got)
	}
}

// How much is read is the caller's decision, at a stranger's host too.
func TestFetchExternalHuge(t *testing.T) {
	p, c := start(t)
	left := make(chan struct{})
	h := startHost(t, func(w http.ResponseWriter, _ *http.Request) {
		defer close(left)
		for piece := make([]byte, 64<<10); ; {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	stream, err := c.Fetch(ctx, photoOf(p, "external:"+h.URL))
	if err != nil {
		t.Fatal(err)
	}
	limit := int64(line.Channel().PhotoLimit) + 1
	if n, err := io.CopyN(io.Discard, stream, limit); err != nil {
		t.Errorf("got %d bytes, %v, want %d", n, err, limit)
	}
	if err := stream.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	select {
	case <-left:
	case <-ctx.Done():
		t.Error("the host is still sending after Close")
	}
}

// Content comes from a host of its own; the other API answers 404 for it.
func TestFetchHost(t *testing.T) {
	_, err := strict(t).Fetch(canceled(), connectors.Photo{Account: botID, Ref: "message:1"})
	if err == nil || !strings.Contains(err.Error(), "api-data.line.me") || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancelled call to api-data.line.me", err)
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestNewRefusesBase(t *testing.T) {
	for _, base := range []string{"api-data.line.me", "https://", "::", "/v2"} {
		s := settings()
		s.Connector = config.Connector{APIBase: base}
		_, err := line.New(s, connectors.Env{Now: time.Now})
		wantKind(t, "api_base "+base, err, connectors.Misconfigured)
	}
	s := settings()
	s.APIBase = "https://egress.example/line/"
	if _, err := line.New(s, connectors.Env{Now: time.Now}); err != nil {
		t.Errorf("a base with a path: %v", err)
	}
}
