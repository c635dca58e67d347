package line_test

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/line/line-bot-sdk-go/v8/linebot/messaging_api"

	"github.com/lightlock/lightlock/connectors/line/linesim"
)

// sdk is LINE's own SDK, as a client of the simulated platform.
func sdk(t *testing.T, p *linesim.Platform, token string) *messaging_api.MessagingApiAPI {
	t.Helper()
	api, err := messaging_api.NewMessagingApiAPI(token, messaging_api.WithEndpoint(p.URL))
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func texts(all ...string) []messaging_api.MessageInterface {
	var list []messaging_api.MessageInterface
	for _, text := range all {
		list = append(list, &messaging_api.TextMessage{Text: text})
	}
	return list
}

// wantStatus checks an answer, and that its body is an error as the SDK knows it.
func wantStatus(t *testing.T, what string, res *http.Response, status int, message string) messaging_api.ErrorResponse {
	t.Helper()
	var body messaging_api.ErrorResponse
	if res == nil || res.StatusCode != status {
		t.Errorf("%s: got %+v, want HTTP %d", what, res, status)
		return body
	}
	data, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err := json.Unmarshal(data, &body); err != nil || body.Message != message {
		t.Errorf("%s: got %q, %v, want %q", what, data, err, message)
	}
	return body
}

// The SDK and the connector send the same, to the byte of each value.
func TestOracleRequests(t *testing.T) {
	p, c := start(t)
	e := ask(t, p, c, "one")
	const words = `写 📷 "quoted" <&> \ `
	calls := tap(p)
	o := to(e, words)
	if _, err := send(t, c, o); err != nil {
		t.Fatal(err)
	}
	o.ReplyToken = ""
	if _, err := send(t, c, o); err != nil {
		t.Fatal(err)
	}
	reach(p, c, http.StatusOK)
	if _, err := registered(t, c, p.BotID); err != nil {
		t.Fatal(err)
	}
	if err := register(t, c, p.BotID); err != nil {
		t.Fatal(err)
	}
	api := sdk(t, p, p.Token)
	_, _ = api.ReplyMessage(&messaging_api.ReplyMessageRequest{ReplyToken: e.ReplyToken, Messages: texts(words)})
	_, _ = api.PushMessage(&messaging_api.PushMessageRequest{To: e.Consumer.ID, Messages: texts(words)}, key)
	_, _ = api.GetWebhookEndpoint()
	_, _ = api.SetWebhookEndpoint(&messaging_api.SetWebhookEndpointRequest{Endpoint: webhookURL})
	_, _ = api.TestWebhookEndpoint(&messaging_api.TestWebhookEndpointRequest{Endpoint: webhookURL})
	all := calls()
	if len(all) != 10 {
		t.Fatalf("got %d calls, want five of ours and five of the SDK's", len(all))
	}
	for i, ours := range all[:5] {
		theirs := all[i+5]
		if ours.path != theirs.path || !sameJSON(t, ours.body, theirs.body) {
			t.Errorf("got %s with %s, LINE's SDK sends %s with %s", ours.path, ours.body, theirs.path, theirs.body)
		}
		for _, name := range []string{"Authorization", "X-Line-Retry-Key"} {
			if !reflect.DeepEqual(ours.header[name], theirs.header[name]) {
				t.Errorf("%s: got another %s than LINE's SDK sends", ours.path, name)
			}
		}
	}
}

// sameJSON passes over what the SDK adds for "not said".
func sameJSON(t *testing.T, ours, theirs string) bool {
	t.Helper()
	if ours == "" || theirs == "" {
		return ours == theirs
	}
	var one, two map[string]any
	if json.Unmarshal([]byte(ours), &one) != nil || json.Unmarshal([]byte(theirs), &two) != nil {
		return false
	}
	for name, value := range two {
		if _, ok := one[name]; !ok && (value == false || value == nil) {
			delete(two, name)
		}
	}
	return reflect.DeepEqual(one, two)
}

// The SDK finds the simulated platform as it knows LINE.
func TestOracleSending(t *testing.T) {
	p, c := start(t)
	e := ask(t, p, c, "one")
	api := sdk(t, p, p.Token)
	reply := &messaging_api.ReplyMessageRequest{ReplyToken: e.ReplyToken, Messages: texts("a", "b")}
	res, got, err := api.ReplyMessageWithHttpInfo(reply)
	if err != nil || res.Header.Get("X-Line-Request-Id") == "" || len(got.SentMessages) != 2 || got.SentMessages[1].QuoteToken == "" {
		t.Fatalf("reply: got %+v, %v, want two messages", got, err)
	}
	if sent := p.Sent(); len(sent) != 2 || sent[0].Text != "a" || sent[1].ID != got.SentMessages[1].Id || sent[1].Consumer != e.Consumer.ID {
		t.Errorf("got %+v, want both in order", sent)
	}
	res, _, _ = api.ReplyMessageWithHttpInfo(reply)
	wantStatus(t, "the token again", res, 400, "Invalid reply token")

	push := &messaging_api.PushMessageRequest{To: e.Consumer.ID, Messages: texts("c")}
	_, first, err := api.PushMessageWithHttpInfo(push, key)
	if err != nil {
		t.Fatal(err)
	}
	res, _, _ = api.PushMessageWithHttpInfo(push, key)
	again := wantStatus(t, "the retry key again", res, 409, "The retry key is already accepted")
	if !reflect.DeepEqual(again.SentMessages, first.SentMessages) || res.Header.Get("X-Line-Accepted-Request-Id") == "" {
		t.Errorf("409: got %+v, want the messages of the first time, %+v", again, first)
	}
	if n := len(p.Sent()); n != 3 {
		t.Errorf("got %d messages, want 3", n)
	}
}

func TestOracleRefusals(t *testing.T) {
	p, c := start(t)
	e := ask(t, p, c, "one")
	long := strings.Repeat("📷", 2500) + "x"
	const errors = "The request body has 1 error(s)"
	for _, row := range []struct {
		name, token, to, key, message string
		texts                         []string
		status                        int
	}{
		{"another token", "reissued", e.Consumer.ID, key, "Authentication failed. Confirm that the access token in the authorization header is valid.", []string{"a"}, 401},
		{"an id that is none", p.Token, "ada", key, "The property, 'to', in the request body is invalid (line: -, column: -)", []string{"a"}, 400},
		{"somebody unknown", p.Token, linesim.UserID("nobody"), key, "Failed to send messages", []string{"a"}, 400},
		{"a key that is no UUID", p.Token, e.Consumer.ID, "one", "Invalid retry key", []string{"a"}, 400},
		{"no text", p.Token, e.Consumer.ID, key, errors, []string{""}, 400},
		{"a text too long", p.Token, e.Consumer.ID, key, errors, []string{"a", long}, 400},
		{"no message", p.Token, e.Consumer.ID, key, errors, []string{}, 400},
		{"six messages", p.Token, e.Consumer.ID, key, errors, []string{"1", "2", "3", "4", "5", "6"}, 400},
	} {
		push := &messaging_api.PushMessageRequest{To: row.to, Messages: texts(row.texts...)}
		res, _, _ := sdk(t, p, row.token).PushMessageWithHttpInfo(push, row.key)
		body := wantStatus(t, row.name, res, row.status, row.message)
		if row.message == errors && len(body.Details) != 1 {
			t.Errorf("%s: got details %+v, want one", row.name, body.Details)
		}
	}
	req, err := http.NewRequest(http.MethodPost, p.URL+replyPath, strings.NewReader(`{"replyToken":"`+e.ReplyToken+`","messages":[{"type":"text","text":"a"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Authorization": {"Bearer " + p.Token}, "Content-Type": {"application/json"}, "X-Line-Retry-Key": {key}}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, "a reply with a retry key", res, 400, "The X-Line-Retry-Key header is not supported by this endpoint")
	p.UseUpQuota()
	res, _, _ = sdk(t, p, p.Token).PushMessageWithHttpInfo(&messaging_api.PushMessageRequest{To: e.Consumer.ID, Messages: texts("a")}, key)
	wantStatus(t, "beyond the quota", res, 429, "You have reached your monthly limit.")
	if n := len(p.Sent()); n != 0 {
		t.Errorf("got %d messages, want none", n)
	}
}

func TestOracleWebhook(t *testing.T) {
	p, c := start(t)
	api := sdk(t, p, p.Token)
	if _, err := api.SetWebhookEndpoint(&messaging_api.SetWebhookEndpointRequest{Endpoint: webhookURL}); err != nil {
		t.Fatal(err)
	}
	if got, err := api.GetWebhookEndpoint(); err != nil || got.Endpoint != webhookURL || !got.Active {
		t.Errorf("got %+v, %v, want %s, active", got, err, webhookURL)
	}
	for _, address := range []string{"http://gateway.example/", "", "gateway.example", "https://" + strings.Repeat("a", 500)} {
		res, _, _ := api.SetWebhookEndpointWithHttpInfo(&messaging_api.SetWebhookEndpointRequest{Endpoint: address})
		wantStatus(t, address, res, 400, "Invalid webhook endpoint URL")
	}
	for status, success := range map[int]bool{0: false, 200: true, 503: false} {
		reach(p, c, status)
		got, err := api.TestWebhookEndpoint(&messaging_api.TestWebhookEndpointRequest{Endpoint: webhookURL})
		if err != nil || got.Success != success || int(got.StatusCode) != status || got.Timestamp.IsZero() || got.Reason == "" {
			t.Errorf("the gateway answers %d: got %+v, %v, want success %v", status, got, err, success)
		}
	}
}
