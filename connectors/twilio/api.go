package twilio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"
	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/lightlock/lightlock/config"
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
	address = s.connector.base + strings.TrimPrefix(address, apiBase)
	body := form.Encode()
	if method == http.MethodGet {
		address, body = address+"?"+body, ""
	}
	req, err := http.NewRequestWithContext(s.ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, connectors.Errorf(connectors.Refused, s.op, "address cannot be read")
	}
	req.Header.Set("Authorization", s.connector.config.basicAuth())
	if method != http.MethodGet {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := s.connector.client.Call(s.ctx, s.op, req, maxAnswer)
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
	var own *connectors.Error
	var answer *wire.StatusFailure
	if !errors.As(err, &own) || !errors.As(err, &answer) {
		return err
	}
	var body struct {
		Code int `json:"code"`
	}
	_ = json.Unmarshal(answer.Body, &body)
	if kind, ok := codeKind(body.Code); ok {
		own.Kind = kind
	} else if own.Kind == connectors.Gone {
		// No address of ours names a consumer: the account or the number is
		// not there, or api_base leads elsewhere.
		own.Kind = connectors.Misconfigured
	}
	return err
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

// number is what Twilio has on record for one of our accounts: a phone number,
// or a short code.
type number struct {
	sid         string
	short       bool
	url, method string
	// application tells that a TwiML app answers, whatever url is.
	application bool
}

// numberSID is the form of the ids that become part of an address.
var numberSID = regexp.MustCompile(`^(PN|SC)[0-9a-fA-F]{32}$`)

// number asks Twilio for an account by its number.
func (c *Connector) number(ctx context.Context, op, account string) (number, error) {
	if _, ok := config.FindAccount(c.config.Accounts, account); !ok {
		return number{}, connectors.Errorf(connectors.Misconfigured, op, "no such account")
	}
	find := findNumber
	if !strings.HasPrefix(account, "+") {
		find = findShortCode
	}
	n, err := find(c.call(ctx, op), account)
	var own *connectors.Error
	switch {
	case errors.As(err, &own):
		return number{}, err
	case err != nil:
		return number{}, connectors.Errorf(connectors.Malformed, op, "answer is not JSON as documented")
	case !numberSID.MatchString(n.sid):
		return number{}, connectors.Errorf(connectors.Misconfigured, op, "account_sid has no such number")
	}
	return n, nil
}

func findNumber(api *openapi.ApiService, account string) (found number, err error) {
	page, err := api.PageIncomingPhoneNumber(&openapi.ListIncomingPhoneNumberParams{PhoneNumber: &account}, "", "")
	if err != nil {
		return found, err
	}
	for _, n := range page.IncomingPhoneNumbers {
		if deref(n.PhoneNumber) == account {
			found = number{sid: deref(n.Sid), url: deref(n.SmsUrl), method: deref(n.SmsMethod), application: deref(n.SmsApplicationSid) != ""}
		}
	}
	return found, nil
}

func findShortCode(api *openapi.ApiService, account string) (found number, err error) {
	page, err := api.PageShortCode(&openapi.ListShortCodeParams{ShortCode: &account}, "", "")
	if err != nil {
		return found, err
	}
	for _, n := range page.ShortCodes {
		if deref(n.ShortCode) == account {
			found = number{sid: deref(n.Sid), short: true, url: deref(n.SmsUrl), method: deref(n.SmsMethod)}
		}
	}
	return found, nil
}

// update sets the webhook of a number.
func (n number) update(api *openapi.ApiService, address string) error {
	method, none := http.MethodPost, ""
	var err error
	if n.short {
		_, err = api.UpdateShortCode(n.sid, &openapi.UpdateShortCodeParams{SmsUrl: &address, SmsMethod: &method})
	} else {
		_, err = api.UpdateIncomingPhoneNumber(n.sid, &openapi.UpdateIncomingPhoneNumberParams{
			SmsUrl: &address, SmsMethod: &method, SmsApplicationSid: &none,
		})
	}
	var own *connectors.Error
	if errors.As(err, &own) && own.Kind != connectors.Malformed {
		return err
	}
	return nil // it is done, in whatever words Twilio says so
}

// deref reads what twilio-go leaves out where Twilio does.
func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// bare returns an address without its query and fragment, which may hold a
// secret and do not change where messages go.
func bare(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	return u.String()
}
