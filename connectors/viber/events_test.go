package viber_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

// passedOver are the events that agents have no use for.
func passedOver() map[string]string {
	return map[string]string{
		"webhook":      `,"chat_hostname":"SN-CHAT-00_"`,
		"subscribed":   `,"user":{"id":"01234567890A=","name":"Ana","country":"RS","language":"en","api_version":1}`,
		"unsubscribed": `,"user_id":"01234567890A="`,
		"conversation_started": `,"type":"open","context":"context information","subscribed":false,` +
			`"user":{"id":"01234567890A=","name":"Ana","avatar":"http://avatar.example","country":"RS","language":"en","api_version":1}`,
	}
}

func TestParsePassesOver(t *testing.T) {
	for event, more := range passedOver() {
		got := parse(t, other(event, more))
		if got.Kind != connectors.Ignored || got.Reason != event || got.ID != event+":5900000000000000123" || got.Account != botID {
			t.Errorf("%s: got %s, want it ignored by its name", event, toJSON(t, got))
		}
		// An event that we pass over may have any shape.
		odd := parse(t, `{"event":"`+event+`","timestamp":"now","message_token":{},"sender":5,"message":[],"user_id":{},"chat_id":[]}`)
		if odd.Kind != connectors.Ignored || odd.Reason != event || !strings.HasPrefix(odd.ID, "sha256:") {
			t.Errorf("odd %s: got %s, want it ignored by its name", event, toJSON(t, odd))
		}
	}
}

// A sample that went around for years has time and token of this event the
// wrong way round.
func TestParseWebhookEvent(t *testing.T) {
	got := parse(t, webhookBody)
	if got.Kind != connectors.Ignored || got.Reason != "webhook" || got.ID != "webhook:5000000000000000001" ||
		!got.SentAt.Equal(time.UnixMilli(1700000000000)) {
		t.Errorf("got %s, want it ignored", toJSON(t, got))
	}
	swapped := parse(t, `{"event":"webhook","timestamp":4987034606158369000,"message_token":1481059480858}`)
	if swapped.Kind != connectors.Ignored || swapped.Reason != "webhook" || !swapped.SentAt.IsZero() || swapped.ID != "webhook:1481059480858" {
		t.Errorf("swapped: got %s, want it ignored, at no time", toJSON(t, swapped))
	}
}

// An answer with a body would be shown to the user as a welcome message.
func TestNoResponse(t *testing.T) {
	if _, ok := any(production(t)).(connectors.Responder); ok {
		t.Error("got a Responder, want an empty body behind every 200")
	}
}

func TestParseStrangeTypes(t *testing.T) {
	reasons := map[string]bool{}
	for i := range 200 {
		strange := fmt.Sprintf("stranger%d", i)
		for _, body := range []string{other(strange, ""), message(`{"type":"` + strange + `","text":"x"}`)} {
			got := parse(t, body)
			if got.Kind != connectors.Ignored {
				t.Errorf("%s: got %v, want ignored", strange, got.Kind)
			}
			reasons[got.Reason] = true
		}
	}
	if len(reasons) != 2 {
		t.Errorf("got reasons %v, want two", reasons)
	}
}

func TestParseReceipts(t *testing.T) {
	for event, want := range map[string]string{"delivered": "delivered", "seen": "read", "failed": "failed"} {
		got := parse(t, other(event, `,"user_id":"`+userID+`","desc":"failure description"`))
		if got.Kind != connectors.Receipt || got.Reason != want || got.MessageID != "5900000000000000123" || got.Account != botID ||
			got.Consumer.ID != userID || got.ID != event+":5900000000000000123:"+userID || got.SentAt.UnixMilli() != 1755000000123 {
			t.Errorf("%s: got %s, want a receipt of it", event, toJSON(t, got))
		}
		bare := parse(t, `{"event":"`+event+`","message_token":"5900000000000000123"}`)
		if bare.Kind != connectors.Receipt || bare.MessageID != "5900000000000000123" {
			t.Errorf("bare %s: got %s, want a receipt", event, toJSON(t, bare))
		}
		unreadable := parse(t, `{"event":"`+event+`","message_token":1.5}`)
		if unreadable.Kind != connectors.Ignored || unreadable.Reason != "unreadable_receipt" {
			t.Errorf("unreadable %s: got %s, want it ignored", event, toJSON(t, unreadable))
		}
	}
}

// Viber tells that a user's own message was delivered, too, with that message's
// token: it is neither the message once more nor an error.
func TestParseDeliveredOfIncoming(t *testing.T) {
	in := parse(t, message(`{"type":"text","text":"x"}`))
	receipt := parse(t, other("delivered", `,"user_id":"`+userID+`"`))
	if receipt.Kind != connectors.Receipt || receipt.ID == in.ID || receipt.MessageID != in.MessageID {
		t.Errorf("got %s after %s, want a receipt with an ID of its own", toJSON(t, receipt), toJSON(t, in))
	}
}

// One token goes through all its events, once for each user and device.
func TestParseIDs(t *testing.T) {
	seen := map[string]string{}
	for _, body := range []string{
		message(`{"type":"text","text":"x"}`), other("delivered", `,"user_id":"a"`), other("delivered", `,"user_id":"b"`),
		other("seen", `,"user_id":"a"`), other("failed", `,"user_id":"a"`), other("subscribed", ""), other("unheard_of", ""),
	} {
		id := parse(t, body).ID
		if first, twice := seen[id]; twice {
			t.Errorf("%s and %s share ID %q", first, body, id)
		}
		seen[id] = body
		later := strings.Replace(body, "1755000000123", "1755000000999", 1)
		if again := parse(t, later).ID; again != id {
			t.Errorf("%s: got ID %q when delivered again, want %q", body, again, id)
		}
	}
}

func TestParseSenders(t *testing.T) {
	for _, row := range []struct {
		name, body string
		kind       connectors.Kind
		reason     string
	}{
		{"a group", strings.Replace(message(`{"type":"picture","media":"https://h.example/a.jpg"}`), `"silent"`, `"chat_id":"6pVtb4QRkTUHbHKPTpWt8g==","reply_type":"query","silent"`, 1), connectors.Ignored, "group"},
		{"a group of another shape", strings.Replace(message(`"x"`), `"silent"`, `"chat_id":[5],"silent"`, 1), connectors.Ignored, "group"},
		{"an empty group", strings.Replace(message(`{"type":"text","text":"x"}`), `"silent"`, `"chat_id":"","silent"`, 1), connectors.Message, ""},
		{"no group", strings.Replace(message(`{"type":"text","text":"x"}`), `"silent"`, `"chat_id":null,"silent"`, 1), connectors.Message, ""},
		{"a sender without an id", strings.Replace(message(`{"type":"text","text":"x"}`), `"id":"`+userID+`",`, "", 1), connectors.Ignored, "no_consumer"},
		{"a sender with an empty id", strings.Replace(message(`{"type":"text","text":"x"}`), userID, "", 1), connectors.Ignored, "no_consumer"},
		{"no sender", `{"event":"message","message_token":1,"message":{"type":"text","text":"x"}}`, connectors.Ignored, "no_consumer"},
		{"an id that is a number", strings.Replace(message(`{"type":"text","text":"x"}`), `"`+userID+`"`, "5", 1), connectors.Broken, "message does not parse"},
		{"a sender that is a text", `{"event":"message","message_token":1,"sender":"a","message":{"type":"text","text":"x"}}`, connectors.Broken, "message does not parse"},
	} {
		got := parse(t, row.body)
		if got.Kind != row.kind || got.Reason != row.reason {
			t.Errorf("%s: got %s, want %s %s", row.name, toJSON(t, got), row.kind, row.reason)
		}
	}
}

// A message that cannot be read is kept as broken, and known again by its
// token.
func TestParseBroken(t *testing.T) {
	for body, reason := range map[string]string{
		`{}`:                                     "event has no readable name",
		`{"event":5}`:                            "event has no readable name",
		`{"event":null,"message_token":1}`:       "event has no readable name",
		`{"event":"message","message_token":1}`:  "message has no readable type",
		message(`null`):                          "message has no readable type",
		message(`"text"`):                        "message has no readable type",
		message(`{"type":5}`):                    "message has no readable type",
		message(`{"type":"text"}`):               "text message has no text",
		message(`{"type":"text","text":""}`):     "text message has no text",
		message(`{"type":"text","text":{}}`):     "text message has no text",
		message(`{"type":"picture"}`):            "photo has no usable address",
		message(`{"type":"picture","media":""}`): "photo has no usable address",
		message(`{"type":"picture","media":[]}`): "photo has no usable address",
		message(`{"type":"file","size":5}`):      "photo has no usable address",
		message(`{"type":"picture","media":"https://h.example/` + strings.Repeat("a", 8000) + `"}`): "photo has no usable address",
		strings.Replace(message(`{"type":"text","text":"x"}`), "5900000000000000123", "null", 1):    "message has no token",
		strings.Replace(message(`{"type":"text","text":"x"}`), "5900000000000000123", "5.9e18", 1):  "message has no token",
		strings.Replace(message(`{"type":"text","text":"x"}`), "5900000000000000123", `"../x"`, 1):  "message has no token",
	} {
		got := parse(t, body)
		if got.Kind != connectors.Broken || got.Reason != reason || string(got.Raw) != body {
			t.Errorf("%.200s: got %.300s, want broken: %s", body, toJSON(t, got), reason)
		}
		if strings.Contains(body, "5900000000000000123") && got.ID != "message:5900000000000000123" {
			t.Errorf("%.200s: got ID %q, want the platform's, which a redelivery repeats", body, got.ID)
		}
	}
}

func TestParseMalformed(t *testing.T) {
	c := production(t)
	for _, body := range []string{"", "x", "null", "[]", "5", `"x"`, "true", `{"event":`, `{"event":"webhook"}{}`, "[" + webhookBody + "]"} {
		_, err := c.Parse(post(body, "X", ""))
		wantKind(t, "body "+body, err, connectors.Malformed)
	}
}

// What becomes of a message that was sent comes back with the token that Send
// returned.
func TestReceiptOfSent(t *testing.T) {
	p, c := start(t)
	in := heard(t, p, c, said("one"))[0]
	id, err := c.Send(t.Context(), connectors.Outgoing{Account: p.BotID, Consumer: in.Consumer.ID, Text: "thanks"})
	if err != nil {
		t.Fatal(err)
	}
	for event, want := range map[string]string{"delivered": "delivered", "seen": "read", "failed": "failed"} {
		r, err := p.Call(webhookURL, p.Receipt(event, p.Sent()[0], time.Now()))
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Parse(r)
		if err != nil || len(got) != 1 || got[0].Kind != connectors.Receipt || got[0].MessageID != id || got[0].Reason != want || got[0].Consumer.ID != in.Consumer.ID {
			t.Errorf("%s: got %s, %v, want a receipt of %s", event, toJSON(t, got), err, id)
		}
	}
}

// The account is the configured one, because no event names the bot.
func TestParseAccount(t *testing.T) {
	p, c := start(t)
	one := said("one")
	one.Photos = [][]byte{[]byte(jpeg)}
	for _, e := range heard(t, p, c, one, sim.Said{ID: "two", Consumer: "bob", Text: "x"}) {
		if e.Account != p.BotID || len(e.Photos) > 0 && e.Photos[0].Account != p.BotID {
			t.Errorf("got %s, want account %s", toJSON(t, e), p.BotID)
		}
	}
	s := settings()
	s.Accounts = nil
	got, err := connect(t, s, time.Now).Parse(post(webhookBody, "X", ""))
	if err != nil || len(got) != 1 || got[0].Account != "" {
		t.Errorf("without an account: got %s, %v, want an event of none", toJSON(t, got), err)
	}
}

// Whatever the method: the gateway has none but POST for this channel.
func TestParseLeavesBody(t *testing.T) {
	r := post(message(`{"type":"text","text":"x"}`), "X", "")
	r.Method = http.MethodPost
	got, err := production(t).Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	copy(r.Body, "overwritten")
	if !strings.HasPrefix(string(got[0].Raw), `{"event":"message"`) {
		t.Errorf("got raw text %.40s, want a copy that nobody else writes to", got[0].Raw)
	}
}
