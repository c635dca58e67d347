package twitter

import (
	"cmp"
	"context"
	"encoding/json"
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
	o := oauth1{c.config.ConsumerKey, wire.First(c.config.ConsumerSecret), a.AccessToken, a.AccessTokenSecret}
	return func(method string, own *url.URL) string { return o.header(method, own, newNonce(), c.env.Now()) }
}

// call makes one call and returns the answer's body. What is signed is always X's
// own address: behind a proxy as well as on a simulated platform, it is X that
// checks the signature.
func (c *Connector) call(ctx context.Context, by authority, r wire.Request) ([]byte, error) {
	own, err := url.Parse(apiBase + r.Path)
	if err != nil {
		return nil, connectors.Errorf(connectors.Refused, r.Op, "address cannot be read")
	}
	r.Method = cmp.Or(r.Method, http.MethodGet)
	r.Authorization, r.MaxAnswer = by(r.Method, own), maxAnswer
	body, err := c.api.Do(ctx, r)
	return body, c.paused(err)
}

// maxAfter caps what X may ask for. Most of its limits are counted in windows of
// this length; of those counted by the day it is enough to be told again.
// https://docs.x.com/fundamentals/rate-limits
const maxAfter = 15 * time.Minute

// paused notes in the failure of a call how long to wait: until a limit is reset,
// where X says when.
func (c *Connector) paused(err error) error {
	e, answer := wire.Failure(err)
	if answer == nil || e.Kind != connectors.Throttled {
		return err
	}
	const lastSecond = 253_402_300_799 // of the year 9999
	reset, unreadable := strconv.ParseInt(answer.Header.Get("x-rate-limit-reset"), 10, 64)
	if unreadable != nil || reset > lastSecond {
		return err
	}
	if wait := time.Unix(reset, 0).Sub(c.env.Now()); wait > 0 {
		e.After = min(wait, maxAfter)
	}
	return err
}

// sorted gives the failure of a message the kind that follows from X's answer:
// 403 stands for a recipient who takes no messages as well as for an app that
// may not send any.
// https://docs.x.com/x-api/fundamentals/response-codes-and-errors
func sorted(err error) error {
	e, answer := wire.Failure(err)
	if answer == nil {
		return err
	}
	switch answer.Status {
	case http.StatusPaymentRequired:
		e.Kind = connectors.Misconfigured // the app's credits are used up
	case http.StatusForbidden:
		e.Kind = forbidden(answer.Body)
	case http.StatusNotFound, http.StatusGone:
		e.Kind = connectors.Refused
	}
	return err
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
