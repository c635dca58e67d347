package viber_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/viber"
	"github.com/lightlock/lightlock/connectors/viber/vibersim"
)

// photoAt is the photo of a message to p's bot that leads to this address.
func photoAt(p *vibersim.Platform, address string) connectors.Photo {
	return connectors.Photo{Account: p.BotID, Ref: "media:" + address}
}

// onePhoto is the photo of one picture that a user of p sent.
func onePhoto(t *testing.T, p *vibersim.Platform, c connectors.Connector) connectors.Photo {
	t.Helper()
	one := said("one")
	one.Photos = [][]byte{[]byte(jpeg)}
	events := heard(t, p, c, one)
	if len(events) != 1 || len(events[0].Photos) != 1 {
		t.Fatalf("got %s, want one photo", toJSON(t, events))
	}
	return events[0].Photos[0]
}

// image answers with a photo.
func image(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, jpeg) }

// The address of a photo goes out byte for byte as it came in.
func TestFetchExactAddress(t *testing.T) {
	p, c := start(t)
	h := startHost(t, image)
	for _, address := range []string{
		"/5/media/2/short/any/sig/image/0x0/beef/cafe.jpg?Expires=4102444800&Signature=abc~def-ghi__&Key-Pair-Id=APKAEXAMPLE",
		"/a.jpg?Signature=~-_~~--__&Key-Pair-Id=A&Expires=4102444800",
		"/a.jpg?Signature=%7E%7e%2D%5F%2f%2F%3d%3D&a=%20+&b=%zz%&c==&&d;e=f;",
		"/a.jpg?z=1&a=2&a=1&Z",
		"/a.jpg?sub=!$'()*+,;:@/?[]{}|^`\"<>\\",
		"/a.jpg?",
		"/a%2Fb%2fc%7Ed~e-f_g/%D0%91.jpg?x=%D0%B1",
		"//a//b/../c/./d.jpg?x=/../y",
		"/" + strings.Repeat("a", 3000) + ".jpg?" + strings.Repeat("b", 3000),
	} {
		e := parse(t, message(`{"type":"picture","media":`+toJSON(t, h.URL+address)+`}`))
		e.Photos[0].Account = p.BotID
		got, err := fetch(c, e.Photos[0])
		if err != nil || got != jpeg {
			t.Errorf("%.200s: got %q, %v, want the photo", address, got, err)
			continue
		}
		if seen := h.calls()[len(h.calls())-1].RequestURI; seen != address {
			t.Errorf("got  %.300s\nwant %.300s", seen, address)
		}
	}
}

// The platform denies an address with one character written in another way.
func TestFetchSignedAddress(t *testing.T) {
	p, c := start(t)
	photo := onePhoto(t, p, c)
	if got, err := fetch(c, photo); err != nil || got != jpeg {
		t.Fatalf("got %q, %v, want the photo", got, err)
	}
	for _, change := range [][2]string{{"Signature=", "Signature=%"}, {"_&Key", "%5F&Key"}, {"&Key-Pair-Id=APKAEXAMPLE", ""}, {"Expires=", "Expires=0"}, {".jpg?", ".jpg?x=1&"}} {
		changed := photo
		changed.Ref = strings.Replace(photo.Ref, change[0], change[1], 1)
		if changed.Ref == photo.Ref {
			t.Fatalf("nothing changed by %q in %s", change[0], photo.Ref)
		}
		wantKind(t, fmt.Sprint("an address changed by ", change), fetchError(c, changed), connectors.Gone)
	}
}

// An hour after the event there is nothing left to ask for.
func TestFetchExpired(t *testing.T) {
	p, c := start(t)
	photo := onePhoto(t, p, c)
	u, err := url.Parse(strings.TrimPrefix(photo.Ref, "media:"))
	if err != nil {
		t.Fatal(err)
	}
	if until := u.Query().Get("Expires"); len(until) != 10 {
		t.Fatalf("got Expires %q, want a time", until)
	}
	calls := 0
	p.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { calls++; h.ServeHTTP(w, r) })
	})
	late := connect(t, p.Settings("acme", "support"), func() time.Time { return time.Now().Add(time.Hour + time.Second) })
	wantKind(t, "an hour later", fetchError(late, photo), connectors.Gone)
	if calls != 0 {
		t.Errorf("got %d calls for an address that has expired, want none", calls)
	}
	if got, err := fetch(c, photo); err != nil || got != jpeg || calls != 1 {
		t.Errorf("within the hour: got %q, %v after %d calls, want the photo", got, err, calls)
	}
}

func TestFetchExpires(t *testing.T) {
	p, _ := start(t)
	h := startHost(t, image)
	now := time.Unix(1755003600, 999)
	c := connect(t, p.Settings("acme", "support"), func() time.Time { return now })
	for query, gone := range map[string]bool{
		"?Expires=1755003600":               true, // now is a little after that
		"?Expires=1755003599&Signature=x":   true,
		"?Signature=%zz&Expires=1000000000": true,
		"?Expires=1755003601":               false,
		"?Expires=1755003601&Expires=1":     false,
		"":                                  false,
		"?expires=1":                        false,
		"?Expires=":                         false,
		"?Expires=soon":                     false,
		"?Expires=3600":                     false, // a span
		"?Expires=-1":                       false,
		"?Expires=99999999999999999999":     false,
		"?X-Amz-Date=20250812T000000Z&Expires=60": false,
		"#Expires=1755003599":                     false,
	} {
		before := len(h.calls())
		err := fetchError(c, photoAt(p, h.URL+"/a.jpg"+query))
		if gone {
			wantKind(t, query, err, connectors.Gone)
		} else if err != nil {
			t.Errorf("%s: %v, want the photo", query, err)
		}
		if called := len(h.calls()) > before; called == gone {
			t.Errorf("%s: a call was made: %v, want %v", query, called, !gone)
		}
	}
}

func TestFetchAnswers(t *testing.T) {
	p, c := start(t)
	status := 0
	h := startHost(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	for code, want := range map[int]connectors.ErrorKind{
		403: connectors.Gone, 401: connectors.Gone, 404: connectors.Gone, 410: connectors.Gone, 429: connectors.Throttled,
		500: connectors.Unavailable, 502: connectors.Unavailable, 503: connectors.Unavailable, 400: connectors.Refused,
	} {
		status = code
		wantKind(t, fmt.Sprint("HTTP ", code), fetchError(c, photoAt(p, h.URL+"/a.jpg")), want)
	}
}

func TestFetchRefusesReferences(t *testing.T) {
	p, c := start(t)
	p.Wrap(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("a call came through: %s", r.URL) })
	})
	for _, ref := range []string{
		"", p.URL + "/a.jpg", "Media:" + p.URL, "media:", "media:a.jpg", "media:/5/media", "media://", "media:https://", "media:data:image/png;base64,AA==",
		"media:file:///etc/passwd", "media:ftp://h.example/a", "media:https://user:word@h.example/a", "media:https://h.example/%zz",
		"media:https://h.example/a\r\nX-Evil: 1", "media:https://h.example/a\x00", "media: https://h.example/a", "message:1",
	} {
		wantKind(t, ref, fetchError(c, connectors.Photo{Account: p.BotID, Ref: ref}), connectors.Refused)
	}
	for _, account := range []string{"", "nobody", p.URI} {
		wantKind(t, "account "+account, fetchError(c, connectors.Photo{Account: account, Ref: "media:" + p.URL + "/a.jpg"}), connectors.Misconfigured)
	}
}

// A file that holds a JPEG is fetched like a photo; its name plays no part.
func TestFetchFile(t *testing.T) {
	p, c := start(t)
	object := p.Picture("a file", []byte(jpeg))
	object["type"], object["file_name"] = "file", "../../Без названия.txt"
	delete(object, "thumbnail")
	r, err := p.Call(webhookURL, p.Event(said("one"), "file", object))
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
	if strings.Contains(events[0].Photos[0].Ref+events[0].Photos[0].ClaimedType, "txt") {
		t.Errorf("got %s, want nothing of the file's name", toJSON(t, events[0].Photos))
	}
}

// How much is read is the caller's decision, at a stranger's host too.
func TestFetchHuge(t *testing.T) {
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
	stream, err := c.Fetch(ctx, photoAt(p, h.URL))
	if err != nil {
		t.Fatal(err)
	}
	limit := int64(viber.Channel().PhotoLimit) + 1
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

// No error tells the query, which opens the photo to whoever reads it.
func TestFetchErrorsTellNoQuery(t *testing.T) {
	p, c := start(t)
	h := startHost(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	for _, address := range []string{
		h.URL + "/secretpath?Signature=secretquery", h.URL + "/?Expires=1000000000&Signature=secretquery", "ftp://h.example/secretpath?secretquery",
		"https://h.example/%zz?secretquery", "https://secretuser:secretword@h.example/?secretquery",
	} {
		err := fetchError(c, photoAt(p, address))
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "secret") {
			t.Errorf("got %v, want an error that tells the host at most", err)
		}
	}
}

func TestNewRefusesBase(t *testing.T) {
	for _, base := range []string{"chatapi.viber.com", "https://", "::", "/pa"} {
		s := settings()
		s.Connector = config.Connector{APIBase: base}
		_, err := viber.New(s, connectors.Env{Now: time.Now})
		wantKind(t, "api_base "+base, err, connectors.Misconfigured)
	}
	s := settings()
	s.APIBase = "https://egress.example/viber/"
	if _, err := viber.New(s, connectors.Env{Now: time.Now}); err != nil {
		t.Errorf("a base with a path: %v", err)
	}
}
