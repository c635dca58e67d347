package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

func TestCallSendsTheRequestAsItIs(t *testing.T) {
	server := serveTLS(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "session=1")
		body, _ := io.ReadAll(r.Body)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"method": r.Method, "host": r.Host, "uri": r.RequestURI, "body": string(body), "proto": r.Proto,
			"auth": r.Header.Get("Authorization"), "agent": r.UserAgent(),
			"cookie": r.Header.Get("Cookie"), "encoding": r.Header.Get("Accept-Encoding"),
		})
	})
	client := strict(t, map[string]*httptest.Server{"api.example.com": server})
	for range 2 { // the second call would bring a cookie
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.example.com/v2/x?a=%2F", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer t")
		data, err := client.Call(t.Context(), "test: call", req, 1<<10)
		if err != nil {
			t.Fatal(err)
		}
		want := `{"agent":"Lightlock","auth":"Bearer t","body":"hello","cookie":"","encoding":"",` +
			`"host":"api.example.com","method":"POST","proto":"HTTP/2.0","uri":"/v2/x?a=%2F"}` + "\n"
		if string(data) != want {
			t.Errorf("got %s, want %s", data, want)
		}
		if req.Header.Get("User-Agent") != "" {
			t.Error("the caller's request was changed")
		}
	}
}

func TestCallRefusesWhatLeadsElsewhere(t *testing.T) {
	client := NewClient(Options{})
	for _, address := range []string{
		"http://api.example.com/", "https://user:pass@api.example.com/", "https://127.0.0.1/", "https://[::1]/",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Call(t.Context(), "test: call", req, 10)
		wantKind(t, err, connectors.Refused)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "other.example.com"
	_, err = client.Call(t.Context(), "test: call", req, 10)
	wantKind(t, err, connectors.Refused)
}

func TestCallCapsTheBody(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 100)) })
	client := simulated(t, Options{})
	for _, row := range []struct {
		limit int64
		want  connectors.ErrorKind
	}{{100, -1}, {101, -1}, {99, connectors.Malformed}, {0, connectors.Malformed}} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		data, err := client.Call(t.Context(), "test: call", req, row.limit)
		if row.want >= 0 {
			wantKind(t, err, row.want)
		} else if err != nil || len(data) != 100 {
			t.Errorf("limit %d: got %d bytes, %v, want 100", row.limit, len(data), err)
		}
	}
}

func TestCallNeverFollowsARedirect(t *testing.T) {
	var paths []string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/here", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = simulated(t, Options{}).Call(t.Context(), "test: call", req, 10)
	wantKind(t, err, connectors.Unavailable)
	if len(paths) != 1 || paths[0] != "/here" {
		t.Errorf("got calls of %q, want /here alone", paths)
	}
}

// outdated starts a server that knows no TLS beyond 1.1.
func outdated(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(photo))
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestFailuresOfTheNetwork(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	reset := serveRaw(t, func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) })
	garbage := serveRaw(t, func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.2\r\n\r\n") })
	untrusted := serveTLS(t, func(http.ResponseWriter, *http.Request) {})
	untrusted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	rows := []struct{ name, url, want string }{
		{"connection refused", "http://" + closed.Addr().String(), "connection refused"},
		{"connection reset", "http://" + reset, "connection reset"},
		{"not HTTP", "http://" + garbage, "connection broken"},
		{"not TLS", "https://" + garbage, "TLS failure"},
		{"certificate", untrusted.URL, "TLS failure: certificate"},
		{"TLS 1.1", outdated(t).URL, "TLS failure"},
		{"port that is none", "http://127.0.0.1:99999", "connection broken"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := fetchAll(t.Context(), simulated(t, Options{}), Fetch{URL: row.url})
			wantKind(t, err, connectors.Unavailable)
			if got := err.Error(); !strings.HasSuffix(got, ": "+row.want) {
				t.Errorf("got %q, want it to end with %q", got, row.want)
			}
		})
	}
}

func TestNamesThatDoNotResolve(t *testing.T) {
	client := NewClient(Options{})
	client.dialer.Resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no server")
	}}
	_, err := fetchAll(t.Context(), client, Fetch{URL: "https://photos.example.com/x"})
	wantKind(t, err, connectors.Unavailable)
	if want := testOp + ": unavailable: photos.example.com: DNS failure"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestDeadlinesUnlessSet(t *testing.T) {
	client := NewClient(Options{})
	if o := client.options; o.Timeout != time.Minute || o.IdleTimeout != 10*time.Second || client.transport.ResponseHeaderTimeout != 10*time.Second {
		t.Errorf("got %+v, want a minute for a call and 10 s for each wait", o)
	}
}

func TestClientUsesNoProxy(t *testing.T) {
	if NewClient(Options{}).transport.Proxy != nil {
		t.Error("got a proxy, want none: it would see the name instead of the dialler")
	}
}

// canary is in everything that a URL, a header or a server can say. None of it
// may be in an error.
const canary = "CANARY"

func TestErrorsKeepSecrets(t *testing.T) {
	talk := func(answer string) string {
		return "http://" + serveRaw(t, func(c net.Conn) { _, _ = io.WriteString(c, strings.ReplaceAll(answer, "$", canary)) })
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	servers := map[string]string{
		"status":        talk("HTTP/1.1 400 $\r\nX-Token: $\r\nContent-Length: 6\r\n\r\n$"),
		"reason":        talk("HTTP/1.1 $ $\r\n\r\n"),
		"header":        talk("HTTP/1.1 200 OK\r\n$\r\n\r\n"),
		"protocol":      talk("$ 200 OK\r\n\r\n"),
		"length":        talk("HTTP/1.1 200 OK\r\nContent-Length: $\r\n\r\n"),
		"encoding":      talk("HTTP/1.1 200 OK\r\nTransfer-Encoding: $\r\n\r\n"),
		"chunk":         talk("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n$\r\n"),
		"short":         talk("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n$"),
		"foreign host":  talk("HTTP/1.1 302 Found\r\nLocation: http://other.test/$?$=$\r\nContent-Length: 0\r\n\r\n"),
		"foreign file":  talk("HTTP/1.1 302 Found\r\nLocation: file:///$\r\nContent-Length: 0\r\n\r\n"),
		"bad location":  talk("HTTP/1.1 302 Found\r\nLocation: http://[$/\r\nContent-Length: 0\r\n\r\n"),
		"user info":     talk("HTTP/1.1 302 Found\r\nLocation: http://$:$@127.0.0.1/\r\nContent-Length: 0\r\n\r\n"),
		"no name":       talk("HTTP/1.1 302 Found\r\nLocation: http://a=$/\r\nContent-Length: 0\r\n\r\n"),
		"loop":          talk("HTTP/1.1 302 Found\r\nLocation: /$?$#$\r\nContent-Length: 0\r\n\r\n"),
		"refused":       "http://" + closed.Addr().String(),
		"scheme":        canary + "://127.0.0.1",
		"cannot parse":  "http://%zz" + canary,
		"port":          "http://127.0.0.1:99999",
		"header value":  talk("$"),
		"not even HTTP": talk("$\r\n"),
	}
	for name, address := range servers {
		t.Run(name, func(t *testing.T) {
			_, err := fetchAll(t.Context(), simulated(t, Options{Timeout: 10 * time.Second}), Fetch{
				URL:          address + "/" + canary + "?token=" + canary + "#" + canary,
				MaxRedirects: 3,
				Authorize:    func(_ *url.URL) (string, bool) { return "Bearer " + canary, true },
				Hosts:        func(u *url.URL) bool { return u.Hostname() == "127.0.0.1" },
			})
			if err == nil {
				t.Fatal("got no error")
			}
			var log bytes.Buffer
			slog.New(slog.NewJSONHandler(&log, nil)).Error("fetch", "err", err)
			text := log.String() + fmt.Sprintf("%v %+v %#v %s %q", err, err, err, err, err)
			if strings.Contains(strings.ToUpper(text), canary) {
				t.Errorf("the secret is in %s", text)
			}
		})
	}
}
