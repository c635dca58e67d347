package viber_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/viber/vibersim"
)

const (
	webhookBody      = `{"event":"webhook","timestamp":1700000000000,"chat_hostname":"SN-CHAT-00_","message_token":5000000000000000001}`
	webhookSignature = "cc056d596d5c7eb2ac6cea57c78b52981be8c91aa44af3896cb3d247e2e203b8"
	pictureBody      = `{"event":"message","message_token":5741311803571721087,"message":{"type":"picture","text":"фото 📷"}}`
	pictureSignature = "a62d145ad9cc1815519da3e810cd1cb7cad1e27667abdf472bb8c3f5741ff4e5"

	signatureHeader = "X-Viber-Content-Signature"
)

// hexOf is HMAC-SHA256 written out, independent of package wire.
func hexOf(key, body string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(body))
	return hex.EncodeToString(h.Sum(nil))
}

// The vectors judge both sides: what the connector accepts, and what the
// simulated platform signs.
func TestVerifyVectors(t *testing.T) {
	c := production(t)
	p := vibersim.Platform{Token: testToken}
	for _, v := range []struct {
		body, signature string
		size            int
	}{{webhookBody, webhookSignature, 111}, {pictureBody, pictureSignature, 107}} {
		if len(v.body) != v.size {
			t.Errorf("got a vector of %d bytes, want %d", len(v.body), v.size)
		}
		if got := hexOf(testToken, v.body); got != v.signature {
			t.Errorf("got vector %s, want %s", got, v.signature)
		}
		if err := c.Verify(post(v.body, signatureHeader, v.signature)); err != nil {
			t.Errorf("Verify of %s: %v", v.body, err)
		}
		r := p.Sign(webhookURL, []byte(v.body))
		if got := r.Header.Get(signatureHeader); got != v.signature || r.URL != webhookURL+"?sig="+v.signature {
			t.Errorf("the simulated platform signs with %s at %s, want %s in both", got, r.URL, v.signature)
		}
	}
	wantKind(t, "signatures exchanged", c.Verify(post(webhookBody, signatureHeader, pictureSignature)), connectors.Unauthentic)
}

func TestVerifyHeaderCase(t *testing.T) {
	c := production(t)
	for _, name := range []string{"x-viber-content-signature", "X-Viber-Content-Signature", "X-VIBER-CONTENT-SIGNATURE"} {
		r := post(webhookBody, "X-Other", "")
		// Put in as it is, without net/http's own spelling.
		r.Header = http.Header{name: {webhookSignature}}
		if err := c.Verify(r); err != nil {
			t.Errorf("header %s: %v", name, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	mac, err := hex.DecodeString(webhookSignature)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, body, header, signature string }{
		{"unsigned", webhookBody, "X-Other", webhookSignature},
		{"empty", webhookBody, signatureHeader, ""},
		{"hex in upper case", webhookBody, signatureHeader, strings.ToUpper(webhookSignature)},
		{"hex with one capital", webhookBody, signatureHeader, "C" + webhookSignature[1:]},
		{"not hex", webhookBody, signatureHeader, strings.Repeat("z", 64)},
		{"half of it", webhookBody, signatureHeader, webhookSignature[:32]},
		{"an odd digit", webhookBody, signatureHeader, webhookSignature[:63]},
		{"more than it", webhookBody, signatureHeader, webhookSignature + "00"},
		{"a blank behind it", webhookBody, signatureHeader, webhookSignature + " "},
		{"Base64", webhookBody, signatureHeader, base64.StdEncoding.EncodeToString(mac)},
		{"a prefix as other platforms have", webhookBody, signatureHeader, "sha256=" + webhookSignature},
		{"the header as the Node SDK spells it", webhookBody, "X_viber_content_signature", webhookSignature},
		{"the token without its dashes as key", webhookBody, signatureHeader, hexOf(strings.ReplaceAll(testToken, "-", ""), webhookBody)},
		{"an empty key", webhookBody, signatureHeader, hexOf("", webhookBody)},
		{"a byte order mark", "\ufeff" + webhookBody, signatureHeader, webhookSignature},
		{"a line end behind it", webhookBody + "\n", signatureHeader, webhookSignature},
		{"serialised anew", strings.Replace(webhookBody, ":", ": ", 1), signatureHeader, webhookSignature},
		{"a token rounded to a float64", strings.Replace(pictureBody, "1087", "1216", 1), signatureHeader, pictureSignature},
		{"escapes made", strings.ReplaceAll(pictureBody, "📷", `\ud83d\udcf7`), signatureHeader, pictureSignature},
		{"empty body", "", signatureHeader, webhookSignature},
	} {
		wantKind(t, row.name, production(t).Verify(post(row.body, row.header, row.signature)), connectors.Unauthentic)
	}
}

// The event that checks a webhook is signed like any other.
func TestVerifyWebhookEvent(t *testing.T) {
	p, c := start(t)
	r := p.Sign(webhookURL, []byte(webhookBody))
	if err := c.Verify(r); err != nil {
		t.Errorf("Verify: %v", err)
	}
	wantKind(t, "the same unsigned", c.Verify(post(webhookBody, "X-Other", "")), connectors.Unauthentic)
}

// TestVerifySig is about the parameter sig: good only where there is no header.
func TestVerifySig(t *testing.T) {
	const good, wrong = webhookSignature, pictureSignature
	c := production(t)
	for _, row := range []struct {
		name   string
		query  string
		header http.Header
		ok     bool
	}{
		{"sig alone", "?sig=" + good, nil, true},
		{"sig behind a parameter of our own", "?tenant=a%20b&sig=" + good, nil, true},
		{"sig before a parameter of our own", "?sig=" + good + "&tenant=a", nil, true},
		{"header and sig", "?sig=" + good, http.Header{signatureHeader: {good}}, true},
		{"header and another sig", "?sig=" + wrong, http.Header{signatureHeader: {good}}, true},
		{"header and sig twice", "?sig=" + wrong + "&sig=" + good, http.Header{signatureHeader: {good}}, true},
		{"another header and sig", "?sig=" + good, http.Header{signatureHeader: {wrong}}, false},
		{"empty header and sig", "?sig=" + good, http.Header{signatureHeader: {""}}, false},
		{"no value of the header and sig", "?sig=" + good, http.Header{signatureHeader: {}}, false},
		{"header twice and sig", "?sig=" + good, http.Header{signatureHeader: {good, good}}, false},
		{"header in two spellings and sig", "?sig=" + good, http.Header{signatureHeader: {good}, strings.ToLower(signatureHeader): {good}}, false},
		{"header in lower case is a header", "?sig=" + good, http.Header{strings.ToLower(signatureHeader): {wrong}}, false},
		{"another sig", "?sig=" + wrong, nil, false},
		{"sig twice", "?sig=" + good + "&sig=" + good, nil, false},
		{"sig twice, one wrong", "?sig=" + good + "&sig=" + wrong, nil, false},
		{"sig twice, one empty", "?sig=&sig=" + good, nil, false},
		{"empty sig", "?sig=", nil, false},
		{"no sig", "?tenant=a", nil, false},
		{"SIG", "?SIG=" + good, nil, false},
		{"sig in upper case", "?sig=" + strings.ToUpper(good), nil, false},
		{"sig in the fragment", "#?sig=" + good, nil, false},
		{"a query that is none", "?x=%zz&sig=" + good, nil, false},
		{"a semicolon as separator", "?x=1;sig=" + good, nil, false},
		{"an address that is none", "?sig=" + good + "\x7f", nil, false},
	} {
		r := post(webhookBody, "X-Other", "")
		r.URL += row.query
		if row.header != nil {
			r.Header = row.header
		}
		err := c.Verify(r)
		if row.ok && err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if !row.ok {
			wantKind(t, row.name, err, connectors.Unauthentic)
		}
	}
}

// Every flipped bit and every cut of a sig is as bad as one of a header.
func TestVerifySigBits(t *testing.T) {
	c := production(t)
	r := post(webhookBody, "X-Other", "")
	for i := range 8 * len(webhookSignature) {
		bits := []byte(webhookSignature)
		bits[i/8] ^= 1 << (i % 8)
		r.URL = webhookURL + "?sig=" + string(bits)
		wantKind(t, "a flipped bit", c.Verify(r), connectors.Unauthentic)
	}
	for i := range webhookSignature {
		r.URL = webhookURL + "?sig=" + webhookSignature[:i]
		wantKind(t, "a cut sig", c.Verify(r), connectors.Unauthentic)
	}
}

// What the platform sends verifies by either copy of the signature.
func TestVerifyPlatform(t *testing.T) {
	p, c := start(t)
	for _, u := range []string{webhookURL, webhookURL + "?tenant=a"} {
		requests, err := p.Webhook(u, said("one"))
		if err != nil || len(requests) != 1 {
			t.Fatalf("got %d calls, %v, want 1", len(requests), err)
		}
		r := requests[0]
		if err := c.Verify(r); err != nil {
			t.Errorf("Verify: %v", err)
		}
		r.Header.Del(signatureHeader)
		if err := c.Verify(r); err != nil {
			t.Errorf("Verify by sig alone: %v", err)
		}
		r.URL = u
		wantKind(t, "neither header nor sig", c.Verify(r), connectors.Unauthentic)
	}
}

func TestVerifyRotation(t *testing.T) {
	s := settings()
	s.AuthToken = config.Secrets{config.NewSecret("the-new-one"), config.NewSecret(testToken)}
	c := connect(t, s, time.Now)
	for _, token := range []string{testToken, "the-new-one"} {
		if err := c.Verify(post(webhookBody, signatureHeader, hexOf(token, webhookBody))); err != nil {
			t.Errorf("token %s: %v", token, err)
		}
	}
	third := hexOf("a-third-one", webhookBody)
	wantKind(t, "a third token", c.Verify(post(webhookBody, signatureHeader, third)), connectors.Unauthentic)
}

// A forger is not told what would have been right.
func TestVerifyTellsNothing(t *testing.T) {
	err := production(t).Verify(post(webhookBody, signatureHeader, pictureSignature))
	if err == nil || strings.Contains(err.Error(), webhookSignature[:8]) || strings.Contains(err.Error(), testToken) {
		t.Errorf("got %v, want an error without the signature or the token", err)
	}
}
