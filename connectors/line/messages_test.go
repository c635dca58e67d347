package line_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

func TestParsePhoto(t *testing.T) {
	raw := message("01K2EXAMPLE0000000000000A1", `{"type":"image","id":"580000000000000001","quoteToken":"q-abc","markAsReadToken":"m-abc",`+
		`"contentProvider":{"type":"line"},"imageSet":{"id":"C0FFEE","index":1,"total":2}}`)
	got := parse(t, raw)[0]
	want := connectors.Event{
		Kind: connectors.Message, ID: "01K2EXAMPLE0000000000000A1", MessageID: "580000000000000001",
		Account: botID, Consumer: connectors.Consumer{ID: userID},
		SentAt:     time.Date(2025, time.August, 12, 12, 0, 0, 123e6, time.UTC),
		Photos:     []connectors.Photo{{Account: botID, Ref: "message:580000000000000001"}},
		Album:      &connectors.Album{ID: "C0FFEE", Index: 1, Total: 2},
		ReplyToken: "0f0e0d0c0b0a09080706050403020100",
		Raw:        []byte(raw),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", toJSON(t, got), toJSON(t, want))
	}
}

func TestParseMessageTypes(t *testing.T) {
	for _, row := range []struct {
		name, object string
		kind         connectors.Kind
		reason       string
		text, ref    string
	}{
		{"text", `{"type":"text","id":"1","text":"a \u5199\/📷 b"}`, connectors.Message, "", "a 写/📷 b", ""},
		{"empty text", `{"type":"text","id":"1","text":""}`, connectors.Message, "", "", ""},
		{"image", `{"type":"image","id":"1","contentProvider":{"type":"line"}}`, connectors.Message, "", "", "message:1"},
		{"image without provider", `{"type":"image","id":"1"}`, connectors.Message, "", "", "message:1"},
		{"image elsewhere", `{"type":"image","id":"1","contentProvider":{"type":"external","originalContentUrl":"https://h.example/a.jpg?b=c","previewImageUrl":"https://h.example/p"}}`,
			connectors.Message, "", "", "external:https://h.example/a.jpg?b=c"},
		{"image nowhere", `{"type":"image","id":"1","contentProvider":{"type":"external"}}`, connectors.Broken, "image has no usable address", "", ""},
		{"image very far away", `{"type":"image","id":"1","contentProvider":{"type":"external","originalContentUrl":"https://h.example/` + strings.Repeat("a", 2000) + `"}}`,
			connectors.Broken, "image has no usable address", "", ""},
		{"file", `{"type":"file","id":"1","fileName":"IMG_1.HEIC","fileSize":2138}`, connectors.Message, "", "", "message:1"},
		{"sticker", `{"type":"sticker","id":"1","packageId":"446","stickerId":"1988","stickerResourceType":"STATIC","keywords":["hi"]}`, connectors.Ignored, "sticker", "", ""},
		{"sticker that somebody wrote on", `{"type":"sticker","id":"1","packageId":"1","stickerId":"2","stickerResourceType":"MESSAGE","keywords":["hi"],"text":"see\nyou 明日"}`,
			connectors.Message, "", "see\nyou 明日", ""},
		{"video", `{"type":"video","id":"1","duration":60000,"contentProvider":{"type":"line"}}`, connectors.Ignored, "video", "", ""},
		{"audio", `{"type":"audio","id":"1","duration":60000,"contentProvider":{"type":"line"}}`, connectors.Ignored, "audio", "", ""},
		{"location", `{"type":"location","id":"1","title":"here","address":"there","latitude":35.6,"longitude":139.7}`, connectors.Ignored, "location", "", ""},
		{"a type of tomorrow", `{"type":"hologram","id":"1"}`, connectors.Ignored, "unknown_message_type", "", ""},
		{"no type", `{"id":"1"}`, connectors.Ignored, "unknown_message_type", "", ""},
	} {
		got := parse(t, message("01K2EXAMPLE0000000000000A1", row.object))[0]
		ref := ""
		if len(got.Photos) == 1 {
			ref = got.Photos[0].Ref
		}
		if got.Kind != row.kind || got.Reason != row.reason || got.Text != row.text || ref != row.ref {
			t.Errorf("%s: got %s\nwant %v %q text %q ref %q", row.name, toJSON(t, got), row.kind, row.reason, row.text, row.ref)
		}
		if got.ID != "01K2EXAMPLE0000000000000A1" || got.Account != botID {
			t.Errorf("%s: got ID %q and account %q", row.name, got.ID, got.Account)
		}
	}
}

func TestParseFileClaims(t *testing.T) {
	got := parse(t, message("a", `{"type":"file","id":"1","fileName":"a.jpg","fileSize":2138}`))[0]
	if len(got.Photos) != 1 || got.Photos[0].ClaimedBytes != 2138 {
		t.Errorf("got photos %+v, want one that claims 2138 bytes", got.Photos)
	}
}

func TestParseReply(t *testing.T) {
	got := parse(t, message("a", `{"type":"text","id":"2","text":"this one","quotedMessageId":"1"}`))[0]
	if got.ReplyTo != "1" || got.MessageID != "2" {
		t.Errorf("got ReplyTo %q of MessageID %q, want 1 and 2", got.ReplyTo, got.MessageID)
	}
}

// Ids are longer than a float64 can hold, and stay texts.
func TestParseLongIDs(t *testing.T) {
	const long = "580000000000000000000000000000000000000000000000000000000000001"
	got := parse(t, message("a", `{"type":"image","id":"`+long+`"}`))[0]
	if got.MessageID != long || got.Photos[0].Ref != "message:"+long {
		t.Errorf("got %q and %q, want %q in both", got.MessageID, got.Photos[0].Ref, long)
	}
	number := parse(t, message("a", `{"type":"image","id":9007199254740993}`))[0]
	if number.Kind != connectors.Broken {
		t.Errorf("got %v for an id that is a number, want broken", number.Kind)
	}
}

func TestParseSentAt(t *testing.T) {
	for ms, want := range map[string]time.Time{
		"1755000000123":        time.UnixMilli(1755000000123).UTC(),
		"0":                    {},
		"-1":                   {},
		"9223372036854775807":  {},
		"253402300800000":      {}, // the year 10000
		"-9223372036854775808": {},
	} {
		raw := strings.Replace(message("a", `{"type":"text","id":"1","text":"x"}`), "1755000000123", ms, 1)
		if got := parse(t, raw)[0]; !got.SentAt.Equal(want) || got.Kind != connectors.Message {
			t.Errorf("timestamp %s: got %v %v, want a message at %v", ms, got.Kind, got.SentAt, want)
		}
	}
}

func TestParseUnsend(t *testing.T) {
	got := parse(t, event("unsend", "01K2EXAMPLE0000000000000B2", `,"unsend":{"messageId":"580000000000000001"}`))[0]
	if got.Kind != connectors.Unsend || got.MessageID != "580000000000000001" || got.ID != "01K2EXAMPLE0000000000000B2" || got.Consumer.ID != userID {
		t.Errorf("got %s, want the unsend of 580000000000000001", toJSON(t, got))
	}
	for _, more := range []string{``, `,"unsend":{}`, `,"unsend":{"messageId":""}`, `,"unsend":{"messageId":5}`, `,"unsend":"580000000000000001"`} {
		if got := parse(t, event("unsend", "a", more))[0]; got.Kind != connectors.Broken {
			t.Errorf("unsend with %s: got %s, want broken", more, toJSON(t, got))
		}
	}
}

// Photos of a set are events of their own, which may come in any order and in
// calls of their own; old phones number nothing.
func TestParseImageSet(t *testing.T) {
	set := func(id, set string) connectors.Event {
		return parse(t, message("event"+id, `{"type":"image","id":"`+id+`","contentProvider":{"type":"line"},"imageSet":`+set+`}`))[0]
	}
	for _, row := range []struct {
		name, set string
		want      *connectors.Album
	}{
		{"the second first", `{"id":"s","index":2,"total":2}`, &connectors.Album{ID: "s", Index: 2, Total: 2}},
		{"the first second", `{"id":"s","index":1,"total":2}`, &connectors.Album{ID: "s", Index: 1, Total: 2}},
		{"no index and total", `{"id":"s"}`, &connectors.Album{ID: "s"}},
		{"no total", `{"id":"s","index":3}`, &connectors.Album{ID: "s", Index: 3}},
		{"numbers that are none", `{"id":"s","index":-1,"total":-9}`, &connectors.Album{ID: "s"}},
		{"no id", `{"index":1,"total":2}`, nil},
		{"null", `null`, nil},
	} {
		got := set("1", row.set)
		if got.Kind != connectors.Message || !reflect.DeepEqual(got.Album, row.want) || len(got.Photos) != 1 {
			t.Errorf("%s: got %s, want a photo in album %+v", row.name, toJSON(t, got), row.want)
		}
	}
	if one, two := set("1", `{"id":"s"}`), set("2", `{"id":"s"}`); one.ID == two.ID || one.MessageID == two.MessageID {
		t.Errorf("two photos of a set share an ID: %s %s", toJSON(t, one), toJSON(t, two))
	}
}
