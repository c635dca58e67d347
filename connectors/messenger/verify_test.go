package messenger_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/messenger/messengersim"
)

// The signatures below were computed with openssl dgst -sha256 -hmac app-secret.
// The backslashes are on the wire: Meta signs the escaped form that it sends.
const (
	escapedBody      = `{"object":"page","entry":[{"id":"1","time":1700000000000,"messaging":[{"sender":{"id":"9"},"recipient":{"id":"1"},"timestamp":1700000000000,"message":{"mid":"m_abc","text":"caf\u00e9 \ud83d\ude00"}}]}]}`
	escapedSignature = "sha256=08f4cb82c2a3b56389b92cfd3b858b4852c07df7f123994ff56b6b05d4f5cfbc"
	// plainSignature is that of the same JSON in UTF-8.
	plainSignature = "sha256=103aa0dad9fee193d467e4d08ad91a951cfd0eedf4b9e85c4db771640605f0a2"
)

func plainBody() string {
	return strings.Replace(escapedBody, `caf\u00e9 \ud83d\ude00`, "café 😀", 1)
}

func signed(body, signature string) *connectors.Request {
	header := http.Header{}
	header.Set("X-Hub-Signature-256", signature)
	return &connectors.Request{Method: http.MethodPost, URL: webhookURL, Header: header, Body: []byte(body)}
}

func TestVerify(t *testing.T) {
	if len(escapedBody) != 202 || len(plainBody()) != 190 {
		t.Fatalf("got vectors of %d and %d bytes, want 202 and 190", len(escapedBody), len(plainBody()))
	}
	tests := []struct {
		name            string
		body, signature string
		ok              bool
	}{
		{"escaped unicode", escapedBody, escapedSignature, true},
		{"the raw bytes count, whatever they are", plainBody(), plainSignature, true},
		{"decoded and signed before", plainBody(), escapedSignature, false},
		{"escaped and signed after", escapedBody, plainSignature, false},
		{"one byte more", escapedBody + "\n", escapedSignature, false},
		{"no prefix", escapedBody, escapedSignature[len("sha256="):], false},
		{"prefix in upper case", escapedBody, "SHA256=" + escapedSignature[len("sha256="):], false},
		{"digits in upper case", escapedBody, "sha256=" + strings.ToUpper(escapedSignature[len("sha256="):]), false},
		{"two digits short", escapedBody, escapedSignature[:len(escapedSignature)-2], false},
		{"the old SHA-1", escapedBody, "sha1=9759b9386dc2668da67aebfacb40d33ff46150f0", false},
		{"nothing", escapedBody, "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := connect(t, settings("app-secret")).Verify(signed(test.body, test.signature))
			if test.ok && err != nil {
				t.Errorf("got %v, want no error", err)
			}
			if !test.ok {
				wantKind(t, "Verify", err, connectors.Unauthentic)
			}
		})
	}
}

// The vector is read as well as verified.
func TestParseVector(t *testing.T) {
	for _, body := range []string{escapedBody, plainBody()} {
		events := parse(t, body)
		if len(events) != 1 || events[0].Text != "café 😀" || events[0].Account != "1" || events[0].Consumer.ID != "9" || events[0].ID != "m_abc" {
			t.Errorf("got %+v, want the text of m_abc from 9 to 1", events)
		}
	}
}

func TestVerifyIgnoresTheOldHeader(t *testing.T) {
	r := signed(escapedBody, escapedSignature)
	r.Header.Set("X-Hub-Signature", "sha1=0000000000000000000000000000000000000000")
	if err := connect(t, settings("app-secret")).Verify(r); err != nil {
		t.Errorf("beside the new one: got %v, want no error", err)
	}
	r.Header.Del("X-Hub-Signature-256")
	wantKind(t, "alone", connect(t, settings("app-secret")).Verify(r), connectors.Unauthentic)
}

func TestVerifyRotation(t *testing.T) {
	r := signed(escapedBody, escapedSignature)
	for _, secrets := range [][]string{{"app-secret", "new"}, {"old", "app-secret"}} {
		if err := connect(t, settings(secrets...)).Verify(r); err != nil {
			t.Errorf("secrets %q: got %v, want no error", secrets, err)
		}
	}
	wantKind(t, "the old one alone", connect(t, settings("old")).Verify(r), connectors.Unauthentic)
}

func TestChallenge(t *testing.T) {
	p, err := messengersim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	c := connect(t, p.Settings("acme", "support"))
	r := p.Handshake(webhookURL)
	u, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Challenge(r); err != nil || got != u.Query().Get("hub.challenge") {
		t.Errorf("got %q, %v, want the challenge of %s", got, err, r.URL)
	}
	s := settings("app-secret")
	s.VerifyToken = config.NewSecret("another")
	_, err = connect(t, s).Challenge(r)
	wantKind(t, "another token", err, connectors.Unauthentic)
	r.URL = strings.Replace(r.URL, "hub.challenge=", "hub.challenge=%3Cscript%3E", 1)
	_, err = c.Challenge(r)
	wantKind(t, "HTML to echo", err, connectors.Unauthentic)
}
