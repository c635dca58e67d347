package twilio_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/twilio/twilio-go/client"
	"pgregory.net/rapid"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twilio"
	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
)

const (
	webhookURL = "https://gateway.example/webhooks/twilio/acme"

	accountSID = "AC00000000000000000000000000000001"
	messageSID = "MM00000000000000000000000000000002"
	mediaSID   = "ME00000000000000000000000000000003"
	number     = "+14155550199"
	consumer   = "+14155550123"
	token      = "12345"

	// exampleBody is an MMS as Twilio's documentation describes it.
	exampleBody = "AccountSid=AC00000000000000000000000000000001&ApiVersion=2010-04-01&Body=Look+at+this+%26+that+%E2%80%93+ok%3F&From=%2B14155550123&FromCountry=US&MediaContentType0=image%2Fjpeg&MediaUrl0=https%3A%2F%2Fapi.twilio.com%2F2010-04-01%2FAccounts%2FAC00000000000000000000000000000001%2FMessages%2FMM00000000000000000000000000000002%2FMedia%2FME00000000000000000000000000000003&MessageSid=MM00000000000000000000000000000002&NumMedia=1&NumSegments=1&SmsMessageSid=MM00000000000000000000000000000002&SmsSid=MM00000000000000000000000000000002&SmsStatus=received&To=%2B14155550199"
)

// example is a connector without a simulated platform, and its settings.
func example(t testing.TB, tokens ...string) connectors.Connector {
	t.Helper()
	c := &twilio.Config{AccountSID: accountSID, Accounts: []twilio.Account{{Account: config.Account{ID: number, Queue: "support"}}}}
	for _, text := range append(tokens, token) {
		c.AuthToken = append(c.AuthToken, config.NewSecret(text))
	}
	made, err := twilio.New(c, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// call is a call with a body as it is.
func call(address, signature, body string) *connectors.Request {
	header := http.Header{}
	header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	header.Set("X-Twilio-Signature", signature)
	return &connectors.Request{Method: http.MethodPost, URL: address, Header: header, Body: []byte(body)}
}

// sign signs a form for an address, the way the simulated platform does.
func sign(address string, form url.Values) string {
	return twiliosim.Signature(token, address, form)
}

func parseForm(t testing.TB, body string) url.Values {
	t.Helper()
	form, err := url.ParseQuery(body)
	if err != nil {
		t.Fatal(err)
	}
	return form
}

// wantVerdict checks what Verify says: nothing, or kind Unauthentic.
func wantVerdict(t testing.TB, c connectors.Connector, r *connectors.Request, want bool, name string) {
	t.Helper()
	err := c.Verify(r)
	if (err == nil) != want {
		t.Errorf("%s: got error %v, want authentic %v", name, err, want)
	}
	if err != nil && connectors.KindOf(err) != connectors.Unauthentic {
		t.Errorf("%s: got kind %v, want unauthentic", name, connectors.KindOf(err))
	}
}

func TestVerifyExample(t *testing.T) {
	const address = "https://gw.example.test/v1/twilio/inbound?c=shop1"
	r := call(address, "Lay0pDeFl/qakNyacyF4l3/+K6w=", exampleBody)
	wantVerdict(t, example(t), r, true, "the example")
	wantVerdict(t, example(t, "another"), r, true, "the example while tokens change")
	r.Header = http.Header{"x-twilio-signature": {"Lay0pDeFl/qakNyacyF4l3/+K6w="}}
	wantVerdict(t, example(t), r, true, "the header in lower case")
	if validator := client.NewRequestValidator(token); !validator.ValidateBody(address, r.Body, "Lay0pDeFl/qakNyacyF4l3/+K6w=") {
		t.Error("twilio-go refuses the example")
	}
}

// TestVerifyAddress signs for one spelling of an address and calls another.
func TestVerifyAddress(t *testing.T) {
	form := parseForm(t, exampleBody)
	for _, row := range []struct {
		name, signed, called string
		want                 bool
	}{
		{"as registered", webhookURL, webhookURL, true},
		{"port signed", "https://gateway.example:443/webhooks/twilio/acme", webhookURL, true},
		{"port registered and signed", "https://gateway.example:8443/x", "https://gateway.example:8443/x", true},
		{"port registered, not signed", "https://gateway.example/x", "https://gateway.example:8443/x", true},
		{"another port signed", "https://gateway.example:8443/x", "https://gateway.example/x", false},
		{"the address behind a proxy signed", "http://gateway.example/webhooks/twilio/acme", webhookURL, false},
		{"another host", "https://gateway.example.evil/webhooks/twilio/acme", webhookURL, false},
		{"query in the address", webhookURL + "?c=shop1&d=%7e+x", webhookURL + "?c=shop1&d=%7e+x", true},
		{"query in another order", webhookURL + "?c=1&d=2", webhookURL + "?d=2&c=1", false},
		{"query escaped in another way", webhookURL + "?c=%7E", webhookURL + "?c=%7e", false},
		{"query left out", webhookURL + "?c=1", webhookURL, false},
		{"slash at the end", webhookURL + "/", webhookURL, false},
		{"fragment signed", webhookURL + "#rc=3&rp=all", webhookURL, false},
		{"path with odd characters", "https://gateway.example/a|b/%7e//c", "https://gateway.example/a|b/%7e//c", true},
		{"IPv6", "https://[2001:db8::1]:443/x", "https://[2001:db8::1]/x", true},
	} {
		wantVerdict(t, example(t), call(row.called, sign(row.signed, form), exampleBody), row.want, row.name)
	}
}

func TestVerifyForm(t *testing.T) {
	for _, row := range []struct{ name, more string }{
		{"empty parameters", "&FromCity=&ToZip="},
		{"plus, escaped plus and emoji", "&ProfileName=1+%2B+1+%F0%9F%93%B7"},
		{"an unknown parameter", "&SomethingNew2027=yes"},
		{"blanks and line ends", "&ButtonText=+%0A+x+%0D%0A"},
		{"a fallback's error", "&ErrorCode=11200&ErrorUrl=https%3A%2F%2Fgateway.example%2F"},
		{"raw UTF-8", "&ProfileName=Zoë"},
	} {
		body := exampleBody + row.more
		r := call(webhookURL, sign(webhookURL, parseForm(t, body)), body)
		wantVerdict(t, example(t), r, true, row.name)
		r.Body = []byte(exampleBody)
		wantVerdict(t, example(t), r, false, row.name+", left out by somebody")
	}
}

func TestVerifyRefuses(t *testing.T) {
	form := parseForm(t, exampleBody)
	good := sign(webhookURL, form)
	withoutAccount := parseForm(t, strings.TrimPrefix(exampleBody, "AccountSid=AC00000000000000000000000000000001&"))
	wrongAccount := strings.ReplaceAll(exampleBody, accountSID, "AC00000000000000000000000000000009")
	twice := exampleBody + "&AccountSid=AC00000000000000000000000000000001"
	for _, row := range []struct{ name, signature, body string }{
		{"no signature", "", exampleBody},
		{"hex", "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b28", exampleBody},
		{"no padding", strings.TrimRight(good, "="), exampleBody},
		{"URL alphabet", strings.NewReplacer("+", "-", "/", "_").Replace("Lay0pDeFl/qakNyacyF4l3/+K6w="), exampleBody},
		{"line break in the signature", good[:14] + "\n" + good[14:], exampleBody},
		{"another token", twiliosim.Signature("54321", webhookURL, form), exampleBody},
		{"a flipped bit in the body", good, strings.Replace(exampleBody, "Look", "Lnok", 1)},
		{"a broken escape", good, exampleBody + "&x=%zz"},
		{"a semicolon", good, exampleBody + ";x=1"},
		{"no account", sign(webhookURL, withoutAccount), withoutAccount.Encode()},
		{"the wrong account under the right token", sign(webhookURL, parseForm(t, wrongAccount)), wrongAccount},
		{"the right account twice", sign(webhookURL, form), twice},
		{"the right account and another", good, exampleBody + "&AccountSid=AC00000000000000000000000000000009"},
	} {
		wantVerdict(t, example(t), call(webhookURL, row.signature, row.body), false, row.name)
	}
}

// TestVerifyBodyHash calls with a hash of the body in the query: that makes a
// JSON webhook's signature good for twilio-go without a look at the form.
func TestVerifyBodyHash(t *testing.T) {
	const jsonBody = `{"property": "value", "boolean": true}`
	const jsonURL = "https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
	validator := client.NewRequestValidator(token)
	r := call(jsonURL, "a9nBmqA0ju/hNViExpshrM61xv4=", jsonBody)
	if !validator.ValidateBody(jsonURL, r.Body, "a9nBmqA0ju/hNViExpshrM61xv4=") {
		t.Error("twilio-go refuses the published vector")
	}
	wantVerdict(t, example(t), r, false, "a JSON webhook")

	sum := sha256.Sum256([]byte(exampleBody))
	address := webhookURL + "?bodySHA256=" + hex.EncodeToString(sum[:])
	if !validator.ValidateBody(address, []byte(exampleBody), sign(address, nil)) {
		t.Error("twilio-go has changed and looks at the form now: the package comment is wrong")
	}
	wantVerdict(t, example(t), call(address, sign(address, nil), exampleBody), false, "address alone signed")
	form := parseForm(t, exampleBody)
	wantVerdict(t, example(t), call(address, sign(address, form), exampleBody), true, "address and form signed")
}

// TestVerifyAgainstTwilioGo signs any parameters with the simulated platform's
// code and asks both verifiers. Not tried are repeated names, of which twilio-go
// takes the first value only, hosts and paths that net/url writes in another
// way, and bodySHA256.
func TestVerifyAgainstTwilioGo(t *testing.T) {
	c := example(t)
	validator := client.NewRequestValidator(token)
	rapid.Check(t, func(t *rapid.T) {
		form := url.Values{"AccountSid": {accountSID}}
		for name, value := range rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "form") {
			if name != "AccountSid" {
				form.Set(name, value)
			}
		}
		called, other := drawAddress(t)
		spelling := rapid.SampledFrom([]string{called, twiliosim.WithPort(called), twiliosim.WithoutPort(called), other}).Draw(t, "spelling")
		signature := twiliosim.Signature(rapid.SampledFrom([]string{token, token, "54321"}).Draw(t, "token"), spelling, form)
		if rapid.Bool().Draw(t, "changed") {
			form.Set("Changed", "1")
		}
		body := form.Encode()
		got := c.Verify(call(called, signature, body)) == nil
		if want := validator.ValidateBody(called, []byte(body), signature); got != want {
			t.Errorf("%s signed, %s called: got %v, twilio-go says %v", spelling, called, got, want)
		}
	})
}

// drawAddress makes an address, and another one.
func drawAddress(t *rapid.T) (called, other string) {
	scheme := rapid.SampledFrom([]string{"https", "http"}).Draw(t, "scheme")
	host := rapid.StringMatching(`[a-z][a-z0-9-]{0,8}\.example(:[1-9][0-9]{0,3})?`).Draw(t, "host")
	path := rapid.StringMatching(`(/[A-Za-z0-9._~-]{1,5}){0,3}(/%2F|/%41|/)?`).Draw(t, "path")
	query := rapid.StringMatching(`(\?[a-z]=[A-Za-z0-9+|%20]{0,5}(&[a-z]=%7e)?)?`).Draw(t, "query")
	return scheme + "://" + host + path + query, scheme + "://" + host + path + "x" + query
}

// TestSimulatedSignatures checks the simulated platform itself.
func TestSimulatedSignatures(t *testing.T) {
	p := start(t)
	validator := client.NewRequestValidator(p.Token)
	requests, err := p.Webhook(webhookURL, said("one", nil), said("two", [][]byte{jpeg}), sim.Said{ID: "3", Consumer: "bob", Text: "1+1 \U0001F4F7"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range requests {
		if !validator.ValidateBody(r.URL, r.Body, r.Header.Get("X-Twilio-Signature")) {
			t.Errorf("twilio-go refuses the simulated call with body of %d bytes", len(r.Body))
		}
	}
}

// FuzzVerify looks for a panic, for two answers to the same call, and for a
// signed call that is refused.
func FuzzVerify(f *testing.F) {
	f.Add(webhookURL, exampleBody)
	f.Add("https://[::1]:443/?bodySHA256=1", "AccountSid=AC00000000000000000000000000000001&a=1&a=2&a")
	f.Add("://:@", "a;b&%zz")
	f.Fuzz(func(t *testing.T, address, body string) {
		c := example(t)
		form, err := url.ParseQuery(body)
		r := call(address, sign(address, form), body)
		got := c.Verify(r)
		if again := c.Verify(r); (again == nil) != (got == nil) {
			t.Fatalf("got %v, then %v", got, again)
		}
		repeated := false
		for _, values := range form {
			repeated = repeated || len(values) > 1
		}
		if want := err == nil && form.Get("AccountSid") == accountSID; !repeated && (got == nil) != want {
			t.Errorf("got error %v, want authentic %v", got, want)
		}
		r.Body = append(r.Body, "&forged=1"...)
		if c.Verify(r) == nil && !form.Has("forged") {
			t.Error("a longer form passes under the same signature")
		}
	})
}
