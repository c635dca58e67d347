package twilio

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"
	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// maxAnswer is how long an answer of the API may be: a page of one number.
const maxAnswer = 256 << 10

// session lets twilio-go write the parameters of one call and read its answer,
// while the call is our own client's. twilio-go's knows no context, no limit
// and no rule about addresses, and its errors quote the consumer's number.
type session struct {
	connector *Connector
	// The generated methods have no place for it.
	ctx context.Context
	op  string
}

var _ client.BaseClient = (*session)(nil)

// call returns the API for one call. op names the step in errors, which have a
// kind unless it was the answer to a success that could not be read. It does not
// go through NewRequestHandler, because that obeys TWILIO_EDGE and TWILIO_REGION.
func (c *Connector) call(ctx context.Context, op string) *openapi.ApiService {
	return openapi.NewApiService(&client.RequestHandler{Client: &session{c, ctx, op}})
}

// AccountSid implements client.BaseClient: it becomes part of the address.
func (s *session) AccountSid() string { return s.connector.config.AccountSID }

// SendRequest implements client.BaseClient for the two methods that we use.
func (s *session) SendRequest(method, address string, form url.Values, _ map[string]any, _ ...byte) (*http.Response, error) {
	r := wire.Request{
		Op: s.op, Method: method, Path: strings.TrimPrefix(address, apiBase),
		Authorization: s.connector.config.basicAuth(), Body: form, MaxAnswer: maxAnswer,
	}
	if method == http.MethodGet {
		r.Path, r.Body = r.Path+"?"+form.Encode(), nil
	}
	answer, err := s.connector.api.Do(s.ctx, r)
	if err != nil {
		return nil, sorted(err)
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(answer))}, nil
}

// SetTimeout implements client.BaseClient. The context has the deadline.
func (s *session) SetTimeout(time.Duration) {}

// SetOauth implements client.BaseClient. We use Basic authentication.
func (s *session) SetOauth(client.OAuth) {}

// OAuth implements client.BaseClient.
func (s *session) OAuth() client.OAuth { return nil }

// sorted gives a failed call the kind that follows from Twilio's code, where it
// says more than the status. All else about the error stays.
func sorted(err error) error {
	own, answer := wire.Failure(err)
	if answer == nil {
		return err
	}
	var body struct {
		Code int `json:"code"`
	}
	_ = json.Unmarshal(answer.Body, &body)
	if kind, ok := codeKind(body.Code); ok {
		own.Kind = kind
	}
	return wire.OwnAddress(err) // none of ours names a consumer
}

// codeKind is the table from Twilio's codes to kinds of error. Codes that are
// not in it are refusals of this message or this consumer, with HTTP 400.
// https://www.twilio.com/docs/api/errors
func codeKind(code int) (connectors.ErrorKind, bool) {
	switch code {
	case 20003, // not authenticated
		20404,                             // no such account
		21601, 21606, 21659, 21660, 21661, // the number cannot send, or is not ours
		21603,               // no number and no service
		21608,               // a trial account, which writes to known numbers only
		21701, 21703, 21705, // the messaging service is not there or is empty
		30002, // the account is suspended
		30034: // the number is not registered with the carriers
		return connectors.Misconfigured, true
	case 20429, 14107, // too many requests
		21611, 30001, // the number's queue is full
		63018: // too many messages on a channel
		return connectors.Throttled, true
	case 30003, 30008: // the handset is off, or nobody knows
		return connectors.Unavailable, true
	case 21211, 21614, 30005, 30006, // not a number, or none that takes texts
		21408, 21612, // not from here to there
		21610, 30004, // the consumer has opted out, or is blocked
		21617,        // too long
		21620, 21623, // media
		30007, // filtered by a carrier
		63016: // outside a channel's window
		return connectors.Refused, true
	}
	return connectors.Other, false
}

// deref reads what twilio-go leaves out where Twilio does.
func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
