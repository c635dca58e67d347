package connectortest

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lightlock/lightlock/connectors"
)

// handshaker is a simulated platform that proves the ownership of a webhook by
// a GET request before it delivers anything.
type handshaker interface {
	// Handshake returns that request.
	Handshake(url string) *connectors.Request
}

func challengeChecks() []check {
	return []check{
		{"challenge", "a Challenger answers the platform's handshake, and nobody else's", checkChallenge},
	}
}

func checkChallenge(b *bench) error {
	c, able := b.connector.(connectors.Challenger)
	h, asks := b.platform.(handshaker)
	switch {
	case able != asks:
		return fmt.Errorf("the connector is a Challenger: %v; the simulated platform has a Handshake: %v", able, asks)
	case !able:
		return nil
	}
	r := h.Handshake(webhookURL)
	if r.Method != http.MethodGet {
		return fmt.Errorf("got a handshake by %s, want GET", r.Method)
	}
	body, err := c.Challenge(r)
	if err != nil {
		return fmt.Errorf("the platform's own handshake: %w", err)
	}
	if body == "" {
		return errors.New("got an empty answer to the handshake")
	}
	if _, _, err := mime.ParseMediaType(c.ChallengeType()); err != nil {
		return fmt.Errorf("the answer's media type is %q: %w", c.ChallengeType(), err)
	}
	if err := secretLeaks(b.settings).in("the answer to the handshake", body); err != nil {
		return err
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return err
	}
	return forgedHandshakes(c, r, u, secretsOf(b.settings))
}

// forgedHandshakes tries handshakes whose token is not quite right, and ones
// that are no handshakes at all.
func forgedHandshakes(c connectors.Challenger, r *connectors.Request, u *url.URL, secrets []string) error {
	try := func(what string, query url.Values) error {
		forged, changed := *u, clone(r)
		forged.RawQuery = query.Encode()
		changed.URL = forged.String()
		_, err := c.Challenge(changed)
		if err := wantKind(err, connectors.Unauthentic); err != nil {
			return fmt.Errorf("handshake with %s: %w", what, err)
		}
		return nil
	}
	if err := try("no query", url.Values{}); err != nil {
		return err
	}
	for name, values := range u.Query() {
		bad := map[string][]string{"no " + name: nil, "an empty " + name: {""}, "an overlong " + name: {strings.Repeat(values[0], 1<<16)}}
		if token := values[0]; slices.Contains(secrets, token) {
			bad["another token"] = []string{strings.Repeat("x", len(token))}
			bad["half a token"] = []string{token[:len(token)/2]}
			bad["a token in capitals"] = []string{strings.ToUpper(token) + "X"}
			bad["a token and a blank"] = []string{token + " "}
			bad["two tokens"] = []string{token, "x"}
			bad["two tokens the other way"] = []string{"x", token}
		}
		for what, list := range bad {
			query := u.Query()
			query[name] = list
			if err := try(what, query); err != nil {
				return err
			}
		}
	}
	return nil
}
