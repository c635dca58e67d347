package apple

import (
	"cmp"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// Apple proves itself by a JWT and wants one of us. Both are HS256 under the
// secret's bytes; hers names us in "aud", ours in "iss".
// https://developer.apple.com/documentation/businesschatapi/authorizing_messages
const (
	method = "HS256"
	// clockSkew is how far Apple's clock may be ahead of ours.
	clockSkew = 5 * time.Minute
	// tokenCharacters are all that a token is made of. The decoder itself
	// passes over line breaks, which would give one token many spellings.
	tokenCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
)

// newParser returns a parser of Apple's tokens. It takes one method only: a
// token that says "none", or takes the secret for a public key, is not read.
func newParser(mspID string, now func() time.Time) *jwt.Parser {
	return jwt.NewParser(
		jwt.WithValidMethods([]string{method}),
		jwt.WithStrictDecoding(),
		jwt.WithAudience(mspID),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(clockSkew),
		jwt.WithTimeFunc(now),
	)
}

// verifyToken reports whether Apple made the token for us, and lately. Its
// errors are our own words, because the library's quote the token.
func (c *Connector) verifyToken(header string) error {
	const op = "apple: verify"
	text, ok := strings.CutPrefix(header, "Bearer ")
	if !ok || strings.Trim(text, tokenCharacters) != "" {
		return connectors.Errorf(connectors.Unauthentic, op, "no bearer token")
	}
	token, err := c.tokens.ParseWithClaims(text, jwt.MapClaims{}, func(*jwt.Token) (any, error) { return c.keySet(), nil })
	if err != nil {
		return connectors.Errorf(connectors.Unauthentic, op, "token has a wrong signature, aud or iat")
	}
	issued, err := token.Claims.GetIssuedAt()
	if err != nil || issued == nil {
		return connectors.Errorf(connectors.Unauthentic, op, "token has no iat")
	}
	if c.now().Sub(issued.Time) > cmp.Or(c.config.MaxTokenAge.Std(), time.Hour) {
		return connectors.Errorf(connectors.Unauthentic, op, "token is older than max_token_age")
	}
	return nil
}

// keySet returns all keys in force; there are two of them while the secret is
// being replaced.
func (c *Connector) keySet() jwt.VerificationKeySet {
	var set jwt.VerificationKeySet
	for _, key := range c.keys {
		set.Keys = append(set.Keys, []byte(key.Reveal()))
	}
	return set
}

// newToken returns a token for one call to Apple.
func (c *Connector) newToken(op string) (string, error) {
	key := wire.First(c.keys)
	if key.IsZero() {
		return "", connectors.Errorf(connectors.Misconfigured, op, "no secret")
	}
	claims := jwt.MapClaims{"iss": c.config.MSPID, "iat": c.now().Unix()}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(key.Reveal()))
	if err != nil {
		return "", connectors.Errorf(connectors.Misconfigured, op, "token cannot be signed")
	}
	return token, nil
}
