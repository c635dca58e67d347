// Package meta is what Meta's platforms have in common: the handshake and the
// signature of their webhooks, calls to their Graph API with its error codes,
// and the webhook's address among an app's settings.
//
// It promises the rules of package wire for signatures, that a handshake echoes
// nothing but a short plain token, and that a failed Graph call has the kind
// that its error code stands for, whatever the HTTP status says.
package meta

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"regexp"
	"strings"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// Verify checks the header X-Hub-Signature-256: "sha256=" and the lower-case hex
// of HMAC-SHA256 over the raw body, keyed with the app secret. Meta signs the
// text that it sends, with all its \u escapes, so nothing may be decoded before.
// Any doubt is an error of kind Unauthentic; op names the step in it.
// https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads
func Verify(op string, r *connectors.Request, secrets config.Secrets) error {
	header, err := wire.Header(r, "X-Hub-Signature-256")
	if err != nil {
		return err
	}
	digits, ok := strings.CutPrefix(header, "sha256=")
	if !ok {
		return connectors.Errorf(connectors.Unauthentic, op, "signature is not of the form sha256=")
	}
	got, err := wire.Hex(op, digits)
	if err != nil {
		return err
	}
	return wire.CheckMAC(op, sha256.New, secrets, r.Body, got)
}

// challenge is what may be echoed. Meta sends a decimal number; the characters
// are those that mean nothing in HTML, in a header or in a script, because
// whoever knows the verify token could have us say it under our name.
var challenge = regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`)

// Challenge returns what a GET with hub.mode, hub.verify_token and
// hub.challenge is answered with. Each of the three must be there exactly once;
// any doubt is an error of kind Unauthentic.
// https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests
func Challenge(op string, r *connectors.Request, token config.Secret) (string, error) {
	if r.Method != http.MethodGet {
		return "", connectors.Errorf(connectors.Unauthentic, op, "not a GET")
	}
	if wire.Parameter(r, "hub.mode") != "subscribe" {
		return "", connectors.Errorf(connectors.Unauthentic, op, "hub.mode is not subscribe")
	}
	if !equal(wire.Parameter(r, "hub.verify_token"), token.Reveal()) {
		return "", connectors.Errorf(connectors.Unauthentic, op, "wrong verify token")
	}
	echo := wire.Parameter(r, "hub.challenge")
	if !challenge.MatchString(echo) {
		return "", connectors.Errorf(connectors.Unauthentic, op, "hub.challenge is not a short plain token")
	}
	return echo, nil
}

// ChallengeType is the media type of what Challenge returns: the bare text.
const ChallengeType = "text/plain; charset=utf-8"

// equal compares digests, so that the time it takes does not even tell the
// length. An empty token equals nothing, because everybody knows it.
func equal(got, want string) bool {
	g, w := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(g[:], w[:]) == 1 && want != ""
}
