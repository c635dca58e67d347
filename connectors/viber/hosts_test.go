package viber_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/viber"
)

// Real photos lie on strangers' hosts. They see no token of ours, and no sign
// of who asks.
func TestFetchForeignHost(t *testing.T) {
	p, c := start(t)
	h := startHost(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/a.jpg?size=full", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/home":
			http.Redirect(w, r, p.URL+"/pa/get_account_info", http.StatusFound)
		default:
			image(w, r)
		}
	})
	for _, path := range []string{"/a.jpg", "/moved"} {
		if got, err := fetch(c, photoAt(p, h.URL+path)); err != nil || got != jpeg {
			t.Errorf("%s: got %q, %v, want the photo", path, got, err)
		}
	}
	wantKind(t, "an endless redirect", fetchError(c, photoAt(p, h.URL+"/round")), connectors.Refused)
	if err := fetchError(c, photoAt(p, h.URL+"/home")); err == nil {
		t.Error("a redirect to the API: got no error")
	}
	for _, r := range h.calls() {
		for name, values := range r.Header {
			if strings.Contains(strings.ToLower(name), "auth") || name == "Cookie" || name == "Referer" || strings.Contains(fmt.Sprint(values), p.Token) {
				t.Errorf("%s: the stranger was shown %s", r.RequestURI, name)
			}
		}
	}
}

// With "strict" only Viber's own hosts are asked, at every hop.
func TestFetchStrict(t *testing.T) {
	s := settings()
	s.Media = "strict"
	c := connect(t, s, time.Now)
	for _, address := range []string{
		"https://sun9-11.userapi.com/a.jpg", "https://viber.com/a.jpg", "https://viber.com.evil.example/a.jpg", "https://evilviber.com/a.jpg",
		"https://dl-media.viber.com.evil.example/a.jpg", "https://dl-media.viber.com@evil.example/a.jpg", "https://evil.example/dl-media.viber.com",
		"https://evil.example#.viber.com/a.jpg", "https://evil.example?.viber.com", "https://dl-media.viber.com:8443/a.jpg", "http://dl-media.viber.com/a.jpg",
		"https://.viber.com/a.jpg", "//dl-media.viber.com/a.jpg",
	} {
		_, err := c.Fetch(canceled(), connectors.Photo{Account: botID, Ref: "media:" + address})
		wantKind(t, address, err, connectors.Refused)
	}
	for _, host := range []string{"dl-media.viber.com", "share.viber.com", "DL-MEDIA.viber.com:443", "a.b.viber.com"} {
		_, err := c.Fetch(canceled(), connectors.Photo{Account: botID, Ref: "media:https://" + host + "/a.jpg"})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want a cancelled call", host, err)
		}
	}
	open := production(t)
	if _, err := open.Fetch(canceled(), connectors.Photo{Account: botID, Ref: "media:https://sun9-11.userapi.com/a.jpg"}); !errors.Is(err, context.Canceled) {
		t.Errorf("open: got %v, want a cancelled call", err)
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestFetchStrictPlatform(t *testing.T) {
	p, open := start(t)
	s := p.Settings("acme", "support").(*viber.Config)
	s.Media = "strict"
	c := connect(t, s, time.Now)
	if got, err := fetch(c, onePhoto(t, p, c)); err != nil || got != jpeg {
		t.Errorf("the platform's own: got %q, %v, want the photo", got, err)
	}
	h := startHost(t, image)
	wantKind(t, "a stranger", fetchError(c, photoAt(p, h.URL+"/a.jpg")), connectors.Refused)
	p.Wrap(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, h.URL+"/a.jpg", http.StatusFound) })
	})
	wantKind(t, "a redirect to a stranger", fetchError(c, photoAt(p, p.URL+"/a.jpg")), connectors.Refused)
	if n := len(h.calls()); n != 0 {
		t.Errorf("got %d calls at a stranger's host, want none", n)
	}
	if got, err := fetch(open, photoAt(p, p.URL+"/a.jpg")); err != nil || got != jpeg {
		t.Errorf("open: got %q, %v, want the redirect followed", got, err)
	}
}

// Any user can have a photo point to any host.
func TestFetchPrivate(t *testing.T) {
	h := startHost(t, image)
	port := h.URL[strings.LastIndex(h.URL, ":"):]
	strict := settings()
	strict.Media = "strict"
	for _, address := range []string{
		h.URL + "/a.jpg", "https://127.0.0.1" + port, "https://127.0.0.1/", "https://localhost" + port, "https://localhost/", "https://[::1]/", "https://2130706433/",
		"https://0x7f.1/", "https://169.254.169.254/latest/meta-data/", "https://10.0.0.1/", "http://h.example/a.jpg", "https://h.example:22/",
	} {
		photo := connectors.Photo{Account: botID, Ref: "media:" + address}
		wantKind(t, address, fetchError(production(t), photo), connectors.Refused)
		wantKind(t, "strict: "+address, fetchError(connect(t, strict, time.Now), photo), connectors.Refused)
	}
	if n := len(h.calls()); n != 0 {
		t.Errorf("got %d calls at a private address, want none", n)
	}
}
