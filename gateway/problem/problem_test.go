package problem_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/problem"
	"github.com/lightlock/lightlock/gateway/queue"
)

func write(p *problem.Problem) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	problem.Write(w, p)
	return w
}

func TestEveryKindIsWritten(t *testing.T) {
	titles := map[string]problem.Kind{}
	for _, kind := range problem.Kinds() {
		w := write(&problem.Problem{Kind: kind, Detail: "why", After: 2400 * time.Millisecond})
		var got struct {
			Type, Title, Detail string
			Status              int
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v in %s", kind, err, w.Body)
		}
		if got.Type != "urn:lightlock:problem:"+string(kind) || got.Status != w.Code || w.Code != kind.Status() || got.Title == "" {
			t.Errorf("%s: answered %d with %s", kind, w.Code, w.Body)
		}
		if other, ok := titles[got.Title]; ok || (w.Code == 500) != (kind == problem.Broken) {
			t.Errorf("%s has %d and the title of %q", kind, w.Code, other)
		}
		titles[got.Title] = kind
		if again := w.Header().Get("Retry-After"); (again == "2") != (w.Code == 429 || w.Code == 503) {
			t.Errorf("%s: Retry-After is %q", kind, again)
		}
		if asks := w.Header().Get("WWW-Authenticate"); (asks != "") != (w.Code == 401) {
			t.Errorf("%s: WWW-Authenticate is %q", kind, asks)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/problem+json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
			"Content-Security-Policy": "default-src 'none'; sandbox",
		} {
			if w.Header().Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", kind, name, w.Header().Get(name), want)
			}
		}
	}
}

// Who may not see something must not learn from the answer whether it is there.
func TestAllThatIsNotFoundLooksAlike(t *testing.T) {
	plain := write(problem.Of(problem.NotFound, ""))
	told := write(&problem.Problem{Kind: problem.NotFound, Detail: "Ben has it", Agent: &queue.Agent{ID: "ben"}, After: time.Hour})
	if plain.Body.String() != told.Body.String() || len(plain.Header()) != len(told.Header()) {
		t.Errorf("answered\n%s %v and\n%s %v", plain.Body, plain.Header(), told.Body, told.Header())
	}
}

func TestAProblemNamesTheAgent(t *testing.T) {
	w := write(&problem.Problem{Kind: problem.Taken, Agent: &queue.Agent{ID: "ben", Name: "Ben"}})
	want := `{"type":"urn:lightlock:problem:taken","title":"Another agent has the conversation","status":409,"agent":{"id":"ben","name":"Ben"}}`
	if w.Body.String() != want {
		t.Errorf("got  %s\nwant %s", w.Body, want)
	}
	if got := problem.Of(problem.Closed, "long ago").Error(); got != "closed: long ago" {
		t.Errorf("got %q", got)
	}
}

func TestReadBody(t *testing.T) {
	t.Parallel()
	const jsonType = "application/json"
	for _, c := range []struct {
		kind, body string
		must       bool
		want       problem.Kind
	}{
		{jsonType, `{"name":"a"}`, true, ""},
		{"application/json; charset=utf-8", " {} ", true, ""},
		{"", "", false, ""},
		{jsonType, "  ", false, ""},
		{jsonType, "", true, problem.Invalid},
		{"", "", true, problem.UnsupportedMediaType},
		{"text/plain", "{}", false, problem.UnsupportedMediaType},
		{jsonType, `{"name":"a"`, true, problem.Invalid},
		{jsonType, `{"name":7}`, true, problem.Invalid},
		{jsonType, `{"other":"a"}`, true, problem.Invalid},
		{jsonType, `{} {}`, true, problem.Invalid},
		{jsonType, `{"name":"` + strings.Repeat("x", 64<<10) + `"}`, true, problem.TooLarge},
		{jsonType, "{}" + strings.Repeat(" ", 64<<10), false, problem.TooLarge},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.kind)
		w := httptest.NewRecorder()
		var into struct{ Name string }
		err := problem.ReadBody(w, r, &into, c.must)
		var got problem.Kind
		if p, ok := errors.AsType[*problem.Problem](err); ok {
			got = p.Kind
		}
		if got != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%s %.30q, must %v: got %v, want %q", c.kind, c.body, c.must, err, c.want)
		}
		if closes := w.Header().Get("Connection") == "close"; closes != (c.want == problem.TooLarge) {
			t.Errorf("%.30q: the connection closes: %v", c.body, closes)
		}
	}
}
