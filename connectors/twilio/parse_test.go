package twilio_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/connectors"
)

// parseBody returns what Parse makes of a form, without asking Verify.
func parseBody(t testing.TB, body string) connectors.Event {
	t.Helper()
	events, err := example(t).Parse(call(webhookURL, "", body))
	if err != nil || len(events) != 1 {
		t.Fatalf("got %d events and error %v, want 1 and none", len(events), err)
	}
	return events[0]
}

// changed returns the example with other values; "-" takes one away.
func changed(t testing.TB, pairs ...string) string {
	t.Helper()
	form := parseForm(t, exampleBody)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "-" {
			form.Del(pairs[i])
		} else {
			form.Set(pairs[i], pairs[i+1])
		}
	}
	return form.Encode()
}

// without is a change that leaves a message no id by any of its names.
func without(pairs ...string) []string {
	return append([]string{"MessageSid", "-", "SmsMessageSid", "-", "SmsSid", "-"}, pairs...)
}

// mediaURL is the address of a medium of the example.
func mediaURL(base, account, message, media string) string {
	return base + "/2010-04-01/Accounts/" + account + "/Messages/" + message + "/Media/" + media
}

func TestParseExample(t *testing.T) {
	got := parseBody(t, exampleBody)
	want := connectors.Event{
		Kind: connectors.Message, ID: messageSID, MessageID: messageSID, Account: number,
		Consumer: connectors.Consumer{ID: consumer}, Text: "Look at this & that \u2013 ok?",
		Photos: []connectors.Photo{{Account: number, Ref: messageSID + "/" + mediaSID, ClaimedType: "image/jpeg"}},
		Raw:    got.Raw,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if again := parseBody(t, exampleBody); !reflect.DeepEqual(again, got) {
		t.Errorf("delivered again: got\n%+v\nwant\n%+v", again, got)
	}
	if !strings.Contains(string(got.Raw), "MM00000000000000000000000000000002") {
		t.Errorf("got raw %s, want the form's own text", got.Raw)
	}
}

func TestParseKinds(t *testing.T) {
	for _, row := range []struct {
		name   string
		pairs  []string
		kind   connectors.Kind
		id     string
		reason string
	}{
		{"SMS", []string{"MessageSid", "SM00000000000000000000000000000002"}, connectors.Message, "SM00000000000000000000000000000002", ""},
		{"no status", []string{"SmsStatus", "-"}, connectors.Message, messageSID, ""},
		{"status receiving", []string{"SmsStatus", "receiving"}, connectors.Message, messageSID, ""},
		{"the fallback's call", []string{"ErrorCode", "11200", "ErrorUrl", webhookURL}, connectors.Message, messageSID, ""},
		{"STOP", []string{"Body", "STOP", "OptOutType", "STOP"}, connectors.Message, messageSID, ""},
		{"status callback", []string{"MessageStatus", "delivered", "SmsStatus", "delivered"}, connectors.Receipt, messageSID + "/delivered", "delivered"},
		{"status callback of the old kind", []string{"SmsStatus", "sent"}, connectors.Receipt, messageSID + "/sent", "sent"},
		{"status callback of the oldest kind", []string{"SmsStatus", "sent", "MessageSid", "-", "SmsMessageSid", "-"}, connectors.Receipt, messageSID + "/sent", "sent"},
		{"status callback without an id", without("MessageStatus", "failed"), connectors.Broken, "", "status callback has no message id"},
		{"WhatsApp", []string{"From", "whatsapp:+14155550123", "To", "whatsapp:+14155550199"}, connectors.Ignored, messageSID, "whatsapp"},
		{"WhatsApp, business-scoped id", []string{"From", "whatsapp:US.1234567890"}, connectors.Ignored, messageSID, "whatsapp"},
		{"a WhatsApp receipt", []string{"To", "whatsapp:+14155550199", "MessageStatus", "read"}, connectors.Ignored, messageSID, "whatsapp"},
		{"Messenger", []string{"From", "messenger:123"}, connectors.Ignored, messageSID, "messenger"},
		{"RCS", []string{"To", "rcs:acme_agent"}, connectors.Ignored, messageSID, "rcs"},
		{"a channel of the future", []string{"From", "hologram:123"}, connectors.Ignored, messageSID, "unknown_channel"},
		{"no sender", []string{"From", "-"}, connectors.Ignored, messageSID, "no_consumer"},
		{"an empty sender", []string{"From", ""}, connectors.Ignored, messageSID, "no_consumer"},
		{"nothing in it", []string{"Body", "", "NumMedia", "0"}, connectors.Ignored, messageSID, "empty"},
		{"nothing readable in it", []string{"Body", "-", "NumMedia", "abc"}, connectors.Broken, messageSID, "message has no readable media"},
		{"an id by its older name", []string{"MessageSid", "-"}, connectors.Message, messageSID, ""},
		{"an id by its oldest name", []string{"MessageSid", "-", "SmsMessageSid", "-"}, connectors.Message, messageSID, ""},
		{"a call", without("CallSid", "CA00000000000000000000000000000002"), connectors.Ignored, "", "call"},
		{"a group MMS", []string{"OtherRecipients0", "+14155550177", "OtherRecipients1", "+14155550178"}, connectors.Ignored, messageSID, "group"},
		{"a group of two", []string{"OtherRecipients0", ""}, connectors.Message, messageSID, ""},
		{"no id", without(), connectors.Broken, "", "message has no message id"},
		{"an empty id", without("MessageSid", ""), connectors.Broken, "", "message has no message id"},
		{"an id of another form", []string{"MessageSid", "RC1/../../x"}, connectors.Message, "RC1/../../x", ""},
	} {
		body := changed(t, row.pairs...)
		if row.id == "" {
			row.id = connectors.DigestID([]byte(body))
		}
		got := parseBody(t, body)
		if got.Kind != row.kind || got.ID != row.id || got.Reason != row.reason {
			t.Errorf("%s: got %s, id %q, reason %q; want %s, %q, %q", row.name, got.Kind, got.ID, got.Reason, row.kind, row.id, row.reason)
		}
	}
}

// TestParseReceipt checks whose the two numbers of a status callback are.
func TestParseReceipt(t *testing.T) {
	got := parseBody(t, "AccountSid="+accountSID+"&MessageSid="+messageSID+"&MessageStatus=undelivered&ErrorCode=30003&From=%2B14155550199&To=%2B14155550123")
	if got.Kind != connectors.Receipt || got.Account != number || got.Consumer.ID != consumer || got.MessageID != messageSID {
		t.Errorf("got %+v, want a receipt of account %s for %s", got, number, consumer)
	}
}

// TestParseOutcomes has every status that Twilio documents, and others.
// https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
func TestParseOutcomes(t *testing.T) {
	for status, reason := range map[string]string{
		"sent": "sent", "delivered": "delivered", "read": "read", "failed": "failed", "undelivered": "failed", "canceled": "failed",
		"queued": "", "sending": "", "accepted": "", "scheduled": "", "partially_delivered": "", "hologrammed": "", "SENT": "",
	} {
		kind := connectors.Receipt
		if reason == "" {
			kind, reason = connectors.Ignored, "no_outcome"
		}
		got := parseBody(t, changed(t, "MessageStatus", status, "SmsStatus", status))
		if got.Kind != kind || got.Reason != reason || got.ID != messageSID+"/"+status {
			t.Errorf("%s: got %s (%s) with id %q, want %s (%s)", status, got.Kind, got.Reason, got.ID, kind, reason)
		}
	}
}

// TestParseNoReply has what Twilio answers itself, and what only looks like it.
func TestParseNoReply(t *testing.T) {
	for _, row := range []struct {
		body, optOut string
		want         bool
	}{
		{"STOP", "-", true}, {"stop", "-", true}, {" Stop\n", "-", true}, {"StopAll", "-", true}, {"unsubscribe", "-", true}, {"CANCEL", "-", true},
		{"end", "-", true}, {"Quit", "-", true}, {"OPTOUT", "-", true}, {"revoke", "-", true},
		{"basta", "STOP", true}, {"START", "START", true}, {"help", "HELP", true},
		{"please stop", "-", false}, {"STOP!", "-", false}, {"stopp", "-", false}, {"the end", "-", false}, {"", "-", false}, {"hello", "", false},
		{`Liked "an image"`, "-", false},
	} {
		got := parseBody(t, changed(t, "Body", row.body, "OptOutType", row.optOut))
		if got.Kind != connectors.Message || got.Text != row.body || len(got.Photos) != 1 || got.NoReply != row.want {
			t.Errorf("%q of type %q: got %s with NoReply %v, want the message with %v", row.body, row.optOut, got.Kind, got.NoReply, row.want)
		}
	}
}

func TestParseMalformed(t *testing.T) {
	good := func() *connectors.Request { return call(webhookURL, "", exampleBody) }
	for name, change := range map[string]func(*connectors.Request){
		"a broken escape": func(r *connectors.Request) { r.Body = []byte(exampleBody + "&x=%zz") },
		"nothing":         func(r *connectors.Request) { r.Body = nil },
		"another form":    func(r *connectors.Request) { r.Body = []byte("hello=world") },
	} {
		r := good()
		change(r)
		if events, err := example(t).Parse(r); connectors.KindOf(err) != connectors.Malformed {
			t.Errorf("%s: got %d events and error %v, want kind malformed", name, len(events), err)
		}
	}
	// The signature covers the form and not the header, so the form decides.
	for _, kinds := range [][]string{nil, {"application/x-www-form-urlencoded"}, {"application/json"}, {"a", "b"}, {"; ="}} {
		r := good()
		r.Header["Content-Type"] = kinds
		if events, err := example(t).Parse(r); err != nil || len(events) != 1 || events[0].Kind != connectors.Message {
			t.Errorf("content type %q: got %d events and error %v, want a message", kinds, len(events), err)
		}
	}
}

// TestParseRepeated repeats each parameter that is read: the signature is the
// same in whichever order the two values stand.
func TestParseRepeated(t *testing.T) {
	for _, name := range []string{"MessageSid", "From", "To", "Body", "NumMedia", "SmsStatus", "MediaUrl0", "MediaContentType0"} {
		form := parseForm(t, exampleBody)
		form.Add(name, "other")
		if got := parseBody(t, form.Encode()); got.Kind != connectors.Broken || got.Reason != "form repeats a parameter" {
			t.Errorf("%s twice: got %s (%s), want broken", name, got.Kind, got.Reason)
		}
	}
	if got := parseBody(t, exampleBody+"&New=1&New=2"); got.Kind != connectors.Message {
		t.Errorf("an unknown parameter twice: got %s, want message", got.Kind)
	}
}

func TestParseText(t *testing.T) {
	for _, text := range []string{
		" two blanks ", "1+1=2 %2B &a=b;c", "\U0001F4F7 zoë \r\n\t", strings.Repeat("long ", 20_000),
		"TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQ=", `Liked "an image"`, "&amp; <b>",
	} {
		if got := parseBody(t, changed(t, "Body", text)); got.Text != text || got.Kind != connectors.Message {
			t.Errorf("got %s with text of %d bytes, want a message with the %d that were sent", got.Kind, len(got.Text), len(text))
		}
	}
	if got := parseBody(t, changed(t, "Body", "a\xffb")).Text; got != "a\uFFFDb" {
		t.Errorf("text that is not UTF-8: got %q, want a replacement character", got)
	}
}

// TestParseBase64 has texts that a carrier turned into Base64, and others that
// look like it.
func TestParseBase64(t *testing.T) {
	const sms = "SM00000000000000000000000000000002"
	long := strings.Repeat("A long text, zo\u00eb \U0001F468\u200D\U0001F469\u200D\U0001F467\r\n", 5)
	ascii := strings.Repeat(`{"licence":"4711-0815"}`, 3)
	encode := base64.StdEncoding.EncodeToString
	for _, row := range []struct{ name, sid, body, want string }{
		{"a long text", messageSID, encode([]byte(long)), long},
		{"in lines", messageSID, regexp.MustCompile(`.{76}`).ReplaceAllString(encode([]byte(long)), "$0\r\n"), long},
		{"as an SMS", sms, encode([]byte(long)), long},
		{"as an SMS, plain ASCII", sms, encode([]byte(ascii)), encode([]byte(ascii))},
		{"plain ASCII", messageSID, encode([]byte(ascii)), ascii},
		{"cut inside a character", sms, encode([]byte(long + "\xe2\x80")), long},
		{"cut inside a longer one", messageSID, encode([]byte(long + "\xf0\x9f\x91")), long},
		{"a byte too many", messageSID, encode([]byte(long + "\x80")), encode([]byte(long + "\x80"))},
		{"too short", messageSID, encode([]byte(long[:30])), encode([]byte(long[:30]))},
		{"just long enough", messageSID, encode([]byte(long[:45])), long[:45]},
		{"a picture", messageSID, encode(jpeg), encode(jpeg)},
		{"not UTF-8", messageSID, encode([]byte("zo\xeb" + long)), encode([]byte("zo\xeb" + long))},
		{"control characters", messageSID, encode([]byte("\x00" + long)), encode([]byte("\x00" + long))},
		{"more behind it", messageSID, encode([]byte(long)) + " .", encode([]byte(long)) + " ."},
		{"a long number", messageSID, strings.Repeat("0123456789", 8), strings.Repeat("0123456789", 8)},
		{"a long word", messageSID, strings.Repeat("A", 80), strings.Repeat("A", 80)},
		{"a cry", messageSID, strings.Repeat("HAHA", 20), strings.Repeat("HAHA", 20)},
	} {
		if got := parseBody(t, changed(t, "MessageSid", row.sid, "Body", row.body)); got.Text != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got.Text, row.want)
		}
	}
}

// TestParseNumMedia has as many media as it says or not.
func TestParseNumMedia(t *testing.T) {
	all := make([]int, 15)
	for i := range all {
		all[i] = i
	}
	for _, row := range []struct {
		announced string
		present   []int
		want      int
	}{
		{"0", all, 0},
		{"1", all, 1},
		{"10", all, 10},
		{"11", all, 10},
		{"99", all, 10},
		{"abc", all, 0},
		{"-1", all, 0},
		{"", all, 0},
		{" 1", all, 0},
		{"1e1", all, 0},
		{"99999999999999999999", all, 0},
		{"3", []int{0, 2}, 2},
		{"3", []int{2}, 1},
		{"3", nil, 0},
	} {
		pairs := []string{"NumMedia", row.announced, "MediaUrl0", "-"}
		for _, i := range row.present {
			pairs = append(pairs, "MediaUrl"+strconv.Itoa(i), mediaURL("https://api.twilio.com", accountSID, messageSID, fmt.Sprintf("ME%032d", i)))
		}
		got := parseBody(t, changed(t, pairs...)).Photos
		if len(got) != row.want {
			t.Errorf("NumMedia=%s with %d addresses: got %d photos, want %d", row.announced, len(row.present), len(got), row.want)
		}
		for i, p := range got {
			if want := fmt.Sprintf("%s/ME%032d", messageSID, row.present[i]); p.Ref != want {
				t.Errorf("NumMedia=%s: got photo %d at %s, want %s", row.announced, i, p.Ref, want)
			}
		}
	}
}

// TestParseMediaTypes sends media of these types beside a text and alone: all
// are candidates but those that a carrier adds, films, sounds and contacts.
func TestParseMediaTypes(t *testing.T) {
	for _, row := range []struct{ sent, beside, alone []string }{
		{[]string{"image/jpeg", "image/gif", "image/heic"}, []string{"image/jpeg", "image/gif", "image/heic"}, []string{"image/jpeg", "image/gif", "image/heic"}},
		{[]string{"text/x-vcard"}, nil, nil},
		{[]string{"video/3gpp", "audio/amr", "", "junk;;", "application/octet-stream"}, []string{"", "junk;;", "application/octet-stream"}, []string{"", "junk;;", "application/octet-stream"}},
		{[]string{"VIDEO/mp4; codecs=avc1", "image/png", "text/vcard"}, []string{"image/png"}, []string{"image/png"}},
		{[]string{"application/smil", "image/png", "text/plain; charset=utf-8"}, []string{"image/png"}, []string{"image/png", "text/plain; charset=utf-8"}},
		{[]string{"application/smil", "text/x-vcard"}, nil, nil},
		{[]string{"text/plain"}, nil, []string{"text/plain"}},
		{[]string{"Application/SMIL", "text/plain"}, nil, []string{"text/plain"}},
		{[]string{"application/smil"}, nil, []string{"application/smil"}},
	} {
		pairs := []string{"NumMedia", strconv.Itoa(len(row.sent))}
		for i, kind := range row.sent {
			n := strconv.Itoa(i)
			pairs = append(pairs, "MediaContentType"+n, kind, "MediaUrl"+n, mediaURL("https://api.twilio.com", accountSID, messageSID, mediaSID))
		}
		for body, want := range map[string][]string{"hello": row.beside, "": row.alone} {
			var got []string
			e := parseBody(t, changed(t, append(pairs, "Body", body)...))
			for _, p := range e.Photos {
				got = append(got, p.ClaimedType)
			}
			if ignored := e.Kind == connectors.Ignored && e.Reason == "attachment"; ignored != (body == "" && want == nil) {
				t.Errorf("%q with body %q: got %s %q", row.sent, body, e.Kind, e.Reason)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%q with body %q: got photos %q, want %q", row.sent, body, got, want)
			}
		}
	}
}

// TestParseMediaURL checks which addresses are Twilio's, and that a reference
// has nothing of the others.
func TestParseMediaURL(t *testing.T) {
	const api = "https://api.twilio.com"
	const ours = messageSID + "/" + mediaSID
	other := strings.Replace(messageSID, "2", "9", 1)
	for _, row := range []struct{ name, address, want string }{
		{"the API", mediaURL(api, accountSID, messageSID, mediaSID), ours},
		{"a regional API", mediaURL("https://api.dublin.ie1.twilio.com", accountSID, messageSID, mediaSID), ours},
		{"http", mediaURL("http://api.twilio.com", accountSID, messageSID, mediaSID), "foreign"},
		{"another host", mediaURL("https://evil.example", accountSID, messageSID, mediaSID), "foreign"},
		{"a host that ends alike", mediaURL("https://api.twilio.com.evil.example", accountSID, messageSID, mediaSID), "foreign"},
		{"a host that begins alike", mediaURL("https://api.evil.example/.ie1.twilio.com", accountSID, messageSID, mediaSID), "foreign"},
		{"a host that a dot could match", mediaURL("https://apiXtwilio.com", accountSID, messageSID, mediaSID), "foreign"},
		{"user info", mediaURL("https://api.twilio.com@evil.example", accountSID, messageSID, mediaSID), "foreign"},
		{"a port", mediaURL("https://api.twilio.com:8443", accountSID, messageSID, mediaSID), "foreign"},
		{"the CDN at once", "https://mms.twiliocdn.com/x?Signature=y", "foreign"},
		{"another account", mediaURL(api, strings.Replace(accountSID, "1", "9", 1), messageSID, mediaSID), "foreign"},
		{"another message", mediaURL(api, accountSID, other, mediaSID), "foreign"},
		{"no medium", mediaURL(api, accountSID, messageSID, ""), "foreign"},
		{"a way out", mediaURL(api, accountSID, messageSID, "../"+mediaSID), "foreign"},
		{"an escaped way out", mediaURL(api, accountSID, messageSID, "..%2F"+mediaSID), "foreign"},
		{"more behind it", mediaURL(api, accountSID, messageSID, mediaSID+".json"), "foreign"},
		{"a query", mediaURL(api, accountSID, messageSID, mediaSID+"?x=1"), "foreign"},
		{"a line break", mediaURL(api, accountSID, messageSID, mediaSID+"\n"), "foreign"},
		{"loopback", "http://127.0.0.1/", "foreign"},
		{"a relative one", "/2010-04-01", "foreign"},
	} {
		got := parseBody(t, changed(t, "MediaUrl0", row.address))
		if got.Kind != connectors.Message || len(got.Photos) != 1 || got.Photos[0].Ref != row.want {
			t.Errorf("%s: got %s with photos %+v, want one at %s", row.name, got.Kind, got.Photos, row.want)
		}
	}
}

// FuzzParse looks for a panic, for two answers to the same bytes, and for
// events that break a promise.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		exampleBody, "AccountSid=x", "AccountSid=x&From=a&To=b&MessageSid=" + messageSID + "&NumMedia=10&MediaUrl9=%00&Body=%ff",
		"AccountSid=x&MessageStatus=sent&MessageSid=" + messageSID, "&&==&%", "AccountSid=x&From=whatsapp%3A", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		c := example(t)
		got, err := c.Parse(call(webhookURL, "", body))
		again, err2 := c.Parse(call(webhookURL, "", body))
		if !reflect.DeepEqual(got, again) || (err == nil) != (err2 == nil) {
			t.Fatalf("got %+v (%v), then %+v (%v)", got, err, again, err2)
		}
		if err != nil {
			if connectors.KindOf(err) != connectors.Malformed {
				t.Errorf("got kind %v, want malformed", connectors.KindOf(err))
			}
			return
		}
		e := got[0]
		if e.ID == "" || len(e.Raw) == 0 || len(e.Photos) > 10 {
			t.Errorf("got id %q, %d bytes of raw text, %d photos", e.ID, len(e.Raw), len(e.Photos))
		}
		switch e.Reason {
		case "", "form repeats a parameter", "status callback has no message id", "message has no message id", "message has no readable media",
			"whatsapp", "messenger", "rcs", "unknown_channel", "no_consumer", "empty",
			"no_outcome", "sent", "delivered", "read", "failed":
		default:
			t.Errorf("got reason %q, which is none of ours", e.Reason)
		}
		if e.Kind == connectors.Message && e.Text == "" && len(e.Photos) == 0 {
			t.Error("got a message of nothing")
		}
		form, _ := url.ParseQuery(body)
		if e.Kind == connectors.Message && (e.Consumer.ID != strings.ToValidUTF8(form.Get("From"), "\uFFFD") || e.MessageID == "") {
			t.Errorf("got a message of %q with id %q", e.Consumer.ID, e.MessageID)
		}
	})
}
