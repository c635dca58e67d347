package connectortest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

// foreigner is a host that is not the platform's. It answers like one and
// remembers what it was sent.
type foreigner struct {
	server *httptest.Server

	mu   sync.Mutex
	seen []string
	// shown is the first header by which a caller tried to prove who it is.
	shown string
}

func newForeigner() *foreigner {
	f := &foreigner{}
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.seen = append(f.seen, dump(r))
		for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie"} {
			if r.Header.Get(name) != "" && f.shown == "" {
				f.shown = name
			}
		}
		_, _ = w.Write(picture(9))
	}))
	return f
}

// dump returns all that r says; who handles r can still read its body.
func dump(r *http.Request) string {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s %s\n", r.Method, r.URL)
	_ = r.Header.Write(&text)
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	text.Write(body)
	return text.String()
}

// calls returns how often somebody called.
func (f *foreigner) calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.seen)
}

// leak returns an error if a caller has shown credentials or a secret.
func (f *foreigner) leak(secrets []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shown != "" {
		return fmt.Errorf("a host that is not the platform's was sent a header %s", f.shown)
	}
	for _, text := range f.seen {
		for _, s := range secrets {
			if strings.Contains(text, s) || strings.Contains(text, url.QueryEscape(s)) {
				return fmt.Errorf("a host that is not the platform's was sent a secret")
			}
		}
	}
	return nil
}

// addresses returns what the foreign host can be called. The first looks like
// the platform's own, but for the port.
func (f *foreigner) addresses() []string {
	local := strings.Replace(f.server.URL, "127.0.0.1", "localhost", 1)
	return []string{
		f.server.URL + "/v1/media?token=x", local + "/v1/media", strings.TrimPrefix(local, "http:") + "/v1/media",
		strings.Replace(f.server.URL, "//", "//user:word@", 1) + "/v1/media",
	}
}

func checkFetchForeign(b *bench) error {
	p, steps, err := b.photoAndSteps()
	if err != nil {
		return err
	}
	f := newForeigner()
	defer f.server.Close()
	secrets := secretsOf(b.settings)
	for k := range steps {
		for _, address := range f.addresses() {
			for _, status := range []int{301, 302, 303, 307, 308} {
				b.fault(steps, k, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
					w.Header().Set("Location", address)
					w.WriteHeader(status)
				})
				_, _ = fetch(b.ctx, b.connector, p)
				if err := f.leak(secrets); err != nil {
					return fmt.Errorf("%w after HTTP %d at step %d", err, status, k+1)
				}
			}
		}
		b.fault(steps, k, func(w http.ResponseWriter, r *http.Request, h http.Handler) { elsewhere(w, r, h, f) })
		_, _ = fetch(b.ctx, b.connector, p)
		if err := f.leak(secrets); err != nil {
			return fmt.Errorf("%w after an answer that names it at step %d", err, k+1)
		}
	}
	return nil
}

// elsewhere passes on the platform's answer with the foreign host's address
// wherever the platform names its own.
func elsewhere(w http.ResponseWriter, r *http.Request, h http.Handler, f *foreigner) {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	foreign := strings.TrimPrefix(f.server.URL, "http://")
	for name, values := range rec.Header() {
		for _, v := range values {
			w.Header().Add(name, strings.ReplaceAll(v, r.Host, foreign))
		}
	}
	w.Header().Del("Content-Length")
	w.WriteHeader(rec.Code)
	body := bytes.ReplaceAll(rec.Body.Bytes(), []byte(r.Host), []byte(foreign))
	_, _ = w.Write(body) //nolint:gosec // It is meant to be hostile.
}

func checkFetchAccount(b *bench) error {
	p, err := b.onePhoto()
	if err != nil {
		return err
	}
	s := b.platform.Settings("acme", "support")
	decoy, err := withDecoy(s)
	if err != nil {
		return err
	}
	c, err := b.build(s, time.Now)
	if err != nil {
		return fmt.Errorf("settings with two accounts: %w", err)
	}
	got, err := fetch(b.ctx, c, p)
	if err != nil {
		return fmt.Errorf("a photo of the second of two accounts: %w", err)
	}
	if !bytes.Equal(got, picture(1)) {
		return fmt.Errorf("got %d other bytes than those that were sent", len(got))
	}
	calls := b.counting()
	for _, account := range []string{"", "nobody", decoy.ID + "0", decoy.ID} {
		stranger := p
		stranger.Account = account
		// The connector of one account does not know the decoy.
		_, err := fetch(b.ctx, b.connector, stranger)
		if err := wantKind(err, connectors.Misconfigured, connectors.Refused); err != nil {
			return fmt.Errorf("a photo of account %q, which is not configured: %w", account, err)
		}
	}
	if n := calls(); n != 0 {
		return fmt.Errorf("got %d calls for accounts that are not configured, want none", n)
	}
	return nil
}

// checkFetchPrivate tries the first address only, since no simulated platform has
// a public one to be redirected from. The later ones are package wire's part,
// whose tests have them; the test TestChannelsCallByWireAlone sees to it that no
// channel goes another way.
func checkFetchPrivate(b *bench) error {
	p, err := b.onePhoto()
	if err != nil {
		return err
	}
	calls := b.counting()
	c, err := b.publicOnly()
	if err != nil {
		return wantKind(err, connectors.Misconfigured)
	}
	_, err = fetch(b.ctx, c, p)
	if n := calls(); n != 0 {
		return fmt.Errorf("got %d calls at a private address, want none", n)
	}
	return wantKind(err, connectors.Refused)
}

func checkFetchNonsense(b *bench) error {
	p, err := b.onePhoto()
	if err != nil {
		return err
	}
	f := newForeigner()
	defer f.server.Close()
	refs := append(f.addresses(), "", " ", "\x00", "?", "#", "..", "../../x", "//", "://", "%", "[]", "{}", "null", strings.Repeat("A", 1<<20), "写")
	calls := b.counting()
	for _, ref := range refs {
		q := p
		q.Ref = ref
		_, err := fetch(b.ctx, b.connector, q)
		if err := wantKind(err, connectors.Refused, connectors.Malformed); err != nil {
			return fmt.Errorf("reference %.100q: %w", ref, err)
		}
	}
	if n := calls() + f.calls(); n != 0 {
		return fmt.Errorf("got %d calls for references that are none, want none", n)
	}
	return damagedRefs(b, p, f)
}

// damagedRefs fetches references that begin or end like a real one. They may
// fail in any way, but lead to no other host.
func damagedRefs(b *bench, p connectors.Photo, f *foreigner) error {
	host := strings.TrimPrefix(f.server.URL, "http://")
	for _, tail := range []string{"@" + host, "/../../" + host, "#" + host, "?" + host, "\r\nHost: " + host, ":" + f.server.URL, "\x00"} {
		for _, ref := range []string{p.Ref + tail, strings.TrimPrefix(tail, "/") + p.Ref} {
			q := p
			q.Ref = ref
			_, _ = fetch(b.ctx, b.connector, q)
		}
	}
	if n := f.calls(); n != 0 {
		return fmt.Errorf("got %d calls at a host that is not the platform's, want none", n)
	}
	return nil
}
