package meta_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/wire"
)

// graph returns a Graph that is answered by h, in a version if one is given.
func graph(t *testing.T, version string, h http.HandlerFunc) meta.Graph {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	api, err := wire.NewAPI(config.Connector{APIBase: server.URL, AllowPrivateAddresses: true}, meta.GraphBase, wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return meta.NewGraph(api, version)
}

func TestAppCheck(t *testing.T) {
	for version, good := range map[string]bool{
		"": true, "v25.0": true, "v31.12": true,
		"25.0": false, "v25": false, "v25.0/..": false, "v25.0\n": false, "V25.0": false, "latest": false,
	} {
		found := meta.App{GraphVersion: version}.Check()
		if (len(found) == 0) != good {
			t.Errorf("%q: got %+v, want good %t", version, found, good)
		}
		for _, f := range found {
			if f.Path != "graph_version" || f.What == "" || f.Why == "" || f.Fix == "" {
				t.Errorf("%q: finding without an explanation: %+v", version, f)
			}
		}
	}
	for id, good := range map[string]bool{"": true, "1517776481860111": true, "x": false, "15 17": false, "1.5e3": false} {
		found := meta.App{AppID: id}.Check()
		if (len(found) == 0) != good || !good && found[0].Path != "app_id" {
			t.Errorf("%q: got %+v, want good %t", id, found, good)
		}
	}
}

func TestEntries(t *testing.T) {
	parse := func(entry json.RawMessage) []connectors.Event {
		return []connectors.Event{{ID: string(entry)}, {ID: "another"}}
	}
	got, err := meta.Entries("test: parse", "page", []byte(`{"object":"page","entry":[1,{"a":2}]}`), parse)
	if err != nil || len(got) != 4 || got[0].ID != "1" || got[2].ID != `{"a":2}` {
		t.Errorf("got %+v, %v, want what parse makes of both entries, in order", got, err)
	}
	got, err = meta.Entries("test: parse", "page", []byte(`{"object":"user","entry":[1,2]}`), parse)
	if err != nil || len(got) != 2 || got[0].Kind != connectors.Ignored || got[0].Reason != "other_object" || got[0].ID == got[1].ID {
		t.Errorf("got %+v, %v, want both entries of another object passed over", got, err)
	}
	if got, err := meta.Entries("test: parse", "page", []byte(`{"object":"page"}`), parse); err != nil || got == nil || len(got) != 0 {
		t.Errorf("got %v, %v, want no events and no error", got, err)
	}
	for _, body := range []string{"", "null", "[]", `{"object":"","entry":[]}`, `{"entry":[1]}`, `{"object":"page","entry":{}}`} {
		if _, err := meta.Entries("test: parse", "page", []byte(body), parse); connectors.KindOf(err) != connectors.Malformed {
			t.Errorf("%s: got %v, want kind malformed", body, err)
		}
	}
}

// TestGraphCalls looks at what each kind of call sends.
func TestGraphCalls(t *testing.T) {
	token := config.NewSecret("the-token")
	tests := []struct {
		name, version string
		call          func(meta.Graph) error
		want          string
	}{
		{"Get", "", func(g meta.Graph) error { _, err := g.Get(t.Context(), "test", token, "1?a=b"); return err },
			"GET /v25.0/1?a=b  "},
		{"List", "v31.0", func(g meta.Graph) error { _, err := meta.List[int](t.Context(), g, "test", token, "1"); return err },
			"GET /v31.0/1  "},
		{"Post", "", func(g meta.Graph) error {
			_, err := g.Post(t.Context(), "test", token, "1/messages", map[string]string{"a": "<&>"})
			return err
		}, `POST /v25.0/1/messages application/json {"a":"<&>"}`},
		{"Set", "", func(g meta.Graph) error {
			return g.Set(t.Context(), "test", token, "1/subscriptions", url.Values{"a": {"b&c"}})
		}, "POST /v25.0/1/subscriptions application/x-www-form-urlencoded a=b%26c"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var mu sync.Mutex
			var got, authorization string
			g := graph(t, test.version, func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				body, _ := io.ReadAll(r.Body)
				authorization = r.Header.Get("Authorization")
				got = strings.Join([]string{r.Method, r.URL.String(), r.Header.Get("Content-Type"), string(body)}, " ")
				_, _ = w.Write([]byte(`{"success":true,"data":[1]}`))
			})
			if err := test.call(g); err != nil {
				t.Fatal(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if got != test.want || authorization != "Bearer the-token" {
				t.Errorf("got %s with %q, want %s with the token", got, authorization, test.want)
			}
		})
	}
}

// TestGraphCallsOfNothing tells an object of a consumer's from one of our own.
func TestGraphCallsOfNothing(t *testing.T) {
	g := graph(t, "", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":{"code":100,"error_subcode":33}}`))
	})
	token := config.NewSecret("the-token")
	_, get := g.Get(t.Context(), "test", token, "1")
	_, own := meta.List[int](t.Context(), g, "test", token, "1")
	_, post := g.Post(t.Context(), "test", token, "1", nil)
	set := g.Set(t.Context(), "test", token, "1", nil)
	for name, row := range map[string]struct {
		err  error
		want connectors.ErrorKind
	}{
		"Get": {get, connectors.Gone}, "List": {own, connectors.Misconfigured},
		"Post": {post, connectors.Misconfigured}, "Set": {set, connectors.Misconfigured},
	} {
		if connectors.KindOf(row.err) != row.want {
			t.Errorf("%s: got %v, want kind %v", name, row.err, row.want)
		}
		if n := strings.Count(row.err.Error(), "Graph error 100/33"); n != 1 {
			t.Errorf("%s: got the code %d times in %v, want once", name, n, row.err)
		}
	}
}

func TestList(t *testing.T) {
	for body, want := range map[string][]int{
		`{"data":[1,2]}`: {1, 2}, `{"data":[]}`: {}, `{"data":null}`: nil, `{"data":{}}`: nil, `{"data":["x"]}`: nil, `{}`: nil, `[1]`: nil, `<html>`: nil, "": nil,
	} {
		g := graph(t, "", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		got, err := meta.List[int](t.Context(), g, "test", config.NewSecret("the-token"), "1")
		if !slices.Equal(got, want) || (err == nil) != (want != nil) || want == nil && connectors.KindOf(err) != connectors.Unavailable {
			t.Errorf("%s: got %v, %v, want %v or kind unavailable", body, got, err, want)
		}
	}
}
