package messenger_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/messenger/messengersim"
)

// The notes' own example, letter by letter.
func TestParseTwoPhotos(t *testing.T) {
	events := parse(t, `{"object":"page","entry":[{"id":"104455667788990","time":1790000000123,"messaging":[
 {"sender":{"id":"7123456789012345"},"recipient":{"id":"104455667788990"},"timestamp":1790000000011,
  "message":{"mid":"m_Zt9c0ExampleA1","attachments":[
   {"type":"image","payload":{"url":"https://scontent.xx.fbcdn.net/v/t1.15752-9/a.jpg?_nc_cat=1&oh=00_x&oe=6A1B2C3D"}},
   {"type":"image","payload":{"url":"https://scontent.xx.fbcdn.net/v/t1.15752-9/b.jpg?_nc_cat=1&oh=00_y&oe=6A1B2C3D"}}]}}]}]}`)
	if len(events) != 1 || events[0].Kind != connectors.Message {
		t.Fatalf("got %+v, want one message", events)
	}
	if got := addresses(t, events[0]); !slices.Equal(got, []string{aJPG, bJPG}) {
		t.Errorf("got %q, want both photos in order", got)
	}
	if e := events[0]; e.ID != "m_Zt9c0ExampleA1" || e.Consumer.ID != psid || !e.SentAt.Equal(at) {
		t.Errorf("got %q of %q at %v", e.ID, e.Consumer.ID, e.SentAt)
	}
}

// brief says what became of events, one a word.
func brief(events []connectors.Event) string {
	var list []string
	for _, e := range events {
		list = append(list, e.Account+":"+string(e.Kind)+":"+e.ID)
	}
	return strings.Join(list, " ")
}

// Two Pages in one POST, two items in one entry, and an entry of standby.
func TestParseEveryEntryAndItem(t *testing.T) {
	p, _ := start(t)
	one, two := p.Pages[0], p.AddPage("shop")
	c := connect(t, p.Settings("acme", "support"))
	text := func(page messengersim.Page, id string) any {
		return p.Item(page, said(id, ""), "message", messengersim.Object{"mid": id, "text": "text of " + id})
	}
	r, err := p.Call(webhookURL,
		messengersim.Entry(one, at, "messaging", text(one, "a"), text(one, "b")),
		messengersim.Entry(two, at, "messaging", text(two, "c"), p.Item(two, said("d", ""), "message", messengersim.Object{
			"mid": "d", "attachments": []any{messengersim.Object{"type": "image", "payload": messengersim.Object{"url": p.URL + "/x.jpg"}}},
		})),
		messengersim.Entry(one, at, "standby", text(one, "e")),
		messengersim.Entry(one, at, "changes", messengersim.Object{"field": "feed", "value": "x"}, messengersim.Object{"field": "messages"}),
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Verify(r); err != nil {
		t.Fatal(err)
	}
	events, err := c.Parse(r)
	if err != nil || len(events) != 7 {
		t.Fatalf("got %d events, %v, want 7", len(events), err)
	}
	want := fmt.Sprintf("%[1]s:message:a %[1]s:message:b %[2]s:message:c %[2]s:message:d %[1]s:message:e", one.ID, two.ID)
	if got := brief(events[:5]); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if events[3].Photos[0].Account != two.ID {
		t.Errorf("got a photo of %q, want the second Page's", events[3].Photos[0].Account)
	}
	if events[0].Consumer == events[2].Consumer {
		t.Errorf("got consumer %q on both Pages, want one scoped to each", events[0].Consumer.ID)
	}
	for _, e := range events[5:] {
		if e.Kind != connectors.Ignored || e.Reason != "page_change" || e.Account != one.ID {
			t.Errorf("got %s %q, want the feed's changes passed over", e.Kind, e.Reason)
		}
	}
}

func TestParseStandby(t *testing.T) {
	entry := `{"object":"page","entry":[{"id":"` + pageID + `","time":1790000000123,"standby":[%s]}]}`
	message := item(`"message":{"mid":"m_1","text":"hello"}`)
	echo := strings.Replace(item(`"message":{"mid":"m_2","is_echo":true,"text":"hello"}`), psid, pageID, 1)
	postback := item(`"postback":{"mid":"m_3","title":"Yes"}`)
	edit := item(`"message_edit":{"mid":"m_1","text":"bye","num_edit":1}`)
	events := parse(t, fmt.Sprintf(entry, message+","+echo+","+postback+","+edit))
	want := fmt.Sprintf("%[1]s:message:m_1 %[1]s:ignored:m_2 %[1]s:message:m_3 %[1]s:edit:m_1:edit:1", pageID)
	if got := brief(events); got != want {
		t.Fatalf("got %s\nwant %s", got, want)
	}
	for _, e := range events {
		if !e.NoReply {
			t.Errorf("%s: got an event to reply to, want NoReply: another app holds the conversation", e.ID)
		}
	}
}

// What the Page says is never taken for what a consumer says.
func TestParseEcho(t *testing.T) {
	p, c := start(t)
	echo := p.Echo(p.Pages[0], said("one", "our own words"))
	silent := p.Echo(p.Pages[0], said("two", "our own words"))
	delete(silent["message"].(messengersim.Object), "is_echo")
	for _, e := range []any{echo, silent} {
		r, err := p.Call(webhookURL, messengersim.Entry(p.Pages[0], at, "messaging", e))
		if err != nil {
			t.Fatal(err)
		}
		events, err := c.Parse(r)
		if err != nil || len(events) != 1 || events[0].Kind != connectors.Ignored || events[0].Reason != "echo" {
			t.Errorf("got %+v, %v, want an ignored echo", events, err)
		}
	}
}

func TestParseReply(t *testing.T) {
	e := parseOne(t, `"message":{"mid":"m_1","text":"yes","reply_to":{"mid":"m_0","is_self_reply":false}}`)
	if e.Kind != connectors.Message || e.ReplyTo != "m_0" {
		t.Errorf("got %s to %q, want a reply to m_0", e.Kind, e.ReplyTo)
	}
}

func TestParseDeleted(t *testing.T) {
	e := parseOne(t, `"message":{"mid":"m_1","is_deleted":true}`)
	if e.Kind != connectors.Unsend || e.MessageID != "m_1" {
		t.Errorf("got %s of %q, want m_1 unsent", e.Kind, e.MessageID)
	}
	// The message itself has the ID m_1, and is told apart by it for days.
	if e.ID != "m_1:deleted" {
		t.Errorf("got ID %q, want one of the deletion's own", e.ID)
	}
	e = parseOne(t, `"message":{"mid":"m_1","is_deleted":false,"text":"hello"}`)
	if e.Kind != connectors.Message || e.Text != "hello" {
		t.Errorf("got %s %q, want the message that is not deleted", e.Kind, e.Text)
	}
	if e = parseOne(t, `"message":{"is_deleted":true}`); e.Kind != connectors.Broken {
		t.Errorf("without a mid: got %s, want broken", e.Kind)
	}
}

func TestParseEdit(t *testing.T) {
	tests := []struct{ name, content, id string }{
		{"number", `{"mid":"m_1","text":"new","num_edit":2}`, "m_1:edit:2"},
		{"string, as in Meta's example", `{"mid":"m_1","text":"new","num_edit":"2"}`, "m_1:edit:2"},
		{"first", `{"mid":"m_1","text":"new","num_edit":0}`, "m_1:edit:0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := parseOne(t, `"message_edit":`+test.content)
			if e.Kind != connectors.Edit || e.MessageID != "m_1" || e.Text != "new" || e.ID != test.id || e.Consumer.ID != psid {
				t.Errorf("got %s %q of %q, ID %q, want the new text of m_1, ID %s", e.Kind, e.Text, e.MessageID, e.ID, test.id)
			}
		})
	}
	for _, num := range []string{`{}`, `null`, `1.5`, `-1`} {
		one := parseOne(t, `"message_edit":{"mid":"m_1","text":"new","num_edit":`+num+`}`)
		two := parseOne(t, `"message_edit":{"mid":"m_1","text":"newer","num_edit":`+num+`}`)
		if one.Kind != connectors.Edit || one.ID == two.ID || !strings.HasPrefix(one.ID, "m_1:edit:sha256:") {
			t.Errorf("num_edit %s: got %s with ID %q, then %q, want IDs of their own", num, one.Kind, one.ID, two.ID)
		}
	}
	for content, reason := range map[string]string{
		`{"text":"new","num_edit":1}`:          "edit names no message",
		`"new"`:                                "edit names no message",
		`{"mid":"m_1","text":7}`:               "edit has no readable text",
		`{"mid":"m_1","num_edit":1}`:           "edit has no readable text",
		`{"mid":"m_1","text":"","num_edit":1}`: "edit has no readable text",
	} {
		if e := parseOne(t, `"message_edit":`+content); e.Kind != connectors.Broken || e.Reason != reason {
			t.Errorf("%s: got %s %q, want broken %q", content, e.Kind, e.Reason, reason)
		}
	}
}

func TestParseDelivery(t *testing.T) {
	events := parseItems(t, item(`"delivery":{"mids":["m_8",5,"m_9"],"watermark":1790000000000,"seq":37}`))
	want := fmt.Sprintf("%[1]s:receipt:m_8:delivered %[1]s:receipt:m_9:delivered", pageID)
	if got := brief(events); got != want {
		t.Fatalf("got %s\nwant %s", got, want)
	}
	for i, mid := range []string{"m_8", "m_9"} {
		if e := events[i]; e.MessageID != mid || e.Reason != "delivered" || e.Consumer.ID != psid || string(e.Raw) != `"`+mid+`"` {
			t.Errorf("got %q %q of %q, raw %s, want %s delivered", e.MessageID, e.Reason, e.Consumer.ID, e.Raw, mid)
		}
	}
}

// Thousands of messages in one receipt do not repeat that receipt for each.
func TestParseLargeDelivery(t *testing.T) {
	mids := strings.Repeat(`"m_1",`, 20_000) + `"m_1"`
	events := parseItems(t, item(`"delivery":{"mids":[`+mids+`],"watermark":1}`))
	raw := 0
	for _, e := range events {
		raw += len(e.Raw)
	}
	if len(events) != 20_001 || raw > len(mids) {
		t.Errorf("got %d receipts with %d bytes of raw text, want 20001 with no more than %d", len(events), raw, len(mids))
	}
}

// Before version 11 a postback had no mid.
func TestParsePostbackWithoutMID(t *testing.T) {
	one := parseOne(t, `"postback":{"title":"Yes","payload":"YES"}`)
	two := parseOne(t, `"postback":{"title":"No","payload":"NO"}`)
	if one.Kind != connectors.Message || one.Text != "Yes" || one.ID == "" || one.MessageID != one.ID || one.ID == two.ID {
		t.Errorf("got %s %q with IDs %q and %q, then %q, want texts with IDs of their own", one.Kind, one.Text, one.ID, one.MessageID, two.ID)
	}
}

// Nobody without an id is a consumer: different people would share a
// conversation.
func TestParseNoConsumer(t *testing.T) {
	for _, sender := range []string{`"sender":{"user_ref":"x"},`, `"sender":{},`, `"sender":null,`, `"sender":"x",`, ``} {
		for _, content := range []string{
			`"message":{"mid":"m_1","text":"hello"}`, `"message":{"mid":"m_1","is_deleted":true}`,
			`"message_edit":{"mid":"m_1","text":"x","num_edit":1}`, `"postback":{"mid":"m_1","title":"x"}`,
		} {
			events := parseItems(t, `{`+sender+`"recipient":{"id":"`+pageID+`"},"timestamp":1,`+content+`}`)
			if len(events) != 1 || events[0].Kind != connectors.Ignored || events[0].Reason != "no_consumer" {
				t.Errorf("%s %s: got %+v, want it ignored", sender, content, events)
			}
		}
	}
}

// IDs may be longer than a float64 is exact, and are written either way.
func TestParseIDs(t *testing.T) {
	for _, quote := range []string{`"`, ``} {
		body := `{"object":"page","entry":[{"id":#104455667788990123#,"messaging":[{"sender":{"id":#9007199254740993#},"recipient":{"id":#1#},"message":{"mid":"m","text":"x"}}]}]}`
		events := parse(t, strings.ReplaceAll(body, "#", quote))
		if len(events) != 1 || events[0].Account != "104455667788990123" || events[0].Consumer.ID != "9007199254740993" {
			t.Errorf("quoted by %q: got %+v, want both IDs to the last digit", quote, events)
		}
	}
	for _, number := range []string{`1.5`, `-1`, `1e9`, `{}`, `[]`, `true`} {
		events := parseItems(t, strings.Replace(item(`"message":{"mid":"m","text":"x"}`), `"`+psid+`"`, number, 1))
		if len(events) != 1 || events[0].Reason != "no_consumer" {
			t.Errorf("sender %s: got %+v, want no consumer", number, events)
		}
	}
}

// The entry names the Page; where it does not, the recipient does.
func TestParseAccount(t *testing.T) {
	for _, id := range []string{``, `"id":"",`, `"id":null,`, `"id":{},`} {
		events := parse(t, `{"object":"page","entry":[{`+id+`"messaging":[`+item(`"message":{"mid":"m_1","text":"x"}`)+`]}]}`)
		if got, want := brief(events), pageID+":message:m_1"; got != want {
			t.Errorf("entry with %s: got %s, want %s", id, got, want)
		}
	}
}

func TestParseTimes(t *testing.T) {
	tests := []struct {
		item, entry string
		want        time.Time
	}{
		{`1790000000011`, `1790000000123`, at},
		{`1790000000`, `1790000000123`, time.Unix(1790000000, 0)},
		{`"1790000000011"`, `1`, at},
		{`null`, `1790000000123`, time.UnixMilli(1790000000123)},
		{`"soon"`, `1790000000`, time.Unix(1790000000, 0)},
		{`-1`, `{}`, time.Time{}},
	}
	for _, test := range tests {
		events := parse(t, `{"object":"page","entry":[{"id":"1","time":`+test.entry+`,"messaging":[{"sender":{"id":"9"},"timestamp":`+test.item+`,"message":{"mid":"m","text":"x"}}]}]}`)
		if len(events) != 1 || events[0].Kind != connectors.Message || !events[0].SentAt.Equal(test.want) {
			t.Errorf("%s in %s: got %+v, want a message at %v", test.item, test.entry, events, test.want)
		}
	}
}

func TestParseEnvelopes(t *testing.T) {
	tests := []struct{ body, want string }{
		{`{"object":"page","entry":[]}`, ""},
		{`{"object":"page"}`, ""},
		{`{"object":"instagram","entry":[{"id":"1","messaging":[{}]},{"id":"2"}]}`, "ignored other_object, ignored other_object"},
		{`{"object":"page","entry":[null]}`, "ignored empty_entry"},
		{`{"object":"page","entry":[5]}`, "broken entry does not parse"},
		{`{"object":"page","entry":[{"id":"1"}]}`, "ignored empty_entry"},
		{`{"object":"page","entry":[{"id":"1","messaging":[]}]}`, "ignored empty_entry"},
		{`{"object":"page","entry":[{"id":"1","messaging":{},"standby":[null]}]}`, "broken entry does not parse, broken item does not parse"},
		{`{"object":"page","entry":[{"id":"1","messaging":[null,5,"x",[],{}]}]}`, "broken item does not parse, broken item does not parse, broken item does not parse, broken item does not parse, ignored unknown_event_type"},
	}
	for _, test := range tests {
		var got []string
		for _, e := range parse(t, test.body) {
			got = append(got, string(e.Kind)+" "+e.Reason)
		}
		if got := strings.Join(got, ", "); got != test.want {
			t.Errorf("%s: got %s, want %s", test.body, got, test.want)
		}
	}
	for _, body := range []string{``, `{`, `null`, `[]`, `{}`, `{"object":7}`, `{"object":"page","entry":{}}`, `{"object":"page","entry":[]} x`} {
		_, err := connect(t, settings("app-secret")).Parse(&connectors.Request{Method: http.MethodPost, Body: []byte(body)})
		wantKind(t, body, err, connectors.Malformed)
	}
}

// What has no mid cannot be named later. It arrives all the same, and once
// however often it is delivered.
func TestParseMessageWithoutMID(t *testing.T) {
	photo := item(`"message":{"text":"look","attachments":[` + image(aJPG, "") + `]}`)
	later := strings.Replace(photo, "1790000000011", "1790000000012", 1)
	events := parseItems(t, photo+","+later+","+photo)
	for _, e := range events {
		if got := addresses(t, e); e.Kind != connectors.Message || e.Text != "look" || !slices.Equal(got, []string{aJPG}) || e.MessageID != "" {
			t.Errorf("got %+v, want a message with a photo, and no name for it", e)
		}
	}
	if len(events) != 3 || events[0].ID == "" || events[0].ID == events[1].ID || events[0].ID != events[2].ID {
		t.Errorf("got %+v, want the ID of the first and the last to be the same", events)
	}
}
