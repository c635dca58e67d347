package line_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line/linesim"
)

// passedOver are all types of LINE's webhook.yml but message and unsend.
func passedOver() map[string]string {
	return map[string]string{
		"follow": `,"replyToken":"r","follow":{"isUnblocked":false}`, "unfollow": "", "join": `,"replyToken":"r"`, "leave": "",
		"memberJoined": `,"joined":{"members":[{"type":"user","userId":"U1"}]}`, "memberLeft": `,"left":{"members":[]}`,
		"postback": `,"postback":{"data":"x"}`, "videoPlayComplete": `,"videoPlayComplete":{"trackingId":"t"}`,
		"beacon": `,"beacon":{"hwid":"d","type":"enter"}`, "accountLink": `,"link":{"result":"ok","nonce":"n"}`,
		"membership": `,"membership":{"type":"joined","membershipId":3189}`, "module": `,"module":{"type":"attached","botId":"U","scopes":[]}`,
		"activated": `,"chatControl":{"expireAt":1}`, "deactivated": "", "botSuspended": "", "botResumed": "",
		"delivery": `,"delivery":{"data":"x"}`,
	}
}

func TestParsePassesOver(t *testing.T) {
	for kind, more := range passedOver() {
		got := parse(t, event(kind, "01K2"+kind, more))[0]
		if got.Kind != connectors.Ignored || got.Reason != kind || got.ID != "01K2"+kind {
			t.Errorf("%s: got %s, want it ignored by its name", kind, toJSON(t, got))
		}
		// A type that we pass over may have any shape.
		odd := parse(t, `{"type":"`+kind+`","source":5,"timestamp":"now","webhookEventId":{}}`)[0]
		if odd.Kind != connectors.Ignored || odd.Reason != kind {
			t.Errorf("odd %s: got %s, want it ignored by its name", kind, toJSON(t, odd))
		}
	}
}

func TestParseStrangeTypes(t *testing.T) {
	reasons := map[string]bool{}
	for i := range 200 {
		strange := fmt.Sprintf("stranger%d", i)
		for _, raw := range []string{event(strange, "a", ""), message("a", `{"id":"1","type":"`+strange+`"}`)} {
			got := parse(t, raw)[0]
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

func TestParseSources(t *testing.T) {
	for _, row := range []struct{ name, source, reason string }{
		{"group", `{"type":"group","groupId":"C1","userId":"U1"}`, "group"},
		{"group without a user", `{"type":"group","groupId":"C1"}`, "group"},
		{"room", `{"type":"room","roomId":"R1","userId":"U1"}`, "group"},
		{"user without an id", `{"type":"user"}`, "no_consumer"},
		{"user with an empty id", `{"type":"user","userId":""}`, "no_consumer"},
		{"a type of tomorrow", `{"type":"square","userId":"U1"}`, "no_consumer"},
		{"null", `null`, "no_consumer"},
	} {
		for _, kind := range []string{"message", "messageEdited", "unsend"} {
			raw := fmt.Sprintf(`{"type":%q,"webhookEventId":"a","source":%s,"message":{"type":"image","id":"1"},"unsend":{"messageId":"1"}}`, kind, row.source)
			got := parse(t, raw)[0]
			if got.Kind != connectors.Ignored || got.Reason != row.reason || len(got.Photos) != 0 {
				t.Errorf("%s from %s: got %s, want ignored as %s", kind, row.name, toJSON(t, got), row.reason)
			}
		}
	}
	missing := parse(t, `{"type":"message","webhookEventId":"a","message":{"type":"image","id":"1"}}`)[0]
	if missing.Kind != connectors.Ignored || missing.Reason != "no_consumer" {
		t.Errorf("no source at all: got %s, want ignored", toJSON(t, missing))
	}
}

// A message that cannot be read is kept as broken; what is beside it goes on.
func TestParseBroken(t *testing.T) {
	good := message("good", `{"type":"text","id":"1","text":"x"}`)
	for _, bad := range []string{
		`5`, `"x"`, `[]`, `true`,
		`{"type":5}`,
		`{"type":"message","webhookEventId":5}`,
		`{"type":"message","webhookEventId":"bad","source":"U1"}`,
		message("bad", `"text"`), message("bad", `{"type":"text","id":"1","text":{}}`), message("bad", `{"type":"text","text":"x"}`),
		message("bad", `{"type":5,"id":"1"}`), message("bad", `{"type":"image","id":{}}`),
		event("message", "bad", ""), event("unsend", "bad", ""), event("messageEdited", "bad", ""),
		event("messageEdited", "bad", `,"message":"text"`), event("messageEdited", "bad", `,"message":{"type":"text","text":"x"}`),
	} {
		got := parse(t, good, bad, good)
		if got[1].Kind != connectors.Broken || got[1].Reason == "" || string(got[1].Raw) != bad {
			t.Errorf("%s: got %s, want broken with its raw text", bad, toJSON(t, got[1]))
		}
		if strings.Contains(bad, `"bad"`) && got[1].ID != "bad" {
			t.Errorf("%s: got ID %q, want the platform's, which a redelivery repeats", bad, got[1].ID)
		}
		if got[0].Kind != connectors.Message || got[2].Kind != connectors.Message {
			t.Errorf("%s: harmed its neighbours: %s", bad, toJSON(t, got))
		}
	}
}

func TestParseEnvelope(t *testing.T) {
	c := connect(t, settings())
	for _, body := range []string{"", "x", "[]", `"x"`, `{"events":5}`, `{"events":{}}`, `{"destination":5,"events":[]}`, `{"destination":"U"`, `{"events":[{]}`} {
		_, err := c.Parse(post(body, "X", ""))
		wantKind(t, "body "+body, err, connectors.Malformed)
	}
	for _, body := range []string{"{}", `{"events":null}`, `{"destination":"U","events":[],"new":{}}`} {
		if events, err := c.Parse(post(body, "X", "")); err != nil || len(events) != 0 {
			t.Errorf("body %s: got %v, %v, want no events", body, events, err)
		}
	}
}

// Whether a message for another bot is taken is the gateway's decision; the
// connector only says whose it is.
func TestParseOtherDestination(t *testing.T) {
	const other = "Uffffffffffffffffffffffffffffffff"
	body := `{"destination":"` + other + `","events":[` + message("a", `{"type":"image","id":"1"}`) + `]}`
	c := connect(t, settings())
	got, err := c.Parse(post(body, "X", ""))
	if err != nil || len(got) != 1 || got[0].Account != other || got[0].Photos[0].Account != other {
		t.Fatalf("got %s, %v, want account %s", toJSON(t, got), err, other)
	}
	_, err = fetch(c, got[0].Photos[0])
	wantKind(t, "Fetch of a photo of another bot", err, connectors.Misconfigured)
}

func TestParsePhotoAndFollow(t *testing.T) {
	got := parse(t, message("a", `{"type":"image","id":"1"}`), event("follow", "b", `,"follow":{"isUnblocked":true}`))
	if got[0].Kind != connectors.Message || len(got[0].Photos) != 1 || got[1].Kind != connectors.Ignored || got[1].Reason != "follow" {
		t.Errorf("got %s, want a photo and an ignored follow", toJSON(t, got))
	}
}

func TestParseRedelivery(t *testing.T) {
	for _, raw := range []string{
		message("01K2EXAMPLE0000000000000A1", `{"type":"image","id":"1"}`),
		message("", `{"type":"image","id":"1"}`), // without an event id, the message's own
		message("01K2EXAMPLE0000000000000A1", `"broken"`),
		event("follow", "01K2EXAMPLE0000000000000A1", ""),
	} {
		again := strings.Replace(raw, `"isRedelivery":false`, `"isRedelivery":true`, 1)
		if again == raw {
			t.Fatal("the redelivery is not marked as one")
		}
		if one, two := parse(t, raw)[0].ID, parse(t, again)[0].ID; one != two || one == "" {
			t.Errorf("%s: got ID %q, and %q when delivered again", raw, one, two)
		}
	}
}

func TestParseWithoutAnyID(t *testing.T) {
	one, two := parse(t, `{"type":"follow","n":1}`)[0], parse(t, `{"type":"follow","n":2}`)[0]
	if one.ID != connectors.DigestID([]byte(`{"type":"follow","n":1}`)) || one.ID == two.ID {
		t.Errorf("got IDs %q and %q, want digests of the events", one.ID, two.ID)
	}
}

// A token is good for one answer, soon after the event, by whoever holds the
// conversation. Messages while another module holds it are messages all the same.
func TestParseReplyToken(t *testing.T) {
	const token = "0f0e0d0c0b0a09080706050403020100"
	for _, row := range []struct {
		name, old, now, token string
		noReply               bool
	}{
		{"as it comes", "", "", token, false},
		{"delivered again", `"isRedelivery":false`, `"isRedelivery":true`, "", false},
		{"standby", `"mode":"active"`, `"mode":"standby"`, "", true},
		{"no token", `"replyToken":"` + token + `",`, "", "", false},
		{"an empty token", token, "", "", false},
		{"a token that is none", `"` + token + `"`, `{}`, "", false},
		{"no mode", `"mode":"active",`, "", token, false},
		{"a mode of tomorrow", `"active"`, `"asleep"`, token, false},
		{"a mode that is none", `"active"`, `[]`, token, false},
		{"a delivery context that is none", `{"isRedelivery":false}`, `7`, token, false},
	} {
		raw := strings.Replace(message("a", `{"type":"text","id":"1","text":"x"}`), row.old, row.now, 1)
		got := parse(t, raw)[0]
		if got.Kind != connectors.Message || got.Text != "x" || got.ReplyToken != row.token || got.NoReply != row.noReply {
			t.Errorf("%s: got %s, want the message with token %q and NoReply %v", row.name, toJSON(t, got), row.token, row.noReply)
		}
	}
}

// No message is lost for what stands beside it.
func TestParseOddParts(t *testing.T) {
	for part, odd := range map[string]string{
		`"timestamp":1755000000123`:        `"timestamp":"now"`,
		`"fileSize":1`:                     `"fileSize":"big"`,
		`"quotedMessageId":"9"`:            `"quotedMessageId":9`,
		`"contentProvider":{"type":"line"`: `"contentProvider":{"type":5`,
		`"imageSet":{"id":"s"}`:            `"imageSet":[]`,
		`"imageSet":{"id":"s"`:             `"imageSet":{"id":5`,
		`"isRedelivery":false`:             `"isRedelivery":"no"`,
	} {
		good := message("a", `{"type":"image","id":"1","fileSize":1,"quotedMessageId":"9","contentProvider":{"type":"line"},"imageSet":{"id":"s"}}`)
		raw := strings.Replace(good, part, odd, 1)
		got := parse(t, raw)[0]
		if raw == good || got.Kind != connectors.Message || len(got.Photos) != 1 || got.Photos[0].Ref != "message:1" {
			t.Errorf("%s: got %s, want the photo", odd, toJSON(t, got))
		}
	}
	got := parse(t, message("a", `{"type":"image","id":"1","imageSet":{"id":"s","index":"one","total":2}}`))[0]
	if got.Album == nil || got.Album.ID != "s" || got.Album.Total != 2 {
		t.Errorf("got album %+v, want as much of it as can be read", got.Album)
	}
}

// An edit is an event of its own that names the message. Only texts are edited.
func TestParseEdit(t *testing.T) {
	edit := func(id, object string) connectors.Event {
		return parse(t, event("messageEdited", id, `,"replyToken":"0f0e","message":`+object))[0]
	}
	got := edit("01K2EXAMPLE0000000000000E1", `{"type":"text","id":"580000000000000001","text":"two \u5199","quoteToken":"q"}`)
	if got.Kind != connectors.Edit || got.ID != "01K2EXAMPLE0000000000000E1" || got.MessageID != "580000000000000001" || got.Text != "two 写" {
		t.Errorf("got %s, want an edit of the message", toJSON(t, got))
	}
	if got.Account != botID || got.Consumer.ID != userID || !got.SentAt.Equal(time.UnixMilli(1755000000123)) || got.ReplyToken != "" {
		t.Errorf("got %s, want whose it is and when, and nothing to answer", toJSON(t, got))
	}
	if got := edit("", `{"type":"text","id":"580000000000000001","text":"x"}`); got.ID == got.MessageID || got.ID == "" {
		t.Errorf("without an event id: got ID %q, which is the message's own", got.ID)
	}
	if got := edit("a", `{"type":"image","id":"1"}`); got.Kind != connectors.Ignored || got.Reason != "unknown_message_type" {
		t.Errorf("of a photo: got %s, want it ignored", toJSON(t, got))
	}
}

func TestParseUnsendOfPlatform(t *testing.T) {
	p, c := start(t)
	e := p.Event(said("one"), "unsend", nil)
	e["type"], e["unsend"] = "unsend", linesim.Object{"messageId": linesim.MessageID("one", "photo0")}
	delete(e, "message")
	delete(e, "replyToken")
	r, err := p.Call(webhookURL, e)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Parse(r)
	if err != nil || len(got) != 1 || got[0].Kind != connectors.Unsend || got[0].MessageID != linesim.MessageID("one", "photo0") {
		t.Errorf("got %s, %v, want an unsend", toJSON(t, got), err)
	}
}
