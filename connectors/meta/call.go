package meta

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

const (
	// GraphBase is Graph's own address.
	GraphBase = "https://graph.facebook.com"
	// defaultVersion was the newest one when this package was written. Meta
	// keeps a version for two years at least.
	defaultVersion = "v25.0"
	// maxAnswer is how long an answer may be. Graph's objects have a few
	// hundred bytes.
	maxAnswer = 64 << 10
)

var graphVersion = regexp.MustCompile(`^v[0-9]+\.[0-9]+$`)

// CheckVersion returns what is wrong with the setting graph_version, which may
// be empty.
func CheckVersion(version string) []config.Finding {
	if version == "" || graphVersion.MatchString(version) {
		return nil
	}
	return []config.Finding{{
		Path: "graph_version",
		What: "not a version of the Graph API",
		Why:  "it is part of every address that is called",
		Fix:  "write it like " + defaultVersion + ", or leave it out",
	}}
}

// Graph calls the Graph API. Its errors have the kinds of GraphError.
type Graph struct {
	Client *wire.Client
	base   string // with the version, and without a slash at its end
}

// NewGraph returns a Graph that calls base in a version such as v25.0, which is
// the one if none is given.
func NewGraph(client *wire.Client, base *url.URL, version string) Graph {
	return Graph{Client: client, base: base.String() + "/" + cmp.Or(version, defaultVersion)}
}

// Get returns the answer to a GET; path may end with a query.
func (g Graph) Get(ctx context.Context, op string, token config.Secret, path string) ([]byte, error) {
	answer, err := g.get(ctx, op, token, path)
	return answer, GraphError(err)
}

// GetOwn is Get of an object of our own, so that its errors are those of
// OwnError.
func (g Graph) GetOwn(ctx context.Context, op string, token config.Secret, path string) ([]byte, error) {
	answer, err := g.get(ctx, op, token, path)
	return answer, OwnError(err)
}

func (g Graph) get(ctx context.Context, op string, token config.Secret, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.base+"/"+path, nil)
	if err != nil {
		return nil, noAddress(op)
	}
	return g.call(ctx, op, token, req)
}

// Post returns the answer to a POST of body as JSON to an object of our own, so
// that its errors are those of OwnError.
func (g Graph) Post(ctx context.Context, op string, token config.Secret, path string, body any) ([]byte, error) {
	req, err := wire.NewJSON(op, g.base+"/"+path, body)
	if err != nil {
		return nil, err
	}
	answer, err := g.call(ctx, op, token, req)
	return answer, OwnError(err)
}

// Set posts form to an object of our own and wants to hear of success. Errors
// are those of OwnError.
func (g Graph) Set(ctx context.Context, op string, token config.Secret, path string, form url.Values) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.base+"/"+path, strings.NewReader(form.Encode()))
	if err != nil {
		return noAddress(op)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := g.call(ctx, op, token, req)
	if err != nil {
		return OwnError(err)
	}
	var a struct {
		Success any `json:"success"` // true, or "true" in samples
	}
	if json.Unmarshal(answer, &a) != nil || a.Success != true && a.Success != "true" {
		return connectors.Errorf(connectors.Unavailable, op, "answer does not say that it was done")
	}
	return nil
}

func noAddress(op string) error {
	return connectors.Errorf(connectors.Misconfigured, op, "no address can be made of api_base")
}

// call shows the token in a header, so that no address holds it.
func (g Graph) call(ctx context.Context, op string, token config.Secret, req *http.Request) ([]byte, error) {
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	return g.Client.Call(ctx, op, req, maxAnswer)
}
