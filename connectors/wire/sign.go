package wire

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"net/url"
	"strings"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
)

const opVerify = "verify signature"

// MAC returns the HMAC of message under key with the hash that h makes, such as
// sha256.New.
func MAC(h func() hash.Hash, key, message []byte) []byte {
	mac := hmac.New(h, key)
	mac.Write(message)
	return mac.Sum(nil)
}

// VerifyMAC tells whether got is the HMAC of message under any of the secrets:
// there are two of them while one is being replaced. It compares in constant
// time and always tries every secret, so that its duration does not tell which
// one fits. An empty secret never fits, because everybody knows it.
func VerifyMAC(h func() hash.Hash, secrets config.Secrets, message, got []byte) bool {
	valid := false
	for _, secret := range secrets {
		equal := hmac.Equal(MAC(h, []byte(secret.Reveal()), message), got)
		valid = valid || equal && !secret.IsZero()
	}
	return valid
}

// First returns the secret that signs what we send, the first of those in force.
func First(secrets config.Secrets) config.Secret {
	if len(secrets) == 0 {
		return config.Secret{}
	}
	return secrets[0]
}

// Base64 reads a signature of size bytes in Base64. Any other form is an error of
// kind Unauthentic, also one that means the same.
func Base64(op, text string, size int) ([]byte, error) {
	mac, err := base64.StdEncoding.Strict().DecodeString(text)
	// The length too, because the decoder passes over line breaks.
	if err != nil || len(text) != base64.StdEncoding.EncodedLen(size) {
		return nil, connectors.Errorf(connectors.Unauthentic, op, "signature is not the Base64 of %d bytes", size)
	}
	return mac, nil
}

// Hex reads a signature in lower-case hex. Any other form is an error of kind
// Unauthentic.
func Hex(op, text string) ([]byte, error) {
	mac, err := hex.DecodeString(text)
	if err != nil || text != strings.ToLower(text) {
		return nil, connectors.Errorf(connectors.Unauthentic, op, "signature is not lower-case hex")
	}
	return mac, nil
}

// CheckMAC is VerifyMAC that tells with an error of kind Unauthentic.
func CheckMAC(op string, h func() hash.Hash, secrets config.Secrets, message, got []byte) error {
	if !VerifyMAC(h, secrets, message, got) {
		return connectors.Errorf(connectors.Unauthentic, op, "wrong signature")
	}
	return nil
}

// Header returns the one value of a header, or an error of kind Unauthentic
// where it is missing, empty or repeated: of two signatures, somebody else
// might look at the other.
func Header(r *connectors.Request, name string) (string, error) {
	var values []string
	for key, list := range r.Header {
		if strings.EqualFold(key, name) {
			values = append(values, list...)
		}
	}
	name = http.CanonicalHeaderKey(name)
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return "", connectors.Errorf(connectors.Unauthentic, opVerify, "no %s header", name)
	case len(values) > 1:
		return "", connectors.Errorf(connectors.Unauthentic, opVerify, "%d %s headers", len(values), name)
	}
	return values[0], nil
}

// Parameter returns the one value of a parameter of the query, or nothing where
// it is missing or repeated, or any of the query cannot be read.
func Parameter(r *connectors.Request, name string) string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return ""
	}
	query, err := url.ParseQuery(u.RawQuery)
	if values := query[name]; err == nil && len(values) == 1 {
		return values[0]
	}
	return ""
}
