package twitter_test

import (
	"encoding/json"
	"log/slog"
	"net/url"
	"reflect"
	"testing"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/twitter"
)

func fuzzed(f *testing.F) *twitter.Connector {
	f.Helper()
	c, err := twitter.New(settings(), connectors.Env{Log: slog.New(slog.DiscardHandler), Now: now})
	if err != nil {
		f.Fatal(err)
	}
	return c.(*twitter.Connector)
}

// FuzzParse reads whatever comes: no panic, a kind for every error, events that
// can be stored, and the same ones the second time.
func FuzzParse(f *testing.F) {
	f.Add([]byte(emptyBody))
	for _, body := range families() {
		f.Add([]byte(body))
	}
	for kind := range activities() {
		f.Add([]byte(activity(kind, `{}`)))
	}
	f.Add([]byte(lists(payload, message("1", media("x", "video")), message("2", `{"text":"\ud800"}`), "5", "null")))
	f.Add([]byte(activity("dm.received", `{"direct_message_events":[`+payload+`],"users":{"2000000000000000002":{"data":{"name":"Ana"}}}}`)))
	f.Add([]byte(activity("chat.received", `{"encoded_event":"x"}`)))
	c := fuzzed(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := c.Parse(post(string(body), "X", ""))
		if err != nil {
			wantKind(t, "Parse", err, connectors.Malformed)
			return
		}
		for _, e := range events {
			if _, err := json.Marshal(e); err != nil || e.ID == "" || e.Kind == "" || len(e.Raw) == 0 {
				t.Errorf("got event %+v, %v, want one that can be stored", e, err)
			}
			if len(e.Photos) > 1 || len(e.Photos) == 1 && e.Photos[0].Account != e.Account {
				t.Errorf("got photos %+v of account %q", e.Photos, e.Account)
			}
			if e.Kind == connectors.Message && (e.Consumer.ID == "" || e.Consumer.ID == e.Account || e.Text == "" && len(e.Photos) == 0) {
				t.Errorf("got message %+v, want somebody else's text or photo", e)
			}
		}
		if again, err := c.Parse(post(string(body), "X", "")); err != nil || !reflect.DeepEqual(again, events) {
			t.Errorf("got %+v, %v the second time, want %+v", again, err, events)
		}
	})
}

// FuzzChallenge asks for the signature of whatever comes: none of those given is
// taken for that of a webhook.
func FuzzChallenge(f *testing.F) {
	for _, token := range []string{"challenge-123", "a+b/c=", "test token", emptyBody, "{}", "[]", "\x00", "é"} {
		f.Add(token)
	}
	c := fuzzed(f)
	f.Fuzz(func(t *testing.T, token string) {
		signature, err := challenge(t, c, "?"+url.Values{"crc_token": {token}}.Encode())
		if err != nil {
			wantKind(t, "Challenge", err, connectors.Unauthentic)
			return
		}
		if signature != signatureOf(secret, token) {
			t.Errorf("got %q for %q, want its HMAC", signature, token)
		}
		wantKind(t, "Verify", c.Verify(post(token, signatureHeader, signature)), connectors.Unauthentic)
	})
}
