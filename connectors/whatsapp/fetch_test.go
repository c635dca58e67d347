package whatsapp_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/whatsapp"
	"github.com/lightlock/lightlock/connectors/whatsapp/whatsappsim"
)

var original = []byte("\xff\xd8\xff\xe0 not really a JPEG")

// record returns the requests to p from now on.
func record(p *whatsappsim.Platform) (seen func() []*http.Request) {
	var mu sync.Mutex
	var requests []*http.Request
	p.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			requests = append(requests, r)
			mu.Unlock()
			h.ServeHTTP(w, r)
		})
	})
	return func() []*http.Request {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(requests)
	}
}

// paths returns the requests' paths, one a line.
func paths(requests []*http.Request) string {
	var list []string
	for _, r := range requests {
		list = append(list, r.URL.Path)
	}
	return strings.Join(list, "\n")
}

const download = "/whatsapp_business/attachments/"

func TestFetchTakesTwoSteps(t *testing.T) {
	p, c := start(t)
	sent := photo(t, p, c, original)
	p.ExpireAddresses() // the webhook's own address is long dead
	seen := record(p)
	for range 2 {
		if got, err := read(c, sent); err != nil || !bytes.Equal(got, original) {
			t.Fatalf("got %d bytes, %v, want the original", len(got), err)
		}
	}
	lookup := "/v25.0/" + strings.TrimPrefix(sent.Ref, "media:")
	if got, want := paths(seen()), strings.Join([]string{lookup, download, lookup, download}, "\n"); got != want {
		t.Errorf("got calls\n%s\nwant\n%s", got, want)
	}
	for _, r := range seen() {
		if got, want := r.Header.Get("Authorization"), "Bearer "+p.Numbers[0].Token; got != want {
			t.Errorf("%s: got Authorization %q, want %q", r.URL.Path, got, want)
		}
		if agent := r.UserAgent(); agent == "" || strings.HasPrefix(agent, "Go-http-client") {
			t.Errorf("%s: got User-Agent %q, want one of ours", r.URL.Path, agent)
		}
	}
	if got, want := seen()[0].URL.RawQuery, "phone_number_id="+p.Numbers[0].ID; got != want {
		t.Errorf("got query %q, want %q", got, want)
	}
}

func TestFetchOfGraphVersion(t *testing.T) {
	p, _ := start(t)
	s := p.Settings("acme", "support").(*whatsapp.Config)
	s.GraphVersion, s.APIBase = "v31.0", s.APIBase+"/"
	c := connect(t, s)
	sent := photo(t, p, c, original)
	seen := record(p)
	if _, err := read(c, sent); err != nil {
		t.Fatal(err)
	}
	if got, want := seen()[0].URL.Path, "/v31.0/"+strings.TrimPrefix(sent.Ref, "media:"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFetchAgainWithFreshAddress(t *testing.T) {
	p, c := start(t)
	sent := photo(t, p, c, original)
	p.ExpireNext(1)
	seen := record(p)
	if got, err := read(c, sent); err != nil || !bytes.Equal(got, original) {
		t.Errorf("one dead address: got %d bytes, %v, want the original", len(got), err)
	}
	if len(seen()) != 4 {
		t.Errorf("one dead address: got calls\n%s\nwant both steps twice", paths(seen()))
	}
	p.ExpireNext(2)
	seen = record(p)
	if _, err := read(c, sent); connectors.KindOf(err) != connectors.Misconfigured {
		t.Errorf("two dead addresses: got %v, want kind misconfigured", err)
	}
	if len(seen()) != 4 {
		t.Errorf("two dead addresses: got calls\n%s\nwant both steps twice", paths(seen()))
	}
	if got, err := read(c, sent); err != nil || !bytes.Equal(got, original) {
		t.Errorf("later: got %d bytes, %v, want the original", len(got), err)
	}
}

func TestFetchAgainAfterAnyDenial(t *testing.T) {
	p, c := start(t)
	sent := photo(t, p, c, original)
	for _, status := range []int{401, 403, 404, 410} {
		denied := false
		p.Wrap(func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == download && !denied {
					denied = true
					w.WriteHeader(status)
					return
				}
				h.ServeHTTP(w, r)
			})
		})
		if got, err := read(c, sent); err != nil || !bytes.Equal(got, original) || !denied {
			t.Errorf("HTTP %d: got %d bytes, %v, want the original", status, len(got), err)
		}
	}
}

func TestFetchOfForgottenMedia(t *testing.T) {
	p, c := start(t)
	sent := photo(t, p, c, original)
	p.Forget()
	if _, err := read(c, sent); connectors.KindOf(err) != connectors.Gone {
		t.Errorf("got %v, want kind gone", err)
	}
}

func TestFetchWithItsOwnNumber(t *testing.T) {
	p, _ := start(t)
	two := p.AddNumber("shop")
	c := connect(t, p.Settings("acme", "support"))
	sent := photo(t, p, c, original)
	sent.Account = two.ID
	if _, err := read(c, sent); connectors.KindOf(err) != connectors.Gone {
		t.Errorf("with the other number: got %v, want kind gone", err)
	}
	sent.Account = "1"
	seen := record(p)
	if _, err := read(c, sent); connectors.KindOf(err) != connectors.Misconfigured || len(seen()) != 0 {
		t.Errorf("with no number: got %v after %d calls, want kind misconfigured after none", err, len(seen()))
	}
}

func TestFetchWithWrongToken(t *testing.T) {
	p, _ := start(t)
	s := p.Settings("acme", "support").(*whatsapp.Config)
	s.Accounts[0].AccessToken = config.NewSecret("revoked-token")
	c := connect(t, s)
	_, err := read(c, photo(t, p, c, original))
	if connectors.KindOf(err) != connectors.Misconfigured {
		t.Errorf("got %v, want kind misconfigured", err)
	}
	if strings.Contains(err.Error(), "revoked-token") {
		t.Errorf("the error tells the token: %v", err)
	}
}

func TestFetchOfStrangeReference(t *testing.T) {
	p, c := start(t)
	seen := record(p)
	for _, ref := range []string{"", "19", "media:", "media:..", "media:1/2", "media:1?x=y", "media:1 ", "message:1", "https://evil.example/", "media:" + strings.Repeat("1", 129)} {
		_, err := read(c, connectors.Photo{Account: p.Numbers[0].ID, Ref: ref})
		if connectors.KindOf(err) != connectors.Refused {
			t.Errorf("%q: got %v, want kind refused", ref, err)
		}
	}
	if len(seen()) != 0 {
		t.Errorf("got calls\n%s\nwant none", paths(seen()))
	}
}

func TestFetchSortsGraphErrors(t *testing.T) {
	tests := []struct {
		status, code, subcode int
		want                  connectors.ErrorKind
	}{
		{400, 100, 33, connectors.Gone},
		{404, 100, 33, connectors.Gone},
		{400, 100, 0, connectors.Refused},
		{400, 4, 0, connectors.Throttled},
		{400, 80007, 0, connectors.Throttled},
		{400, 130429, 0, connectors.Throttled},
		{400, 1, 0, connectors.Unavailable},
		{400, 2, 0, connectors.Unavailable},
		{400, 131000, 0, connectors.Unavailable},
		{400, 131016, 0, connectors.Unavailable},
		{500, 10, 0, connectors.Misconfigured},
		{400, 190, 463, connectors.Misconfigured},
		{400, 200, 0, connectors.Misconfigured},
		{400, 299, 0, connectors.Misconfigured},
		{400, 300, 0, connectors.Refused},
		{400, 131031, 0, connectors.Misconfigured},
		{500, 99, 0, connectors.Unavailable},
		{400, 0, 0, connectors.Misconfigured},
		{401, 0, 0, connectors.Misconfigured},
	}
	p, c := start(t)
	sent := photo(t, p, c, original)
	for _, test := range tests {
		t.Run(fmt.Sprint(test.status, "/", test.code, "/", test.subcode), func(t *testing.T) {
			body, err := json.Marshal(whatsappsim.Object{"error": whatsappsim.Object{
				"message": "secret words", "code": test.code, "error_subcode": test.subcode,
			}})
			if err != nil {
				t.Fatal(err)
			}
			p.Wrap(func(http.Handler) http.Handler { return answer(test.status, string(body)) })
			_, err = read(c, sent)
			if connectors.KindOf(err) != test.want {
				t.Errorf("got %v, want kind %v", err, test.want)
			}
			if strings.Contains(err.Error(), "secret words") {
				t.Errorf("the error quotes the answer: %v", err)
			}
		})
	}
}

// answer always gives the same answer.
func answer(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

func TestFetchReadsAnyLookup(t *testing.T) {
	p, c := start(t)
	sent := photo(t, p, c, original)
	address := p.Media(p.Numbers[0], whatsappsim.Wamid("photo", "photo0"), "image/jpeg", original)["url"].(string)
	tests := []struct {
		name, answer string
		want         connectors.ErrorKind
		ok           bool
	}{
		{"file_size is a number", `{"url":"` + address + `","file_size":303833}`, 0, true},
		{"file_size is a string", `{"url":"` + address + `","file_size":"303833"}`, 0, true},
		{"nothing but the address", `{"url":"` + address + `"}`, 0, true},
		{"no address", `{"id":"1"}`, connectors.Unavailable, false},
		{"address of another type", `{"url":7}`, connectors.Unavailable, false},
		{"a page", `<html>maintenance</html>`, connectors.Unavailable, false},
		{"nothing", ``, connectors.Unavailable, false},
		{"too much", `{"url":"` + address + `","x":"` + strings.Repeat("x", 64<<10) + `"}`, connectors.Malformed, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p.Wrap(func(h http.Handler) http.Handler {
				mux := http.NewServeMux()
				mux.Handle(download, h)
				mux.Handle("/", answer(http.StatusOK, test.answer))
				return mux
			})
			got, err := read(c, sent)
			if test.ok && (err != nil || !bytes.Equal(got, original)) {
				t.Errorf("got %d bytes, %v, want the original", len(got), err)
			}
			if !test.ok && connectors.KindOf(err) != test.want {
				t.Errorf("got %v, want kind %v", err, test.want)
			}
		})
	}
}

// stranger is a host that is none of Meta's. It counts its visitors.
func stranger(t *testing.T) (address string, visits *atomic.Int64) {
	t.Helper()
	visits = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		visits.Add(1)
		_, _ = w.Write(original)
	}))
	t.Cleanup(server.Close)
	return server.URL, visits
}

func TestFetchCallsNoOtherHost(t *testing.T) {
	p, c := start(t)
	sent := photo(t, p, c, original)
	foreign, visits := stranger(t)
	for _, base := range []string{
		foreign,
		strings.Replace(foreign, "http://", p.URL+"@", 1),
		strings.Replace(foreign, "127.0.0.1", "localhost", 1),
		"https://lookaside.fbsbx.com", // not a host of this api_base
		"file://",
		"",
	} {
		p.PointTo(base)
		if _, err := read(c, sent); connectors.KindOf(err) != connectors.Refused {
			t.Errorf("%q: got %v, want kind refused", base, err)
		}
	}
	if n := visits.Load(); n != 0 {
		t.Errorf("the stranger was called %d times, want never", n)
	}
}

func TestFetchFollowsNoRedirect(t *testing.T) {
	p, c := start(t)
	sent := photo(t, p, c, original)
	foreign, visits := stranger(t)
	for _, at := range []string{"/v25.0/", download} {
		p.Wrap(func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, at) {
					http.Redirect(w, r, foreign+"/x", http.StatusFound)
					return
				}
				h.ServeHTTP(w, r)
			})
		})
		if _, err := read(c, sent); connectors.KindOf(err) != connectors.Unavailable {
			t.Errorf("redirect at %s: got %v, want kind unavailable", at, err)
		}
	}
	if n := visits.Load(); n != 0 {
		t.Errorf("the stranger was called %d times, want never", n)
	}
}
