package messenger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/wire"
)

// maxAnswer is more than Graph has to say to any of our calls, in bytes.
const maxAnswer = 256 << 10

// get reads what Graph has at a path.
func (c *Connector) get(ctx context.Context, op, path, bearer string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return connectors.Errorf(connectors.Misconfigured, op, "no address can be made of api_base")
	}
	req.Header.Set("Authorization", bearer)
	body, err := c.client.Call(ctx, op, req, maxAnswer)
	if err != nil {
		return graphError(err)
	}
	if err := json.Unmarshal(body, answer); err != nil {
		// A maintenance page of somebody in between, or Graph in trouble.
		return connectors.Errorf(connectors.Unavailable, op, "answer is not JSON as documented")
	}
	return nil
}

// post changes what Graph has at a path.
func (c *Connector) post(ctx context.Context, op, path, bearer string, form url.Values) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return connectors.Errorf(connectors.Misconfigured, op, "no address can be made of api_base")
	}
	req.Header.Set("Authorization", bearer)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	body, err := c.client.Call(ctx, op, req, maxAnswer)
	if err != nil {
		return graphError(err)
	}
	var answer struct {
		Success any `json:"success"` // true, or "true" in the documentation
	}
	if json.Unmarshal(body, &answer) != nil || fmt.Sprint(answer.Success) != "true" {
		return connectors.Errorf(connectors.Unavailable, op, "answer is no success")
	}
	return nil
}

// graphError sorts the failure of a call in the Page's or the app's own name, by
// package meta's table and by the codes that only this channel meets.
// https://developers.facebook.com/docs/messenger-platform/error-codes
func graphError(err error) error {
	var status *wire.StatusFailure
	var failed *connectors.Error
	var answer struct {
		Error struct {
			Code    int                `json:"code"`
			Subcode meta.Optional[int] `json:"error_subcode"`
		} `json:"error"`
	}
	if !errors.As(err, &failed) || !errors.As(err, &status) || json.Unmarshal(status.Body, &answer) != nil {
		return err
	}
	code, subcode := answer.Error.Code, answer.Error.Subcode.Value
	sorted := *failed
	switch {
	case code == 10 && subcode == 2018108:
		sorted.Kind = connectors.Refused // the person takes nothing from this Page
	case code == 2200, code == 2201:
		sorted.Kind = connectors.Misconfigured // the handshake failed
	default:
		return meta.OwnError(err)
	}
	sorted.Err = fmt.Errorf("%w, Graph error %d/%d", failed.Err, code, subcode)
	return &sorted
}
