package twittersim

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dghubble/oauth1"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

func start(t *testing.T) *Platform {
	t.Helper()
	p, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func said() sim.Said {
	return sim.Said{
		ID: "one", Consumer: "ada", Name: "Ada", Text: "a & b", Photos: [][]byte{[]byte("photo")},
		At: time.Date(2026, time.March, 1, 12, 0, 0, 123e6, time.UTC),
	}
}

// The published examples of X's own signatures.
func TestWebhookSignature(t *testing.T) {
	p := start(t)
	p.ConsumerSecret = "x-consumer-secret-for-tests"
	r := p.Sign("https://gateway.example/x", []byte(`{"for_user_id":"1000000000000000001","direct_message_events":[]}`))
	if got, want := r.Header.Get("x-twitter-webhooks-signature"), "sha256=cY0FqiAe2ADbZqI7FU3SHbbD4G50YEs3aQxMiYFWrtI="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for token, want := range map[string]string{
		"challenge-123": "aQtyB9I2fANWaAsAzWozE04DvTtycsV1bVk4mgNcSUQ=", "a+b/c=": "ch9XyGtLQ3E1RyNdfSSUmW3aMDM+FAloWJL0OUZ712o=",
	} {
		if got := p.mac([]byte(token)); got != want {
			t.Errorf("token %s: got %s, want %s", token, got, want)
		}
	}
}

func TestOAuthVectors(t *testing.T) {
	for _, v := range []struct {
		method, address, query, secret, tokenSecret, want string
		protocol                                          map[string]string
	}{
		{
			http.MethodPost, "https://api.x.com/1.1/statuses/update.json", "include_entities=true&status=Hello%20Ladies%20%2B%20Gentlemen%2C%20a%20signed%20OAuth%20request%21",
			"kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw", "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE", "Ls93hJiZbQ3akF3HF3x1Bz8/zU4=",
			map[string]string{
				"oauth_consumer_key": "xvz1evFS4wEEPTGEFPHBog", "oauth_nonce": "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", "oauth_signature_method": "HMAC-SHA1",
				"oauth_timestamp": "1318622958", "oauth_token": "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", "oauth_version": "1.0",
			},
		},
		{
			http.MethodGet, "https://ton.twitter.com/1.1/ton/data/dm/1900000000000000001/1900000000000000002/AbCdEf12.jpg", "", "cs-test", "ts-test", "7Iv/EFP3wxkA6Vzi+n/7dQXdC2Y=",
			map[string]string{
				"oauth_consumer_key": "ck-test", "oauth_nonce": "nonce0001", "oauth_signature_method": "HMAC-SHA1",
				"oauth_timestamp": "1700000000", "oauth_token": "100-tok", "oauth_version": "1.0",
			},
		},
	} {
		query, err := url.ParseQuery(v.query)
		if err != nil {
			t.Fatal(err)
		}
		if got := Signature(v.method, v.address, query, v.protocol, [2]string{v.secret, v.tokenSecret}); got != v.want {
			t.Errorf("%s: got %s, want %s", v.address, got, v.want)
		}
	}
}

// behind sends the requests that an app makes to X's own hosts to the platform.
type behind struct{ p *Platform }

func (b behind) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = "http", strings.TrimPrefix(b.p.URL, "http://"), ""
	return http.DefaultTransport.RoundTrip(r)
}

// ask makes a request by way of an independent OAuth library.
func ask(t *testing.T, p *Platform, token *oauth1.Token, secret string, req *http.Request) *http.Response {
	t.Helper()
	client := &http.Client{Transport: behind{p}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if token != nil {
		ctx := context.WithValue(t.Context(), oauth1.HTTPClient, client)
		signing := oauth1.NewConfig(p.ConsumerKey, secret).Client(ctx, token)
		signing.CheckRedirect, client = client.CheckRedirect, signing
	}
	res, err := client.Do(req.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// The platform believes what the library has signed, with the right keys and for
// the right host, and nothing else.
func TestOAuthOracle(t *testing.T) {
	p := start(t)
	if _, err := p.Webhook("https://gateway.example/x", said()); err != nil {
		t.Fatal(err)
	}
	photo, other := MediaURL("one", "photo0"), strings.Replace(MediaURL("one", "photo0"), "ton.twitter.com", "ton.x.com", 1)
	good := oauth1.NewToken(p.AccessToken, p.AccessTokenSecret)
	for _, row := range []struct {
		name, address string
		token         *oauth1.Token
		secret        string
		want          int
	}{
		{"signed", photo, good, p.ConsumerSecret, 200},
		{"signed with a query", photo + "?b=2&a=1&c=%2B+", good, p.ConsumerSecret, 200},
		{"unsigned", photo, nil, "", 302},
		{"signed for another host", other, good, p.ConsumerSecret, 401},
		{"another secret", photo, good, "x", 401},
		{"another token", photo, oauth1.NewToken("x", p.AccessTokenSecret), p.ConsumerSecret, 401},
		{"another token's secret", photo, oauth1.NewToken(p.AccessToken, "x"), p.ConsumerSecret, 401},
		{"another photo", strings.Replace(photo, ".jpg", ".png", 1), good, p.ConsumerSecret, 404},
		{"webhooks", "https://api.x.com/2/webhooks", good, p.ConsumerSecret, 200},
		{"the API's photo, which wants OAuth 2.0", "https://api.x.com/2/dm_conversations/media/1/2/3.jpg", good, p.ConsumerSecret, 403},
	} {
		req, err := http.NewRequest(http.MethodGet, row.address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := ask(t, p, row.token, row.secret, req).StatusCode; got != row.want {
			t.Errorf("%s: got status %d, want %d", row.name, got, row.want)
		}
	}
}

// A request that somebody overheard cannot be made again.
func TestOAuthReplay(t *testing.T) {
	p := start(t)
	req, err := http.NewRequest(http.MethodGet, "https://api.x.com/2/webhooks", nil)
	if err != nil {
		t.Fatal(err)
	}
	res := ask(t, p, oauth1.NewToken(p.AccessToken, p.AccessTokenSecret), p.ConsumerSecret, req)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("got status %d, want 200", res.StatusCode)
	}
	req.Header = res.Request.Header.Clone()
	if req.Header.Get("Authorization") == "" {
		t.Fatal("the first request shows no signature")
	}
	if got := ask(t, p, nil, "", req).StatusCode; got != http.StatusUnauthorized {
		t.Errorf("got status %d the second time, want 401", got)
	}
}

func TestSend(t *testing.T) {
	p := start(t)
	p.Messages(said())
	for _, row := range []struct {
		name, consumer, body, token string
		want                        int
	}{
		{"a message", UserID("ada"), `{"text":"x"}`, p.OAuth2Token, 201},
		{"the longest", UserID("ada"), `{"text":"` + strings.Repeat("写", 10_000) + `"}`, p.OAuth2Token, 201},
		{"too long", UserID("ada"), `{"text":"` + strings.Repeat("a", 10_001) + `"}`, p.OAuth2Token, 400},
		{"empty", UserID("ada"), `{"text":""}`, p.OAuth2Token, 400},
		{"nothing", UserID("ada"), `{}`, p.OAuth2Token, 400},
		{"unknown members", UserID("ada"), `{"text":"x","reply_to":"1"}`, p.OAuth2Token, 400},
		{"no JSON", UserID("ada"), `text=x`, p.OAuth2Token, 400},
		{"nobody", UserID("bob"), `{"text":"x"}`, p.OAuth2Token, 404},
		{"the app", UserID("ada"), `{"text":"x"}`, p.BearerToken, 403},
		{"a stranger", UserID("ada"), `{"text":"x"}`, "x", 401},
	} {
		req, err := http.NewRequest(http.MethodPost, "https://api.x.com/2/dm_conversations/with/"+row.consumer+"/messages", strings.NewReader(row.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+row.token)
		req.Header.Set("Content-Type", "application/json")
		if got := ask(t, p, nil, "", req).StatusCode; got != row.want {
			t.Errorf("%s: got status %d, want %d", row.name, got, row.want)
		}
	}
	if sent := p.Sent(); len(sent) != 2 || sent[0].Text != "x" || sent[0].Account != p.UserID || sent[0].Consumer != UserID("ada") {
		t.Errorf("the consumer got %d messages, want two", len(sent))
	}
}

// The payloads have the shapes that X's documentation shows.
func TestPayloads(t *testing.T) {
	p := start(t)
	requests, err := p.Webhook("https://gateway.example/x", said())
	if err != nil || len(requests) != 1 {
		t.Fatalf("got %d calls, %v, want one", len(requests), err)
	}
	for _, want := range []string{
		`"for_user_id":"` + p.UserID + `"`, `"type":"message_create"`, `"created_timestamp":"1772366400123"`, `"text":"a \u0026amp; b https://t.co/`,
		`"media_url_https":"https://ton.twitter.com/1.1/ton/data/dm/19`, `"id":19`, `"id_str":"19`, `"type":"photo"`, `"screen_name":"ada"`, `"indices":[10,33]`,
	} {
		if !bytes.Contains(requests[0].Body, []byte(want)) {
			t.Errorf("got %s, want it to hold %s", requests[0].Body, want)
		}
	}
	p.Activity = true
	requests, err = p.Webhook("https://gateway.example/x", said(), sim.Said{ID: "two", Consumer: "bob", Text: "x"})
	if err != nil || len(requests) != 2 {
		t.Fatalf("got %d calls, %v, want one for each message", len(requests), err)
	}
	var body struct {
		Data struct {
			EventType string `json:"event_type"`
			EventUUID string `json:"event_uuid"`
			Filter    struct {
				UserID string `json:"user_id"`
			} `json:"filter"`
			Payload struct {
				Messages []Object          `json:"direct_message_events"`
				Users    map[string]Object `json:"users"`
			} `json:"payload"`
		} `json:"data"`
	}
	if err := json.Unmarshal(requests[1].Body, &body); err != nil {
		t.Fatal(err)
	}
	d := body.Data
	if d.EventType != "dm.received" || !strings.HasPrefix(d.EventUUID, "-") || d.Filter.UserID != p.UserID || len(d.Payload.Messages) != 1 ||
		len(d.Payload.Users) != 1 || d.Payload.Users[UserID("bob")]["data"] == nil {
		t.Errorf("got %s, want an activity with one message", requests[1].Body)
	}
}

// Only a gateway that holds the consumer secret passes X's check.
func TestHandshake(t *testing.T) {
	p := start(t)
	right := func(r *connectors.Request) (int, string) {
		u, err := url.Parse(r.URL)
		if err != nil {
			t.Fatal(err)
		}
		return http.StatusOK, `{"response_token":"sha256=` + p.mac([]byte(u.Query().Get("crc_token"))) + `"}`
	}
	for name, row := range map[string]struct {
		answer func(*connectors.Request) (int, string)
		want   bool
	}{
		"right":         {right, true},
		"no gateway":    {nil, false},
		"wrong":         {func(*connectors.Request) (int, string) { return 200, `{"response_token":"sha256=AAAA"}` }, false},
		"without JSON":  {func(*connectors.Request) (int, string) { return 200, "sha256=" }, false},
		"another state": {func(r *connectors.Request) (int, string) { _, body := right(r); return 302, body }, false},
	} {
		p.Reach(row.answer)
		if got := p.passes("https://gateway.example/x?a=b"); got != row.want {
			t.Errorf("%s: got %v, want %v", name, got, row.want)
		}
	}
	if r := p.Handshake("https://gateway.example/x"); r.Method != http.MethodGet || !strings.HasPrefix(r.URL, "https://gateway.example/x?crc_token=") {
		t.Errorf("got %s %s, want a GET with a token", r.Method, r.URL)
	}
}

func TestDownload(t *testing.T) {
	p := start(t)
	p.Messages(said())
	address := "https://api.x.com/2/dm_conversations/media/" + strings.TrimPrefix(MediaURL("one", "photo0"), "https://ton.twitter.com/1.1/ton/data/dm/")
	for token, want := range map[string]int{p.OAuth2Token: 200, p.BearerToken: 403, "x": 401} {
		req, err := http.NewRequest(http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res := ask(t, p, nil, "", req)
		if res.StatusCode != want {
			t.Errorf("got status %d, want %d", res.StatusCode, want)
		}
		data, err := io.ReadAll(res.Body)
		if want == 200 && (err != nil || string(data) != "photo" || res.Header.Get("Content-Type") != "application/octet-stream") {
			t.Errorf("got %q as %s, %v, want the photo as bytes", data, res.Header.Get("Content-Type"), err)
		}
	}
}
