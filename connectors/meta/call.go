package meta

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// GraphBase is Graph's own address.
const GraphBase = "https://graph.facebook.com"

// maxAnswer is how long an answer may be. Graph's objects have a few hundred
// bytes.
const maxAnswer = 64 << 10

// Graph calls the Graph API. Its errors have the kinds of GraphError.
type Graph struct {
	Client *wire.Client
	// Base is what stands before every path: host and version, without a slash
	// at its end.
	Base string
}

// Get returns the answer to a GET; path may end with a query. The token goes
// into a header, so that no address holds it.
func (g Graph) Get(ctx context.Context, op string, token config.Secret, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.Base+"/"+path, nil)
	if err != nil {
		return nil, connectors.Errorf(connectors.Misconfigured, op, "no address can be made of api_base")
	}
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	answer, err := g.Client.Call(ctx, op, req, maxAnswer)
	return answer, GraphError(err)
}

// Post returns the answer to a POST of body as JSON to an object of our own, so
// that its errors are those of OwnError.
func (g Graph) Post(ctx context.Context, op string, token config.Secret, path string, body any) ([]byte, error) {
	req, err := wire.NewJSON(op, g.Base+"/"+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	answer, err := g.Client.Call(ctx, op, req, maxAnswer)
	return answer, OwnError(err)
}

// Succeeded tells whether an answer says {"success": true}. Graph's own samples
// have the word in quotes now and then.
func Succeeded(answer []byte) bool {
	var a struct {
		Success any `json:"success"`
	}
	_ = json.Unmarshal(answer, &a)
	return a.Success == true || a.Success == "true"
}
