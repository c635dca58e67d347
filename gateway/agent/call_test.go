package agent_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/agent"
	"github.com/lightlock/lightlock/gateway/problem"
)

// raw makes a call whose answer the document need not know.
func (h *house) raw(token, method, target, body string, headers ...string) answer {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), method, "http://"+h.address+target, strings.NewReader(body))
	h.must(err)
	r.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	got, err := http.DefaultClient.Do(r)
	h.must(err)
	defer got.Body.Close()
	text := make([]byte, 4<<10)
	n, _ := got.Body.Read(text)
	return answer{got.StatusCode, got.Header, string(text[:n])}
}

// Bodies are JSON of what is described, once, and not endless.
func TestBodies(t *testing.T) {
	h := open(t)
	id := h.wait("hello")
	target := "/v1/conversations/" + id + "/transfer"
	const as = "application/json"
	for _, c := range []struct {
		name, kind, body string
		want             problem.Kind
	}{
		{"no JSON", as, "to=eva", problem.Invalid},
		{"nothing", as, "", problem.Invalid},
		{"half", as, `{"to":"e`, problem.Invalid},
		{"a list", as, `[]`, problem.Invalid},
		{"a text", as, `"eva"`, problem.Invalid},
		{"a number for a text", as, `{"to":7}`, problem.Invalid},
		{"nobody named", as, `{}`, problem.Invalid},
		{"null", as, `null`, problem.Invalid},
		{"a field that nobody knows", as, `{"to":"eva","why":"lunch"}`, problem.Invalid},
		{"two values", as, `{"to":"eva"}{"to":"ben"}`, problem.Invalid},
		{"something behind it", as, `{"to":"eva"} x`, problem.Invalid},
		{"nobody's name", as, `{"to":"nobody"}`, problem.Invalid},
		{"an agent of another queue", as, `{"to":"sal"}`, problem.Invalid},
		{"a service", as, `{"to":"desk"}`, problem.Invalid},
		{"for somebody else", as, `{"to":"ben","agent":"eva"}`, problem.Invalid},
		{"a form", "application/x-www-form-urlencoded", `{"to":"eva"}`, problem.UnsupportedMediaType},
		{"text", "text/plain", `{"to":"eva"}`, problem.UnsupportedMediaType},
		{"nothing said", "", `{"to":"eva"}`, problem.UnsupportedMediaType},
		{"nonsense", ";;", `{"to":"eva"}`, problem.UnsupportedMediaType},
		{"too much", as, `{"to":"` + strings.Repeat("e", 64<<10) + `"}`, problem.TooLarge},
		{"much too much", as, strings.Repeat(" ", 1<<20), problem.TooLarge},
		{"deep", as, `{"to":` + strings.Repeat("[", 30_000), problem.Invalid},
	} {
		headers := []string{}
		if c.kind != "" {
			headers = []string{"Content-Type", c.kind}
		}
		h.raw(benToken, http.MethodPost, target, c.body, headers...).want(t, c.name, c.want.Status(), string(c.want))
	}
	h.raw(deskToken, http.MethodPost, target, `{"to":"eva"}`, "Content-Type", "application/json; charset=utf-8").want(t, "a good one", http.StatusOK)
}

// What the router refuses is a problem too.
func TestWhatIsNotThere(t *testing.T) {
	h := open(t)
	for target, want := range map[string]problem.Kind{
		"GET /v1/nothing": problem.NotFound, "POST /v1/": problem.NotFound, "GET /v1/conversations/x/y/z": problem.NotFound,
		"DELETE /v1/me": problem.MethodNotAllowed, "BREW /v1/conversations": problem.MethodNotAllowed,
		"HEAD /v1/me":                          problem.MethodNotAllowed,
		"GET /v1/conversations/support.0/take": problem.MethodNotAllowed, "POST /v1/photos/x/preview": problem.MethodNotAllowed,
	} {
		method, path, _ := strings.Cut(target, " ")
		a := h.raw(benToken, method, path, "")
		if a.status != want.Status() || a.header.Get("Content-Type") != "application/problem+json" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: answered %d %v", target, a.status, a.header)
		}
		if want == problem.MethodNotAllowed && a.header.Get("Allow") == "" {
			t.Errorf("%s: nothing is said to be allowed", target)
		}
	}
}

// An id that is none, one of another queue and one that is not there are answered
// with the same bytes.
func TestWhatIsNotOnesOwnLooksLikeNothing(t *testing.T) {
	h := open(t)
	other := h.hear(said{queue: sales, consumer: "U1", text: "hello"})
	unknown := strings.Repeat("0a", 16)
	var first answer
	for _, id := range []string{
		"support." + unknown, other, "sales." + unknown, "nowhere." + unknown, unknown, "x", "support.", "." + unknown, "support." + strings.ToUpper(unknown),
		"support." + unknown + ".0", "..", "%2e%2e%2f", "support%00." + unknown, strings.Repeat("a", 4000),
	} {
		a := h.raw(benToken, http.MethodGet, "/v1/conversations/"+id, "").want(t, id, http.StatusNotFound, "not_found")
		a.header.Del("Date")
		if first.body == "" {
			first = a
		}
		same := a.body == first.body && len(a.header) == len(first.header)
		for name := range first.header {
			same = same && a.header.Get(name) == first.header.Get(name)
		}
		if !same {
			t.Errorf("%s: answered %s %v and before %s %v", id, a.body, a.header, first.body, first.header)
		}
	}
}

// Nothing may be kept, or taken for something else.
func TestEveryAnswerIsGuarded(t *testing.T) {
	h := open(t)
	id := h.wait("hello")
	for _, target := range []string{"/v1/me", "/v1/conversations", "/v1/conversations/" + id, "/v1/conversations/x", "/v1/agents", "/v1/photos/x/preview"} {
		for _, token := range []string{benToken, ""} {
			a := h.call(token, http.MethodGet, target, "")
			for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
				if got := a.header.Get(name); got != want {
					t.Errorf("%s: %s is %q, want %q", target, name, got, want)
				}
			}
			if got := a.header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'") {
				t.Errorf("%s: the content security policy is %q", target, got)
			}
		}
	}
}

func TestTheDocumentIsServed(t *testing.T) {
	h := open(t)
	a := h.call("", http.MethodGet, "/v1/openapi.json", "").want(t, "JSON", http.StatusOK)
	var d object
	if err := json.Unmarshal([]byte(a.body), &d); err != nil || d["openapi"] != "3.1.0" {
		t.Errorf("got %v, %v", d["openapi"], err)
	}
	if a := h.call("", http.MethodGet, "/v1/openapi.yaml", "").want(t, "YAML", http.StatusOK); a.body != string(agent.OpenAPI()) {
		t.Error("the YAML is not the document")
	}
}

// Without conversations there are photos for services, and nothing else.
func TestWithoutConversations(t *testing.T) {
	h := open(t, func(o *agent.Options) { o.Without = true })
	p := h.photo(support + "." + strings.Repeat("0a", 16))
	for _, target := range []string{"/v1/conversations", "/v1/conversations?view=closed", "/v1/events", "/v1/conversations/support." + strings.Repeat("0a", 16), "/v1/photos/" + p.ID + "/preview"} {
		h.call(benToken, http.MethodGet, target, "").want(t, target, http.StatusNotFound, "not_found")
	}
	h.call(deskToken, http.MethodGet, "/v1/photos/"+p.ID+"/preview", "").want(t, "a service", http.StatusOK)
	h.call(benToken, http.MethodGet, "/v1/me", "").want(t, "me", http.StatusOK)
}

// A Redis that is away is nobody's fault, and says nothing about anybody.
func TestRedisIsAway(t *testing.T) {
	h := open(t)
	id := h.wait("hello")
	p := h.photo(id)
	h.redis.Kill()
	for _, c := range []string{
		"GET /v1/conversations", "GET /v1/conversations?view=closed", "GET /v1/conversations/" + id, "GET /v1/conversations/" + id + "/messages",
		"POST /v1/conversations/" + id + "/take", "POST /v1/conversations/" + id + "/close", "GET /v1/photos/" + p.ID + "/preview", "GET /v1/events",
	} {
		method, target, _ := strings.Cut(c, " ")
		began := time.Now()
		a := h.call(benToken, method, target, "").want(t, c, http.StatusServiceUnavailable, "unavailable")
		if a.header.Get("Retry-After") == "" || time.Since(began) > time.Minute {
			t.Errorf("%s: Retry-After is %q after %v", c, a.header.Get("Retry-After"), time.Since(began))
		}
	}
	h.call(deskToken, http.MethodGet, "/v1/photos/"+p.ID+"/preview", "").want(t, "a photo for a service", http.StatusOK)
}
