package wire

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/lightlock/lightlock/connectors"
)

// recorder is a server that notes what it sees.
type recorder struct {
	mu   sync.Mutex
	seen []*http.Request
	*httptest.Server
}

func record(t *testing.T, h http.HandlerFunc) *recorder {
	t.Helper()
	r := &recorder{}
	r.Server = serveTLS(t, func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.seen = append(r.seen, req)
		r.mu.Unlock()
		h(w, req)
	})
	return r
}

func (r *recorder) requests() []*http.Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*http.Request(nil), r.seen...)
}

func photo(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("photo")) }

func redirect(status int, location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(status)
	}
}

// basicFor returns credentials for one host.
func basicFor(host string) func(*url.URL) (string, bool) {
	allowed := HostList(host)
	return func(u *url.URL) (string, bool) { return "Basic c2VjcmV0", allowed(u) }
}

func TestCredentialsNeverReachTheSecondHost(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			api := record(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Set-Cookie", "session=secret; Domain=example.com")
				w.Header().Set("Location", "https://cdn.example.com/photo?Signature=s")
				w.WriteHeader(status)
			})
			cdn := record(t, photo)
			client := strict(t, map[string]*httptest.Server{"api.example.com": api.Server, "cdn.example.com": cdn.Server})
			got, err := fetchAll(t.Context(), client, Fetch{
				URL: "https://api.example.com/Media/1", MaxRedirects: 1,
				Hosts: HostList("api.example.com", ".example.com"), Authorize: basicFor("api.example.com"),
			})
			if err != nil || string(got) != "photo" {
				t.Fatalf("got %q, %v, want the photo", got, err)
			}
			first, second := api.requests(), cdn.requests()
			if len(first) != 1 || first[0].Header.Get("Authorization") != "Basic c2VjcmV0" {
				t.Errorf("API host: got %d requests, want one with credentials", len(first))
			}
			want := http.Header{"User-Agent": {"Lightlock"}}
			if len(second) != 1 || !reflect.DeepEqual(second[0].Header, want) || second[0].Method != http.MethodGet {
				t.Fatalf("other host: got %v, want one GET with %v", second, want)
			}
		})
	}
}

func TestCredentialsAreAskedForOnEveryHop(t *testing.T) {
	api := record(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/photo" {
			photo(w, r)
			return
		}
		redirect(307, "/photo")(w, r)
	})
	client := strict(t, map[string]*httptest.Server{"api.example.com": api.Server})
	_, err := fetchAll(t.Context(), client, Fetch{
		URL: "https://api.example.com/Media/1", MaxRedirects: 1, Hosts: HostList("api.example.com"),
		Authorize: func(u *url.URL) (string, bool) { return "Bearer " + u.Path, true },
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range []string{"/Media/1", "/photo"} {
		if got := api.requests()[i].Header.Get("Authorization"); got != "Bearer "+path {
			t.Errorf("hop %d: got %q, want credentials for %s", i, got, path)
		}
	}
}

func TestRedirectsThatAreRefused(t *testing.T) {
	rows := []struct{ name, location, want string }{
		{"foreign host", "https://evil.example.org/", "evil.example.org: host is not allowed"},
		{"foreign host, no scheme", "//evil.example.org/x", "evil.example.org: host is not allowed"},
		{"foreign port", "https://api.example.com:8443/", "api.example.com:8443: host is not allowed"},
		{"downgrade", "http://api.example.com/", "api.example.com: redirect to another scheme than https"},
		{"file", "file:///etc/passwd", "api.example.com: redirect to another scheme than https"},
		{"user info", "https://u:p@api.example.com/", "api.example.com: user info in the address"},
		{"address", "https://127.0.0.1/", "127.0.0.1: IP address instead of a name"},
		{"IPv6 address", "https://[::1]/", "::1: IP address instead of a name"},
		{"decimal address", "https://2130706433/", "2130706433: IP address instead of a name"},
		{"metadata", "https://169.254.169.254/latest/", "169.254.169.254: IP address instead of a name"},
		{"loop", "/again", "api.example.com: too many redirects"},
		{"unreadable", "https://[::1", "api.example.com: redirect cannot be read"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			api := record(t, redirect(302, row.location))
			client := strict(t, map[string]*httptest.Server{"api.example.com": api.Server, "evil.example.org": api.Server})
			_, err := fetchAll(t.Context(), client, Fetch{
				URL: "https://api.example.com/Media/1", MaxRedirects: 99, Hosts: HostList("api.example.com"),
			})
			wantKind(t, err, connectors.Refused)
			if want := testOp + ": refused: " + row.want; err.Error() != want {
				t.Errorf("got %q, want %q", err, want)
			}
			want := 1
			if row.name == "loop" {
				want = 4
			}
			if got := len(api.requests()); got != want {
				t.Errorf("got %d requests, want %d", got, want)
			}
		})
	}
}

func TestRedirectToAPrivateAddressIsRefused(t *testing.T) {
	api := record(t, redirect(302, "https://inside.example.com/latest/meta-data"))
	client := strict(t, map[string]*httptest.Server{"api.example.com": api.Server})
	viaTest := client.transport.DialContext
	client.dialer.Resolver = resolver(t, "169.254.169.254")
	client.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasPrefix(address, "inside.") {
			return client.dialer.DialContext(ctx, network, address)
		}
		return viaTest(ctx, network, address)
	}
	_, err := fetchAll(t.Context(), client, Fetch{URL: "https://api.example.com/x", MaxRedirects: 3})
	wantKind(t, err, connectors.Refused)
	if want := testOp + ": refused: inside.example.com: private address"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestRedirectsAreCounted(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var left int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &left)
		if left == 0 {
			photo(w, r)
			return
		}
		redirect(302, fmt.Sprintf("/%d", left-1))(w, r)
	})
	rows := []struct {
		hops, max int
		want      connectors.ErrorKind // negative: the photo
	}{
		{0, 0, -1}, {1, 1, -1}, {3, 3, -1}, {3, 99, -1},
		{1, 0, connectors.Unavailable}, {1, -1, connectors.Unavailable},
		{2, 1, connectors.Refused}, {4, 3, connectors.Refused}, {4, 99, connectors.Refused},
	}
	for _, row := range rows {
		t.Run(fmt.Sprintf("%d of %d", row.hops, row.max), func(t *testing.T) {
			address := fmt.Sprintf("%s/%d", server.URL, row.hops)
			got, err := fetchAll(t.Context(), simulated(t, Options{}), Fetch{URL: address, MaxRedirects: row.max})
			if row.want >= 0 {
				wantKind(t, err, row.want)
			} else if err != nil || string(got) != "photo" {
				t.Errorf("got %q, %v, want the photo", got, err)
			}
		})
	}
}

func TestBodyOfARedirectIsNotRead(t *testing.T) {
	stopped := make(chan struct{})
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/photo" {
			<-stopped // while the client waits for this answer
			photo(w, r)
			return
		}
		redirect(302, "/photo")(w, r)
		for {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				close(stopped)
				return
			}
		}
	})
	got, err := fetchAll(t.Context(), simulated(t, Options{}), Fetch{URL: server.URL, MaxRedirects: 1})
	if err != nil || string(got) != "photo" {
		t.Errorf("got %q, %v, want the photo", got, err)
	}
}

func TestRedirectWithoutALocation(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) })
	_, err := fetchAll(t.Context(), simulated(t, Options{}), Fetch{URL: server.URL, MaxRedirects: 3})
	wantKind(t, err, connectors.Unavailable)
}

// A consumer must not be able to alarm an operator with a link that wants a
// password.
func TestForbiddenWithoutCredentialsIsGone(t *testing.T) {
	for _, status := range []int{401, 403} {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		client := simulated(t, Options{})
		_, err := fetchAll(t.Context(), client, Fetch{URL: server.URL})
		wantKind(t, err, connectors.Gone)
		_, err = fetchAll(t.Context(), client, Fetch{URL: server.URL, Hosts: HostList(hostport(server)), Authorize: basicFor(hostport(server))})
		wantKind(t, err, connectors.Misconfigured)
	}
}

func TestCredentialsWantAListOfHosts(t *testing.T) {
	server := record(t, photo)
	client := strict(t, map[string]*httptest.Server{"api.example.com": server.Server})
	_, err := fetchAll(t.Context(), client, Fetch{URL: "https://api.example.com/", Authorize: basicFor("api.example.com")})
	wantKind(t, err, connectors.Refused)
	if got := len(server.requests()); got != 0 {
		t.Errorf("got %d requests, want none", got)
	}
}

func TestFirstHopIsJudgedByTheHostList(t *testing.T) {
	server := serve(t, photo)
	client := simulated(t, Options{})
	_, err := fetchAll(t.Context(), client, Fetch{URL: server.URL, Hosts: HostList("127.0.0.1:1")})
	wantKind(t, err, connectors.Refused)
	got, err := fetchAll(t.Context(), client, Fetch{URL: server.URL, Hosts: HostList(hostport(server))})
	if err != nil || string(got) != "photo" {
		t.Errorf("got %q, %v, want the photo", got, err)
	}
}
