package twitter

import (
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // OAuth 1.0a of X knows no other method; as an HMAC it is sound.
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/wire"
)

// oauth1 signs requests on an account's behalf by OAuth 1.0a. It is written out
// here because the libraries for it are HTTP clients of their own, and every
// call of ours goes through package wire.
// https://docs.x.com/fundamentals/authentication/oauth-1-0a/creating-a-signature
type oauth1 struct {
	consumerKey, consumerSecret config.Secret
	token, tokenSecret          config.Secret
}

// header returns the Authorization header for one request. A JSON body is not
// part of what is signed (RFC 5849, section 3.4.1.3.1).
func (o oauth1) header(method string, u *url.URL, nonce string, now time.Time) string {
	protocol := url.Values{
		"oauth_consumer_key":     {o.consumerKey.Reveal()},
		"oauth_nonce":            {nonce},
		"oauth_signature_method": {"HMAC-SHA1"},
		"oauth_timestamp":        {strconv.FormatInt(now.Unix(), 10)},
		"oauth_token":            {o.token.Reveal()},
		"oauth_version":          {"1.0"},
	}
	signature := o.signature(baseString(method, u, protocol, u.Query()))
	header := "OAuth "
	for _, name := range slices.Sorted(maps.Keys(protocol)) {
		header += name + `="` + escape(protocol.Get(name)) + `", `
	}
	return header + `oauth_signature="` + escape(signature) + `"`
}

// signature is the Base64 of HMAC-SHA1 over the base string, keyed with both
// secrets.
func (o oauth1) signature(base string) string {
	key := escape(o.consumerSecret.Reveal()) + "&" + escape(o.tokenSecret.Reveal())
	return base64.StdEncoding.EncodeToString(wire.MAC(sha1.New, []byte(key), []byte(base)))
}

// baseString is what is signed: the method, the address without its query, and
// all parameters in the order of their encoded names, then of their encoded
// values (RFC 5849, section 3.4.1).
func baseString(method string, u *url.URL, parameters ...url.Values) string {
	var list []string
	for _, values := range parameters {
		for name, all := range values {
			for _, value := range all {
				// The blank comes before all that a name is made of, as "=" does not.
				list = append(list, escape(name)+" "+escape(value))
			}
		}
	}
	slices.Sort(list)
	all := strings.ReplaceAll(strings.Join(list, "&"), " ", "=")
	address := strings.ToLower(u.Scheme+"://"+u.Host) + u.EscapedPath()
	return method + "&" + escape(address) + "&" + escape(all)
}

// escape encodes everything but letters, digits and -._~ (RFC 5849, section 3.6).
func escape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// newNonce returns a text that no other request has.
func newNonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}
