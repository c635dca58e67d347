package twitter

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	dghubble "github.com/dghubble/oauth1"

	"github.com/lightlock/lightlock/config"
)

const mediaAddress = "https://ton.twitter.com/1.1/ton/data/dm/1900000000000000001/1900000000000000002/AbCdEf12.jpg"

func parsed(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func keys(consumerKey, consumerSecret, token, tokenSecret string) oauth1 {
	return oauth1{config.NewSecret(consumerKey), config.NewSecret(consumerSecret), config.NewSecret(token), config.NewSecret(tokenSecret)}
}

// The example of X's own page about signatures.
func TestSignatureOfDocumentation(t *testing.T) {
	o := keys("xvz1evFS4wEEPTGEFPHBog", "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
		"370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE")
	u := parsed(t, "https://api.x.com/1.1/statuses/update.json?include_entities=true")
	base := baseString(http.MethodPost, u, u.Query(),
		url.Values{"status": {"Hello Ladies + Gentlemen, a signed OAuth request!"}},
		url.Values{
			"oauth_consumer_key": {o.consumerKey.Reveal()}, "oauth_nonce": {"kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"},
			"oauth_signature_method": {"HMAC-SHA1"}, "oauth_timestamp": {"1318622958"}, "oauth_token": {o.token.Reveal()}, "oauth_version": {"1.0"},
		})
	if got, want := o.signature(base), "Ls93hJiZbQ3akF3HF3x1Bz8/zU4="; got != want {
		t.Errorf("got %s of %s, want %s", got, base, want)
	}
}

func TestSignatureOfMedia(t *testing.T) {
	const want = "GET&https%3A%2F%2Fton.twitter.com%2F1.1%2Fton%2Fdata%2Fdm%2F1900000000000000001%2F1900000000000000002%2FAbCdEf12.jpg&" +
		"oauth_consumer_key%3Dck-test%26oauth_nonce%3Dnonce0001%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D1700000000%26oauth_token%3D100-tok%26oauth_version%3D1.0"
	base := baseString(http.MethodGet, parsed(t, mediaAddress), url.Values{
		"oauth_consumer_key": {"ck-test"}, "oauth_nonce": {"nonce0001"}, "oauth_signature_method": {"HMAC-SHA1"},
		"oauth_timestamp": {"1700000000"}, "oauth_token": {"100-tok"}, "oauth_version": {"1.0"},
	})
	if base != want {
		t.Errorf("got base string\n%s\nwant\n%s", base, want)
	}
	o := keys("ck-test", "cs-test", "100-tok", "ts-test")
	if got, want := o.signature(base), "7Iv/EFP3wxkA6Vzi+n/7dQXdC2Y="; got != want {
		t.Errorf("got signature %s, want %s", got, want)
	}
	got := o.header(http.MethodGet, parsed(t, mediaAddress), "nonce0001", time.Unix(1700000000, 0))
	const header = `OAuth oauth_consumer_key="ck-test", oauth_nonce="nonce0001", oauth_signature_method="HMAC-SHA1", ` +
		`oauth_timestamp="1700000000", oauth_token="100-tok", oauth_version="1.0", oauth_signature="7Iv%2FEFP3wxkA6Vzi%2Bn%2F7dQXdC2Y%3D"`
	if got != header {
		t.Errorf("got header\n%s\nwant\n%s", got, header)
	}
}

// The example of RFC 5849, section 3.4.1.1, which has a name twice.
func TestBaseStringOfRFC(t *testing.T) {
	const want = "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26" +
		"oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26" +
		"oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
	u := parsed(t, "http://EXAMPLE.COM/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b")
	got := baseString(http.MethodPost, u, u.Query(), url.Values{"c2": {""}, "a3": {"2 q"}}, url.Values{
		"oauth_consumer_key": {"9djdj82h48djs9d2"}, "oauth_nonce": {"7d8f3e4a"}, "oauth_signature_method": {"HMAC-SHA1"},
		"oauth_timestamp": {"137131201"}, "oauth_token": {"kkk9d7dh3k39sjv7"},
	})
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// transport answers every request without a network, and keeps its header.
type transport struct{ header string }

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.header = r.Header.Get("Authorization")
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

// fields returns the members of an Authorization header.
func fields(t *testing.T, header string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for field := range strings.SplitSeq(strings.TrimPrefix(header, "OAuth "), ", ") {
		name, value, ok := strings.Cut(field, "=")
		if !ok {
			t.Fatalf("got header %s, want pairs", header)
		}
		found[name] = strings.Trim(value, `"`)
	}
	return found
}

// An independent library signs the same requests, with its own nonces and times.
func TestSignatureOracle(t *testing.T) {
	for _, k := range [][4]string{
		{"ck-test", "cs-test", "100-tok", "ts-test"}, {"a b", "c+d/e=", "f&g", "h%20~-._*'()!"}, {"é写", "\U0001F4F7", "x", "y"},
	} {
		o := keys(k[0], k[1], k[2], k[3])
		for _, r := range []struct{ method, address string }{
			{http.MethodGet, mediaAddress}, {http.MethodPost, apiBase + "/2/dm_conversations/with/2/messages"}, {http.MethodPut, apiBase + "/2/webhooks/1"},
			{http.MethodGet, apiBase + "/2/x?b=2&a=1&a-b=3&c=%20+%2B&d=%26"}, {http.MethodGet, apiBase + "/2/x?%C3%A9=%7E&empty="},
		} {
			seen := &transport{}
			ctx := context.WithValue(t.Context(), dghubble.HTTPClient, &http.Client{Transport: seen})
			client := dghubble.NewConfig(k[0], k[1]).Client(ctx, dghubble.NewToken(k[2], k[3]))
			req, err := http.NewRequestWithContext(t.Context(), r.method, r.address, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			theirs := fields(t, seen.header)
			nonce, err := url.QueryUnescape(theirs["oauth_nonce"])
			if err != nil {
				t.Fatal(err)
			}
			when, err := time.ParseDuration(theirs["oauth_timestamp"] + "s")
			if err != nil {
				t.Fatal(err)
			}
			ours := fields(t, o.header(r.method, parsed(t, r.address), nonce, time.Unix(0, 0).Add(when)))
			for name, want := range theirs {
				if ours[name] != want {
					t.Errorf("%s %s: got %s %s, the library has %s", r.method, r.address, name, ours[name], want)
				}
			}
			if len(ours) != len(theirs) {
				t.Errorf("got %d members, the library has %d", len(ours), len(theirs))
			}
		}
	}
}

func TestNonces(t *testing.T) {
	used := map[string]bool{}
	for range 1000 {
		n := newNonce()
		if used[n] || len(n) != 32 || strings.Trim(n, "0123456789abcdef") != "" {
			t.Fatalf("got nonce %q, want 32 hex digits that are new", n)
		}
		used[n] = true
	}
}
