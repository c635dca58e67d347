package messenger_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/connectors"
)

// shape is the content of an item, and what becomes of it.
type shape struct {
	name, content string
	kind          connectors.Kind
	text          string
	photos        string // addresses, with a blank between two
	reason        string
}

const (
	cdn  = "https://scontent.xx.fbcdn.net/v/t1.15752-9/"
	aJPG = cdn + "a.jpg?_nc_cat=1&oh=00_x&oe=6A1B2C3D"
	bJPG = cdn + "b.jpg?_nc_cat=1&oh=00_y&oe=6A1B2C3D"
)

// with is a message of mid m_1 with these attachments.
func with(attachments string) string {
	return `"message":{"mid":"m_1","attachments":[` + attachments + `]}`
}

// image is an attachment with this payload beside the address.
func image(address, more string) string {
	return fmt.Sprintf(`{"type":"image","payload":{"url":%q%s}}`, address, more)
}

func shapes() []shape {
	const message, ignored, broken = connectors.Message, connectors.Ignored, connectors.Broken
	sticker := `{"type":"sticker","payload":{"url":"` + cdn + `s.png","sticker_id":"767226160478561"}}`
	return []shape{
		{"text", `"message":{"mid":"m_1","text":"hello"}`, message, "hello", "", ""},
		{"photo", with(image(aJPG, "")), message, "", aJPG, ""},
		{"two photos", with(image(aJPG, "") + "," + image(bJPG, "")), message, "", aJPG + " " + bJPG, ""},
		{"photo with text", `"message":{"mid":"m_1","text":"look","attachments":[` + image(aJPG, "") + `]}`, message, "look", aJPG, ""},
		{"photo and video", with(`{"type":"video","payload":{"url":"` + cdn + `v.mp4"}},` + image(aJPG, "")), message, "", aJPG, ""},
		{"escaped slashes", with(strings.ReplaceAll(image(aJPG, ""), "/", `\/`)), message, "", aJPG, ""},
		{"quick reply", `"message":{"mid":"m_1","text":"Red","quick_reply":{"payload":"COLOR_RED"}}`, message, "Red", "", ""},
		{"text beside a shared link", `"message":{"mid":"m_1","text":"see https://a.example/","attachments":[{"type":"fallback","payload":{"url":"https://a.example/","title":"A"}}]}`, message, "see https://a.example/", "", ""},
		{"text beside attachments of another shape", `"message":{"mid":"m_1","text":"hello","attachments":{"type":"image"}}`, message, "hello", "", ""},
		{"text beside no attachments", `"message":{"mid":"m_1","text":"hello","attachments":null}`, message, "hello", "", ""},
		{"text beside an odd reply_to", `"message":{"mid":"m_1","text":"hello","reply_to":"m_0","quick_reply":7,"is_echo":"x","is_deleted":[]}`, message, "hello", "", ""},
		{"text beside a photo without an address", `"message":{"mid":"m_1","text":"hello","attachments":[{"type":"image"}]}`, message, "hello", "(none)", ""},
		{"photo beside one without an address", with(image("/x.jpg", "") + "," + image(aJPG, "")), message, "", "(none) " + aJPG, ""},
		{"photo beside an attachment that is none", with(`5,null,"x",{"type":7},` + image(aJPG, "")), message, "", aJPG, ""},

		{"sticker of today", with(sticker), ignored, "", "", "sticker"},
		{"sticker with its twin", with(sticker + "," + image(cdn+"s.png", "")), ignored, "", "", "sticker"},
		{"sticker with its twin first", with(image(cdn+"s.png", `,"sticker_id":767226160478561`) + "," + sticker), ignored, "", "", "sticker"},
		{"old sticker", with(image(cdn+"s.png", `,"sticker_id":767226160478561`)), ignored, "", "", "sticker"},
		{"old sticker with a string", with(image(cdn+"s.png", `,"sticker_id":"767226160478561"`)), ignored, "", "", "sticker"},
		{"small thumb", with(image(cdn+"t.png", `,"sticker_id":369239263222822`)), ignored, "", "", "sticker"},
		{"middle thumb", with(image(cdn+"t.png", `,"sticker_id":369239343222814`)), ignored, "", "", "sticker"},
		{"large thumb", with(image(cdn+"t.png", `,"sticker_id":369239383222810`)), ignored, "", "", "sticker"},
		{"thumb named by the message alone", `"message":{"mid":"m_1","sticker_id":369239263222822,"attachments":[` + image(cdn+"t.png", "") + `]}`, ignored, "", "", "sticker"},
		{"no sticker_id", with(image(aJPG, `,"sticker_id":null`)), message, "", aJPG, ""},
		{"photo beside a sticker", with(sticker + "," + image(aJPG, "")), message, "", aJPG, ""},
		{"sticker without a payload beside a photo without one", with(`{"type":"sticker"},{"type":"image"}`), broken, "", "", "photo has no usable address"},

		{"audio", with(`{"type":"audio","payload":{"url":"https://cdn.fbsbx.com/v/a.mp4"}}`), ignored, "", "", "audio"},
		{"video", with(`{"type":"video","payload":{"url":"https://video.xx.fbcdn.net/v.mp4"}}`), ignored, "", "", "video"},
		{"file", with(`{"type":"file","payload":{"url":"https://cdn.fbsbx.com/v/My%20Documents/foo.doc"}}`), ignored, "", "", "file"},
		{"file with a relative address", with(`{"type":"file","payload":{"url":"My Documents/foo.doc"}}`), ignored, "", "", "file"},
		{"reel with a relative address", with(`{"type":"reel","payload":{"url":"/reel/123456789/","title":"x","reel_video_id":1}}`), ignored, "", "", "reel"},
		{"Instagram's reel", with(`{"type":"ig_reel","payload":{"url":"https://www.instagram.com/reel/x"}}`), ignored, "", "", "ig_reel"},
		{"post", with(`{"type":"post","payload":{"url":"https://www.facebook.com/x","id":"1"}}`), ignored, "", "", "post"},
		{"Instagram's post", with(`{"type":"ig_post","payload":{}}`), ignored, "", "", "ig_post"},
		{"appointment", with(`{"type":"appointment_booking","payload":{"x":1}}`), ignored, "", "", "appointment_booking"},
		{"fallback without a payload", with(`{"type":"fallback"}`), ignored, "", "", "fallback"},
		{"fallback with null", with(`{"title":"x","url":"https://a.example/","type":"fallback","payload":null}`), ignored, "", "", "fallback"},
		{"template", with(`{"type":"template","payload":{"product":{"elements":[{"image_url":"` + aJPG + `"}]}}}`), ignored, "", "", "template"},
		{"location", with(`{"type":"location","payload":{"coordinates":{"lat":1.5,"long":2}}}`), ignored, "", "", "location"},
		{"attachment of tomorrow", with(`{"type":"hologram","payload":{"url":"` + aJPG + `"}}`), ignored, "", "", "unknown_attachment_type"},
		{"nothing in it", `"message":{"mid":"m_1"}`, ignored, "", "", "no_content"},
		{"empty text, no attachments", `"message":{"mid":"m_1","text":"","attachments":[]}`, ignored, "", "", "no_content"},

		{"photo without a payload", with(`{"type":"image"}`), broken, "", "", "photo has no usable address"},
		{"photo with a relative address", with(image("/reel/123/", "")), broken, "", "", "photo has no usable address"},
		{"photo by http", with(image("http"+aJPG[5:], "")), broken, "", "", "photo has no usable address"},
		{"photo in a data URL", with(image("data:image/jpeg;base64,AAAA", "")), broken, "", "", "photo has no usable address"},
		{"photo without a host", with(image("https:///a.jpg", "")), broken, "", "", "photo has no usable address"},
		{"photo with an endless address", with(image(aJPG+strings.Repeat("x", 8<<10), "")), broken, "", "", "photo has no usable address"},
		{"attachments of another shape", `"message":{"mid":"m_1","attachments":{"type":"image"}}`, broken, "", "", "attachments do not parse"},
		{"sticker without a mid", `"message":{"mid":"","attachments":[` + sticker + `]}`, ignored, "", "", "sticker"},
		{"deletion without a mid", `"message":{"is_deleted":true}`, broken, "", "", "deletion names no message"},
		{"text of another shape", `"message":{"mid":"m_1","text":{"body":"hello"}}`, broken, "", "", "message does not parse"},
		{"mid of another shape", `"message":{"mid":7,"text":"hello"}`, broken, "", "", "message does not parse"},
		{"message of another shape", `"message":"hello"`, broken, "", "", "message does not parse"},

		{"echo", `"message":{"mid":"m_1","text":"hello","is_echo":true,"app_id":1517776481860111,"metadata":"x"}`, ignored, "", "", "echo"},
		{"echo that is deleted", `"message":{"mid":"m_1","is_echo":true,"is_deleted":true}`, ignored, "", "", "echo"},
		{"postback", `"postback":{"mid":"m_1","title":"Get Started","payload":"GET_STARTED"}`, message, "Get Started", "", ""},
		{"postback without a title", `"postback":{"mid":"m_1","payload":"GET_STARTED"}`, ignored, "", "", "postback"},
		{"postback of another shape", `"postback":"GET_STARTED"`, broken, "", "", "postback does not parse"},

		{"delivery without mids", `"delivery":{"watermark":1790000000000}`, ignored, "", "", "delivery"},
		{"delivery of odd mids", `"delivery":{"mids":[5,"",null],"watermark":1790000000000}`, ignored, "", "", "delivery"},
		{"delivery of another shape", `"delivery":7`, ignored, "", "", "delivery"},
		{"read", `"read":{"watermark":1790000000000}`, ignored, "", "", "read"},
		{"reaction", `"reaction":{"mid":"m_0","action":"react","emoji":"\u2764","reaction":"love"}`, ignored, "", "", "reaction"},
		{"reaction taken back", `"reaction":{"mid":"m_0","action":"unreact"}`, ignored, "", "", "reaction"},
		{"optin", `"optin":{"ref":"x"}`, ignored, "", "", "optin"},
		{"referral", `"referral":{"ref":"x","source":"SHORTLINK","type":"OPEN_THREAD"}`, ignored, "", "", "referral"},
		{"account linked", `"account_linking":{"status":"linked","authorization_code":"x"}`, ignored, "", "", "account_linking"},
		{"policy", `"policy_enforcement":{"action":"warning","reason":"x"}`, ignored, "", "", "policy_enforcement"},
		{"policy, old spelling", `"policy-enforcement":{"action":"block"}`, ignored, "", "", "policy-enforcement"},
		{"handed over", `"pass_thread_control":{"new_owner_app_id":"1","metadata":"x"}`, ignored, "", "", "pass_thread_control"},
		{"taken over", `"take_thread_control":{"previous_owner_app_id":"1"}`, ignored, "", "", "take_thread_control"},
		{"asked for", `"request_thread_control":{"requested_owner_app_id":"1"}`, ignored, "", "", "request_thread_control"},
		{"roles", `"app_roles":{"1":["primary_receiver"]}`, ignored, "", "", "app_roles"},
		{"feedback", `"response_feedback":{"mid":"m_0","feedback":"Good response"}`, ignored, "", "", "response_feedback"},
		{"game", `"game_play":{"game_id":"1","player_id":"2","context_type":"SOLO"}`, ignored, "", "", "game_play"},
		{"item of tomorrow", `"telepathy":{"mid":"m_1","text":"hello"}`, ignored, "", "", "unknown_event_type"},
		{"nothing but a head", `"message":null`, ignored, "", "", "unknown_event_type"},
	}
}

func TestParseShapes(t *testing.T) {
	for _, s := range shapes() {
		t.Run(s.name, func(t *testing.T) {
			e := parseOne(t, s.content)
			photos := strings.Join(addresses(t, e), " ")
			if e.Kind != s.kind || e.Text != s.text || photos != s.photos || e.Reason != s.reason {
				t.Errorf("got %s %q %q %q, want %s %q %q %q", e.Kind, e.Text, photos, e.Reason, s.kind, s.text, s.photos, s.reason)
			}
			if e.Account != pageID || e.Consumer.ID != psid || !e.SentAt.Equal(at) || e.NoReply || e.ReplyTo != "" {
				t.Errorf("got account %q, consumer %q, time %v, no reply %v, reply to %q", e.Account, e.Consumer.ID, e.SentAt, e.NoReply, e.ReplyTo)
			}
			if e.Kind == connectors.Message && (e.ID != "m_1" || e.MessageID != "m_1") {
				t.Errorf("got ID %q and MessageID %q, want m_1 twice", e.ID, e.MessageID)
			}
		})
	}
}

// TestParseDamagedShapes puts something else in the place of each value of each
// shape, all between two messages that are well.
func TestParseDamagedShapes(t *testing.T) {
	const canary = "canary"
	well := item(`"message":{"mid":"m_0","text":"well"}`)
	reasons := map[string]bool{}
	for _, s := range shapes() {
		list := damage(t, item(s.content), 5, canary, []any{}, map[string]any{}, []any{map[string]any{"type": "image"}}, true, nil)
		events := parseItems(t, well+","+strings.Join(list, ",")+","+well)
		if len(events) != len(list)+2 || events[0].Text != "well" || events[len(list)+1].Text != "well" {
			t.Fatalf("%s: got %d events of %d damaged ones between two others", s.name, len(events), len(list))
		}
		for i, damaged := range list {
			e := events[i+1]
			reasons[e.Reason] = true
			if e.Kind == connectors.Message && e.Text == "" && len(e.Photos) == 0 {
				t.Errorf("got a message without content of %s", damaged)
			}
			if _, err := json.Marshal(e); err != nil || e.ID == "" || strings.Contains(e.Reason, canary) {
				t.Errorf("got ID %q, reason %q, %v, of %s", e.ID, e.Reason, err, damaged)
			}
		}
	}
	if len(reasons) > 45 {
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
