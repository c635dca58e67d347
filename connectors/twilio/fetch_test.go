package twilio_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twilio"
	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
)

// read fetches a photo to its end.
func read(t testing.TB, c connectors.Connector, photo connectors.Photo) ([]byte, error) {
	t.Helper()
	stream, err := c.Fetch(t.Context(), photo)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(stream)
	if closed := stream.Close(); err == nil {
		err = closed
	}
	return data, err
}

// onePhoto sends one photo through p.
func onePhoto(t testing.TB, c connectors.Connector, p *twiliosim.Platform) connectors.Photo {
	t.Helper()
	e := deliver(t, c, p, p.Form(said("one", nil), 0, [][]byte{jpeg}))
	if len(e.Photos) != 1 {
		t.Fatalf("got %d photos, want 1", len(e.Photos))
	}
	return e.Photos[0]
}

// always answers every call in the same way.
func always(answer http.HandlerFunc) func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler { return answer }
}

func TestFetch(t *testing.T) {
	for _, status := range []int{http.StatusTemporaryRedirect, http.StatusFound} {
		p := start(t)
		p.Redirect(status)
		c := connect(t, p, nil)
		got, err := read(t, c, onePhoto(t, c, p))
		if err != nil || !bytes.Equal(got, jpeg) {
			t.Errorf("%d: got %d bytes and error %v, want the %d that were sent", status, len(got), err, len(jpeg))
		}
		seen := p.Seen()
		if len(seen) != 1 {
			t.Fatalf("%d: got %d calls to the CDN, want 1", status, len(seen))
		}
		for name, values := range seen[0] {
			for _, secret := range []string{p.Token, p.AccountSID} {
				if name == "Authorization" || strings.Contains(strings.Join(values, " "), secret) {
					t.Errorf("%d: the CDN was sent credentials in %s", status, name)
				}
			}
		}
	}
}

// TestFetchCredentials checks what the API is shown.
func TestFetchCredentials(t *testing.T) {
	p := start(t)
	for _, row := range []struct {
		name   string
		change func(*twilio.Config)
		kind   connectors.ErrorKind // Other is success
	}{
		{"account and token", nil, connectors.Other},
		{"the first of two tokens", func(c *twilio.Config) {
			c.AuthToken = append(c.AuthToken, config.NewSecret("next"))
		}, connectors.Other},
		{"the API key", func(c *twilio.Config) {
			c.APIKeySID, c.APIKeySecret = p.KeySID, config.NewSecret(p.KeySecret)
			c.AuthToken = config.Secrets{config.NewSecret("verifies only")}
		}, connectors.Other},
		{"a wrong API key beside the right token", func(c *twilio.Config) {
			c.APIKeySID, c.APIKeySecret = p.KeySID, config.NewSecret("wrong")
		}, connectors.Misconfigured},
		{"an old token first", func(c *twilio.Config) {
			c.AuthToken = append(config.Secrets{config.NewSecret("old")}, c.AuthToken...)
		}, connectors.Misconfigured},
	} {
		photo := onePhoto(t, connect(t, p, nil), p)
		_, err := read(t, connect(t, p, row.change), photo)
		if connectors.KindOf(err) != row.kind || (err == nil) != (row.kind == connectors.Other) {
			t.Errorf("%s: got error %v, want kind %v", row.name, err, row.kind)
		}
		if err != nil && (strings.Contains(err.Error(), p.KeySID) || strings.Contains(err.Error(), "old")) {
			t.Errorf("%s: got credentials in the error: %v", row.name, err)
		}
	}
}

func TestFetchStatus(t *testing.T) {
	p := start(t)
	c := connect(t, p, nil)
	photo := onePhoto(t, c, p)
	for _, row := range []struct {
		server *sim.Server
		status int
		kind   connectors.ErrorKind
	}{
		{p.Server, 401, connectors.Misconfigured},
		{p.Server, 403, connectors.Misconfigured},
		{p.Server, 404, connectors.Gone},
		{p.Server, 429, connectors.Throttled},
		{p.Server, 500, connectors.Unavailable},
		{p.CDN, 400, connectors.Refused},
		{p.CDN, 403, connectors.Unavailable}, // the API has just said that the photo is there
		{p.CDN, 404, connectors.Unavailable},
		{p.CDN, 429, connectors.Throttled},
		{p.CDN, 503, connectors.Unavailable},
	} {
		row.server.Wrap(always(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(row.status) }))
		if _, err := read(t, c, photo); connectors.KindOf(err) != row.kind {
			t.Errorf("HTTP %d: got %v, want kind %v", row.status, err, row.kind)
		}
		row.server.Wrap(nil)
	}
	if _, err := read(t, c, photo); err != nil {
		t.Errorf("after all that: got %v, want the photo", err)
	}
	photo.Ref = messageSID + "/" + mediaSID
	if _, err := read(t, c, photo); connectors.KindOf(err) != connectors.Gone {
		t.Errorf("a medium that is not there: got %v, want kind gone", err)
	}
}

// TestFetchRedirects leads the connector to places where it must not go.
func TestFetchRedirects(t *testing.T) {
	p := start(t)
	c := connect(t, p, nil)
	photo := onePhoto(t, c, p)
	var calls atomic.Int32
	foreign, err := sim.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		_, _ = w.Write(jpeg)
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = foreign.Close() })
	port := strings.TrimPrefix(p.URL, "http://127.0.0.1")
	for _, target := range []string{
		foreign.URL + "/x", "//" + strings.TrimPrefix(foreign.URL, "http://") + "/x", "http://localhost" + port,
		"http://user:pw@127.0.0.1" + port, "http://[::1]" + port, "file:///etc/passwd", "http://169.254.169.254/latest",
		"https://mms.twiliocdn.com.evil.example/", "http://127.0.0.1%00.twiliocdn.com/", "/2010-04-01/loop",
	} {
		p.Server.Wrap(always(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", target)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}))
		_, err := read(t, c, photo)
		if connectors.KindOf(err) != connectors.Refused {
			t.Errorf("led to %s: got %v, want kind refused", target, err)
		}
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("got %d calls to a foreign host, want none", n)
	}
}

// TestFetchThreeHops has a CDN that leads on once more, as one before S3 does.
func TestFetchThreeHops(t *testing.T) {
	p := start(t)
	c := connect(t, p, nil)
	photo := onePhoto(t, c, p)
	p.CDN.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !r.URL.Query().Has("again") {
				http.Redirect(w, r, r.URL.Path+"?again=1&"+r.URL.RawQuery, http.StatusFound)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	if got, err := read(t, c, photo); err != nil || !bytes.Equal(got, jpeg) {
		t.Errorf("got %d bytes and error %v, want the photo", len(got), err)
	}
}

func TestFetchReferences(t *testing.T) {
	p := start(t)
	c := connect(t, p, nil)
	var calls atomic.Int32
	p.Wrap(always(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	for _, ref := range []string{
		"", "foreign", "https://evil.example/", p.URL, messageSID, messageSID + "/../" + mediaSID, messageSID + "/" + mediaSID + "?x",
		messageSID + "/" + mediaSID + "/", messageSID + "/" + mediaSID + "\n", "SM/ME", "message:1",
	} {
		if _, err := read(t, c, connectors.Photo{Account: p.Number, Ref: ref}); connectors.KindOf(err) != connectors.Refused {
			t.Errorf("%q: got %v, want kind refused", ref, err)
		}
	}
	_, err := read(t, c, connectors.Photo{Account: "+19995550100", Ref: messageSID + "/" + mediaSID})
	if connectors.KindOf(err) != connectors.Misconfigured || strings.Contains(err.Error(), "+1999") {
		t.Errorf("an unknown account: got %v, want kind misconfigured and no number", err)
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("got %d calls for references that are none, want none", n)
	}
}

// TestForeignMedia follows a photo that lies elsewhere: it is not lost, and it
// is not called.
func TestForeignMedia(t *testing.T) {
	p := start(t)
	c := connect(t, p, nil)
	form := p.Form(said("one", nil), 0, [][]byte{jpeg})
	form.Set("MediaUrl0", p.CDN.URL+"/"+p.AccountSID+"/x")
	e := deliver(t, c, p, form)
	if len(e.Photos) != 1 || e.Text != "hello" {
		t.Fatalf("got text %q with %d photos, want hello with 1", e.Text, len(e.Photos))
	}
	if _, err := read(t, c, e.Photos[0]); connectors.KindOf(err) != connectors.Refused {
		t.Errorf("got %v, want kind refused", err)
	}
	if n := len(p.Seen()); n != 0 {
		t.Errorf("got %d calls, want none", n)
	}
}

// TestClaimedTypeDecidesNothing serves a text as image/png: it comes through as
// it is, for the darkroom to judge.
func TestClaimedTypeDecidesNothing(t *testing.T) {
	p := start(t)
	c := connect(t, p, nil)
	form := p.Form(said("one", nil), 0, [][]byte{[]byte("no photo")})
	form.Set("MediaContentType0", "image/png")
	photo := deliver(t, c, p, form).Photos[0]
	got, err := read(t, c, photo)
	if err != nil || string(got) != "no photo" || photo.ClaimedType != "image/png" {
		t.Errorf("got %q of type %s and error %v, want what was sent", got, photo.ClaimedType, err)
	}
}

// TestSimulatedServers checks that the simulated platform is as strict as the
// real one.
func TestSimulatedServers(t *testing.T) {
	p := start(t)
	media := p.Form(said("one", nil), 0, [][]byte{jpeg}).Get("MediaUrl0")
	get := func(address, user, password string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			r.SetBasicAuth(user, password)
		}
		w, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = w.Body.Close()
		return w
	}
	location, err := url.Parse(get(media, p.AccountSID, p.Token).Header.Get("Location"))
	if err != nil || !location.Query().Has("Signature") {
		t.Fatalf("got location %v and error %v, want a signed address", location, err)
	}
	unsigned := *location
	unsigned.RawQuery = ""
	for _, row := range []struct {
		name, address, user, password string
		want                          int
	}{
		{"another message's address", strings.Replace(media, "/MM", "/SM", 1), p.AccountSID, p.Token, 404},
		{"another account's address", strings.Replace(media, p.AccountSID, accountSID, 1), p.AccountSID, p.Token, 404},
		{"no credentials", media, "", "", 401},
		{"a wrong token", media, p.AccountSID, "wrong", 401},
		{"the account's token", media, p.AccountSID, p.Token, 307},
		{"the API key", media, p.KeySID, p.KeySecret, 307},
		{"the CDN", location.String(), "", "", 200},
		{"the CDN with credentials", location.String(), p.AccountSID, p.Token, 400},
		{"the CDN without a signature", unsigned.String(), "", "", 403},
	} {
		if got := get(row.address, row.user, row.password).StatusCode; got != row.want {
			t.Errorf("%s: got HTTP %d, want %d", row.name, got, row.want)
		}
	}
}
