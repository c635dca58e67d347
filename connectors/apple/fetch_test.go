package apple_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/apple/applesim"
)

// serving makes both steps of a fetch answer as the test says: where the
// attachment is, and what is there.
func serving(p *applesim.Platform, answer string, content http.HandlerFunc) {
	p.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case answer != "" && r.URL.Path == "/v1/preDownload":
				_, _ = io.WriteString(w, answer)
			case content != nil && r.URL.Path != "/v1/preDownload":
				content(w, r)
			default:
				h.ServeHTTP(w, r)
			}
		})
	})
}

func fetchError(c connectors.Connector, p connectors.Photo) error {
	stream, err := c.Fetch(context.Background(), p)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, stream)
	return errors.Join(err, stream.Close())
}

// The vector: a key that itself begins with a zero byte, which some lose.
func TestFetchVector(t *testing.T) {
	const plain, cipher = "hello photo bytes", "9af56cda4569efb8c687f54abf5703e583"
	p, c := start(t)
	o := p.Attach("vector", []byte(plain))
	data, err := hex.DecodeString(cipher)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"00" + hexKey, hexKey} {
		m := p.Message(said("one"))
		o["key"] = k
		m["attachments"] = []any{o}
		photo := heard(t, c, p, m).Photos[0]
		// In three pieces, because blocks of the key stream are of 16 bytes.
		serving(p, "", func(w http.ResponseWriter, _ *http.Request) {
			for _, piece := range [][]byte{data[:5], data[5:16], data[16:]} {
				_, _ = w.Write(piece)
				_ = http.NewResponseController(w).Flush()
			}
		})
		if got, err := fetch(c, photo); err != nil || got != plain {
			t.Errorf("key %s: got %q, %v, want %q", k, got, err, plain)
		}
	}
	if got := hex.EncodeToString(applesim.Crypt(mustHex(t, hexKey), []byte(plain))); got != cipher {
		t.Errorf("the simulated Apple: got %s, want %s", got, cipher)
	}
}

func mustHex(t *testing.T, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// More than a megabyte, so that the counter carries over.
func TestFetchLarge(t *testing.T) {
	p, c := start(t)
	want := strings.Repeat(jpeg, 60_000)
	photo := heard(t, c, p, p.Message(said("one", want))).Photos[0]
	if got, err := fetch(c, photo); err != nil || got != want {
		t.Errorf("got %d bytes, %v, want the %d that were sent", len(got), err, len(want))
	}
}

func TestFetchOldNames(t *testing.T) {
	p, c := start(t)
	p.OldNames = true
	photo := onePhoto(t, p, c)
	if got, err := fetch(c, photo); err != nil || got != jpeg || photo.ClaimedType != "image/jpg" || photo.ClaimedBytes != int64(len(jpeg)) {
		t.Errorf("got %q, %v of %+v, want the photo", got, err, photo.ClaimedType)
	}
}

// Each spelling of an attachment leads to the same photo.
func TestFetchSpellings(t *testing.T) {
	p, c := start(t)
	base64Of := func(o applesim.Object) string {
		return hexToBase64(t, o["signature"].(string))
	}
	for name, change := range map[string]func(o applesim.Object){
		"as it is":              func(applesim.Object) {},
		"size a number":         func(o applesim.Object) { o["size"] = len(jpeg) },
		"no size":               func(o applesim.Object) { delete(o, "size") },
		"size of nothing":       func(o applesim.Object) { o["size"] = 0 },
		"signature in Base64":   func(o applesim.Object) { o["signature-base64"] = base64Of(o); delete(o, "signature") },
		"signature twice":       func(o applesim.Object) { o["signature-base64"] = base64Of(o); o["signature"] = "00" },
		"signature in capitals": func(o applesim.Object) { o["signature"] = strings.ToUpper(o["signature"].(string)) },
		"key of 64 digits":      func(o applesim.Object) { o["key"] = strings.TrimPrefix(o["key"].(string), "00") },
		"key in capitals":       func(o applesim.Object) { o["key"] = strings.ToUpper(o["key"].(string)) },
		"type image/jpg":        func(o applesim.Object) { o["mimeType"] = "image/jpg" },
		"a hostile name":        func(o applesim.Object) { o["name"] = "../../etc/passwd\r\nX: y" },
	} {
		m := p.Message(said("one", jpeg))
		change(m["attachments"].([]any)[0].(applesim.Object))
		e := heard(t, c, p, m)
		if len(e.Photos) != 1 {
			t.Errorf("%s: got %s, want one photo", name, toJSON(t, e))
			continue
		}
		if got, err := fetch(c, e.Photos[0]); err != nil || got != jpeg {
			t.Errorf("%s: got %q, %v, want the photo", name, got, err)
		}
	}
}

// The first step shows who asks, and what for in both dialects; the second
// nothing at all.
func TestFetchRequests(t *testing.T) {
	p, c := start(t)
	photo := onePhoto(t, p, c)
	var seen []*http.Request
	p.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, r.Clone(context.Background()))
			h.ServeHTTP(w, r)
		})
	})
	if err := fetchError(c, photo); err != nil {
		t.Fatal(err)
	}
	var ref struct{ URL, Owner, Signature string }
	if err := json.Unmarshal([]byte(photo.Ref), &ref); err != nil || len(seen) != 2 {
		t.Fatalf("got %d requests, %v, want 2", len(seen), err)
	}
	if got, want := seen[0].Method+" "+seen[0].URL.String(), "GET /v1/preDownload"; got != want || seen[0].ContentLength != 0 {
		t.Errorf("got %s with a body of %d, want %s without", got, seen[0].ContentLength, want)
	}
	for name, want := range map[string]string{
		"source-id": p.BusinessID, "url": ref.URL, "owner": ref.Owner, "signature": ref.Signature,
		"MMCS-Url": ref.URL, "MMCS-Owner": ref.Owner, "MMCS-Signature": ref.Signature,
	} {
		if got := seen[0].Header.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("header %s: got %q, want %q", name, got, want)
		}
	}
	readToken(t, p, seen[0])
	if !strings.HasPrefix(seen[1].URL.Path, "/content/") {
		t.Errorf("got %s, want the download-url", seen[1].URL.Path)
	}
	for _, name := range []string{"Authorization", "source-id", "url", "owner", "signature", "MMCS-Url", "Cookie", "Accept-Encoding"} {
		if got := seen[1].Header.Get(name); got != "" {
			t.Errorf("the media host was sent a header %s", name)
		}
	}
}

// The address is asked for at each try; what Apple gave an hour ago is not kept.
func TestFetchAgain(t *testing.T) {
	p, c := start(t)
	photo, asked := onePhoto(t, p, c), 0
	p.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v1/preDownload" {
				asked++
			}
			h.ServeHTTP(w, r)
		})
	})
	for range 3 {
		if err := fetchError(c, photo); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 3 {
		t.Errorf("got %d calls of preDownload for three fetches, want 3", asked)
	}
}

// What the real gateway answers to requests that are not quite right, the
// simulated one answers too.
func TestFetchGatewayAnswers(t *testing.T) {
	p, c := start(t)
	photo := onePhoto(t, p, c)
	changed := func(from, to string) connectors.Photo {
		q := photo
		q.Ref = strings.Replace(photo.Ref, from, to, 1)
		if q.Ref == photo.Ref {
			t.Fatalf("%q is not in the reference", from)
		}
		return q
	}
	wantKind(t, "another owner", fetchError(c, changed(`"owner":"M`, `"owner":"N`)), connectors.Refused)
	wantKind(t, "another signature", fetchError(c, changed(`"signature":"g`, `"signature":"h`)), connectors.Refused)
	wantKind(t, "a locator of no platform", fetchError(c, changed("/mmcs/", "/other/")), connectors.Refused)

	key := p.Secret
	p.Secret = secret
	wantKind(t, "a secret that was replaced", fetchError(c, photo), connectors.Misconfigured)
	p.Secret = key
	msp := p.MSPID
	p.MSPID = "msp-2"
	wantKind(t, "another provider", fetchError(c, photo), connectors.Misconfigured)
	p.MSPID = msp
	late := connect(t, p.Settings("acme", "support"), time.Now().Add(-3*time.Hour))
	wantKind(t, "a clock that is slow", fetchError(late, photo), connectors.Misconfigured)
	business := p.BusinessID
	p.BusinessID = "other"
	wantKind(t, "a business that has left", fetchError(c, photo), connectors.Gone)
	p.BusinessID = business
	if got, err := fetch(c, photo); err != nil || got != jpeg {
		t.Errorf("after all that: got %q, %v, want the photo", got, err)
	}
}

// A plain GET of the locator is no way to the photo.
func TestFetchLocator(t *testing.T) {
	p, c := start(t)
	var ref struct{ URL string }
	if err := json.Unmarshal([]byte(onePhoto(t, p, c).Ref), &ref); err != nil {
		t.Fatal(err)
	}
	res, err := http.Get(ref.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("got HTTP %d, want 400", res.StatusCode)
	}
}

// Each status of both steps: what the credentials are good for is told by the
// first, and the second has none. No success without what was announced is one.
func TestFetchStatus(t *testing.T) {
	p, c := start(t)
	photo := onePhoto(t, p, c)
	kinds := func(step, status int) connectors.ErrorKind {
		switch {
		case status == 404, status == 410, step == 1 && (status == 401 || status == 403 || status == 407):
			return connectors.Gone
		case status == 401, status == 403, status == 407:
			return connectors.Misconfigured
		case status == 429:
			return connectors.Throttled
		case status == 408, status == 425, status < 400, status >= 500:
			return connectors.Unavailable
		}
		return connectors.Refused
	}
	for step, path := range []string{"/v1/preDownload", "/content/"} {
		for status := 201; status < 600; status++ {
			p.Wrap(func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if !strings.HasPrefix(r.URL.Path, path) {
						h.ServeHTTP(w, r)
						return
					}
					w.WriteHeader(status)
				})
			})
			if err := fetchError(c, photo); err == nil || connectors.KindOf(err) != kinds(step, status) {
				t.Errorf("HTTP %d at step %d: got %v, want %v", status, step+1, err, kinds(step, status))
			}
		}
	}
}
