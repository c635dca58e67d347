package twitter

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// maxAnswer is how long an answer of the API may be. A list of a thousand
// subscriptions, which is a page of them, has about 300 KB.
const maxAnswer = 1 << 20

// authority makes the Authorization header for a request to one of X's own
// addresses.
type authority func(method string, own *url.URL) string

func bearer(token string) authority {
	return func(string, *url.URL) string { return "Bearer " + token }
}

// user speaks on an account's behalf.
func (c *Connector) user(a Account) authority {
	if !a.OAuth2Token.IsZero() {
		return bearer(a.OAuth2Token.Reveal())
	}
	o := oauth1{consumerKey: c.config.ConsumerKey, token: a.AccessToken, tokenSecret: a.AccessTokenSecret}
	if len(c.config.ConsumerSecret) > 0 {
		o.consumerSecret = c.config.ConsumerSecret[0]
	}
	return func(method string, own *url.URL) string { return o.header(method, own, newNonce(), c.env.Now()) }
}

// at returns where to call what X has at own. What is signed is always X's own
// address: behind a proxy as well as on a simulated platform, it is X that checks
// the signature.
func (c *Connector) at(own *url.URL) *url.URL {
	if c.base == nil {
		return own
	}
	called := *own
	called.Scheme, called.Host, called.User = c.base.Scheme, c.base.Host, c.base.User
	called.Path = c.base.Path + own.Path
	return &called
}

// ask is one call of the API.
type ask struct {
	op, method string
	path       string // made of what has been checked
	body       any    // posted as JSON, if any
}

// call makes one call and returns the answer's body.
func (c *Connector) call(ctx context.Context, by authority, a ask) ([]byte, error) {
	own, err := url.Parse(apiBase + a.path)
	if err != nil {
		return nil, connectors.Errorf(connectors.Refused, a.op, "address cannot be read")
	}
	req := &http.Request{Method: a.method, URL: c.at(own), Header: http.Header{}}
	if a.body != nil {
		if req, err = wire.NewJSON(a.op, c.at(own).String(), a.body); err != nil {
			return nil, err
		}
	}
	req.Header.Set("Authorization", by(a.method, own))
	return c.client.Call(ctx, a.op, req, maxAnswer)
}

// sorted returns err with the kind that kind finds for the answer, and with the
// time that X asks to wait. What is no answer stays as it is.
func (c *Connector) sorted(err error, kind func(*wire.StatusFailure, connectors.ErrorKind) connectors.ErrorKind) error {
	var failed *connectors.Error
	var status *wire.StatusFailure
	if !errors.As(err, &failed) || !errors.As(err, &status) {
		return err
	}
	out := *failed
	out.Kind = kind(status, failed.Kind)
	switch out.Kind {
	case connectors.Throttled:
		out.After = c.after(status, failed.After)
	case connectors.Unavailable:
	default:
		out.After = 0
	}
	return &out
}

// maxAfter caps what X may ask for. Most of its limits are counted in windows of
// this length; of those counted by the day it is enough to be told again.
// https://docs.x.com/fundamentals/rate-limits
const maxAfter = 15 * time.Minute

// after returns how long to wait: until the limit is reset, where X says when.
func (c *Connector) after(status *wire.StatusFailure, otherwise time.Duration) time.Duration {
	const lastSecond = 253_402_300_799 // of the year 9999
	reset, err := strconv.ParseInt(status.Header.Get("x-rate-limit-reset"), 10, 64)
	if err != nil || reset < 0 || reset > lastSecond {
		return otherwise
	}
	wait := time.Unix(reset, 0).Sub(c.env.Now())
	if wait <= 0 {
		return otherwise
	}
	return min(wait, maxAfter)
}

// sendError sorts the failure of a message by its status: 403 stands for a
// recipient who takes no messages as well as for an app that may not send any.
// https://docs.x.com/x-api/fundamentals/response-codes-and-errors
func (c *Connector) sendError(err error) error {
	return c.sorted(err, func(status *wire.StatusFailure, kind connectors.ErrorKind) connectors.ErrorKind {
		switch status.Status {
		case http.StatusPaymentRequired:
			return connectors.Misconfigured // the app's credits are used up
		case http.StatusForbidden:
			return forbidden(status.Body)
		case http.StatusNotFound, http.StatusGone:
			return connectors.Refused
		}
		return kind
	})
}

// sentID reads the answer to a message. X may say under a status of success that
// it has not sent it.
func sentID(op string, body []byte) (string, error) {
	var answer struct {
		Data struct {
			DMEventID word `json:"dm_event_id"`
		} `json:"data"`
		Errors []json.RawMessage `json:"errors"`
	}
	// What cannot be read changes nothing: the message is on its way.
	_ = json.Unmarshal(body, &answer)
	if answer.Data.DMEventID != "" || len(answer.Errors) == 0 {
		return string(answer.Data.DMEventID), nil
	}
	return "", connectors.Errorf(forbidden(body), op, "answered with errors instead of a message")
}

// problem is an error as X describes it, alone or as a member of "errors". Code
// is of version 1.1 of the API.
type problem struct {
	Type   word      `json:"type"`
	Detail word      `json:"detail"`
	Code   word      `json:"code"`
	Errors []problem `json:"errors"`
}

// forbidden sorts an answer by which X declines a message: Misconfigured where
// the app or its token lacks a permission, and Refused where it is about the
// recipient or the text, such as "You do not have permission to DM one or more
// participants".
func forbidden(body []byte) connectors.ErrorKind {
	var p problem
	_ = json.Unmarshal(body, &p)
	if slices.ContainsFunc(append(p.Errors, p), problem.lacksPermission) {
		return connectors.Misconfigured
	}
	return connectors.Refused
}

// lacksPermission tells whether p is about what the app may do. A token without
// the scope for messages gets a detail that says nothing more than "Forbidden".
func (p problem) lacksPermission() bool {
	switch path.Base(string(p.Type)) {
	case "oauth1-permissions", "client-forbidden", "client-not-enrolled", "unsupported-authentication":
		return true
	}
	const notAllowedToAccessMessages = "93"
	return p.Code == notAllowedToAccessMessages || p.Detail == "Forbidden"
}
