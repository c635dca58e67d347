package twittersim

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // What X uses.
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strings"
)

// caller is who a request speaks for.
type caller int

const (
	nobody caller = iota
	forged        // it claims to speak for somebody
	theApp
	theUser1 // by OAuth 1.0a
	theUser2 // by OAuth 2.0
)

// caller judges a request to X's host, from its Authorization header.
func (p *Platform) caller(r *http.Request, host string) caller {
	header := r.Header.Get("Authorization")
	switch {
	case header == "":
		return nobody
	case header == "Bearer "+p.BearerToken:
		return theApp
	case header == "Bearer "+p.OAuth2Token:
		return theUser2
	case strings.HasPrefix(header, "OAuth ") && p.signed(r, host):
		return theUser1
	}
	return forged
}

// signed tells whether the account has signed the request. The host is the one
// that this server stands for, because that is what an app signs.
// https://docs.x.com/fundamentals/authentication/oauth-1-0a/creating-a-signature
func (p *Platform) signed(r *http.Request, host string) bool {
	protocol := map[string]string{}
	for field := range strings.SplitSeq(strings.TrimPrefix(r.Header.Get("Authorization"), "OAuth "), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		decoded, err := url.PathUnescape(strings.Trim(value, `"`))
		if err != nil {
			return false
		}
		protocol[name] = decoded
	}
	given := protocol["oauth_signature"]
	delete(protocol, "oauth_signature")
	if protocol["oauth_consumer_key"] != p.ConsumerKey || protocol["oauth_token"] != p.AccessToken ||
		protocol["oauth_signature_method"] != "HMAC-SHA1" || protocol["oauth_version"] != "1.0" {
		return false
	}
	if !p.fresh(protocol["oauth_nonce"] + " " + protocol["oauth_timestamp"]) {
		return false
	}
	return given == Signature(r.Method, "https://"+host+r.URL.EscapedPath(), r.URL.Query(), protocol, [2]string{p.ConsumerSecret, p.AccessTokenSecret})
}

// fresh tells whether no request has used this nonce before.
func (p *Platform) fresh(nonce string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	used := p.nonces[nonce]
	p.nonces[nonce] = true
	return !used && len(nonce) > 12
}

// Signature is the signature that X expects of a request with these parameters.
// The secrets are the app's and the user's.
func Signature(method, address string, query url.Values, protocol map[string]string, secrets [2]string) string {
	var list []string
	for name, value := range protocol {
		list = append(list, encode(name)+"="+encode(value))
	}
	for name, values := range query {
		for _, value := range values {
			list = append(list, encode(name)+"="+encode(value))
		}
	}
	sort.Strings(list) // no name of X's is the beginning of another
	h := hmac.New(sha1.New, []byte(encode(secrets[0])+"&"+encode(secrets[1])))
	h.Write([]byte(method + "&" + encode(address) + "&" + encode(strings.Join(list, "&"))))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// encode is RFC 3986's percent encoding.
func encode(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
