package meta

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"

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
)

// Graph calls the Graph API. Its errors have the kinds of GraphError.
type Graph struct{ wire.API }

// NewGraph returns a Graph at api, in a version such as v25.0, which is the one
// if none is given.
func NewGraph(api wire.API, version string) Graph {
	api.Base += "/" + cmp.Or(version, defaultVersion)
	return Graph{api}
}

// Get returns the answer to a GET; path may end with a query.
func (g Graph) Get(ctx context.Context, op string, token config.Secret, path string) ([]byte, error) {
	answer, err := g.call(ctx, op, token, path, nil)
	return answer, GraphError(err)
}

// Post returns the answer to a POST of body as JSON, or as a form if it is
// url.Values, to an object of our own, so that its errors are those of OwnError.
func (g Graph) Post(ctx context.Context, op string, token config.Secret, path string, body any) ([]byte, error) {
	answer, err := g.call(ctx, op, token, path, body)
	return answer, OwnError(err)
}

// Set posts form to an object of our own and wants to hear of success. Errors
// are those of OwnError.
func (g Graph) Set(ctx context.Context, op string, token config.Secret, path string, form url.Values) error {
	answer, err := g.Post(ctx, op, token, path, form)
	if err != nil {
		return err
	}
	var a struct {
		Success any `json:"success"` // true, or "true" in samples
	}
	if json.Unmarshal(answer, &a) != nil || a.Success != true && a.Success != "true" {
		return connectors.Errorf(connectors.Unavailable, op, "answer does not say that it was done")
	}
	return nil
}

// List returns the "data" of an object of our own at path, such as an app's
// subscriptions. Errors are those of OwnError.
func List[T any](ctx context.Context, g Graph, op string, token config.Secret, path string) ([]T, error) {
	answer, err := g.call(ctx, op, token, path, nil)
	if err != nil {
		return nil, OwnError(err)
	}
	var list struct {
		Data []T `json:"data"`
	}
	if err := json.Unmarshal(answer, &list); err != nil || list.Data == nil {
		return nil, connectors.Errorf(connectors.Unavailable, op, "answer holds no list")
	}
	return list.Data, nil
}

// call shows the token in a header, so that no address holds it.
func (g Graph) call(ctx context.Context, op string, token config.Secret, path string, body any) ([]byte, error) {
	return g.Do(ctx, wire.Request{Op: op, Path: "/" + path, Body: body, Authorization: "Bearer " + token.Reveal()})
}
