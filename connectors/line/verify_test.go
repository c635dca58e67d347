package line_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
)

const (
	emptyBody      = `{"destination":"U00000000000000000000000000000001","events":[]}`
	emptySignature = "qUXRbYIaVWxhdk4uqvj+WBlgZ+QCobW9rGoRe6CwvXw="
	// The escapes stay as they are: LINE signs the bytes, not their meaning.
	escapedBody      = `{"destination":"U00000000000000000000000000000001","events":[{"x":"\u5199\/写📷"}]}`
	escapedSignature = "EXwJaejy7BLu5rj27T365TG5nMDwCqGRR8mdOLtXYf0="
)

// hmacOf is HMAC-SHA256 written out, independent of package wire.
func hmacOf(key, body string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(body))
	return h.Sum(nil)
}

func TestVerifyVectors(t *testing.T) {
	c := connect(t, settings())
	for _, v := range []struct {
		body, signature string
		size            int
	}{{emptyBody, emptySignature, 63}, {escapedBody, escapedSignature, 86}} {
		if len(v.body) != v.size {
			t.Errorf("got a vector of %d bytes, want %d", len(v.body), v.size)
		}
		if got := base64.StdEncoding.EncodeToString(hmacOf("line-channel-secret-for-tests", v.body)); got != v.signature {
			t.Errorf("got vector %s, want %s", got, v.signature)
		}
		if err := c.Verify(post(v.body, "x-line-signature", v.signature)); err != nil {
			t.Errorf("Verify of %s: %v", v.body, err)
		}
	}
	wantKind(t, "signatures exchanged", c.Verify(post(emptyBody, "x-line-signature", escapedSignature)), connectors.Unauthentic)
}

func TestVerifyHeaderCase(t *testing.T) {
	c := connect(t, settings())
	for _, name := range []string{"x-line-signature", "X-Line-Signature", "X-LINE-Signature", "X-LINE-SIGNATURE"} {
		r := post(emptyBody, "X-Other", "")
		// Put in as it is, without net/http's own spelling.
		r.Header = http.Header{name: {emptySignature}}
		if err := c.Verify(r); err != nil {
			t.Errorf("header %s: %v", name, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	mac := hmacOf("line-channel-secret-for-tests", emptyBody)
	spaced := strings.Replace(emptyBody, ":", ": ", 1)
	for _, row := range []struct{ name, body, header, signature string }{
		{"unsigned", emptyBody, "X-Other", emptySignature},
		{"empty", emptyBody, "X-Line-Signature", ""},
		{"not Base64", emptyBody, "X-Line-Signature", "%%%"},
		{"no padding", emptyBody, "X-Line-Signature", strings.TrimRight(emptySignature, "=")},
		{"address-safe Base64", emptyBody, "X-Line-Signature", base64.URLEncoding.EncodeToString(mac)},
		{"hex", emptyBody, "X-Line-Signature", hex.EncodeToString(mac)},
		{"a prefix as other platforms have", emptyBody, "X-Line-Signature", "sha256=" + emptySignature},
		{"another header", emptyBody, "X-Hub-Signature-256", emptySignature},
		{"the access token as key", emptyBody, "X-Line-Signature", base64.StdEncoding.EncodeToString(hmacOf("line-access-token-for-tests", emptyBody))},
		{"an empty key", emptyBody, "X-Line-Signature", base64.StdEncoding.EncodeToString(hmacOf("", emptyBody))},
		{"a byte order mark", "\ufeff" + emptyBody, "X-Line-Signature", emptySignature},
		{"a line end behind it", emptyBody + "\n", "X-Line-Signature", emptySignature},
		{"serialised anew", spaced, "X-Line-Signature", emptySignature},
		{"escapes resolved", strings.ReplaceAll(escapedBody, `\/`, `/`), "X-Line-Signature", escapedSignature},
		{"escapes made", strings.ReplaceAll(escapedBody, "📷", `\ud83d\udcf7`), "X-Line-Signature", escapedSignature},
		{"empty body", "", "X-Line-Signature", emptySignature},
	} {
		wantKind(t, row.name, connect(t, settings()).Verify(post(row.body, row.header, row.signature)), connectors.Unauthentic)
	}
}

// An unused bit of the last character decodes to the same 32 bytes. It is a
// second spelling of one signature, and refused.
func TestVerifySpareBits(t *testing.T) {
	c := connect(t, settings())
	other := strings.TrimSuffix(emptySignature, "w=") + "x="
	wantKind(t, "spare bits set", c.Verify(post(emptyBody, "X-Line-Signature", other)), connectors.Unauthentic)
}

func TestVerifyRotation(t *testing.T) {
	s := settings()
	s.ChannelSecret = config.Secrets{config.NewSecret("the-new-one"), config.NewSecret("line-channel-secret-for-tests")}
	c := connect(t, s)
	newer := base64.StdEncoding.EncodeToString(hmacOf("the-new-one", emptyBody))
	for _, signature := range []string{emptySignature, newer} {
		if err := c.Verify(post(emptyBody, "X-Line-Signature", signature)); err != nil {
			t.Errorf("signature %s: %v", signature, err)
		}
	}
	third := base64.StdEncoding.EncodeToString(hmacOf("a-third-one", emptyBody))
	wantKind(t, "a third secret", c.Verify(post(emptyBody, "X-Line-Signature", third)), connectors.Unauthentic)
}

// The query is not signed, so it proves nothing and disproves nothing.
func TestVerifyPassesOverQuery(t *testing.T) {
	r := post(emptyBody, "X-Line-Signature", emptySignature)
	r.URL += "?tenant=other"
	if err := connect(t, settings()).Verify(r); err != nil {
		t.Errorf("Verify with a query: %v", err)
	}
}

// The Verify button in LINE's console sends a signed call without events.
func TestVerifyButton(t *testing.T) {
	p, c := start(t)
	r, err := p.Call(webhookURL)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"destination":"` + p.BotID + `","events":[]}`; string(r.Body) != want {
		t.Fatalf("got body %s, want %s", r.Body, want)
	}
	if err := c.Verify(r); err != nil {
		t.Errorf("Verify: %v", err)
	}
	if events, err := c.Parse(r); err != nil || len(events) != 0 {
		t.Errorf("got %v, %v, want no events and no error", events, err)
	}
	r.Header.Del("X-Line-Signature")
	wantKind(t, "the same unsigned", c.Verify(r), connectors.Unauthentic)
}
