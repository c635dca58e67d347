package whatsapp_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/whatsapp/whatsappsim"
)

func said(id, text string, photos ...[]byte) sim.Said {
	return sim.Said{ID: id, Consumer: "ada", Name: "Ada", Text: text, Photos: photos, At: at}
}

// summary names events by account, kind, and what tells them apart.
func summary(events []connectors.Event) string {
	var lines []string
	for _, e := range events {
		lines = append(lines, strings.TrimSpace(fmt.Sprint(e.Account, " ", e.Kind, " ", e.Text, e.Reason)))
	}
	return strings.Join(lines, "\n")
}

// deliver returns the events of what p calls with.
func deliver(t *testing.T, p *whatsappsim.Platform, c connectors.Connector, entries ...any) []connectors.Event {
	t.Helper()
	r, err := p.Call(webhookURL, entries...)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Verify(r); err != nil {
		t.Fatalf("Verify: %v", err)
	}
	events, err := c.Parse(r)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return events
}

func TestParseBatchOfSeveralNumbers(t *testing.T) {
	p, c := start(t)
	one, two, three := p.Numbers[0], p.AddNumber("shop"), p.AddNumber("repair")
	value := func(n whatsappsim.Number, said ...sim.Said) whatsappsim.Object {
		var messages []any
		for _, s := range said {
			messages = append(messages, p.Messages(n, s)...)
		}
		return whatsappsim.Object{"contacts": whatsappsim.Contacts(said...), "messages": messages}
	}
	mixed := value(two, said("c", "two"))
	mixed["statuses"] = []any{
		whatsappsim.Status("wamid.sent=", "delivered", "ada", at),
		whatsappsim.Status("wamid.sent=", "read", "ada", at),
	}
	mixed["errors"] = []any{whatsappsim.Object{"code": 131031, "title": "locked"}}
	events := deliver(t, p, c,
		whatsappsim.Entry(one.WABA, one.Change(value(one, said("a", "one"), said("b", "album", []byte("x"), []byte("y")))), two.Change(mixed)),
		whatsappsim.Entry(three.WABA,
			three.Field("smb_message_echoes", whatsappsim.Object{"message_echoes": []any{whatsappsim.Object{"id": "wamid.echo=", "type": "text"}}}),
			three.Field("made_up", whatsappsim.Object{}),
			three.Change(value(three, said("a", "three")))),
	)
	want := strings.Join([]string{
		one.ID + " message one",
		one.ID + " message album",
		one.ID + " message",
		two.ID + " message two",
		two.ID + " receipt delivered",
		two.ID + " receipt read",
		two.ID + " ignored account_error",
		three.ID + " ignored smb_message_echoes",
		three.ID + " ignored unknown_field",
		three.ID + " message three",
	}, "\n")
	if got := summary(events); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, e := range events {
		for _, photo := range e.Photos {
			if photo.Account != e.Account {
				t.Errorf("got a photo of account %s in a message to %s", photo.Account, e.Account)
			}
		}
	}
}

func TestParseStatus(t *testing.T) {
	tests := []struct {
		name, status string
		kind         connectors.Kind
		reason       string
	}{
		{"sent", "sent", connectors.Receipt, "sent"},
		{"delivered", "delivered", connectors.Receipt, "delivered"},
		{"read", "read", connectors.Receipt, "read"},
		{"failed", "failed", connectors.Receipt, "failed"},
		{"a voice message was heard", "played", connectors.Receipt, "read"},
		{"deleted", "deleted", connectors.Ignored, "unknown_status"},
		{"a new one", "framed", connectors.Ignored, "unknown_status"},
		{"in capitals", "READ", connectors.Ignored, "unknown_status"},
	}
	p, c := start(t)
	n := p.Numbers[0]
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			events := deliver(t, p, c, whatsappsim.Entry(n.WABA, n.Change(whatsappsim.Object{"statuses": []any{
				whatsappsim.Status("wamid.sent=", test.status, "ada", at),
			}})))
			if len(events) != 1 {
				t.Fatalf("got %+v, want one event", events)
			}
			got := events[0]
			got.Raw = nil
			want := connectors.Event{
				Kind: test.kind, ID: "wamid.sent=:" + test.status, MessageID: "wamid.sent=", Account: n.ID,
				Consumer: connectors.Consumer{ID: whatsappsim.UserID("ada")}, SentAt: at, Reason: test.reason,
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestParseStatusShapes(t *testing.T) {
	tests := []struct{ name, status, want string }{
		{"phone number only", `{"id":"w","status":"failed","timestamp":"1","recipient_id":"351","errors":[{"code":131026,"error_data":{"details":"x"}}]}`, "1 receipt failed of 351"},
		{"user id only", `{"id":"w","status":"read","timestamp":"1","recipient_user_id":"PT.1"}`, "1 receipt read of PT.1"},
		{"nobody", `{"id":"w","status":"sent"}`, "1 receipt sent of "},
		{"beside what is not as documented", `{"id":"w","status":"sent","timestamp":[],"errors":5,"pricing":"x","conversation":[]}`, "1 receipt sent of "},
		{"to a group", `{"id":"w","status":"read","recipient_id":"Y2Fw","recipient_type":"group","recipient_participant_id":"351"}`, "1 ignored group of "},
		{"to one person, and so said", `{"id":"w","status":"read","recipient_id":"351","recipient_type":"individual"}`, "1 receipt read of 351"},
		{"to what is no text", `{"id":"w","status":"read","recipient_id":"351","recipient_type":["group"]}`, "1 receipt read of 351"},
		{"to a number that is no text", `{"id":"w","status":"read","recipient_id":351}`, "1 receipt read of "},
		{"no message", `{"status":"read"}`, "1 ignored unreadable_status of "},
		{"no status", `{"id":"w"}`, "1 ignored unreadable_status of "},
		{"another shape", `5`, "1 ignored unreadable_status of "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			events := parse(t, `{"object":"whatsapp_business_account","entry":[{"id":"9","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"1"},"statuses":[`+test.status+`]}}]}]}`)
			if got := summary(events); len(events) != 1 || got+" of "+events[0].Consumer.ID != test.want {
				t.Errorf("got %s of %+v, want %s", got, events, test.want)
			}
		})
	}
}

func TestParseEnvelope(t *testing.T) {
	const good = `{"metadata":{"phone_number_id":"1"},"messages":[{"from":"35","id":"w","timestamp":"1","type":"text","text":{"body":"x"}}]}`
	entries := func(list string) string { return `{"object":"whatsapp_business_account","entry":[` + list + `]}` }
	changes := func(list string) string { return entries(`{"id":"9","changes":[` + list + `]}`) }
	tests := []struct{ name, body, want string }{
		{"no entries", entries(""), ""},
		{"a page's", `{"object":"page","entry":[{"id":"1","messaging":[]}]}`, "ignored other_object"},
		{"broken entry", entries(`7,{"id":"9","changes":[{"field":"messages","value":` + good + `}]}`), "broken entry does not parse\n1 message x"},
		{"entry without changes", entries(`{"id":"9"}`), "broken entry does not parse"},
		{"broken change", changes(`"x",{"field":"messages","value":` + good + `}`), "broken change does not parse\n1 message x"},
		{"change without a field", changes(`{"value":{}}`), "broken change does not parse"},
		{"value of another shape", changes(`{"field":"messages","value":[]}`), "broken change does not parse"},
		{"list of another shape beside messages", changes(`{"field":"messages","value":` + good[:len(good)-1] + `,"statuses":{}}}`), "1 broken change does not parse\n1 message x"},
		{"passed over in any shape", changes(`{"field":"history","value":[[]]}`), "ignored history"},
		{"nothing", changes(`{"field":"messages","value":{"metadata":{"phone_number_id":"1"}}}`), "1 ignored empty_change"},
		{"no number", changes(`{"field":"messages","value":{"messages":[{"from":"35","id":"w","type":"text","text":{"body":"x"}}]}}`), "message x"},
		{"broken message", changes(`{"field":"messages","value":{"metadata":{"phone_number_id":"1"},"messages":[5,null,{"from":"35","id":"w","type":"text","text":{"body":"x"}}]}}`),
			"1 broken message has no readable type\n1 broken message has no readable type\n1 message x"},
		{"message without id", changes(`{"field":"messages","value":{"metadata":{"phone_number_id":"1"},"messages":[{"from":"35","type":"text","text":{"body":"x"}}]}}`),
			"1 message x"},
		{"messages without a field", changes(`{"value":` + good + `}`), "1 message x"},
		{"status without a field", changes(`{"value":{"metadata":{"phone_number_id":"1"},"statuses":[{"id":"w","status":"read"}]}}`), "1 receipt read"},
		{"errors without a field", changes(`{"value":{"metadata":{"phone_number_id":"1"},"errors":[{"code":0}]}}`), "1 ignored account_error"},
		{"contacts without a field", changes(`{"value":{"metadata":{"phone_number_id":"1"},"contacts":[{"wa_id":"35"}]}}`), "1 broken change does not parse"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := summary(parse(t, test.body)); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestParseMalformed(t *testing.T) {
	for _, body := range []string{"", "null", "[]", "{}", `{"object":7}`, `{"object":"whatsapp_business_account","entry":{}}`, "object=x", `{"object"`} {
		events, err := connect(t, settings("app-secret")).Parse(&connectors.Request{Method: "POST", URL: webhookURL, Body: []byte(body)})
		if connectors.KindOf(err) != connectors.Malformed || len(events) != 0 {
			t.Errorf("%q: got %d events, %v, want kind malformed", body, len(events), err)
		}
	}
}

func TestParseLargestBatch(t *testing.T) {
	// Meta sends up to 1000 messages in up to 3 MB.
	p, c := start(t)
	n := p.Numbers[0]
	var messages []any
	for i := range 1000 {
		messages = append(messages, p.Messages(n, said(fmt.Sprint(i), strings.Repeat("x", 2750)))...)
	}
	r, err := p.Call(webhookURL, whatsappsim.Entry(n.WABA, n.Change(whatsappsim.Object{"messages": messages})))
	if err != nil {
		t.Fatal(err)
	}
	if size := len(r.Body); size < 2_900_000 || size > 3<<20 {
		t.Fatalf("the body has %d bytes, want 2.9 MB", size)
	}
	if err := c.Verify(r); err != nil {
		t.Fatalf("Verify: %v", err)
	}
	events, err := c.Parse(r)
	if err != nil || len(events) != 1000 {
		t.Fatalf("got %d events, %v, want 1000", len(events), err)
	}
	ids := map[string]bool{}
	for _, e := range events {
		ids[e.ID] = e.Kind == connectors.Message
	}
	if len(ids) != 1000 {
		t.Errorf("got %d different IDs, want 1000", len(ids))
	}
	if _, err := json.Marshal(events); err != nil {
		t.Errorf("the events cannot be stored: %v", err)
	}
}

// TestParseAmendments plays a message that is edited and then taken back.
func TestParseAmendments(t *testing.T) {
	p, c := start(t)
	n := p.Numbers[0]
	first := said("a", "helo")
	messages := p.Messages(n, first)
	earlier := messages[0].(whatsappsim.Object)["id"].(string)
	messages = append(messages, whatsappsim.Edit(said("b", "hello"), earlier), whatsappsim.Revoke(said("c", ""), earlier))
	events := deliver(t, p, c, whatsappsim.Entry(n.WABA, n.Change(whatsappsim.Object{
		"contacts": whatsappsim.Contacts(first), "messages": messages,
	})))
	want := []struct {
		kind connectors.Kind
		text string
	}{{connectors.Message, "helo"}, {connectors.Edit, "hello"}, {connectors.Unsend, ""}}
	if len(events) != len(want) {
		t.Fatalf("got %+v, want %d events", events, len(want))
	}
	ids := map[string]bool{}
	for i, e := range events {
		if e.Kind != want[i].kind || e.Text != want[i].text || e.MessageID != earlier || e.Consumer.ID != whatsappsim.UserID("ada") {
			t.Errorf("got %+v, want %s %q of %q by ada", e, want[i].kind, want[i].text, earlier)
		}
		ids[e.ID] = true
	}
	if len(ids) != 3 {
		t.Errorf("got IDs %v, want three", ids)
	}
}

// TestParseMessageWithoutID reads what nobody can name later: it arrives all the
// same, and once however often it is delivered.
func TestParseMessageWithoutID(t *testing.T) {
	const (
		photo = `{"from":"351910000001","timestamp":"1790000000","type":"image","image":{"id":"19","caption":"leaf"}}`
		later = `{"from":"351910000001","timestamp":"1790000001","type":"image","image":{"id":"19","caption":"leaf"}}`
	)
	events := parseMessages(t, photo+","+later+","+photo)
	for _, e := range events {
		if e.Kind != connectors.Message || e.Text != "leaf" || len(e.Photos) != 1 || e.MessageID != "" {
			t.Errorf("got %+v, want a message with a photo, and no name for it", e)
		}
	}
	if len(events) != 3 || events[0].ID == "" || events[0].ID == events[1].ID || events[0].ID != events[2].ID {
		t.Errorf("got %+v, want the ID of the first and the last to be the same", events)
	}
}
