package whatsapp_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/whatsapp"
	"github.com/lightlock/lightlock/connectors/whatsapp/whatsappsim"
)

const key = "0190a1b2-c3d4-4e5f-8a6b-7c8d9e0f1a2b"

// reply is an answer to ada, who has written to p's first number.
func reply(t *testing.T, p *whatsappsim.Platform) connectors.Outgoing {
	t.Helper()
	if _, err := p.Webhook(webhookURL, said("question", "hello?")); err != nil {
		t.Fatal(err)
	}
	return connectors.Outgoing{Account: p.Numbers[0].ID, Consumer: whatsappsim.UserID("ada"), Key: key, Text: "hello"}
}

func send(t *testing.T, c connectors.Connector, o connectors.Outgoing) (string, error) {
	t.Helper()
	return c.Send(t.Context(), o)
}

func TestSendRequest(t *testing.T) {
	tests := []struct {
		name   string
		change func(*connectors.Outgoing)
		want   string
	}{
		{"to a user id", func(*connectors.Outgoing) {},
			`{"messaging_product":"whatsapp","recipient_type":"individual","recipient":"` + whatsappsim.UserID("ada") + `","type":"text","text":{"body":"hello","preview_url":false},"biz_opaque_callback_data":"` + key + `"}`},
		{"to a phone number", func(o *connectors.Outgoing) { o.Consumer = whatsappsim.Phone("ada") },
			`{"messaging_product":"whatsapp","recipient_type":"individual","to":"` + whatsappsim.Phone("ada") + `","type":"text","text":{"body":"hello","preview_url":false},"biz_opaque_callback_data":"` + key + `"}`},
		{"as an answer", func(o *connectors.Outgoing) { o.ReplyTo = "wamid.q=" },
			`{"messaging_product":"whatsapp","recipient_type":"individual","recipient":"` + whatsappsim.UserID("ada") + `","context":{"message_id":"wamid.q="},"type":"text","text":{"body":"hello","preview_url":false},"biz_opaque_callback_data":"` + key + `"}`},
		{"what Meta would make more of", func(o *connectors.Outgoing) { o.Text, o.Automatic = "see <https://a.example/?b&c>\n😀", true },
			`{"messaging_product":"whatsapp","recipient_type":"individual","recipient":"` + whatsappsim.UserID("ada") + `","type":"text","text":{"body":"see <https://a.example/?b&c>\n😀","preview_url":false},"biz_opaque_callback_data":"` + key + `"}`},
	}
	p, c := start(t)
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := reply(t, p)
			test.change(&o)
			var body []byte
			p.Wrap(func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, _ = io.ReadAll(r.Body)
					r.Body = io.NopCloser(strings.NewReader(string(body)))
					if got, want := r.Method+" "+r.URL.String(), "POST /v25.0/"+o.Account+"/messages"; got != want {
						t.Errorf("got %s, want %s", got, want)
					}
					if got, want := r.Header.Get("Authorization"), "Bearer "+p.Numbers[0].Token; got != want {
						t.Errorf("got Authorization %q, want %q", got, want)
					}
					h.ServeHTTP(w, r)
				})
			})
			id, err := send(t, c, o)
			if err != nil {
				t.Fatal(err)
			}
			var got, want any
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(test.want), &want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got body %s\nwant %s", body, test.want)
			}
			sent := p.Sent()
			if want := (sim.Sent{ID: id, Account: o.Account, Consumer: o.Consumer, Text: o.Text}); len(sent) != i+1 || sent[i] != want {
				t.Errorf("consumers got %+v, want %+v as the last", sent, want)
			}
		})
	}
}

// TestSendFromItsOwnNumber speaks from the second of two numbers.
func TestSendFromItsOwnNumber(t *testing.T) {
	p, _ := start(t)
	two := p.AddNumber("shop")
	c := connect(t, p.Settings("acme", "support"))
	p.Messages(two, said("question", "hello?"))
	o := connectors.Outgoing{Account: two.ID, Consumer: whatsappsim.UserID("ada"), Key: key, Text: "from the shop"}
	if _, err := send(t, c, o); err != nil || len(p.Sent()) != 1 || p.Sent()[0].Account != two.ID {
		t.Errorf("got %+v, %v, want one message from %s", p.Sent(), err, two.ID)
	}
	o.Account = p.Numbers[0].ID
	if _, err := send(t, c, o); connectors.KindOf(err) != connectors.Refused || len(p.Sent()) != 1 {
		t.Errorf("to somebody who wrote to the other number: got %v, want kind refused", err)
	}
}

func TestSendWithoutACall(t *testing.T) {
	p, c := start(t)
	tests := []struct {
		name   string
		change func(*connectors.Outgoing)
		want   connectors.ErrorKind
	}{
		{"no text", func(o *connectors.Outgoing) { o.Text = "" }, connectors.Refused},
		{"4097 letters", func(o *connectors.Outgoing) { o.Text = strings.Repeat("a", 4097) }, connectors.Refused},
		{"2049 emoji", func(o *connectors.Outgoing) { o.Text = strings.Repeat("😀", 2049) }, connectors.Refused},
		{"no consumer", func(o *connectors.Outgoing) { o.Consumer = "" }, connectors.Refused},
		{"an account that we have not", func(o *connectors.Outgoing) { o.Account = "1" }, connectors.Misconfigured},
	}
	seen := record(p)
	for _, test := range tests {
		o := reply(t, p)
		test.change(&o)
		_, err := send(t, c, o)
		if connectors.KindOf(err) != test.want || connectors.UnsureOf(err) {
			t.Errorf("%s: got %v, unsure %t, want kind %v and sure", test.name, err, connectors.UnsureOf(err), test.want)
		}
	}
	if len(seen()) != 0 {
		t.Errorf("got calls\n%s\nwant none", paths(seen()))
	}
	o := reply(t, p)
	o.Text = strings.Repeat("a", 4096)
	if _, err := send(t, c, o); err != nil {
		t.Errorf("4096 letters: got %v, want no error", err)
	}
}

func TestSendSortsGraphErrors(t *testing.T) {
	tests := []struct {
		status, code, subcode int
		want                  connectors.ErrorKind
		after                 time.Duration
	}{
		{400, 131047, 0, connectors.Refused, 0}, // 24 hours are over
		{400, 131026, 0, connectors.Refused, 0},
		{400, 131051, 0, connectors.Refused, 0},
		{400, 131008, 0, connectors.Refused, 0},
		{400, 131009, 0, connectors.Refused, 0},
		{400, 131021, 0, connectors.Refused, 0},
		{400, 100, 0, connectors.Refused, 0},
		{400, 100, 33, connectors.Misconfigured, 0}, // our number, and not the consumer
		{404, 5000, 0, connectors.Misconfigured, 0},
		{400, 4, 0, connectors.Throttled, 0},
		{400, 80007, 0, connectors.Throttled, 0},
		{400, 130429, 0, connectors.Throttled, 0},
		{400, 131056, 0, connectors.Throttled, 6 * time.Second},
		{400, 131048, 0, connectors.Throttled, 15 * time.Minute},
		{400, 1, 0, connectors.Unavailable, 0},
		{400, 2, 0, connectors.Unavailable, 0},
		{400, 131000, 0, connectors.Unavailable, 0},
		{400, 131016, 0, connectors.Unavailable, 0},
		{400, 131053, 0, connectors.Unavailable, 0},
		{403, 368, 0, connectors.Misconfigured, 0},
		{400, 131030, 0, connectors.Misconfigured, 0},
		{400, 131031, 0, connectors.Misconfigured, 0},
		{401, 190, 463, connectors.Misconfigured, 0},
		{400, 10, 0, connectors.Misconfigured, 0},
		{400, 200, 0, connectors.Misconfigured, 0},
		{401, 0, 0, connectors.Misconfigured, 0},
		{429, 5000, 0, connectors.Throttled, 0},
		{503, 5000, 0, connectors.Unavailable, 0},
		{400, 5000, 0, connectors.Refused, 0},
		{504, 2, 0, connectors.Unavailable, 0},
	}
	p, c := start(t)
	for _, test := range tests {
		t.Run(fmt.Sprint(test.status, "/", test.code, "/", test.subcode), func(t *testing.T) {
			p.Wrap(func(http.Handler) http.Handler {
				return answer(test.status, fmt.Sprintf(`{"error":{"message":"secret words","type":"OAuthException","code":%d,"error_subcode":%d,"fbtrace_id":"A"}}`, test.code, test.subcode))
			})
			o := reply(t, p)
			o.Text = "words of the agent"
			_, err := send(t, c, o)
			if connectors.KindOf(err) != test.want || connectors.AfterOf(err) != test.after {
				t.Errorf("got %v after %v, want kind %v after %v", err, connectors.AfterOf(err), test.want, test.after)
			}
			// Only of a gateway that waited in vain nobody knows what Graph did.
			if got, want := connectors.UnsureOf(err), test.status == http.StatusGatewayTimeout; got != want {
				t.Errorf("got unsure %t, want %t", got, want)
			}
			for _, private := range []string{"secret words", o.Text, o.Consumer, p.Numbers[0].Token} {
				if strings.Contains(err.Error(), private) {
					t.Errorf("the error tells %q: %v", private, err)
				}
			}
		})
	}
}

func TestSendReadsAnyAnswer(t *testing.T) {
	tests := []struct {
		name, answer, id string
		ok               bool
	}{
		{"as documented", `{"messaging_product":"whatsapp","contacts":[{"input":"351","wa_id":"351"}],"messages":[{"id":"wamid.1=","message_status":"accepted"}]}`, "wamid.1=", true},
		{"beside what is not as documented", `{"contacts":5,"messages":[{"id":"wamid.1=","message_status":[]}]}`, "wamid.1=", true},
		{"an id of another type", `{"messages":[{"id":5}]}`, "", true},
		{"no id", `{"messages":[{}]}`, "", true},
		{"no message", `{"messages":[]}`, "", false},
		{"messages of another type", `{"messages":{"id":"wamid.1="}}`, "", false},
		{"a page", `<html>maintenance</html>`, "", false},
		{"nothing", ``, "", false},
		{"cut short", `{"messages":[{"id":"wamid.1="`, "", false},
	}
	p, c := start(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p.Wrap(func(http.Handler) http.Handler { return answer(http.StatusOK, test.answer) })
			id, err := send(t, c, reply(t, p))
			if id != test.id || (err == nil) != test.ok {
				t.Fatalf("got %q, %v, want %q, ok %t", id, err, test.id, test.ok)
			}
			// Graph may have sent what it does not confirm.
			if err != nil && (!connectors.UnsureOf(err) || connectors.KindOf(err) != connectors.Unavailable) {
				t.Errorf("got %v, unsure %t, want kind unavailable and unsure", err, connectors.UnsureOf(err))
			}
		})
	}
}

func TestSendWithWrongToken(t *testing.T) {
	p, _ := start(t)
	s := p.Settings("acme", "support").(*whatsapp.Config)
	s.Accounts[0].AccessToken = config.NewSecret("revoked-token")
	_, err := send(t, connect(t, s), reply(t, p))
	if connectors.KindOf(err) != connectors.Misconfigured || strings.Contains(err.Error(), "revoked-token") {
		t.Errorf("got %v, want kind misconfigured without the token", err)
	}
}

// TestSendAndHearOfIt follows a message until it was read.
func TestSendAndHearOfIt(t *testing.T) {
	for _, consumer := range []string{whatsappsim.UserID("ada"), whatsappsim.Phone("ada")} {
		p, c := start(t)
		o := reply(t, p)
		o.Consumer = consumer
		id, err := send(t, c, o)
		if err != nil || id == "" {
			t.Fatalf("got %q, %v, want an id", id, err)
		}
		n := p.Numbers[0]
		events := deliver(t, p, c, whatsappsim.Entry(n.WABA, n.Change(whatsappsim.Object{"statuses": []any{
			p.Follow(id, "sent", at), p.Follow(id, "delivered", at), p.Follow(id, "read", at),
		}})))
		if len(events) != 3 {
			t.Fatalf("got %+v, want three events", events)
		}
		for i, reason := range []string{"sent", "delivered", "read"} {
			e := events[i]
			if e.Kind != connectors.Receipt || e.Reason != reason || e.MessageID != id || e.Account != n.ID || e.Consumer.ID != consumer {
				t.Errorf("got %+v, want the receipt %s of %q to %q", e, reason, id, consumer)
			}
			if !strings.Contains(string(e.Raw), `"biz_opaque_callback_data":"`+key+`"`) {
				t.Errorf("got %s, want our key in it", e.Raw)
			}
		}
	}
}
