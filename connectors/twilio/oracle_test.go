package twilio_test

import (
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/twilio/twilio-go/client"
	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
)

// twilio-go as it is, with its own client, is the judge of both sides here: of
// the requests that our client makes, and of the simulated platform's answers.

// leads takes twilio-go's calls to the simulated platform.
type leads struct{ to *url.URL }

func (l leads) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "api.twilio.com" || r.URL.Scheme != "https" {
		return nil, errors.New("twilio-go calls another host")
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = l.to.Scheme, l.to.Host
	return http.DefaultTransport.RoundTrip(r)
}

// vendor is twilio-go, as a client of the simulated platform.
func vendor(t *testing.T, p *twiliosim.Platform, token string) *openapi.ApiService {
	t.Helper()
	u, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	own := &client.Client{Credentials: client.NewCredentials(p.AccountSID, token), HTTPClient: &http.Client{Transport: leads{u}}}
	own.SetAccountSid(p.AccountSID)
	return openapi.NewApiServiceWithClient(own)
}

// TestOracleRequests makes the same calls by our client and by twilio-go's.
func TestOracleRequests(t *testing.T) {
	p := start(t)
	c := connect(t, p, withShortCode(p))
	const words = "1+1=2 & zo\u00eb \U0001F4F7 <b> %2B~*'() \n"
	calls := tap(p)
	o := to(p, "ada", words)
	if _, err := send(t, c, o); err != nil {
		t.Fatal(err)
	}
	for _, account := range []string{p.Number, p.ShortCode} {
		if err := register(t, c, account); err != nil {
			t.Fatal(err)
		}
	}
	api, address, post, none := vendor(t, p, p.Token), webhookURL+"#rc=3&rp=all", "POST", ""
	_, err1 := api.CreateMessage(&openapi.CreateMessageParams{To: &o.Consumer, From: &p.Number, Body: &o.Text})
	numbers, err2 := api.PageIncomingPhoneNumber(&openapi.ListIncomingPhoneNumberParams{PhoneNumber: &p.Number}, "", "")
	if err := errors.Join(err1, err2); err != nil || len(numbers.IncomingPhoneNumbers) != 1 {
		t.Fatalf("got %v, want one number", err)
	}
	_, err1 = api.UpdateIncomingPhoneNumber(*numbers.IncomingPhoneNumbers[0].Sid, &openapi.UpdateIncomingPhoneNumberParams{SmsUrl: &address, SmsMethod: &post, SmsApplicationSid: &none})
	codes, err2 := api.PageShortCode(&openapi.ListShortCodeParams{ShortCode: &p.ShortCode}, "", "")
	if err := errors.Join(err1, err2); err != nil || len(codes.ShortCodes) != 1 {
		t.Fatalf("got %v, want one short code", err)
	}
	if _, err := api.UpdateShortCode(*codes.ShortCodes[0].Sid, &openapi.UpdateShortCodeParams{SmsUrl: &address, SmsMethod: &post}); err != nil {
		t.Fatal(err)
	}
	all := calls()
	if len(all) != 10 {
		t.Fatalf("got %d calls, want five of ours and five of twilio-go's", len(all))
	}
	for i, ours := range all[:5] {
		if theirs := all[i+5]; !reflect.DeepEqual(ours, theirs) {
			t.Errorf("got %s %s with %v, twilio-go sends %s %s with %v, or other credentials", ours.method, ours.path, ours.form, theirs.method, theirs.path, theirs.form)
		}
	}
}

// TestOracleMessage lets twilio-go read a message that the platform created.
func TestOracleMessage(t *testing.T) {
	p := start(t)
	ada, words := twiliosim.PhoneNumber("ada"), "hello"
	m, err := vendor(t, p, p.Token).CreateMessage(&openapi.CreateMessageParams{To: &ada, From: &p.Number, MessagingServiceSid: &p.ServiceSID, Body: &words})
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]*string{"SM": m.Sid, p.AccountSID: m.AccountSid, p.Number: m.From, ada: m.To, words: m.Body, "queued": m.Status, p.ServiceSID: m.MessagingServiceSid} {
		if got == nil || !strings.HasPrefix(*got, name) {
			t.Errorf("got %v, want %s", got, name)
		}
	}
	if len(*m.Sid) != 34 || m.ErrorCode != nil || m.DateCreated == nil {
		t.Errorf("got sid %s, error code %v and date %v, want a message without an error", *m.Sid, m.ErrorCode, m.DateCreated)
	}
}

// TestOracleRefusals checks that the platform refuses as Twilio does, and that
// the connector sorts by the same code that twilio-go reads.
func TestOracleRefusals(t *testing.T) {
	p := start(t)
	stop := said("stop", nil)
	stop.Consumer, stop.Text = "eve", "STOP"
	_ = p.Form(stop, 0, nil)
	ada, eve := twiliosim.PhoneNumber("ada"), twiliosim.PhoneNumber("eve")
	for _, row := range []struct {
		name, token, to, from, service, body string
		status, code                         int
		kind                                 connectors.ErrorKind
	}{
		{"a wrong token", "wrong", ada, p.Number, "", "a", 401, 20003, connectors.Misconfigured},
		{"no consumer", p.Token, "", p.Number, "", "a", 400, 21604, connectors.Refused},
		{"not a number", p.Token, "ada", p.Number, "", "a", 400, 21211, connectors.Refused},
		{"nobody who speaks", p.Token, ada, "", "", "a", 400, 21603, connectors.Misconfigured},
		{"another's number", p.Token, ada, number, "", "a", 400, 21660, connectors.Misconfigured},
		{"another's service", p.Token, ada, p.Number, "MG" + accountSID[2:], "a", 404, 21701, connectors.Misconfigured},
		{"to itself", p.Token, p.Number, p.Number, "", "a", 400, 21266, connectors.Refused},
		{"no text", p.Token, ada, p.Number, "", "", 400, 21602, connectors.Refused},
		{"too long", p.Token, ada, p.Number, "", strings.Repeat("a", 1601), 400, 21617, connectors.Refused},
		{"after STOP", p.Token, eve, p.Number, "", "a", 400, 21610, connectors.Refused},
	} {
		params := &openapi.CreateMessageParams{To: &row.to, From: &row.from, Body: &row.body}
		if row.service != "" {
			params.MessagingServiceSid = &row.service
		}
		_, err := vendor(t, p, row.token).CreateMessage(params)
		var theirs *client.TwilioRestError
		if !errors.As(err, &theirs) || theirs.Code != row.code || theirs.Status != row.status || theirs.MoreInfo == "" {
			t.Errorf("%s: twilio-go reads %v, want HTTP %d with code %d", row.name, err, row.status, row.code)
		}
		p.Server.Wrap(failWith(row.status, toJSON(t, theirs)))
		if _, err := send(t, connect(t, p, nil), to(p, "ada", "hello")); connectors.KindOf(err) != row.kind {
			t.Errorf("%s: got %v, want kind %v", row.name, err, row.kind)
		}
		p.Server.Wrap(nil)
	}
	if n := len(p.Sent()); n != 0 {
		t.Errorf("got %d messages, want none", n)
	}
}
