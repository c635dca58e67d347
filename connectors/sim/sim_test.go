package sim_test

import (
	"io"
	"net/http"
	"regexp"
	"testing"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

func TestDigest(t *testing.T) {
	if one, two := sim.Digest(32, "a", "b"), sim.Digest(32, "a", "b"); one != two || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(one) {
		t.Errorf("got %q and %q, want the same 32 hex digits", one, two)
	}
	// Where one word ends and the next begins matters.
	if one, two := sim.Digest(32, "ab", "c"), sim.Digest(32, "a", "bc"); one == two {
		t.Errorf("got %q for two lists of words", one)
	}
}

func TestDecimal(t *testing.T) {
	form, seen := regexp.MustCompile(`^[1-9][0-9]{15}$`), map[string]bool{}
	for i := range 1000 {
		word := string(rune('a'+i%26)) + string(rune('a'+i/26))
		got := sim.Decimal(16, word)
		if !form.MatchString(got) || got != sim.Decimal(16, word) || seen[got] {
			t.Fatalf("got %q for %q, want 16 digits, always these and never others'", got, word)
		}
		seen[got] = true
	}
}

func TestSecret(t *testing.T) {
	if one, two := sim.Secret(), sim.Secret(); one == two || len(one) != 32 {
		t.Errorf("got %q and %q, want two secrets of 32 digits", one, two)
	}
}

// status asks the server and returns its answer's status, or 0.
func status(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

func answer(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

func TestServer(t *testing.T) {
	s, err := sim.Serve(answer(http.StatusOK))
	if err != nil {
		t.Fatal(err)
	}
	if got := status(t, s.URL); got != http.StatusOK {
		t.Errorf("got status %d, want 200", got)
	}
	s.Wrap(func(http.Handler) http.Handler { return answer(http.StatusTeapot) })
	if got := status(t, s.URL); got != http.StatusTeapot {
		t.Errorf("wrapped: got status %d, want 418", got)
	}
	s.Wrap(nil)
	if got := status(t, s.URL); got != http.StatusOK {
		t.Errorf("unwrapped: got status %d, want 200", got)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if got := status(t, s.URL); got != 0 {
		t.Errorf("closed: got status %d, want no answer", got)
	}
}

func TestShelf(t *testing.T) {
	var s sim.Shelf
	if _, ok := s.Get("a"); ok {
		t.Error("got something from an empty shelf")
	}
	s.Put("a", []byte("photo"))
	if got, ok := s.Get("a"); !ok || string(got) != "photo" {
		t.Errorf("got %q, %v, want what was put there", got, ok)
	}
}

func TestBackend(t *testing.T) {
	s, err := sim.Serve(answer(http.StatusOK))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	first, second := sim.Sent{ID: "1", Text: "one"}, sim.Sent{ID: "2", Text: "two"}
	s.Deliver(first)
	s.Deliver(second)
	if got := s.Sent(); len(got) != 2 || got[0] != first || got[1] != second {
		t.Errorf("got %+v, want what was delivered, in order", got)
	}
	r := &connectors.Request{URL: "https://gateway.example"}
	if status, _ := s.Knock(r); status != 0 {
		t.Errorf("got status %d without a way to the gateway, want 0", status)
	}
	s.Reach(func(got *connectors.Request) (int, string) { return http.StatusOK, got.URL })
	if status, body := s.Knock(r); status != http.StatusOK || body != r.URL {
		t.Errorf("got %d %q, want the gateway's answer", status, body)
	}
}

// A server that moves answers at both addresses and goes by the later one; to an
// address elsewhere it does not move.
func TestMove(t *testing.T) {
	first, err := sim.Serve(answer(http.StatusTeapot))
	if err != nil {
		t.Fatal(err)
	}
	was := first.URL
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := sim.Serve(answer(http.StatusTeapot))
	if err != nil {
		t.Fatal(err)
	}
	own := s.URL
	for _, elsewhere := range []string{"", "https://api.line.me", "http://api.line.me:80", "http://127.0.0.1", own + "/v1"} {
		if err := s.Move(elsewhere); err != nil || s.URL != own {
			t.Errorf("moved to %q: %q, %v", elsewhere, s.URL, err)
		}
	}
	if err := s.Move(was + "/v1"); err != nil || s.URL != was {
		t.Fatalf("got %q, %v; want %q", s.URL, err, was)
	}
	for _, address := range []string{own, was} {
		if got := status(t, address); got != http.StatusTeapot {
			t.Errorf("%s answers %d, want 418", address, got)
		}
	}
	if err := s.Move(was[:len(was)-1] + "x"); err != nil || s.URL != was {
		t.Errorf("an address that is none: %q, %v", s.URL, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{own, was} {
		if got := status(t, address); got != 0 {
			t.Errorf("%s answers %d after Close", address, got)
		}
	}
}
