package whatsapp_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

const (
	base64Sum = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
	hexSum    = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
)

func TestParsePhotoWithCaption(t *testing.T) {
	raw := `{"from":"351910000001","from_user_id":"PT.90017263544","id":"wamid.HBgMEXAMPLE0001=","timestamp":"1790000000","type":"image",` +
		`"image":{"caption":"leaf, upper side","mime_type":"image\/jpeg","sha256":"LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=","id":"1900112233445566",` +
		`"url":"https:\/\/lookaside.fbsbx.com\/whatsapp_business\/attachments\/?mid=1900112233445566&ext=1790000300&hash=ATexample"}}`
	want := connectors.Event{
		Kind:      connectors.Message,
		ID:        "wamid.HBgMEXAMPLE0001=",
		MessageID: "wamid.HBgMEXAMPLE0001=",
		Account:   "108877665544332",
		Consumer:  connectors.Consumer{ID: "PT.90017263544", Name: "Ana P."},
		SentAt:    at,
		Text:      "leaf, upper side",
		Photos: []connectors.Photo{{
			Account: "108877665544332", Ref: "media:1900112233445566", ClaimedType: "image/jpeg", ClaimedSHA256: hexSum,
			Until: at.AddDate(0, 0, 7),
		}},
		Raw: []byte(raw),
	}
	events := parseMessages(t, raw)
	if len(events) != 1 || !reflect.DeepEqual(events[0], want) {
		t.Errorf("got %+v\nwant %+v", events, want)
	}
}

func TestParseContent(t *testing.T) {
	tests := []struct {
		name, content string
		kind          connectors.Kind
		text, reason  string
		ref           string
	}{
		{"text", `"type":"text","text":{"body":"caf\u00e9 \ud83d\ude00 a\/b"}`, connectors.Message, "café 😀 a/b", "", ""},
		{"button", `"type":"button","button":{"payload":"P1","text":"Yes"}`, connectors.Message, "Yes", "", ""},
		{"button reply", `"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"b1","title":"Yes"}}`, connectors.Message, "Yes", "", ""},
		{"list reply", `"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"l1","title":"Blue","description":"sky"}}`, connectors.Message, "Blue", "", ""},
		{"flow reply", `"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","body":"Sent","response_json":"{}"}}`, connectors.Message, "Sent", "", ""},
		{"other interactive", `"type":"interactive","interactive":{"type":"call_permission_reply"}`, connectors.Ignored, "", "interactive", ""},
		{"image without url or caption", `"type":"image","image":{"id":"19","mime_type":"image/jpeg"}`, connectors.Message, "", "", "media:19"},
		{"picture as a document", `"type":"document","document":{"id":"20","mime_type":"image/heic","filename":"IMG_1.HEIC","caption":"full size"}`, connectors.Message, "full size", "", "media:20"},
		{"any document", `"type":"document","document":{"id":"21","mime_type":"application/pdf","filename":"a.pdf"}`, connectors.Message, "", "", "media:21"},
		{"sticker", `"type":"sticker","sticker":{"id":"22","mime_type":"image/webp","animated":false}`, connectors.Ignored, "", "sticker", ""},
		{"animated sticker", `"type":"sticker","sticker":{"id":"22","mime_type":"image/webp","animated":true}`, connectors.Ignored, "", "sticker", ""},
		{"video", `"type":"video","video":{"id":"23","mime_type":"video/mp4"}`, connectors.Ignored, "", "video", ""},
		{"video with caption", `"type":"video","video":{"id":"23","mime_type":"video/mp4","caption":"look"}`, connectors.Message, "look", "", ""},
		{"voice", `"type":"audio","audio":{"id":"24","mime_type":"audio/ogg; codecs=opus","voice":true}`, connectors.Ignored, "", "audio", ""},
		{"location", `"type":"location","location":{"latitude":1.5,"longitude":2.5}`, connectors.Ignored, "", "location", ""},
		{"contacts", `"type":"contacts","contacts":[{"name":{"formatted_name":"B"}}]`, connectors.Ignored, "", "contacts", ""},
		{"order", `"type":"order","order":{"catalog_id":"1"}`, connectors.Ignored, "", "order", ""},
		{"reaction", `"type":"reaction","reaction":{"message_id":"wamid.0=","emoji":"\ud83d\ude00"}`, connectors.Ignored, "", "reaction", ""},
		{"reaction removed", `"type":"reaction","reaction":{"message_id":"wamid.0="}`, connectors.Ignored, "", "reaction", ""},
		{"system", `"type":"system","system":{"type":"user_changed_number","body":"x","wa_id":"351"}`, connectors.Ignored, "", "system", ""},
		{"unsupported", `"type":"unsupported","errors":[{"code":131051,"title":"Message type unknown"}]`, connectors.Ignored, "", "unsupported", ""},
		{"passed over in any shape", `"type":"reaction","reaction":[],"text":5`, connectors.Ignored, "", "reaction", ""},
		{"new type", `"type":"hologram","hologram":{}`, connectors.Ignored, "", "unknown_message_type", ""},

		{"text beside which nothing is as documented", `"type":"text","text":{"body":"x"},"context":[],"errors":{},"image":5,"timestamp":[]`, connectors.Message, "x", "", ""},
		{"image beside which nothing is as documented", `"type":"image","image":{"id":"19"},"context":{"id":{}},"errors":[[],{"code":"131052"}],"text":"x"`, connectors.Message, "", "", "media:19"},
		{"order with a text", `"type":"order","order":{"catalog_id":"1","text":"blue, please","product_items":[]}`, connectors.Message, "blue, please", "", ""},
		{"order of another shape", `"type":"order","order":[]`, connectors.Broken, "", "message does not parse", ""},
		{"text of another shape", `"type":"text","text":"hello"`, connectors.Broken, "", "message does not parse", ""},
		{"text without text", `"type":"text"`, connectors.Broken, "", "text message has no text", ""},
		{"button without text", `"type":"button","button":{"payload":"P1"}`, connectors.Broken, "", "button message has no text", ""},
		{"image without id", `"type":"image","image":{"mime_type":"image/jpeg"}`, connectors.Broken, "", "photo has no readable media id", ""},
		{"image with a path for an id", `"type":"image","image":{"id":".."}`, connectors.Broken, "", "photo has no readable media id", ""},
		{"image with a number for an id", `"type":"image","image":{"id":19}`, connectors.Message, "", "", "media:19"},
		{"image with odd claims", `"type":"image","image":{"id":"19","mime_type":{},"sha256":[],"caption":true}`, connectors.Message, "", "", "media:19"},
		{"caption of an image without id", `"type":"image","image":{"caption":"look"}`, connectors.Message, "look", "", "media:"},
		{"caption of a document with an odd id", `"type":"document","document":{"caption":"look","id":"../me"}`, connectors.Message, "look", "", "media:"},
		{"no type", `"text":{"body":"x"}`, connectors.Broken, "", "message has no readable type", ""},
		{"type is no text", `"type":7`, connectors.Broken, "", "message has no readable type", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := parseOne(t, test.content)
			var ref string
			for _, p := range e.Photos {
				ref += p.Ref
			}
			if e.Kind != test.kind || e.Text != test.text || e.Reason != test.reason || ref != test.ref {
				t.Errorf("got %s %q %q %q, want %s %q %q %q", e.Kind, e.Text, e.Reason, ref, test.kind, test.text, test.reason, test.ref)
			}
			if e.ID != "wamid.1=" || e.Account != "108877665544332" {
				t.Errorf("got ID %q of account %q, want those of the message", e.ID, e.Account)
			}
		})
	}
}

func TestParseTooLargeForWhatsApp(t *testing.T) {
	// The claim alone is what the message says of the file: beyond every
	// limit, and with nothing to fetch.
	want := []connectors.Photo{{Account: "108877665544332", ClaimedBytes: 100<<20 + 1}}
	for _, content := range []string{
		`"type":"unsupported","errors":[{"code":131052,"title":"Media file size too big"}]`,
		`"type":"image","errors":[{"code":131051},{"code":131052}]`,
		`"type":"hologram","errors":[{"code":131052}]`,
	} {
		e := parseOne(t, content)
		if e.Kind != connectors.Message || !reflect.DeepEqual(e.Photos, want) {
			t.Errorf("%s\ngot %s with photos %+v, want a message with %+v", content, e.Kind, e.Photos, want)
		}
	}
	e := parseOne(t, `"type":"document","document":{"caption":"big","mime_type":"image/png","id":"1"},"errors":[{"code":131052}]`)
	want[0].ClaimedType = "image/png"
	if e.Text != "big" || !reflect.DeepEqual(e.Photos, want) {
		t.Errorf("got %q with photos %+v, want %q with %+v", e.Text, e.Photos, "big", want)
	}
}

func TestParseSHA256(t *testing.T) {
	tests := []struct{ name, claimed, want string }{
		{"Base64", base64Sum, hexSum},
		{"Base64 with escaped slashes", "47DEQpj8HBSa+\\/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"Base64 without padding", strings.TrimRight(base64Sum, "="), hexSum},
		{"hex", hexSum, hexSum},
		{"hex in upper case", strings.ToUpper(hexSum), hexSum},
		{"missing", "", ""},
		{"hex of another length", hexSum[:62], ""},
		{"64 characters that are no hex", strings.Repeat("z", 64), ""},
		{"44 characters that are no Base64", strings.Repeat("-", 44), ""},
		{"44 characters of Base64 for 33 bytes", strings.Repeat("A", 44), ""},
		{"Base64 with stray bits", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCR=", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := parseOne(t, `"type":"image","image":{"id":"19","sha256":"`+test.claimed+`"}`)
			if len(e.Photos) != 1 || e.Photos[0].ClaimedSHA256 != test.want {
				t.Errorf("got photos %+v, want one with digest %q", e.Photos, test.want)
			}
		})
	}
}

func TestParseEditAndRevoke(t *testing.T) {
	tests := []struct {
		name, content   string
		kind            connectors.Kind
		messageID, text string
	}{
		{"edited text", `"type":"edit","edit":{"original_message_id":"wamid.0=","message":{"context":{"id":"M0"},"type":"text","text":{"body":"better"}}}`, connectors.Edit, "wamid.0=", "better"},
		{"edited caption", `"type":"edit","edit":{"original_message_id":"wamid.0=","message":{"type":"image","image":{"id":"19","caption":"better"}}}`, connectors.Edit, "wamid.0=", "better"},
		{"removed caption", `"type":"edit","edit":{"original_message_id":"wamid.0=","message":{"type":"image","image":{"id":"19"}}}`, connectors.Edit, "wamid.0=", ""},
		{"edit without text", `"type":"edit","edit":{"original_message_id":"wamid.0=","message":{"type":"text"}}`, connectors.Broken, "wamid.1=", ""},
		{"edit of nothing", `"type":"edit","edit":{"message":{"type":"text","text":{"body":"better"}}}`, connectors.Broken, "wamid.1=", ""},
		{"edit without message", `"type":"edit","edit":{"original_message_id":"wamid.0="}`, connectors.Broken, "wamid.1=", ""},
		{"edited beside what is not as documented", `"type":"edit","edit":{"original_message_id":"wamid.0=","message":{"context":[],"type":"text","text":{"body":"better"}}}`, connectors.Edit, "wamid.0=", "better"},
		{"edited text that stands alone", `"type":"edit","edit":{"original_message_id":"wamid.0=","message":{"type":"text","text":"better"}}`, connectors.Edit, "wamid.0=", "better"},
		{"edited message without a type", `"type":"edit","edit":{"original_message_id":"wamid.0=","message":{"text":{"body":"better"}}}`, connectors.Edit, "wamid.0=", "better"},
		{"edited text without its message", `"type":"edit","edit":{"original_message_id":"wamid.0=","type":"text","text":{"body":"better"}}`, connectors.Edit, "wamid.0=", "better"},
		{"edited caption without its message", `"type":"edit","edit":{"original_message_id":"wamid.0=","video":{"caption":"better"}}`, connectors.Edit, "wamid.0=", "better"},
		{"removed caption without its message", `"type":"edit","edit":{"original_message_id":"wamid.0=","document":{"id":"19"}}`, connectors.Edit, "wamid.0=", ""},
		{"message of another shape beside the text", `"type":"edit","edit":{"original_message_id":"wamid.0=","message":[5],"text":{"body":"better"}}`, connectors.Edit, "wamid.0=", "better"},
		{"no content but null", `"type":"edit","edit":{"original_message_id":"wamid.0=","message":{"type":"image","image":null,"text":null}}`, connectors.Broken, "wamid.1=", ""},
		{"medium of another shape", `"type":"edit","edit":{"original_message_id":"wamid.0=","message":{"type":"image","image":5}}`, connectors.Broken, "wamid.1=", ""},
		{"edit of what has no text", `"type":"edit","edit":{"original_message_id":"wamid.0=","message":{"type":"sticker","sticker":{"id":"1"}}}`, connectors.Broken, "wamid.1=", ""},
		{"edited text of another shape", `"type":"edit","edit":{"original_message_id":"wamid.0=","message":{"type":"text","text":[5]}}`, connectors.Broken, "wamid.1=", ""},
		{"number for the original's id", `"type":"edit","edit":{"original_message_id":5,"message":{"text":{"body":"better"}}}`, connectors.Broken, "wamid.1=", ""},
		{"edit of another shape", `"type":"edit","edit":[]`, connectors.Broken, "wamid.1=", ""},
		{"revoke", `"type":"revoke","revoke":{"original_message_id":"wamid.0="}`, connectors.Unsend, "wamid.0=", ""},
		{"revoke of nothing", `"type":"revoke","revoke":{}`, connectors.Broken, "wamid.1=", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := parseOne(t, test.content)
			if e.Kind != test.kind || e.MessageID != test.messageID || e.Text != test.text {
				t.Errorf("got %s of %q with %q, want %s of %q with %q", e.Kind, e.MessageID, e.Text, test.kind, test.messageID, test.text)
			}
			if e.ID != "wamid.1=" || e.Consumer.ID != "PT.90017263544" || len(e.Photos) != 0 {
				t.Errorf("got ID %q of %q with %d photos, want the event's own and none", e.ID, e.Consumer.ID, len(e.Photos))
			}
		})
	}
}

// TestParseAmendmentWithoutItsOwnID gets edits and revokes that bear the id of
// what they change. Each must stay another event than the message itself.
func TestParseAmendmentWithoutItsOwnID(t *testing.T) {
	ids := map[string]bool{"wamid.1=": true}
	for _, content := range []string{
		`"type":"edit","edit":{"original_message_id":"wamid.1=","message":{"type":"text","text":{"body":"better"}}}`,
		`"type":"edit","edit":{"original_message_id":"wamid.1=","message":{"type":"text","text":{"body":"best"}}}`,
		`"type":"revoke","revoke":{"original_message_id":"wamid.1="}`,
	} {
		e := parseOne(t, content)
		if e.MessageID != "wamid.1=" || ids[e.ID] {
			t.Errorf("got ID %q for a change of %q, want one of its own", e.ID, e.MessageID)
		}
		ids[e.ID] = true
		if again := parseOne(t, content); again.ID != e.ID {
			t.Errorf("delivered again: got ID %q, want %q", again.ID, e.ID)
		}
	}
}

func TestParseConsumer(t *testing.T) {
	// The change has one contact: Ana, 351910000001, PT.90017263544.
	tests := []struct{ name, ids, id, reason string }{
		{"both ids", `"from":"351910000001","from_user_id":"PT.90017263544"`, "PT.90017263544", ""},
		{"no from", `"from_user_id":"PT.90017263544"`, "PT.90017263544", ""},
		{"from is the user id", `"from":"PT.90017263544"`, "PT.90017263544", ""},
		{"user id in the contact only", `"from":"351910000001"`, "PT.90017263544", ""},
		{"phone only", `"from":"351910000009"`, "351910000009", ""},
		{"unknown user id beside the phone", `"from":"351910000001","from_user_id":"PT.7"`, "PT.7", ""},
		{"parent is no address", `"parent_user_id":"PT.ENT.1"`, "", "no_consumer"},
		{"nobody", `"from":""`, "", "no_consumer"},
		{"group", `"from":"351910000001","group_id":"G1"`, "PT.90017263544", "group"},
		{"group that is no text", `"from":"351910000001","group_id":{"id":7}`, "PT.90017263544", "group"},
		{"no group", `"from":"351910000001","group_id":""`, "PT.90017263544", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			events := parseMessages(t, `{`+test.ids+`,"id":"wamid.1=","timestamp":"1790000000","type":"text","text":{"body":"x"}}`)
			if len(events) != 1 || events[0].Consumer.ID != test.id || events[0].Reason != test.reason {
				t.Errorf("got %+v, want one event of %q with reason %q", events, test.id, test.reason)
			}
			if wantMessage := test.reason == ""; wantMessage != (events[0].Kind == connectors.Message) {
				t.Errorf("got kind %s", events[0].Kind)
			}
		})
	}
}

func TestParseConsumerName(t *testing.T) {
	const message = `{"from":"351910000001","from_user_id":"PT.9","id":"wamid.1=","timestamp":"1","type":"text","text":{"body":"x"}}`
	tests := []struct{ name, contacts, want string }{
		{"by user id", `[{"profile":{"name":"Bo"},"user_id":"PT.8","wa_id":"35"},{"profile":{"name":"Ana"},"user_id":"PT.9"}]`, "Ana"},
		{"by phone, before there were user ids", `[{"profile":{"name":"Bo"},"wa_id":"35"},{"profile":{"name":"Ana"},"wa_id":"351910000001"}]`, "Ana"},
		{"user id where the phone stands", `[{"profile":{"name":"Ana"},"wa_id":"PT.9"}]`, "Ana"},
		{"somebody else", `[{"profile":{"name":"Bo"},"wa_id":"35"}]`, ""},
		{"username where there is no name", `[{"profile":{"username":"anap"},"user_id":"PT.9"}]`, "anap"},
		{"name before username", `[{"profile":{"username":"anap","name":"Ana"},"user_id":"PT.9"}]`, "Ana"},
		{"no profile", `[{"wa_id":"351910000001","user_id":"PT.9"}]`, ""},
		{"empty ids", `[{"profile":{"name":"Bo"},"wa_id":"","user_id":""}]`, ""},
		{"none", `[]`, ""},
		{"another shape", `{"wa_id":"351910000001"}`, ""},
		{"one of another shape", `[7,{"profile":{"name":"Ana"},"user_id":"PT.9"}]`, "Ana"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			events := parse(t, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"1"},"contacts":`+
				test.contacts+`,"messages":[`+message+`]}}]}]}`)
			want := connectors.Consumer{ID: "PT.9", Name: test.want}
			if len(events) != 1 || events[0].Kind != connectors.Message || events[0].Consumer != want {
				t.Errorf("got %+v, want one message of %+v", events, want)
			}
		})
	}
}

func TestParseTimestamp(t *testing.T) {
	tests := []struct {
		name, value string
		want        time.Time
	}{
		{"string of seconds", `"1790000000"`, at},
		{"milliseconds", `"1790000000123"`, at.Add(123 * time.Millisecond)},
		{"number", `1790000000`, at},
		{"missing", `null`, time.Time{}},
		{"no number", `"now"`, time.Time{}},
		{"negative", `"-1"`, time.Time{}},
		{"beyond what JSON can say", `"99999999999999999"`, time.Time{}},
		{"of another shape", `{"s":1}`, time.Time{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			events := parseMessages(t, `{"from":"351910000001","id":"wamid.1=","timestamp":`+test.value+`,"type":"text","text":{"body":"x"}}`)
			if len(events) != 1 || events[0].Kind != connectors.Message || !events[0].SentAt.Equal(test.want) {
				t.Errorf("got %+v, want one message sent at %v", events, test.want)
			}
		})
	}
}

func TestParseReply(t *testing.T) {
	e := parseOne(t, `"type":"text","text":{"body":"x"},"context":{"from":"15550100200","id":"wamid.0="}`)
	if e.Kind != connectors.Message || e.ReplyTo != "wamid.0=" {
		t.Errorf("got %s in reply to %q, want a message in reply to wamid.0=", e.Kind, e.ReplyTo)
	}
	e = parseOne(t, `"type":"text","text":{"body":"x"},"context":{"forwarded":true}`)
	if e.Kind != connectors.Message || e.ReplyTo != "" {
		t.Errorf("got %s in reply to %q, want a message in reply to none", e.Kind, e.ReplyTo)
	}
}

func TestParseBorrowsNoName(t *testing.T) {
	// Neither has a user id, and that makes nobody the same person.
	events := parse(t, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"1"},
		"contacts":[{"profile":{"name":"Bo"},"wa_id":"351910000002"}],
		"messages":[{"from":"351910000001","id":"wamid.1=","timestamp":"1","type":"text","text":{"body":"x"}}]}}]}]}`)
	want := connectors.Consumer{ID: "351910000001"}
	if len(events) != 1 || events[0].Consumer != want {
		t.Errorf("got %+v, want one message of %+v", events, want)
	}
}

// TestParsePhotosSentTogether reads two photos in one call: nothing ties them
// together but their sender, and only the first has the caption.
func TestParsePhotosSentTogether(t *testing.T) {
	events := parse(t, `{"object":"whatsapp_business_account","entry":[{"id":"330044556677889","changes":[{"field":"messages","value":{
 "messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100200","phone_number_id":"108877665544332"},
 "contacts":[{"profile":{"name":"Ana P.","username":"anap"},"wa_id":"351910000001","user_id":"PT.90017263544"}],
 "messages":[
  {"from":"351910000001","from_user_id":"PT.90017263544","id":"wamid.HBgMEXAMPLE0001=","timestamp":"1790000000","type":"image",
   "image":{"caption":"leaf, upper side","mime_type":"image/jpeg","sha256":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","id":"1900112233445566",
            "url":"https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1900112233445566&ext=1790000300&hash=ATexample"}},
  {"from":"351910000001","from_user_id":"PT.90017263544","id":"wamid.HBgMEXAMPLE0002=","timestamp":"1790000001","type":"image",
   "image":{"mime_type":"image/jpeg","sha256":"…","id":"1900112233445567"}}]}}]}]}`)
	if len(events) != 2 {
		t.Fatalf("got %+v, want two events", events)
	}
	const account = "108877665544332"
	for i, want := range []connectors.Event{
		{ID: "wamid.HBgMEXAMPLE0001=", SentAt: at, Text: "leaf, upper side", Photos: []connectors.Photo{{
			Account: account, Ref: "media:1900112233445566", ClaimedType: "image/jpeg",
			ClaimedSHA256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Until: at.AddDate(0, 0, 7),
		}}},
		{ID: "wamid.HBgMEXAMPLE0002=", SentAt: at.Add(time.Second), Photos: []connectors.Photo{{
			Account: account, Ref: "media:1900112233445567", ClaimedType: "image/jpeg", Until: at.AddDate(0, 0, 7).Add(time.Second),
		}}},
	} {
		want.Kind, want.MessageID, want.Account = connectors.Message, want.ID, account
		want.Consumer = connectors.Consumer{ID: "PT.90017263544", Name: "Ana P."}
		got := events[i]
		got.Raw = nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
	}
}
