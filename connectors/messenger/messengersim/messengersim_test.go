package messengersim

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

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

// TestSign compares with what openssl dgst -sha256 -hmac app-secret says.
func TestSign(t *testing.T) {
	p := start(t)
	p.AppSecret = "app-secret"
	tests := []struct{ name, body, want string }{
		{
			"escaped", `{"object":"page","entry":[{"id":"1","time":1700000000000,"messaging":[{"sender":{"id":"9"},"recipient":{"id":"1"},"timestamp":1700000000000,"message":{"mid":"m_abc","text":"caf\u00e9 \ud83d\ude00"}}]}]}`,
			"sha256=08f4cb82c2a3b56389b92cfd3b858b4852c07df7f123994ff56b6b05d4f5cfbc",
		},
		{
			"in UTF-8", `{"object":"page","entry":[{"id":"1","time":1700000000000,"messaging":[{"sender":{"id":"9"},"recipient":{"id":"1"},"timestamp":1700000000000,"message":{"mid":"m_abc","text":"café 😀"}}]}]}`,
			"sha256=103aa0dad9fee193d467e4d08ad91a951cfd0eedf4b9e85c4db771640605f0a2",
		},
	}
	for _, test := range tests {
		r := p.Sign("https://gateway.example/", []byte(test.body))
		if got := r.Header.Get("X-Hub-Signature-256"); got != test.want || string(r.Body) != test.body {
			t.Errorf("%s: got %s over %s, want %s", test.name, got, r.Body, test.want)
		}
	}
}

func TestEscape(t *testing.T) {
	for text, want := range map[string]string{
		`"a/b"`:      `"a\/b"`,
		`"äöå"`:      `"\u00e4\u00f6\u00e5"`,
		`"😀"`:        `"\ud83d\ude00"`,
		"\"\x7f\"":   `"\u007f"`,
		`"\n \" \\"`: `"\n \" \\"`,
	} {
		if got := string(escape([]byte(text))); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// What is sent is ASCII, with every slash escaped, and reads as what was said.
func TestWebhook(t *testing.T) {
	p := start(t)
	said := sim.Said{ID: "one", Consumer: "ada", Text: "写 😀 <b> a/b", Photos: [][]byte{[]byte("x"), []byte("y")}, At: time.UnixMilli(1790000000011)}
	requests, err := p.Webhook("https://gateway.example/", said, said)
	if err != nil || len(requests) != 1 {
		t.Fatalf("got %d calls, %v, want 1", len(requests), err)
	}
	body := string(requests[0].Body)
	if strings.Trim(body, " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~") != "" {
		t.Errorf("got %s, want ASCII", body)
	}
	if strings.Count(body, "/") != strings.Count(body, `\/`) || strings.Contains(body, `\u003c`) {
		t.Errorf("got %s, want every slash escaped and no angle bracket", body)
	}
	var envelope struct {
		Object string
		Entry  []struct {
			ID        string
			Messaging []struct {
				Sender, Recipient struct{ ID string }
				Timestamp         int64
				Message           struct {
					MID, Text   string
					Attachments []struct {
						Type    string
						Payload struct{ URL string }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(requests[0].Body, &envelope); err != nil || len(envelope.Entry) != 4 {
		t.Fatalf("got %d entries, %v, want 4", len(envelope.Entry), err)
	}
	for i, e := range envelope.Entry {
		if len(e.Messaging) != 1 || e.ID != p.Pages[0].ID || e.Messaging[0].Recipient.ID != e.ID || e.Messaging[0].Sender.ID == e.ID {
			t.Errorf("got entry %+v, want one item from a consumer to the Page", e)
		}
		if m := e.Messaging[0]; m.Timestamp != 1790000000011 || !strings.HasPrefix(m.Message.MID, "m_") || m.Message.MID != envelope.Entry[i%2].Messaging[0].Message.MID {
			t.Errorf("got item %+v, want the same mid when delivered again", m)
		}
	}
	if got := envelope.Entry[0].Messaging[0].Message.Text; got != said.Text {
		t.Errorf("got text %q, want %q", got, said.Text)
	}
	list := envelope.Entry[1].Messaging[0].Message.Attachments
	if len(list) != 2 || list[0].Type != "image" || list[0].Payload.URL == list[1].Payload.URL {
		t.Errorf("got attachments %+v, want two images", list)
	}
}

func TestHandshake(t *testing.T) {
	p := start(t)
	r := p.Handshake("https://gateway.example/webhooks/messenger/acme")
	u, err := url.Parse(r.URL)
	if err != nil || r.Method != http.MethodGet || u.Path != "/webhooks/messenger/acme" {
		t.Fatalf("got %s %s, %v", r.Method, r.URL, err)
	}
	query := u.Query()
	if query.Get("hub.mode") != "subscribe" || query.Get("hub.verify_token") != p.VerifyToken || query.Get("hub.challenge") == "" {
		t.Errorf("got query %v", query)
	}
}

// get asks the platform for an address, as a browser or a program.
func get(t *testing.T, address, agent, authorization string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("User-Agent", agent)
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(data)
}

func TestDownload(t *testing.T) {
	p := start(t)
	const browser = "Mozilla/5.0 (X11)"
	address := p.media.put(p.Pages[0], "m_1", "0", []byte("photo"))
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if q := u.Query(); q.Get("_nc_cat") == "" || !strings.HasPrefix(q.Get("oh"), "00_") || len(q.Get("oe")) != 8 {
		t.Errorf("got query %s, want one like that of Meta's content network", u.RawQuery)
	}
	tests := []struct {
		name, address, agent, token string
		want                        int
	}{
		{"as it is", address, browser, "", 200},
		{"with a token", address, browser, "Bearer x", 400},
		{"by a bot", address, "curl/8", "", 400},
		{"without a query", u.Scheme + "://" + u.Host + u.Path, browser, "", 403},
		{"signed for longer", strings.Replace(address, "oe=", "oe=F", 1), browser, "", 403},
	}
	for _, test := range tests {
		if status, _ := get(t, test.address, test.agent, test.token); status != test.want {
			t.Errorf("%s: got HTTP %d, want %d", test.name, status, test.want)
		}
	}
	p.ExpireAddresses()
	if status, body := get(t, address, browser, ""); status != 403 || !strings.Contains(body, "URL signature expired") {
		t.Errorf("expired: got HTTP %d, %s", status, body)
	}
}

// Graph says most errors by 400, and by their code what they are.
func TestGraphErrors(t *testing.T) {
	p := start(t)
	two := p.AddPage("shop")
	p.media.put(p.Pages[0], "m_1", "0", []byte("photo"))
	tests := []struct{ name, path, token, want string }{
		{"no token", "/v25.0/m_1?fields=attachments", "", `"code":190`},
		{"another token", "/v25.0/m_1?fields=attachments", "Bearer x", `"code":190`},
		{"another Page's", "/v25.0/m_1?fields=attachments", "Bearer " + two.Token, `"error_subcode":33`},
		{"no version", "/latest/m_1?fields=attachments", "Bearer " + p.Pages[0].Token, `"code":2500`},
		{"no fields", "/v25.0/m_1", "Bearer " + p.Pages[0].Token, `"error_subcode":33`},
		{"the app's by a Page", "/v25.0/" + p.AppID + "/subscriptions", "Bearer " + two.Token, `"code":190`},
		{"another app's", "/v25.0/1/subscriptions", "Bearer " + p.AppID + "|" + p.AppSecret, `"error_subcode":33`},
		{"another Page's apps", "/v25.0/" + p.Pages[0].ID + "/subscribed_apps", "Bearer " + two.Token, `"error_subcode":33`},
	}
	for _, test := range tests {
		if status, body := get(t, p.URL+test.path, "x", test.token); status != 400 || !strings.Contains(body, test.want) || !strings.Contains(body, "fbtrace_id") {
			t.Errorf("%s: got HTTP %d, %s, want 400 with %s", test.name, status, body, test.want)
		}
	}
	if status, body := get(t, p.URL+"/v25.0/m_1?fields=attachments", "x", "Bearer "+p.Pages[0].Token); status != 200 || !strings.Contains(body, `"image_data"`) {
		t.Errorf("its own: got HTTP %d, %s", status, body)
	}
}

// post sends a form or a JSON document, by its first byte.
func post(t *testing.T, address, authorization, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", authorization)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if strings.HasPrefix(body, "{") {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSendAPI(t *testing.T) {
	p := start(t)
	page := p.Pages[0]
	psid := PSID(page, "ada")
	address, bearer := p.URL+"/v25.0/me/messages", "Bearer "+page.Token
	body := func(to, kind, text string) string {
		return `{"recipient":{"id":"` + to + `"},"messaging_type":"` + kind + `","message":{"text":"` + text + `"}}`
	}
	if got := post(t, address, bearer, body(psid, "RESPONSE", "hi")); !strings.Contains(got, "2018001") {
		t.Errorf("to a stranger: got %s", got)
	}
	p.Items(page, sim.Said{ID: "one", Consumer: "ada", Text: "x"})
	tests := []struct{ name, token, body, want string }{
		{"all right", bearer, body(psid, "RESPONSE", "hi"), `"message_id":"m_`},
		{"the longest", bearer, body(psid, "RESPONSE", strings.Repeat("é", 2000)), `"message_id":"m_`},
		{"too long", bearer, body(psid, "RESPONSE", strings.Repeat("a", 2001)), `"code":100`},
		{"empty", bearer, body(psid, "RESPONSE", ""), `"code":100`},
		{"of no type", bearer, body(psid, "", "hi"), `"code":100`},
		{"no JSON", bearer, "recipient=1", `"code":100`},
		{"bad token", "Bearer x", body(psid, "RESPONSE", "hi"), `"code":190`},
	}
	for _, test := range tests {
		if got := post(t, address, test.token, test.body); !strings.Contains(got, test.want) {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
	if got := post(t, p.URL+"/v25.0/1/messages", bearer, tests[0].body); !strings.Contains(got, `"error_subcode":33`) {
		t.Errorf("for another Page: got %s", got)
	}
	p.Block(psid)
	if got := post(t, address, bearer, tests[0].body); !strings.Contains(got, "1545041") {
		t.Errorf("to who has blocked the Page: got %s", got)
	}
	p.CloseWindow(psid)
	if got := post(t, address, bearer, tests[0].body); !strings.Contains(got, "2018278") {
		t.Errorf("a day later: got %s", got)
	}
	if sent := p.Sent(); len(sent) != 2 || sent[0].ID == sent[1].ID || sent[0].Consumer != psid || sent[0].Text != "hi" {
		t.Errorf("got %+v sent, want the two that were right", sent)
	}
}

// The handshake uses the token of the call, and decides.
func TestSubscribeApp(t *testing.T) {
	p := start(t)
	address, bearer := p.URL+"/v25.0/"+p.AppID+"/subscriptions", "Bearer "+p.AppID+"|"+p.AppSecret
	form := url.Values{"object": {"page"}, "callback_url": {"https://gateway.example/x"}, "verify_token": {"theirs"}, "fields": {"messages"}}
	p.Reach(func(r *connectors.Request) (int, string) {
		u, err := url.Parse(r.URL)
		if err != nil || u.Query().Get("hub.verify_token") != "theirs" {
			return http.StatusForbidden, ""
		}
		return http.StatusOK, u.Query().Get("hub.challenge")
	})
	if got := post(t, address, bearer, form.Encode()); !strings.Contains(got, `"success":true`) || p.hook.address != "https://gateway.example/x" {
		t.Errorf("got %s, and the address %q", got, p.hook.address)
	}
	for name, value := range map[string]string{"object": "user", "callback_url": "", "fields": "telepathy", "verify_token": "another"} {
		wrong := url.Values{}
		for key, values := range form {
			wrong[key] = values
		}
		wrong.Set(name, value)
		if got := post(t, address, bearer, wrong.Encode()); !strings.Contains(got, `"error"`) {
			t.Errorf("%s %q: got %s, want an error", name, value, got)
		}
	}
}
