package whatsappsim

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

// started returns a platform with two numbers, to the first of which ada wrote.
func started(t *testing.T) *Platform {
	t.Helper()
	p, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	p.AddNumber("shop")
	p.Messages(p.Numbers[0], sim.Said{ID: "a", Consumer: "ada", Text: "hello"})
	return p
}

// post returns the status of an answer, and the code of its error.
func post(t *testing.T, address, token, kind, body string) (status, code int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Authorization", "Bearer "+token)
	w, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	data, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	var failed struct {
		Error graphError `json:"error"`
	}
	_ = json.Unmarshal(data, &failed)
	return w.StatusCode, failed.Error.Code, string(data)
}

const jsonType = "application/json"

// TestSend checks that Graph is as strict as the real one.
func TestSend(t *testing.T) {
	p := started(t)
	one, two := p.Numbers[0], p.Numbers[1]
	good := `{"messaging_product":"whatsapp","to":"` + Phone("ada") + `","type":"text","text":{"body":"hi"}}`
	with := func(old, other string) string { return strings.Replace(good, old, other, 1) }
	messages := p.URL + "/v25.0/" + one.ID + "/messages"
	tests := []struct {
		name, address, token, kind, body string
		status, code                     int
	}{
		{"good", messages, one.Token, jsonType, good, 200, 0},
		{"with a plus", messages, one.Token, jsonType, with(`"to":"`, `"to":"+`), 200, 0},
		{"to the user id", messages, one.Token, jsonType, with(`"to":"`+Phone("ada"), `"recipient":"`+UserID("ada")), 200, 0},
		{"the longest text", messages, one.Token, jsonType, with("hi", strings.Repeat("é", 4096)), 200, 0},
		{"no token", messages, "", jsonType, good, 401, 190},
		{"another number's token", messages, two.Token, jsonType, good, 400, 100},
		{"no version", strings.Replace(messages, "v25.0", "now", 1), one.Token, jsonType, good, 400, 2500},
		{"a form", messages, one.Token, "application/x-www-form-urlencoded", good, 400, 100},
		{"no JSON", messages, one.Token, jsonType, "{", 400, 100},
		{"another product", messages, one.Token, jsonType, with("whatsapp", "instagram"), 400, 100},
		{"an unknown parameter", messages, one.Token, jsonType, with(`{"mess`, `{"x":1,"mess`), 400, 100},
		{"a group", messages, one.Token, jsonType, with(`"to"`, `"recipient_type":"group","to"`), 400, 100},
		{"to nobody", messages, one.Token, jsonType, with(`"to":"`+Phone("ada")+`",`, ""), 400, 100},
		{"to no number", messages, one.Token, jsonType, with(Phone("ada"), "ada"), 400, 100},
		{"to no user id", messages, one.Token, jsonType, with(`"to":"`+Phone("ada"), `"recipient":"ada`), 400, 100},
		{"another type", messages, one.Token, jsonType, with(`"type":"text"`, `"type":"template"`), 400, 100},
		{"no text", messages, one.Token, jsonType, with("hi", ""), 400, 100},
		{"a text too long", messages, one.Token, jsonType, with("hi", strings.Repeat("x", 4097)), 400, 100},
		{"too much data", messages, one.Token, jsonType, with(`"type"`, `"biz_opaque_callback_data":"`+strings.Repeat("x", 513)+`","type"`), 400, 100},
		{"an answer to no message", messages, one.Token, jsonType, with(`"type"`, `"context":{"message_id":"x"},"type"`), 400, 131009},
		{"to a stranger", messages, one.Token, jsonType, with(Phone("ada"), Phone("bob")), 400, 131026},
	}
	sent := 0
	for _, test := range tests {
		status, code, answer := post(t, test.address, test.token, test.kind, test.body)
		if status != test.status || code != test.code {
			t.Errorf("%s: got HTTP %d, code %d, want %d, %d: %s", test.name, status, code, test.status, test.code, answer)
		}
		if test.status == http.StatusOK {
			sent++
		}
	}
	got := p.Sent()
	if len(got) != sent {
		t.Fatalf("consumers got %d messages, want %d", len(got), sent)
	}
	if want := (sim.Sent{ID: got[0].ID, Account: one.ID, Consumer: Phone("ada"), Text: "hi"}); got[0] != want || got[0].ID == got[1].ID {
		t.Errorf("got %+v and %+v, want %+v and another id", got[0], got[1], want)
	}
}

// TestSubscriptions checks that nothing is on record without a handshake.
func TestSubscriptions(t *testing.T) {
	const here, form = "https://gateway.example/hook", "application/x-www-form-urlencoded"
	p := started(t)
	n := p.Numbers[0]
	app, apps, appToken := p.URL+"/v25.0/"+p.AppID+"/subscriptions", p.URL+"/v25.0/"+n.WABA+"/subscribed_apps", p.AppID+"|"+p.AppSecret
	good := url.Values{"object": {"whatsapp_business_account"}, "callback_url": {here}, "fields": {"messages"}, "verify_token": {p.VerifyToken}}
	override := url.Values{"override_callback_uri": {here}, "verify_token": {p.VerifyToken}}
	without := func(name string) string {
		v := url.Values{}
		for key := range good {
			v.Set(key, good.Get(key))
		}
		v.Del(name)
		return v.Encode()
	}
	answers := func(status int, token string) func(*connectors.Request) (int, string) {
		return func(r *connectors.Request) (int, string) {
			u, _ := url.Parse(r.URL)
			if u.Query().Get("hub.verify_token") != token || !strings.HasPrefix(r.URL, here+"?") {
				return http.StatusUnauthorized, ""
			}
			return status, u.Query().Get("hub.challenge")
		}
	}
	tests := []struct {
		name                 string
		reach                func(*connectors.Request) (int, string)
		address, token, body string
		status, code         int
	}{
		{"nobody there", nil, app, appToken, good.Encode(), 400, 2200},
		{"a wrong answer", func(*connectors.Request) (int, string) { return 200, "1" }, app, appToken, good.Encode(), 400, 2200},
		{"the right answer, as an error", answers(500, p.VerifyToken), app, appToken, good.Encode(), 400, 2200},
		{"another verify token", answers(200, "x"), app, appToken, good.Encode(), 400, 2200},
		{"nobody at the account's address", nil, apps, n.Token, override.Encode(), 400, 2200},
		{"a number's token", answers(200, p.VerifyToken), app, n.Token, good.Encode(), 401, 190},
		{"another app", answers(200, p.VerifyToken), strings.Replace(app, p.AppID, "1", 1), appToken, good.Encode(), 400, 100},
		{"no object", answers(200, p.VerifyToken), app, appToken, without("object"), 400, 100},
		{"no fields", answers(200, p.VerifyToken), app, appToken, without("fields"), 400, 100},
		{"no address", answers(200, p.VerifyToken), app, appToken, without("callback_url"), 400, 2200},
		{"the app's token for an account", answers(200, p.VerifyToken), apps, appToken, "", 401, 190},
		{"another account's token", answers(200, p.VerifyToken), apps, p.Numbers[1].Token, "", 400, 100},
	}
	for _, test := range tests {
		p.Reach(test.reach)
		status, code, answer := post(t, test.address, test.token, form, test.body)
		if status != test.status || code != test.code {
			t.Errorf("%s: got HTTP %d, code %d, want %d, %d: %s", test.name, status, code, test.status, test.code, answer)
		}
	}
	if got, override, subscribed := p.Recorded(n.WABA); got.CallbackURL != "" || override != "" || subscribed {
		t.Errorf("got %+v, %q, %t on record, want nothing", got, override, subscribed)
	}
	p.Reach(answers(200, p.VerifyToken))
	for address, body := range map[string]string{app: good.Encode(), apps: override.Encode()} {
		token := map[string]string{app: appToken, apps: n.Token}[address]
		if status, _, answer := post(t, address, token, form, body); status != 200 || !strings.Contains(answer, `"success":true`) {
			t.Errorf("got HTTP %d with %s, want success", status, answer)
		}
	}
	want := Subscription{CallbackURL: here, Fields: []string{"messages"}, Active: true}
	if got, override, subscribed := p.Recorded(n.WABA); !reflect.DeepEqual(got, want) || override != here || !subscribed {
		t.Errorf("got %+v, %q, %t on record, want %+v, %q", got, override, subscribed, want, here)
	}
}
