package viber_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

const mediaURL = "https://dl-media.viber.com/5/media/2/short/any/sig/image/0x0/beef/" +
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abbeef.jpg?Expires=1755003600&Signature=abc~def-ghi__&Key-Pair-Id=APKAEXAMPLE"

// mediaEnd is when mediaURL ends by its own word.
func mediaEnd() time.Time { return time.Unix(1755003600, 0).UTC() }

// What an address says of its end goes first. Viber's own all end after an hour;
// of a stranger's nothing is known.
func TestParseUntil(t *testing.T) {
	sent := time.UnixMilli(1755000000123).UTC()
	for address, want := range map[string]time.Time{
		"https://dl-media.viber.com/a.jpg?Expires=1755007200&Signature=x": time.Unix(1755007200, 0).UTC(),
		"https://dl-media.viber.com/a.jpg":                                sent.Add(time.Hour),
		"https://dl-media.viber.com/a.jpg?Expires=60":                     sent.Add(time.Hour),
		"https://share.viber.com/a.jpg?Expires=9999999999999":             sent.Add(time.Hour),
		"https://sun9-11.userapi.com/a.jpg":                               {},
		"https://sun9-11.userapi.com/a.jpg?Expires=3600":                  {},
		"https://media.example/a.jpg?Expires=1755003601":                  time.Unix(1755003601, 0).UTC(),
		"https://viber.com.evil.example/a.jpg":                            {},
		"no address":                                                      {},
	} {
		got := parse(t, message(`{"type":"picture","media":"`+address+`"}`))
		if len(got.Photos) != 1 || !got.Photos[0].Until.Equal(want) {
			t.Errorf("%s: got photos %+v, want one until %v", address, got.Photos, want)
		}
	}
	timeless := strings.Replace(message(`{"type":"picture","media":"https://dl-media.viber.com/a.jpg"}`), "1755000000123", "0", 1)
	if got := parse(t, timeless); len(got.Photos) != 1 || !got.Photos[0].Until.IsZero() {
		t.Errorf("without a time: got photos %+v, want one without an end", got.Photos)
	}
}

func TestParsePicture(t *testing.T) {
	raw := message(`{"type":"picture","text":"the cracked lid","media":"` + mediaURL + `",` +
		`"thumbnail":"https://dl-media.viber.com/5/media/2/short/any/sig/image/400/cafe/cafe.jpg?Expires=1755003600&Signature=x&Key-Pair-Id=y",` +
		`"file_name":"Без названия.jpg","size":356135,"tracking_data":"..."}`)
	want := connectors.Event{
		Kind:      connectors.Message,
		ID:        "message:5900000000000000123",
		MessageID: "5900000000000000123",
		Account:   botID,
		Consumer:  connectors.Consumer{ID: userID, Name: "Ana"},
		SentAt:    time.UnixMilli(1755000000123).UTC(),
		Text:      "the cracked lid",
		Language:  "en",
		Photos:    []connectors.Photo{{Account: botID, Ref: "media:" + mediaURL, ClaimedBytes: 356135, Until: mediaEnd()}},
		Raw:       []byte(raw),
	}
	if got := parse(t, raw); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %s\nwant %s", toJSON(t, got), toJSON(t, want))
	}
}

// What stands beside an address is optional, and may have any shape.
func TestParsePictureWithout(t *testing.T) {
	for _, row := range []struct {
		name, object, text string
		bytes              int64
	}{
		{"anything else", `{"type":"picture","media":"` + mediaURL + `"}`, "", 0},
		{"text", `{"type":"picture","media":"` + mediaURL + `","text":"","thumbnail":"https://h.example/t","size":5}`, "", 5},
		{"a text that is one", `{"type":"picture","media":"` + mediaURL + `","text":{},"size":5}`, "", 5},
		{"thumbnail", `{"type":"picture","media":"` + mediaURL + `","text":"x","size":5}`, "x", 5},
		{"size", `{"type":"picture","media":"` + mediaURL + `","text":"x","thumbnail":"https://h.example/t"}`, "x", 0},
		{"a size that is one", `{"type":"picture","media":"` + mediaURL + `","text":"x","size":"large"}`, "x", 0},
		{"a size that can be", `{"type":"picture","media":"` + mediaURL + `","text":"x","size":-1}`, "x", 0},
		{"a shape that is known", `{"type":"picture","media":"` + mediaURL + `","text":"x","thumbnail":5,"file_name":[],"tracking_data":{},"new":1}`, "x", 0},
		{"plain characters", `{"\u0074ype":"picture","media":"` + strings.ReplaceAll(strings.ReplaceAll(mediaURL, "/", `\/`), "&", `\u0026`) + `","text":"\u0444 \ud83d\udcf7"}`, "ф 📷", 0},
	} {
		got := parse(t, message(row.object))
		want := []connectors.Photo{{Account: botID, Ref: "media:" + mediaURL, ClaimedBytes: row.bytes, Until: mediaEnd()}}
		if got.Kind != connectors.Message || got.Text != row.text || !reflect.DeepEqual(got.Photos, want) {
			t.Errorf("without %s: got %s, want a message with the photo and %q", row.name, toJSON(t, got), row.text)
		}
	}
}

// A caption is not cut, however long Viber lets one be.
func TestParseLongCaption(t *testing.T) {
	for _, n := range []int{120, 512, 513, 768, 7000} {
		caption := strings.Repeat("я", n)
		if got := parse(t, message(`{"type":"picture","media":"`+mediaURL+`","text":"`+caption+`"}`)); got.Text != caption || len(got.Photos) != 1 {
			t.Errorf("got %d bytes of caption, want %d", len(got.Text), len(caption))
		}
	}
}

func TestParseTypes(t *testing.T) {
	for _, row := range []struct {
		name, object string
		kind         connectors.Kind
		text, reason string
		photos       int
	}{
		{"text", `{"type":"text","text":"hello","tracking_data":"3055"}`, connectors.Message, "hello", "", 0},
		{"text with a media", `{"type":"text","text":"hello","media":"https://h.example/a.jpg"}`, connectors.Message, "hello", "", 0},
		{"file", `{"type":"file","media":"https://h.example/a","file_name":"IMG_1.JPG","size":5}`, connectors.Message, "", "", 1},
		{"any file", `{"type":"file","media":"https://h.example/a","file_name":"../../etc/passwd","size":5}`, connectors.Message, "", "", 1},
		{"video", `{"type":"video","media":"https://h.example/a.mp4","thumbnail":"https://h.example/t.jpg","size":5,"duration":3}`, connectors.Ignored, "", "video", 0},
		{"video with words below it", `{"type":"video","media":"https://h.example/a.mp4","text":"look"}`, connectors.Message, "look", "", 0},
		{"sticker, number", `{"type":"sticker","sticker_id":40133}`, connectors.Ignored, "", "sticker", 0},
		{"sticker, string", `{"type":"sticker","sticker_id":"40133"}`, connectors.Ignored, "", "sticker", 0},
		{"sticker with bytes", `{"type":"sticker","sticker_id":40133,"media":"https://h.example/s.png"}`, connectors.Ignored, "", "sticker", 0},
		{"contact", `{"type":"contact","contact":{"name":"Alex","phone_number":"+12067799191","avatar":"https://h.example/a.jpg"}}`, connectors.Ignored, "", "contact", 0},
		{"location", `{"type":"location","location":{"lat":1.2,"lon":-1.3}}`, connectors.Ignored, "", "location", 0},
		{"sticker with words", `{"type":"sticker","sticker_id":40133,"text":"hi"}`, connectors.Message, "hi", "", 0},
		{"contact with words", `{"type":"contact","contact":{"name":"Alex"},"text":"call him"}`, connectors.Message, "call him", "", 0},
		{"location with words", `{"type":"location","location":{"lat":1.2,"lon":-1.3},"text":"here"}`, connectors.Message, "here", "", 0},
		{"url, which a GIF may be", `{"type":"url","media":"https://media.example/a.gif"}`, connectors.Message, "https://media.example/a.gif", "", 0},
		{"url with words", `{"type":"url","media":"https://h.example/a.jpg","text":"this one"}`, connectors.Message, "this one\nhttps://h.example/a.jpg", "", 0},
		{"url among words", `{"type":"url","media":"https://h.example/a","text":"see https://h.example/a"}`, connectors.Message, "see https://h.example/a", "", 0},
		{"url alone in both", `{"type":"url","media":"https://h.example/a","text":"https://h.example/a"}`, connectors.Message, "https://h.example/a", "", 0},
		{"url without one", `{"type":"url"}`, connectors.Ignored, "", "url", 0},
		{"rich media", `{"type":"rich_media","rich_media":{},"text":"x"}`, connectors.Ignored, "", "unknown_message_type", 0},
		{"a type that we pass over, of any shape", `{"type":"sticker","text":[],"media":{},"size":"x"}`, connectors.Ignored, "", "sticker", 0},
	} {
		got := parse(t, message(row.object))
		if got.Kind != row.kind || got.Reason != row.reason || got.Text != row.text || len(got.Photos) != row.photos {
			t.Errorf("%s: got %s, want %s %q with %d photos, %s", row.name, toJSON(t, got), row.kind, row.text, row.photos, row.reason)
		}
		if got.MessageID != "5900000000000000123" || got.Consumer.ID != userID {
			t.Errorf("%s: got %s, want its token and its sender", row.name, toJSON(t, got))
		}
	}
}

// A photo without a usable address costs no text: it arrives, and beside it that
// there was a photo.
func TestParseCaptionOfAPhotoNowhere(t *testing.T) {
	c := production(t)
	for _, media := range []string{`""`, `null`, `[]`, `"https://h.example/` + strings.Repeat("a", 8000) + `"`} {
		got := parse(t, message(`{"type":"picture","text":"look","media":`+media+`}`))
		if got.Kind != connectors.Message || got.Text != "look" || len(got.Photos) != 1 {
			t.Errorf("%.50s: got %s, want the text and a photo", media, toJSON(t, got))
			continue
		}
		_, err := c.Fetch(t.Context(), got.Photos[0])
		wantKind(t, media, err, connectors.Refused)
	}
}

// A float64 would make 5741311803571721216 of the first, and share it with its
// neighbours.
func TestParseTokens(t *testing.T) {
	for written, want := range map[string]string{
		"5741311803571721087": "5741311803571721087", "5741311803571721088": "5741311803571721088",
		`"5741311803571721087"`: "5741311803571721087", "9223372036854775807": "9223372036854775807",
		"18446744073709551615": "18446744073709551615", "1481059480858": "1481059480858", "0": "0", "-5": "-5",
	} {
		got := parse(t, strings.Replace(message(`{"type":"text","text":"x"}`), "5900000000000000123", written, 1))
		if got.Kind != connectors.Message || got.MessageID != want || got.ID != "message:"+want {
			t.Errorf("token %s: got %s, want message %s", written, toJSON(t, got), want)
		}
	}
}

func TestParseSentAt(t *testing.T) {
	for written, want := range map[string]time.Time{
		"1755000000123": time.UnixMilli(1755000000123).UTC(), "0": {}, "-1": {}, "9223372036854775807": {}, "1e30": {},
		`"1755000000123"`: {}, "null": {}, "{}": {}, "4987034606158369000": {},
	} {
		got := parse(t, strings.Replace(message(`{"type":"text","text":"x"}`), "1755000000123", written, 1))
		if got.Kind != connectors.Message || !got.SentAt.Equal(want) {
			t.Errorf("timestamp %s: got %v %v, want a message at %v", written, got.Kind, got.SentAt, want)
		}
	}
}

// What is beside a sender's id may have any shape.
func TestParseSenderParts(t *testing.T) {
	for written, want := range map[string][2]string{
		`"name":"Ana","language":"pt-BR"`:   {"Ana", "pt-BR"},
		`"name":"","language":""`:           {"", ""},
		`"name":5,"language":["en"]`:        {"", ""},
		`"avatar":{},"country":1,"name":{}`: {"", ""},
	} {
		got := parse(t, strings.Replace(message(`{"type":"text","text":"x"}`), `"name":"Ana","language":"en"`, written, 1))
		if got.Kind != connectors.Message || got.Consumer.Name != want[0] || got.Language != want[1] {
			t.Errorf("%s: got %s, want a message of %q in %q", written, toJSON(t, got), want[0], want[1])
		}
	}
}

// Several photos are several messages, each with its own token.
func TestParseSeveralPhotos(t *testing.T) {
	p, c := start(t)
	one := said("one")
	one.Text, one.Photos = "three", [][]byte{[]byte(jpeg + "1"), []byte(jpeg + "2"), []byte(jpeg + "3")}
	two := sim.Said{ID: "two", Consumer: "bob", Text: "x"}
	events := heard(t, p, c, one, two)
	if len(events) != 4 || events[3].Consumer.ID == events[0].Consumer.ID {
		t.Fatalf("got %s, want three photos of one and a text of another", toJSON(t, events))
	}
	ids := map[string]bool{}
	for i, e := range events[:3] {
		ids[e.ID] = true
		if e.Kind != connectors.Message || len(e.Photos) != 1 || (e.Text == "three") != (i == 0) || e.Album != nil {
			t.Errorf("got %s, want photo %d, the first with the text", toJSON(t, e), i+1)
			continue
		}
		if got, err := fetch(c, e.Photos[0]); err != nil || got != string(one.Photos[i]) {
			t.Errorf("photo %d: got %q, %v", i+1, got, err)
		}
	}
	if len(ids) != 3 {
		t.Errorf("got IDs %v, want three", ids)
	}
}
