package apple_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/apple"
)

func TestFetchPreDownloadAnswers(t *testing.T) {
	p, c := start(t)
	photo := onePhoto(t, p, c)
	for _, answer := range []string{
		"x", "null", "{}", "[]", `""`, `{"download-url":""}`, `{"download-url":5}`, `{"download-url":null}`, `{"download_url":"https://x.icloud.com/"}`, "<html>",
	} {
		serving(p, answer, nil)
		wantKind(t, "answer "+answer, fetchError(c, photo), connectors.Unavailable)
	}
	serving(p, `{"download-url":"`+strings.Repeat("x", 70_000), nil)
	wantKind(t, "an endless answer", fetchError(c, photo), connectors.Malformed)
}

// Apple's answer is believed as far as it leads to Apple's hosts.
func TestFetchHosts(t *testing.T) {
	p, c := start(t)
	photo := onePhoto(t, p, c)
	calls := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ }))
	defer elsewhere.Close()
	for _, address := range []string{
		elsewhere.URL, strings.Replace(p.URL, "127.0.0.1", "localhost", 1), "http://127.0.0.1/", "https://169.254.169.254/", "ftp://h/", "//h/", "h", "https://user:word@" + strings.TrimPrefix(p.URL, "http://"),
		"https://icloud-content.com.evil.example/", "https://evilicloud-content.com/", "file:///etc/passwd", "http://[::1", "\\u0000",
	} {
		serving(p, `{"download-url":"`+address+`"}`, nil)
		wantKind(t, "download-url "+address, fetchError(c, photo), connectors.Refused)
	}
	serving(p, "", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) })
	wantKind(t, "a redirect elsewhere", fetchError(c, photo), connectors.Refused)
	if calls != 0 {
		t.Errorf("got %d calls at a foreign host, want none", calls)
	}
}

// An attachment that is not as long as announced is not whole, and does not end
// like one that is.
func TestFetchLength(t *testing.T) {
	p, c := start(t)
	photo := onePhoto(t, p, c)
	for _, n := range []int{0, 1, len(jpeg) - 1, len(jpeg) + 1, 10 * len(jpeg)} {
		serving(p, "", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte{7}, n)) })
		stream, err := c.Fetch(t.Context(), photo)
		if err != nil {
			t.Fatal(err)
		}
		var read int
		for piece := make([]byte, 7); err == nil; {
			var m int
			m, err = stream.Read(piece)
			read += m
		}
		if errors.Is(err, io.EOF) || read != n {
			t.Errorf("%d of %d bytes: got %d and %v, want all and no io.EOF", n, len(jpeg), read, err)
		}
		wantKind(t, "length", err, connectors.Unavailable)
		if _, again := stream.Read(make([]byte, 1)); errors.Is(again, io.EOF) {
			t.Errorf("%d of %d bytes: the second try says io.EOF", n, len(jpeg))
		}
		_ = stream.Close()
	}
	// Where nothing is announced, the transport's word is all there is.
	photo.ClaimedBytes = 0
	serving(p, "", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{7}) })
	if got, err := fetch(c, photo); err != nil || len(got) != 1 {
		t.Errorf("no announced length: got %d bytes, %v, want 1", len(got), err)
	}
}

func TestFetchReferences(t *testing.T) {
	p, c := start(t)
	photo := onePhoto(t, p, c)
	p.Wrap(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("a call came through: %s", r.URL.Path) })
	})
	ref := func(url, owner, signature, key string) string {
		return toJSON(t, map[string]string{"url": url, "owner": owner, "signature": signature, "key": key})
	}
	for name, text := range map[string]string{
		"empty": "", "no JSON": "x", "nothing in it": "{}", "a list": "[]", "two": goodRef() + goodRef(), "cut": goodRef()[:40], "endless": strings.Repeat(" ", 1<<20) + goodRef(),
		"no url": ref("", "o", base64Sig, hexKey), "no owner": ref("u", "", base64Sig, hexKey), "no signature": ref("u", "o", "", hexKey), "no key": ref("u", "o", base64Sig, ""),
		"a header in the url": ref("u\r\nX: y", "o", base64Sig, hexKey), "a header in the owner": ref("u", "o\nX", base64Sig, hexKey), "a header in the signature": ref("u", "o", base64Sig[:12]+"\r\n"+base64Sig[12:], hexKey),
		"a key of 66": ref("u", "o", base64Sig, "00"+hexKey), "a key of 65": ref("u", "o", base64Sig, "0"+hexKey), "a signature in hex": ref("u", "o", hexSign, hexKey),
	} {
		q := photo
		q.Ref = text
		err := fetchError(c, q)
		wantKind(t, name, err, connectors.Refused)
		wantQuiet(t, name, err, hexKey, base64Sig)
	}
	photo.Ref = "unreadable"
	wantKind(t, "an attachment that could not be read", fetchError(c, photo), connectors.Malformed)
}

func TestFetchAccount(t *testing.T) {
	p, c := start(t)
	photo := onePhoto(t, p, c)
	photo.Account = businessID
	wantKind(t, "a business that is not configured", fetchError(c, photo), connectors.Misconfigured)
}

// No error tells the key, the signature, or what a photo's address is.
func TestFetchQuiet(t *testing.T) {
	p, c := start(t)
	photo := onePhoto(t, p, c)
	var ref struct{ URL, Owner, Signature, Key string }
	if err := json.Unmarshal([]byte(photo.Ref), &ref); err != nil {
		t.Fatal(err)
	}
	for _, status := range []int{200, 302, 400, 401, 403, 404, 429, 500, 999} {
		for _, path := range []string{"/v1/preDownload", "/content/"} {
			p.Wrap(func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if !strings.HasPrefix(r.URL.Path, path) {
						h.ServeHTTP(w, r)
						return
					}
					w.Header().Set("Location", "http://h.example/?"+ref.Key)
					w.WriteHeader(status)
					_ = r.Header.Write(w)
					_, _ = io.WriteString(w, photo.Ref)
				})
			})
			if err := fetchError(c, photo); err != nil {
				wantQuiet(t, path, err, ref.URL, ref.Owner, ref.Signature, ref.Key, p.Secret, "token=")
			}
		}
	}
}

// The integration gateway is another address; nobody appends anything else.
func TestFetchBase(t *testing.T) {
	for base, want := range map[string]string{"": "mspgw.push.apple.com", "https://mspgw-int.push.apple.com/v1/": "mspgw-int.push.apple.com"} {
		s := settings()
		s.APIBase = base
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := connect(t, s, time.Now()).Fetch(ctx, connectors.Photo{Account: businessID, Ref: goodRef()})
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), want) {
			t.Errorf("base %q: got %v, want a cancelled call to %s", base, err, want)
		}
	}
}

func TestFetchPrivate(t *testing.T) {
	p, c := start(t)
	photo := onePhoto(t, p, c)
	s := p.Settings("acme", "support").(*apple.Config)
	s.Connector = config.Connector{Channel: "apple", Name: "acme", APIBase: p.URL + "/v1"}
	wantKind(t, "a gateway at home", fetchError(connect(t, s, time.Now()), photo), connectors.Refused)
}
