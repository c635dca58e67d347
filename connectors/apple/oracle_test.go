package apple_test

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/lightlock/lightlock/connectors/apple/applesim"
)

// golang-jwt and the standard library's counter mode are the judges of what the
// simulated Apple signs and encrypts with code of its own.

func TestOracleTokens(t *testing.T) {
	p, _ := start(t)
	r, err := p.Call(webhookURL, p.Message(said("one")))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	key, err := base64.StdEncoding.DecodeString(p.Secret)
	if err != nil {
		t.Fatal(err)
	}
	read := func(key []byte) error {
		_, err := jwt.Parse(text, func(*jwt.Token) (any, error) { return key, nil },
			jwt.WithValidMethods([]string{"HS256"}), jwt.WithAudience(p.MSPID), jwt.WithIssuedAt())
		return err
	}
	if err := read(key); err != nil {
		t.Errorf("golang-jwt refuses the simulated Apple's token: %v", err)
	}
	if read([]byte(p.Secret)) == nil || read(nil) == nil {
		t.Error("golang-jwt accepts another key")
	}
}

// readToken lets golang-jwt read the token of a call of ours.
func readToken(t *testing.T, p *applesim.Platform, r *http.Request) {
	t.Helper()
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		t.Fatal("got no bearer token")
	}
	key, err := base64.StdEncoding.DecodeString(p.Secret)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Parse(text, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer(p.MSPID), jwt.WithIssuedAt())
	if err != nil {
		t.Errorf("golang-jwt refuses our token: %v", err)
		return
	}
	claims := token.Claims.(jwt.MapClaims)
	if iat, ok := claims["iat"].(float64); len(claims) != 2 || !ok || iat != float64(int64(iat)) {
		t.Errorf("got claims %v, want iss and iat in whole seconds", claims)
	}
}

// What golang-jwt signs, the simulated Apple takes, and not under another key or
// for another provider: its answers to Fetch and Send rest on that.
func TestOracleGateway(t *testing.T) {
	p, _ := start(t)
	call := func(issuer, secret string, method jwt.SigningMethod) int {
		key, _ := base64.StdEncoding.DecodeString(secret)
		token, err := jwt.NewWithClaims(method, jwt.MapClaims{"iss": issuer, "iat": jwt.NewNumericDate(time.Now())}).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+"/v1/message", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Source-Id", p.BusinessID)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	for name, row := range map[string]struct {
		issuer, secret string
		method         jwt.SigningMethod
		want           int
	}{
		"ours":             {p.MSPID, p.Secret, jwt.SigningMethodHS256, 400}, // for the empty body
		"another provider": {"msp-2", p.Secret, jwt.SigningMethodHS256, 403},
		"another secret":   {p.MSPID, secret, jwt.SigningMethodHS256, 403},
		"another method":   {p.MSPID, p.Secret, jwt.SigningMethodHS512, 403},
	} {
		if got := call(row.issuer, row.secret, row.method); got != row.want {
			t.Errorf("%s: got HTTP %d, want %d", name, got, row.want)
		}
	}
}

func TestOracleCounterMode(t *testing.T) {
	key := mustHex(t, hexKey)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 15, 16, 17, 4096, 70_001} { // beyond 256 blocks of 16 bytes, the counter carries
		want := []byte(strings.Repeat("p", n))
		stream := cipher.NewCTR(block, make([]byte, aes.BlockSize))
		got := applesim.Crypt(key, want)
		stream.XORKeyStream(got, got)
		if string(got) != string(want) {
			t.Errorf("%d bytes: the simulated Apple's counter mode is not the standard library's", n)
		}
	}
}

func hexToBase64(t *testing.T, text string) string {
	t.Helper()
	return base64.StdEncoding.EncodeToString(mustHex(t, text))
}
