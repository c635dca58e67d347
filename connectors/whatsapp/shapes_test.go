package whatsapp_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/connectors"
)

// shape is the content of a message as webhooks have it, and what is to be
// made of it: a text, a reference, or a reason to pass it over.
type shape struct{ name, content, text, ref, reason string }

// shapes are messages as they have been seen or are documented, with all that
// stands in them.
var shapes = []shape{
	{"text", `"type":"text","text":{"body":"hola \u00f1 \ud83d\ude00 a/b"}`, "hola ñ 😀 a/b", "", ""},
	{"text with a link", `"type":"text","text":{"body":"see https://x.example/?a=1&b=<2>","preview_url":true}`, "see https://x.example/?a=1&b=<2>", "", ""},
	{"text of blanks", `"type":"text","text":{"body":" \n\t"}`, " \n\t", "", ""},
	{"text that looks like a webhook", `"type":"text","text":{"body":"{\"type\":\"image\",\"image\":{\"id\":\"1\"}}"}`, `{"type":"image","image":{"id":"1"}}`, "", ""},
	{"template button", `"type":"button","button":{"payload":"{\"a\":1}","text":"Yes, please"}`, "Yes, please", "", ""},
	{"button reply", `"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"id1","title":"Repair"}}`, "Repair", "", ""},
	{"list reply", `"type":"interactive","interactive":{"list_reply":{"id":"r1","title":"Priority","description":"Next day"},"type":"list_reply"}`, "Priority", "", ""},
	{"flow reply", `"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"response_json":"{\"flow_token\":\"t\"}","body":"Sent","name":"flow"}}`, "Sent", "", ""},
	{"address reply without words", `"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"response_json":"{}","body":"","name":"address_message"}}`, "", "", "interactive"},
	{"call permission", `"type":"interactive","interactive":{"type":"call_permission_reply","call_permission_reply":{"response":"accept","is_permanent":false,"response_source":"user_action"}}`, "", "", "interactive"},
	{"order with words", `"type":"order","order":{"catalog_id":"6","text":"love these!","product_items":[{"product_retailer_id":"di9","quantity":2,"item_price":30.5,"currency":"USD"}]}`, "love these!", "", ""},
	{"order without words", `"type":"order","order":{"catalog_id":"6","text":"","product_items":[]}`, "", "", "order"},

	{"image", `"type":"image","image":{"mime_type":"image/jpeg","sha256":"` + base64Sum + `","id":"1803","url":"https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1803&ext=1&hash=A"}`, "", "media:1803", ""},
	{"image with caption", `"type":"image","image":{"caption":"the \"leaf\"","mime_type":"image/jpeg","sha256":"` + hexSum + `","id":"1803"}`, `the "leaf"`, "media:1803", ""},
	{"image with empty caption", `"type":"image","image":{"caption":"","id":"1803"}`, "", "media:1803", ""},
	{"image with null beside its id", `"type":"image","image":{"caption":null,"mime_type":null,"sha256":null,"url":null,"id":"1803"}`, "", "media:1803", ""},
	{"picture as a document", `"type":"document","document":{"caption":"IMG_1.HEIC","filename":"IMG_1.HEIC","mime_type":"image/heic","sha256":"x","id":"1804"}`, "IMG_1.HEIC", "media:1804", ""},
	{"document", `"type":"document","document":{"filename":"a.pdf","mime_type":"application/pdf","id":"1805"}`, "", "media:1805", ""},
	{"video", `"type":"video","video":{"mime_type":"video/mp4","sha256":"x","id":"1806","url":"https://x.example"}`, "", "", "video"},
	{"video with caption", `"type":"video","video":{"caption":"look","mime_type":"video/mp4","id":"1806"}`, "look", "", ""},

	{"voice", `"type":"audio","audio":{"mime_type":"audio/ogg; codecs=opus","sha256":"x","id":"1807","voice":true}`, "", "", "audio"},
	{"voice, as it was once called", `"type":"voice","voice":{"mime_type":"audio/ogg; codecs=opus","sha256":"x","id":"1807","file":"/usr/local/wamedia/x"}`, "", "", "voice"},
	{"sound with caption", `"type":"audio","audio":{"caption":"hear this","mime_type":"audio/mpeg","id":"1807"}`, "hear this", "", ""},
	{"sound that calls itself a picture", `"type":"audio","audio":{"mime_type":"image/jpeg","id":"1807"}`, "", "", "audio"},
	{"sticker with caption", `"type":"sticker","sticker":{"caption":"me","mime_type":"image/webp","id":"1808"}`, "me", "", ""},
	{"new medium with caption", `"type":"hologram","hologram":{"caption":"look around","mime_type":"image/jpeg","id":"1809"}`, "look around", "", ""},
	{"sticker", `"type":"sticker","sticker":{"mime_type":"image/webp","sha256":"x","id":"1808","animated":false}`, "", "", "sticker"},
	{"animated sticker", `"type":"sticker","sticker":{"mime_type":"image/webp","sha256":"x","id":"1808","animated":true,"url":"https://x.example"}`, "", "", "sticker"},
	{"place", `"type":"location","location":{"address":"1 Road","latitude":37.44,"longitude":-122.16,"name":"Park","url":"https://x.example"}`, "", "", "location"},
	{"live location", `"type":"location","location":{"latitude":37.44,"longitude":-122.16,"accuracy":3,"sequence_number":1}`, "", "", "location"},
	{"contacts", `"type":"contacts","contacts":[{"addresses":[],"birthday":"2000-01-01","emails":[{"email":"a@x.example"}],"name":{"formatted_name":"B"},"phones":[{"phone":"+1","wa_id":"1"}],"urls":[]}]`, "", "", "contacts"},
	{"reaction", `"type":"reaction","reaction":{"message_id":"wamid.0=","emoji":"\ud83d\udc4d"}`, "", "", "reaction"},
	{"reaction removed", `"type":"reaction","reaction":{"message_id":"wamid.0="}`, "", "", "reaction"},
	{"changed number", `"type":"system","system":{"body":"A changed from 1 to 2","identity":"h","new_wa_id":"2","wa_id":"2","type":"user_changed_number","customer":"1"}`, "", "", "system"},
	{"changed user id", `"type":"system","system":{"type":"user_changed_user_id","body":"x","user_id":"PT.2"}`, "", "", "system"},
	{"unsupported", `"type":"unsupported","unsupported":{"type":"video_note"},"errors":[{"code":131051,"title":"Message type unknown","message":"Message type unknown","error_data":{"details":"Message type is currently not supported."}}]`, "", "", "unsupported"},
	{"view once", `"type":"unsupported","errors":[{"code":131060,"title":"This message is currently unavailable."}]`, "", "", "unsupported"},
	{"welcome", `"type":"request_welcome"`, "", "", "request_welcome"},
	{"poll", `"type":"poll","poll":{"name":"Which?","options":["a","b"]}`, "", "", "unknown_message_type"},
	{"type named like another field", `"type":"from"`, "", "", "unknown_message_type"},
	{"type named like a list", `"type":"errors","errors":[]`, "", "", "unknown_message_type"},
}

// beside are what may stand beside a message's content.
var beside = []string{
	`"referral":{"source_url":"https://fb.me/1","source_type":"ad","source_id":"1","headline":"New","body":"Buy","media_type":"image","image_url":"https://x.example/1.jpg","ctwa_clid":"c","welcome_message":{"text":"Hi"}}`,
	`"context":{"forwarded":true}`, `"context":{"frequently_forwarded":true}`,
	`"context":{"from":"15550100200","id":"wamid.0=","referred_product":{"catalog_id":"1","product_retailer_id":"2"}}`,
	`"context":null`, `"context":[]`, `"context":"x"`, `"context":{"id":5}`,
	`"identity":{"acknowledged":true,"created_timestamp":1602532300000,"hash":"h"}`,
	`"parent_user_id":"PT.ENT.1"`, `"group_id":null`, `"group_id":""`, `"errors":null`, `"from_logical_id":"1"`,
	`"message_from":{"nested":[[[{"type":"image","image":{"id":"9"}}]]]}`, `"statuses":[{"id":"x","status":"read"}]`,
	`"` + strings.Repeat("k", 300) + `":"` + strings.Repeat("v", 300) + `"`, `"":""`,
	`"deep":` + strings.Repeat("[", 40) + strings.Repeat("]", 40),
}

// senders are the ways to say that Ana wrote.
var senders = []string{
	`"from":"351910000001","from_user_id":"PT.90017263544"`, `"from":"351910000001"`, `"from_user_id":"PT.90017263544"`,
	`"from":"PT.90017263544"`, `"from":"","from_user_id":"PT.90017263544"`, `"from":null,"from_user_id":"PT.90017263544"`,
}

// spellings write the same JSON in another way.
var spellings = map[string]func(string) string{
	"as it is": func(s string) string { return s },
	"indented": func(s string) string {
		var out bytes.Buffer
		_ = json.Indent(&out, []byte(s), "\r\n ", "\t")
		return " \n" + out.String() + "\r\n"
	},
	"escaped": escaped,
}

// escaped writes every character of every string, keys too, as an escape.
func escaped(s string) string {
	var out strings.Builder
	inside := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && s[i+1] == 'u':
			out.WriteString(s[i : i+6])
			i += 5
		case c == '\\':
			out.WriteString(s[i : i+2])
			i++
		case c == '"':
			inside = !inside
			out.WriteByte(c)
		case inside && c < 0x80:
			fmt.Fprintf(&out, `\u%04X`, c)
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// TestParseShapes sends all shapes in one call, with each company, from each
// sender and in each spelling: none of it makes a difference.
func TestParseShapes(t *testing.T) {
	c := connect(t, settings("app-secret"))
	try := func(sender, more string) {
		var messages []string
		for _, s := range shapes {
			message := `{` + more + `,` + sender + `,"id":"wamid.1=","timestamp":"1790000000",` + s.content + `}`
			messages = append(messages, message) // of a key that is there twice, the last counts
		}
		for name, spell := range spellings {
			events, err := c.Parse(&connectors.Request{Body: []byte(spell(batchOf(strings.Join(messages, ","))))})
			if err != nil || len(events) != len(shapes) {
				t.Fatalf("%s: got %d events, %v, with %s", name, len(events), err, more)
			}
			for i, s := range shapes {
				wantShape(t, s, events[i], messages[i])
			}
		}
	}
	for _, sender := range senders {
		try(sender, `"x":1`)
	}
	for _, more := range beside {
		try(senders[0], more)
	}
}

// batchOf returns a webhook with these messages, to which Ana is the contact.
func batchOf(messages string) string {
	return `{"object":"whatsapp_business_account","entry":[{"id":"330044556677889","time":1790000001,"changes":[{"field":"messages","value":{` +
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100200","phone_number_id":"108877665544332"},` +
		`"contacts":[{"profile":{"name":"Ana P.","username":"anap"},"wa_id":"351910000001","user_id":"PT.90017263544","identity_key_hash":"h"}],` +
		`"messages":[` + messages + `]}}]}]}`
}

func wantShape(t *testing.T, s shape, e connectors.Event, message string) {
	t.Helper()
	kind, ref := connectors.Message, ""
	if s.reason != "" {
		kind = connectors.Ignored
	}
	for _, p := range e.Photos {
		ref += p.Ref
	}
	if e.Kind != kind || e.Text != s.text || ref != s.ref || e.Reason != s.reason {
		t.Errorf("%s: got %s %q %q %q, want %s %q %q %q, of %.300s", s.name, e.Kind, e.Text, ref, e.Reason, kind, s.text, s.ref, s.reason, message)
	}
	if e.ID != "wamid.1=" || e.Consumer.ID != "PT.90017263544" || !e.SentAt.Equal(at) {
		t.Errorf("%s: got %q of %q at %v, of %.300s", s.name, e.ID, e.Consumer.ID, e.SentAt, message)
	}
}

// TestParseDamagedShapes puts something else in the place of each value of each
// shape, between two messages that are well.
func TestParseDamagedShapes(t *testing.T) {
	const canary = "canary"
	c := connect(t, settings("app-secret"))
	well := func(id string) string {
		return `{"from":"351910000001","id":"` + id + `","type":"text","text":{"body":"well"}}`
	}
	reasons := map[string]bool{}
	for _, s := range shapes {
		raw := `{"from":"351910000001","id":"wamid.1=","timestamp":"1790000000","context":{"id":"wamid.0="},` + s.content + `}`
		for _, damaged := range damage(t, raw, 5, canary, []any{}, map[string]any{}, []any{map[string]any{"code": "x", "id": canary}}, true, nil) {
			events, err := c.Parse(&connectors.Request{Body: []byte(batchOf(well("a") + "," + damaged + "," + well("b")))})
			if err != nil || len(events) != 3 || events[0].Text != "well" || events[2].Text != "well" {
				t.Fatalf("got %d events, %v, of %s between two others", len(events), err, damaged)
			}
			e := events[1]
			reasons[e.Reason] = true
			if e.Kind == connectors.Message && (e.Text == "" && len(e.Photos) == 0 || s.reason != "" && e.Text != canary) {
				t.Errorf("got a message of %s", damaged)
			}
			if _, err := json.Marshal(e); err != nil || e.ID == "" || strings.Contains(e.Reason, canary) {
				t.Errorf("got ID %q, reason %q, %v, of %s", e.ID, e.Reason, err, damaged)
			}
		}
	}
	if len(reasons) > 20 {
		t.Errorf("got %d different reasons, want few: %v", len(reasons), reasons)
	}
}

// damage returns the JSON with each of its values replaced by each of others.
func damage(t *testing.T, raw string, others ...any) []string {
	t.Helper()
	var root any
	if err := json.Unmarshal([]byte(raw), &root); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	var list []string
	var visit func(v any)
	replace := func(old any, put func(any)) {
		for _, other := range others {
			if !reflect.DeepEqual(old, other) {
				put(other)
				out, err := json.Marshal(root)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, string(out))
			}
		}
		put(old)
		visit(old)
	}
	visit = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, old := range v {
				replace(old, func(other any) { v[key] = other })
			}
		case []any:
			for i, old := range v {
				replace(old, func(other any) { v[i] = other })
			}
		}
	}
	visit(root)
	return list
}
