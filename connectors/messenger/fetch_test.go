package messenger_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/messenger"
	"github.com/lightlock/lightlock/connectors/messenger/messengersim"
)

const (
	original = "\xff\xd8\xff\xe0 not really a JPEG"
	other    = "\xff\xd8\xff\xe0 not really a JPEG either"
	cdnPath  = "/scontent.xx.fbcdn.net/"
)

// photos returns the references to two photos of one message.
func photos(t *testing.T, p *messengersim.Platform, c connectors.Connector) []connectors.Photo {
	t.Helper()
	events := hear(t, p, c, said("photos", "", []byte(original), []byte(other)))
	if len(events) != 1 || len(events[0].Photos) != 2 {
		t.Fatalf("got %+v, want one message with two photos", events)
	}
	return events[0].Photos
}

func wantBytes(t *testing.T, what string, c connectors.Connector, p connectors.Photo, want string) {
	t.Helper()
	if got, err := read(c, p); err != nil || got != want {
		t.Errorf("%s: got %q, %v, want %q", what, got, err, want)
	}
}

// The photo is fetched by its address alone: no token, and a client that looks
// like any other.
func TestFetchShowsNoCredentials(t *testing.T) {
	p, c := start(t)
	seen := record(p)
	wantBytes(t, "photo", c, photos(t, p, c)[0], original)
	if len(seen()) != 1 {
		t.Fatalf("got calls\n%s\nwant one", calls(seen()))
	}
	r := seen()[0]
	if r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "" || strings.Contains(r.URL.RawQuery, p.Pages[0].Token) {
		t.Errorf("got headers %v and query %s, want no credentials", r.Header, r.URL.RawQuery)
	}
	if agent := r.UserAgent(); !strings.HasPrefix(agent, "Mozilla/5.0 ") || strings.Contains(strings.ToLower(agent), "bot") {
		t.Errorf("got User-Agent %q, want one like a browser's", agent)
	}
}

// An address that is over is asked for again, each photo's own.
func TestFetchAgainByGraph(t *testing.T) {
	p, c := start(t)
	sent := photos(t, p, c)
	p.ExpireAddresses()
	seen := record(p)
	wantBytes(t, "second photo", c, sent[1], other)
	wantBytes(t, "first photo", c, sent[0], original)
	list := seen()
	if len(list) != 6 {
		t.Fatalf("got calls\n%s\nwant address, Graph, address for each", calls(list))
	}
	if got, want := list[1].URL.RequestURI(), "/v25.0/"+messengersim.MID("photos", "photos")+"?fields=attachments"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := list[1].Header.Get("Authorization"), "Bearer "+p.Pages[0].Token; got != want {
		t.Errorf("got Authorization %q, want %q", got, want)
	}
	for _, i := range []int{0, 2} {
		if strings.Contains(calls(list[i:i+1]), "/v25.0/") || list[i].Header.Get("Authorization") != "" {
			t.Errorf("call %d is %s with Authorization %q", i, calls(list[i:i+1]), list[i].Header.Get("Authorization"))
		}
	}
}

// That Graph tells is not promised. Where it does not, the photo is gone.
func TestFetchGone(t *testing.T) {
	tests := []struct {
		name  string
		setUp func(*messengersim.Platform)
	}{
		{"Graph tells nothing", func(p *messengersim.Platform) { p.ExpireAddresses(); p.CloseMessages() }},
		{"not even the new address works", func(p *messengersim.Platform) { p.Forget() }},
		{"Graph knows more photos", func(p *messengersim.Platform) {
			p.ExpireAddresses()
			hearMore(p)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, c := start(t)
			sent := photos(t, p, c)
			test.setUp(p)
			_, err := read(c, sent[0])
			wantKind(t, "Fetch", err, connectors.Gone)
		})
	}
}

// hearMore puts a third photo into the message that photos sends.
func hearMore(p *messengersim.Platform) {
	p.Items(p.Pages[0], said("photos", "", []byte(original), []byte(other), []byte(other)))
}

// graphAnswers makes the content network deny everything, and Graph answer so.
func graphAnswers(p *messengersim.Platform, status int, body string) {
	p.Wrap(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, cdnPath) {
				http.Error(w, "URL signature expired", http.StatusForbidden)
				return
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
	})
}

func TestFetchWhenGraphFails(t *testing.T) {
	two := func(second string) string {
		return `{"attachments":{"data":[{"image_data":{"url":"https://evil.example/a.jpg"}},` + second + `]}}`
	}
	tests := []struct {
		name   string
		status int
		body   string
		want   connectors.ErrorKind
	}{
		{"unknown message", 400, `{"error":{"code":100,"error_subcode":33}}`, connectors.Gone},
		{"no permission", 403, `{"error":{"code":10}}`, connectors.Gone},
		{"bad token", 401, `{"error":{"code":190}}`, connectors.Gone},
		{"bad parameter", 400, `{"error":{"code":100}}`, connectors.Gone},
		{"too often", 400, `{"error":{"code":613}}`, connectors.Throttled},
		{"in trouble", 500, `{"error":{"code":2}}`, connectors.Unavailable},
		{"a page", 200, `<html>maintenance</html>`, connectors.Unavailable},
		{"nothing known", 200, `{"id":"m"}`, connectors.Gone},
		{"another shape", 200, `{"attachments":[5]}`, connectors.Gone},
		{"data of another shape", 200, `{"attachments":{"data":{"x":1}}}`, connectors.Gone},
		{"too few", 200, `{"attachments":{"data":[{"image_data":{"url":"x"}}]}}`, connectors.Gone},
		{"a sticker among them", 200, two(`{"image_data":{"url":"y","render_as_sticker":true}}`), connectors.Gone},
		{"a video among them", 200, two(`{"video_data":{"url":"y"}}`), connectors.Gone},
		{"a foreign host", 200, two(`{"image_data":{"url":"y"}}`), connectors.Refused},
	}
	p, c := start(t)
	sent := photos(t, p, c)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			graphAnswers(p, test.status, test.body)
			_, err := read(c, sent[0])
			wantKind(t, "Fetch", err, test.want)
		})
	}
}

// A mid that might lead elsewhere as part of an address is not asked for.
func TestFetchAsksForNoStrangeMID(t *testing.T) {
	p, c := start(t)
	var ref map[string]any
	sent := photos(t, p, c)[0]
	if err := json.Unmarshal([]byte(sent.Ref), &ref); err != nil {
		t.Fatal(err)
	}
	p.ExpireAddresses()
	for _, mid := range []string{"", "..", "../me", "m/1", "m?x=1", "m#1", "m 1", "m%2f1", strings.Repeat("m", 257)} {
		ref["mid"] = mid
		text, err := json.Marshal(ref)
		if err != nil {
			t.Fatal(err)
		}
		seen := record(p)
		_, err = read(c, connectors.Photo{Account: sent.Account, Ref: string(text)})
		wantKind(t, mid, err, connectors.Gone)
		if len(seen()) != 1 {
			t.Errorf("mid %q: got calls\n%s\nwant the address alone", mid, calls(seen()))
		}
	}
	// Those that Meta sends are.
	for _, mid := range []string{"mid.$cAAJdkrCd2ORnva8ErFhjGm0X_Q_c", "mid.1457764197618:41d102a3e1ae206a38", "m_1fTq8oLumEyIp3Q2MR-aY7IfLZDamVrALniheU", "AG5Hz2U+x="} {
		e := parseOne(t, fmt.Sprintf(`"message":{"mid":%q,"attachments":[%s]}`, mid, image(aJPG, "")))
		if len(addresses(t, e)) != 1 {
			t.Errorf("mid %q: got %+v, want a photo that knows it", mid, e.Photos)
		}
	}
}

func TestFetchOfStrangeReference(t *testing.T) {
	p, c := start(t)
	seen := record(p)
	for _, ref := range []string{"", "{}", "null", "[]", "5", `{"url":7}`, `{"url":""}`, p.URL + cdnPath + "v/t1.15752-9/x.jpg", `{"url":"/x"}`, `{"url":"https://evil.example/x"}`} {
		_, err := read(c, connectors.Photo{Account: p.Pages[0].ID, Ref: ref})
		wantKind(t, ref, err, connectors.Refused)
	}
	_, err := read(c, connectors.Photo{Account: "1", Ref: photos(t, p, c)[0].Ref})
	wantKind(t, "an account that is not ours", err, connectors.Misconfigured)
	if len(seen()) != 0 {
		t.Errorf("got calls\n%s\nwant none", calls(seen()))
	}
}

// stranger is a host that is none of Meta's. It counts its visitors.
func stranger(t *testing.T) (address string, visits *atomic.Int64) {
	t.Helper()
	visits = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		visits.Add(1)
		_, _ = w.Write([]byte(original))
	}))
	t.Cleanup(server.Close)
	return server.URL, visits
}

// Three redirects are followed, each to a host of the list only.
func TestFetchFollowsRedirects(t *testing.T) {
	p, c := start(t)
	sent := photos(t, p, c)[0]
	foreign, visits := stranger(t)
	redirect := func(times int, last string) {
		n := 0
		p.Wrap(func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n++
				switch {
				case n < times, n == times && last == "":
					http.Redirect(w, r, r.URL.String(), http.StatusFound)
				case n == times:
					http.Redirect(w, r, last, http.StatusFound)
				default:
					h.ServeHTTP(w, r)
				}
			})
		})
	}
	redirect(3, "")
	wantBytes(t, "three redirects", c, sent, original)
	redirect(4, "")
	_, err := read(c, sent)
	wantKind(t, "four redirects", err, connectors.Refused)
	redirect(2, foreign+"/x")
	_, err = read(c, sent)
	wantKind(t, "redirect to a foreign host", err, connectors.Refused)
	if visits.Load() != 0 {
		t.Errorf("the foreign host was called %d times, want never", visits.Load())
	}
}

// TestFetchHosts asks which hosts are called, without calling any: a context
// that has ended stops the call, and only a host that is allowed gets so far.
func TestFetchHosts(t *testing.T) {
	tests := []struct {
		hosts   []string
		address string
		want    bool
	}{
		{nil, aJPG, true},
		{nil, "https://video-lax3-1.xx.fbcdn.net/x", true},
		{nil, "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1", true},
		{nil, "https://cdn.fbsbx.com/v/x", true},
		{nil, "https://SCONTENT.FBCDN.NET:443/x", true},
		{nil, "https://fbcdn.net/x", false},
		{nil, "https://evilfbcdn.net/x", false},
		{nil, "https://scontent.fbcdn.net.evil.example/x", false},
		{nil, "https://scontent.fbcdn.net:8443/x", false},
		{nil, "https://scontent.fbcdn.net@evil.example/x", false},
		{nil, "https://user@scontent.fbcdn.net/x", false},
		{nil, "http://scontent.xx.fbcdn.net/x", false},
		{nil, "https://graph.facebook.com/x", false},
		{nil, "https://127.0.0.1/x", false},
		{[]string{"media.example"}, "https://media.example/x", true},
		{[]string{"media.example"}, aJPG, false},
	}
	for _, test := range tests {
		s := settings("app-secret")
		s.MediaHosts = test.hosts
		_, err := fetchEnded(connect(t, s), test.address)
		if got := connectors.KindOf(err) != connectors.Refused; got != test.want || err == nil {
			t.Errorf("%s with hosts %q: got %v, want it called: %v", test.address, test.hosts, err, test.want)
		}
	}
}

// The Graph version is part of every address.
func TestFetchOfGraphVersion(t *testing.T) {
	p, _ := start(t)
	s := p.Settings("acme", "support").(*messenger.Config)
	s.GraphVersion, s.APIBase = "v31.0", s.APIBase+"/"
	s.Accounts[0].PageAccessToken = config.NewSecret(p.Pages[0].Token)
	c := connect(t, s)
	sent := photos(t, p, c)[0]
	p.ExpireAddresses()
	seen := record(p)
	wantBytes(t, "photo", c, sent, original)
	if got := seen()[1].URL.Path; !strings.HasPrefix(got, "/v31.0/m_") {
		t.Errorf("got %s, want version v31.0", got)
	}
}
