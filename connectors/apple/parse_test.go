package apple_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/apple/applesim"
)

func TestParseMessage(t *testing.T) {
	raw := withAttachments("\uFFFC\uFFFCis this the right filter?", "["+goodPhoto+`,{"name":"IMG_0413.jpeg","mimeType":"image/jpeg","size":903114,`+
		`"key":"00`+hexKey+`","owner":"M3f.example-owner~1","url":"`+locator+`","signature":"`+hexSign+`"}]`)
	got := parse(t, raw)
	want := connectors.Event{
		Kind: connectors.Message, ID: messageID, MessageID: messageID, Account: businessID,
		Consumer: connectors.Consumer{ID: userID}, Text: "is this the right filter?", Language: "en_US",
		Photos: []connectors.Photo{
			{Account: businessID, Ref: goodRef(), ClaimedType: "image/heic", ClaimedBytes: 1834421},
			{Account: businessID, Ref: goodRef(), ClaimedType: "image/jpeg", ClaimedBytes: 903114},
		},
		Raw: []byte(raw),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", toJSON(t, got), toJSON(t, want))
	}
	if !got.SentAt.IsZero() || got.NoReply || got.ReplyToken != "" {
		t.Errorf("got %s, want no time and no token: Apple gives none", toJSON(t, got))
	}
}

// The raw text is what Apple wrote, not what it made of it for the way.
func TestParseCompressed(t *testing.T) {
	raw := message("text", `,"body":"hello"`)
	got, err := connect(t, settings(), time.Now()).Parse(&connectors.Request{Body: applesim.Gzip([]byte(raw))})
	if err != nil || len(got) != 1 || string(got[0].Raw) != raw || got[0].Text != "hello" {
		t.Errorf("got %s, %v, want the message", toJSON(t, got), err)
	}
}

func TestParseText(t *testing.T) {
	for _, row := range []struct{ name, more, text string }{
		{"text", `,"body":"hello"`, "hello"},
		{"escapes", `,"body":"a \u5199\/\ud83d\udcf7 b"`, "a 写/📷 b"},
		{"blanks of the consumer's", `,"body":" indented\n"`, " indented\n"},
		{"a reaction", `,"body":"Liked “Which bulb is it?”"`, "Liked “Which bulb is it?”"},
		{"a reaction in another language", `,"body":"„Welche Lampe?“ mit einem Herz versehen"`, "„Welche Lampe?“ mit einem Herz versehen"},
		{"a reaction with no attachments", `,"body":"Loved an image","attachments":[]`, "Loved an image"},
		{"a placeholder without an attachment", `,"body":"\uFFFC look "`, "look"},
		{"attachments null", `,"body":"hello","attachments":null`, "hello"},
		{"interactive data beside a text", `,"body":"hello","interactiveData":{"bid":"x"}`, "hello"},
		{"routing", `,"body":"hello","group":"support","intent":"warranty"`, "hello"},
		{"a body given twice", `,"body":"one","body":"two"`, "two"},
		{"no version", `,"v":"two","body":"hello"`, "hello"},
		{"what Apple may add", `,"body":"hello","sentAt":1,"edited":{"id":"x"}`, "hello"},
	} {
		got := parse(t, message("text", row.more))
		if got.Kind != connectors.Message || got.Text != row.text || len(got.Photos) != 0 || got.ID != messageID || got.MessageID != messageID {
			t.Errorf("%s: got %s, want text %q", row.name, toJSON(t, got), row.text)
		}
	}
}

func TestParseCaption(t *testing.T) {
	for _, row := range []struct{ name, body, text string }{
		{"before", "\uFFFCmy lamp", "my lamp"},
		{"before, with a blank", "\uFFFC my lamp", "my lamp"},
		{"behind, on a line of its own", "my lamp\n\uFFFC", "my lamp"},
		{"amid", "this \uFFFC is it", "this  is it"},
		{"none", "my lamp", "my lamp"},
		{"none, with blanks", " my lamp ", "my lamp"},
		{"only placeholders", "\uFFFC\uFFFC", ""},
		{"placeholders and blanks", " \uFFFC \uFFFC\n", ""},
		{"nothing", "", ""},
	} {
		got := parse(t, withAttachments(row.body, "["+goodPhoto+"]"))
		if got.Kind != connectors.Message || got.Text != row.text || len(got.Photos) != 1 {
			t.Errorf("%s: got %s, want one photo and text %q", row.name, toJSON(t, got), row.text)
		}
	}
	for name, body := range map[string]string{"no body": "", "null": `,"body":null`} {
		got := parse(t, message("text", body+`,"attachments":[`+goodPhoto+`]`))
		if got.Kind != connectors.Message || got.Text != "" || len(got.Photos) != 1 {
			t.Errorf("%s: got %s, want one photo", name, toJSON(t, got))
		}
	}
}

func TestParsePassesOver(t *testing.T) {
	for _, row := range []struct{ name, body, reason string }{
		{"typing", message("typing_start", ""), "typing_start"},
		{"typing no more", message("typing_end", ""), "typing_end"},
		{"a form's answer with its pictures", message("interactive", `,"body":"\uFFFC","attachments":[`+goodPhoto+`],"interactiveData":{"data":{}}`), "interactive"},
		{"a long answer", message("interactive", `,"interactiveDataRef":{"url":"`+locator+`","signature-base64":"`+base64Sig+`"}`), "interactive"},
		{"a type of tomorrow", message("hologram", `,"body":"x"`), "unknown_message_type"},
		{"a type in capitals", message("TEXT", `,"body":"x"`), "unknown_message_type"},
		{"no words", message("text", `,"body":""`), "no_content"},
		{"a placeholder for nothing", message("text", `,"body":"\uFFFC"`), "no_content"},
		{"no consumer", `{"id":"a","type":"text","destinationId":"b","body":"x"}`, "no_consumer"},
		{"a voice note", withAttachments("\uFFFC", `[{"mimeType":"audio/x-caf","key":"00"}]`), "attachment"},
		{"a film and a pass", withAttachments("\uFFFC\uFFFC", `[{"mimeType":"video/quicktime"},{"mime-type":"application/vnd.apple.pkpass"}]`), "attachment"},
	} {
		got := parse(t, row.body)
		if got.Kind != connectors.Ignored || got.Reason != row.reason || len(got.Photos) != 0 {
			t.Errorf("%s: got %s, want ignored as %s", row.name, toJSON(t, got), row.reason)
		}
	}
	// A type that we pass over may have any shape.
	odd := parse(t, `{"id":5,"type":"typing_start","sourceId":{},"body":[],"attachments":5}`)
	if odd.Kind != connectors.Ignored || odd.Reason != "typing_start" {
		t.Errorf("odd typing: got %s, want ignored", toJSON(t, odd))
	}
}

func TestParseStrangeTypes(t *testing.T) {
	reasons := map[string]bool{}
	for i := range 200 {
		reasons[parse(t, message(fmt.Sprintf("stranger%d", i), "")).Reason] = true
	}
	if len(reasons) != 1 {
		t.Errorf("got reasons %v, want one", reasons)
	}
}

func TestParseClose(t *testing.T) {
	for name, body := range map[string]string{
		"as documented": message("close", ""), "with a body": message("close", `,"body":"\uFFFC"`), "with odd company": message("close", `,"body":5,"attachments":"x","locale":[]`),
	} {
		got := parse(t, body)
		if got.Kind != connectors.Close || got.ID != messageID || got.Consumer.ID != userID || got.Account != businessID || got.Text != "" {
			t.Errorf("%s: got %s, want the end of the conversation", name, toJSON(t, got))
		}
	}
}

func TestParseBroken(t *testing.T) {
	for name, body := range map[string]string{
		"no type": `{"id":"a","sourceId":"b","destinationId":"c","body":"x"}`, "type null": `{"id":"a","type":null}`, "type a list": `{"id":"a","type":["text"]}`,
		"nothing": `{}`, "no id": `{"type":"text","sourceId":"b","destinationId":"c","body":"x"}`, "id a number": `{"id":5,"type":"text","sourceId":"b","body":"x"}`,
		"close without an id": `{"type":"close","sourceId":"b"}`,
		"body a number":       message("text", `,"body":5`), "body an object": message("text", `,"body":{"text":"x"}`), "body a list": message("text", `,"body":["x"]`),
		"attachments beyond measure": withAttachments("x", "["+strings.Repeat("{},", 1000)+"{}]"),
	} {
		got := parse(t, body)
		if got.Kind != connectors.Broken || got.Reason == "" || string(got.Raw) != body || got.ID == "" {
			t.Errorf("%s: got %s, want broken with its raw text", name, toJSON(t, got))
		}
	}
	// Photos arrive all the same.
	for _, body := range []string{"5", `{"text":"x"}`, `["x"]`} {
		got := parse(t, message("text", `,"body":`+body+`,"attachments":[`+goodPhoto+`]`))
		if got.Kind != connectors.Message || got.Text != "" || len(got.Photos) != 1 {
			t.Errorf("body %s beside a photo: got %s, want the photo", body, toJSON(t, got))
		}
	}
	one, two := parse(t, `{"type":"text","n":1}`), parse(t, `{"type":"text","n":2}`)
	if one.ID != connectors.DigestID([]byte(`{"type":"text","n":1}`)) || one.ID == two.ID {
		t.Errorf("got IDs %q and %q, want digests", one.ID, two.ID)
	}
}

func TestParseMalformed(t *testing.T) {
	c := connect(t, settings(), time.Now())
	for _, body := range []string{"", " ", "null", "true", "5", `"x"`, "[]", "[{}]", "{", `{"id":}`, "\ufeff{}", "id=1&type=text", "\x1f\x8b", `{"body":"` + strings.Repeat("x", 100)} {
		_, err := c.Parse(&connectors.Request{Body: []byte(body)})
		wantKind(t, "body "+body, err, connectors.Malformed)
	}
}

// Whether a message for another business is taken is the gateway's decision.
func TestParseAccounts(t *testing.T) {
	for destination, want := range map[string]string{
		businessID: businessID, "urn:biz:" + businessID: businessID, "ffffffff-9b7e-4c55-8d1c-0a4a2b6f7e11": "ffffffff-9b7e-4c55-8d1c-0a4a2b6f7e11", "": "",
	} {
		got := parse(t, strings.Replace(withAttachments("x", "["+goodPhoto+"]"), `"`+businessID+`"`, `"`+destination+`"`, 1))
		if got.Kind != connectors.Message || got.Account != want || got.Photos[0].Account != want {
			t.Errorf("destination %q: got %s, want account %q", destination, toJSON(t, got), want)
		}
	}
}

func TestParseLanguage(t *testing.T) {
	for locale, want := range map[string]string{
		`"en_US"`: "en_US", `"de"`: "de", `"pt-BR"`: "pt-BR", `"zh-Hans_CN"`: "zh-Hans_CN", `"ar_SA@calendar=gregorian"`: "ar_SA",
		`""`: "", `"@"`: "", `"../../etc"`: "", `"en US"`: "", `"en_US\n"`: "", `5`: "", `null`: "", `["en"]`: "", `{"a":1}`: "",
		`"` + strings.Repeat("a", 1000) + `"`: "",
	} {
		got := parse(t, strings.Replace(message("text", `,"body":"x"`), `"en_US"`, locale, 1))
		if got.Kind != connectors.Message || got.Language != want {
			t.Errorf("locale %.30s: got %v in %q, want a message in %q", locale, got.Kind, got.Language, want)
		}
	}
}

// All that surrounds a message is one call each, and a redelivery is known.
func TestParseOfPlatform(t *testing.T) {
	p, c := start(t)
	s := said("one", jpeg, jpeg)
	s.Text = "look"
	var kinds []connectors.Kind
	for _, m := range []applesim.Object{p.Event(s, "typing_start"), p.Event(s, "typing_end"), p.Message(s), p.Event(s, "close")} {
		kinds = append(kinds, heard(t, c, p, m).Kind)
	}
	if want := []connectors.Kind{connectors.Ignored, connectors.Ignored, connectors.Message, connectors.Close}; !reflect.DeepEqual(kinds, want) {
		t.Errorf("got %v, want %v", kinds, want)
	}
	one, two := heard(t, c, p, p.Message(s)), heard(t, c, p, p.Message(s))
	if one.ID != two.ID || len(one.Photos) != 2 || one.Text != "look" || one.Photos[0].Ref == one.Photos[1].Ref {
		t.Errorf("got %s, then %s, want the same two photos", toJSON(t, one), toJSON(t, two))
	}
}

// What Apple sends says where it goes: behind the registered address.
func TestPlatformCalls(t *testing.T) {
	p, _ := start(t)
	calls, err := p.Webhook(webhookURL, said("one", jpeg), said("two"))
	if err != nil || len(calls) != 2 {
		t.Fatalf("got %d calls, %v, want 2", len(calls), err)
	}
	for _, r := range calls {
		if r.Method != http.MethodPost || r.URL != webhookURL+"/message" || r.Header.Get("Content-Encoding") != "gzip" || string(r.Body[:2]) != "\x1f\x8b" {
			t.Errorf("got %s %s in %q, want a compressed POST to .../message", r.Method, r.URL, r.Header.Get("Content-Encoding"))
		}
	}
}
