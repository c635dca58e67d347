package twitter_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/twitter"
)

const (
	signatureHeader = "x-twitter-webhooks-signature"
	emptyBody       = `{"for_user_id":"1000000000000000001","direct_message_events":[]}`
	emptySignature  = "sha256=cY0FqiAe2ADbZqI7FU3SHbbD4G50YEs3aQxMiYFWrtI="
)

// hmacOf is HMAC-SHA256 written out, independent of package wire.
func hmacOf(key, text string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return h.Sum(nil)
}

// signatureOf is X's signature of a text.
func signatureOf(key, text string) string {
	return "sha256=" + base64.StdEncoding.EncodeToString(hmacOf(key, text))
}

func TestVerifyVector(t *testing.T) {
	if len(emptyBody) != 64 {
		t.Errorf("got a vector of %d bytes, want 64", len(emptyBody))
	}
	c := connect(t, settings())
	for _, name := range []string{signatureHeader, "X-Twitter-Webhooks-Signature", "X-TWITTER-WEBHOOKS-SIGNATURE"} {
		r := post(emptyBody, "X", "")
		// Put in as it is, without net/http's own spelling.
		r.Header = http.Header{name: {emptySignature}}
		if err := c.Verify(r); err != nil {
			t.Errorf("header %s: %v", name, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	mac := hmacOf(secret, emptyBody)
	b64 := base64.StdEncoding.EncodeToString(mac)
	for _, row := range []struct{ name, body, header, signature string }{
		{"unsigned", emptyBody, "X-Other", emptySignature},
		{"empty", emptyBody, signatureHeader, ""},
		{"no prefix", emptyBody, signatureHeader, b64},
		{"prefix alone", emptyBody, signatureHeader, "sha256="},
		{"prefix twice", emptyBody, signatureHeader, "sha256=" + emptySignature},
		{"prefix in capitals", emptyBody, signatureHeader, "SHA256=" + b64},
		{"prefix of another method", emptyBody, signatureHeader, "sha1=" + b64},
		{"hex", emptyBody, signatureHeader, "sha256=" + hex.EncodeToString(mac)},
		{"no padding", emptyBody, signatureHeader, strings.TrimRight(emptySignature, "=")},
		{"address-safe Base64", emptyBody, signatureHeader, "sha256=" + base64.URLEncoding.EncodeToString(hmacOf(secret, "another one>?"))},
		{"spare bits set", emptyBody, signatureHeader, strings.TrimSuffix(emptySignature, "I=") + "J="},
		{"a line break inside", emptyBody, signatureHeader, "sha256=\n" + b64},
		{"another header", emptyBody, "X-Hub-Signature-256", emptySignature},
		{"the consumer key as key", emptyBody, signatureHeader, signatureOf("ck-test", emptyBody)},
		{"the access token's secret as key", emptyBody, signatureHeader, signatureOf("ts-test", emptyBody)},
		{"an empty key", emptyBody, signatureHeader, signatureOf("", emptyBody)},
		{"a byte order mark", "\ufeff" + emptyBody, signatureHeader, emptySignature},
		{"a line end behind it", emptyBody + "\n", signatureHeader, emptySignature},
		{"serialised anew", strings.Replace(emptyBody, ":", ": ", 1), signatureHeader, emptySignature},
		{"empty body", "", signatureHeader, emptySignature},
	} {
		wantKind(t, row.name, connect(t, settings()).Verify(post(row.body, row.header, row.signature)), connectors.Unauthentic)
	}
}

func TestVerifyRotation(t *testing.T) {
	s := settings()
	s.ConsumerSecret = config.Secrets{config.NewSecret("the-new-one"), config.NewSecret(secret)}
	c := connect(t, s)
	for _, key := range []string{secret, "the-new-one"} {
		if err := c.Verify(post(emptyBody, signatureHeader, signatureOf(key, emptyBody))); err != nil {
			t.Errorf("a secret in force: %v", err)
		}
	}
	wantKind(t, "a third secret", c.Verify(post(emptyBody, signatureHeader, signatureOf("a-third-one", emptyBody))), connectors.Unauthentic)
}

// challenge returns the response token for a query.
func challenge(t *testing.T, c *twitter.Connector, query string) (string, error) {
	t.Helper()
	body, err := c.Challenge(get(query))
	if err != nil {
		return "", err
	}
	var answer map[string]string
	if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer) != 1 {
		t.Errorf("%s: got %s, want JSON with one member", query, body)
	}
	return answer["response_token"], nil
}

func TestChallengeVectors(t *testing.T) {
	for _, row := range []struct{ name, secret, query, want string }{
		{"plain", secret, "?crc_token=challenge-123", "sha256=aQtyB9I2fANWaAsAzWozE04DvTtycsV1bVk4mgNcSUQ="},
		{"encoded", secret, "?crc_token=a%2Bb%2Fc%3D", "sha256=ch9XyGtLQ3E1RyNdfSSUmW3aMDM+FAloWJL0OUZ712o="},
		{"a blank as a plus", "apiSecret", "?crc_token=test+token", "sha256=O5hJl2njQRIa4vsumZ+3oom9ECR5m3aQLRZkPoYelp0="},
		{"a blank as %20", "apiSecret", "?crc_token=test%20token", "sha256=O5hJl2njQRIa4vsumZ+3oom9ECR5m3aQLRZkPoYelp0="},
		{"other parameters", secret, "?nonce=x&crc_token=challenge-123&x=%zz", "sha256=aQtyB9I2fANWaAsAzWozE04DvTtycsV1bVk4mgNcSUQ="},
	} {
		s := settings()
		s.ConsumerSecret = config.Secrets{config.NewSecret(row.secret), config.NewSecret("the old one")}
		if got, err := challenge(t, connect(t, s), row.query); err != nil || got != row.want {
			t.Errorf("%s: got %q, %v, want %q", row.name, got, err, row.want)
		}
	}
	// What comes of a token that is not decoded.
	if got := signatureOf("apiSecret", "test+token"); !strings.HasPrefix(got, "sha256=aZsERH/55H/Z") {
		t.Errorf("got %q for the undecoded token", got)
	}
}

func TestChallengeRefuses(t *testing.T) {
	c := connect(t, settings())
	for name, query := range map[string]string{
		"no query":       "",
		"no token":       "?nonce=x",
		"an empty token": "?crc_token=",
		"no value":       "?crc_token",
		"another case":   "?CRC_TOKEN=x",
		"two tokens":     "?crc_token=a&crc_token=b",
		"the same twice": "?crc_token=a&crc_token=a",
		"257 characters": "?crc_token=" + strings.Repeat("a", 257),
		"a bad escape":   "?crc_token=%zz",
	} {
		_, err := challenge(t, c, query)
		wantKind(t, name, err, connectors.Unauthentic)
	}
	if _, err := challenge(t, c, "?crc_token="+strings.Repeat("a", 256)); err != nil {
		t.Errorf("256 characters: %v", err)
	}
	for _, method := range []string{http.MethodPost, http.MethodHead, ""} {
		r := get("?crc_token=a")
		r.Method = method
		_, err := c.Challenge(r)
		wantKind(t, method, err, connectors.Unauthentic)
	}
}

// Whoever asks gets an answer, so no answer may be the signature of something
// that X could have posted.
func TestChallengeIsNoOracle(t *testing.T) {
	c := connect(t, settings())
	for _, token := range []string{
		emptyBody, "{", "}", "[", "]", `"`, `\`, "{}", "[1]", ` {"data":{}}`, "\t{}", "\n", "a\nb", "a\tb", "a\rb", "a\x00b", "\x7f",
		" ", " a", "a ", "a  b", "\u00a0", "\ufeff{}", "é", "写", "\xff", "a\u2028b", "a\u0085b",
	} {
		_, err := challenge(t, c, "?"+url.Values{"crc_token": {token}}.Encode())
		wantKind(t, "token "+token, err, connectors.Unauthentic)
	}
	// And what it does answer is no webhook, however well it is signed.
	for _, token := range []string{"challenge-123", "a+b/c=", "test token", "null", "true", "5", "-1e9", "events", "a=b&c=d"} {
		signature, err := challenge(t, c, "?"+url.Values{"crc_token": {token}}.Encode())
		if err != nil || signature != signatureOf(secret, token) {
			t.Errorf("token %s: got %q, %v, want its HMAC", token, signature, err)
		}
		wantKind(t, "body "+token, c.Verify(post(token, signatureHeader, signature)), connectors.Unauthentic)
	}
}

// X calls Base64 with any of its 64 characters, and with padding.
func TestChallengeTakesBase64(t *testing.T) {
	c := connect(t, settings())
	for i := range 256 {
		token := base64.StdEncoding.EncodeToString(hmacOf("some", string(rune(i))))
		if got, err := challenge(t, c, "?"+url.Values{"crc_token": {token}}.Encode()); err != nil || got != signatureOf(secret, token) {
			t.Fatalf("token %s: got %q, %v", token, got, err)
		}
	}
}

// A wrong answer makes X give the webhook up, so there is none without a secret.
func TestChallengeWithoutSecret(t *testing.T) {
	for name, secrets := range map[string]config.Secrets{"none": nil, "an empty one": {config.Secret{}}, "an empty one first": {config.Secret{}, config.NewSecret(secret)}} {
		s := settings()
		s.ConsumerSecret = secrets
		_, err := challenge(t, connect(t, s), "?crc_token=challenge-123")
		wantKind(t, name, err, connectors.Unauthentic)
	}
}

func TestChallengeType(t *testing.T) {
	if got, want := connect(t, settings()).ChallengeType(), "application/json"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
