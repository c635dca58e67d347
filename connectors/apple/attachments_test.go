package apple_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/apple/applesim"
)

// attached returns the photos of a message with these attachments, which must
// not lose its words.
func attached(t *testing.T, list string) []connectors.Photo {
	t.Helper()
	got := parse(t, withAttachments("look", list))
	if got.Kind != connectors.Message || got.Text != "look" {
		t.Errorf("attachments %.200s: got %s, want the message", list, toJSON(t, got))
	}
	return got.Photos
}

// with is goodPhoto with one member changed; an empty value takes it away.
func with(t *testing.T, name, value string) string {
	t.Helper()
	var o map[string]json.RawMessage
	if err := json.Unmarshal([]byte(goodPhoto), &o); err != nil {
		t.Fatal(err)
	}
	o[name] = json.RawMessage(value)
	if value == "" {
		delete(o, name)
	}
	return toJSON(t, o)
}

func TestAttachmentDialects(t *testing.T) {
	old := `{"name":"a.jpg","mime-type":"image/jpg","file-size":"17","decryption-key":"00` + hexKey + `","mmcs-url":"` + locator + `",` +
		`"mmcs-owner":"M3f.example-owner~1","mmcs-signature-hex":"` + strings.ToUpper(hexSign) + `"}`
	for _, row := range []struct {
		name, attachment, kind string
		bytes                  int64
	}{
		{"that of Apple's pages", goodPhoto, "image/heic", 1834421},
		{"that of the older samples", old, "image/jpg", 17},
		{"both, the first counts", strings.Replace(old, "{", `{"mimeType":"image/png","size":18,"key":"`+hexKey+`",`, 1), "image/png", 18},
		{"a mixture", `{"mime-type":"image/jpeg","size":5,"key":"` + hexKey + `","mmcs-url":"` + locator + `","owner":"M3f.example-owner~1","signature":"` + hexSign + `"}`, "image/jpeg", 5},
	} {
		got := attached(t, "["+row.attachment+"]")
		want := connectors.Photo{Account: businessID, Ref: goodRef(), ClaimedType: row.kind, ClaimedBytes: row.bytes}
		if len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %s, want %s", row.name, toJSON(t, got), toJSON(t, want))
		}
	}
}

func TestAttachmentKey(t *testing.T) {
	zeros := strings.Repeat("0", 64)
	for _, row := range []struct{ name, key, want string }{
		{"66 digits", "00" + hexKey, hexKey},
		{"64 digits, which begin with 00", hexKey, hexKey},
		{"64 digits in capitals", strings.ToUpper(hexKey), hexKey},
		{"66 digits in capitals", "00" + strings.ToUpper(hexKey), hexKey},
		{"66 digits, all of them 0", "00" + zeros, zeros},
		{"64 digits, all of them 0", zeros, zeros},
		{"65 digits", "0" + hexKey, ""},
		{"66 digits that begin otherwise", "01" + hexKey, ""},
		{"62 digits", hexKey[2:], ""},
		{"68 digits", "0000" + hexKey, ""},
		{"64 that are no digits", strings.Repeat("xy", 32), ""},
		{"nothing", "", ""},
	} {
		got := attached(t, "["+with(t, "key", `"`+row.key+`"`)+"]")
		want := goodRef()
		if row.want == "" {
			want = "unreadable"
		} else {
			want = strings.Replace(want, hexKey, row.want, 1)
		}
		if len(got) != 1 || got[0].Ref != want {
			t.Errorf("%s: got %s, want %s", row.name, toJSON(t, got), want)
		}
	}
}

// Which form of the signature is given is told by the member's name alone.
func TestAttachmentSignature(t *testing.T) {
	readable := func(more string) string {
		got := attached(t, "["+strings.Replace(goodPhoto, `"signature":"`+hexSign+`"`, more, 1)+"]")
		if len(got) != 1 {
			t.Fatalf("%s: got %d photos, want 1", more, len(got))
		}
		var ref struct{ Signature string }
		_ = json.Unmarshal([]byte(got[0].Ref), &ref)
		return ref.Signature
	}
	for more, want := range map[string]string{
		`"signature":"` + hexSign + `"`:                                       base64Sig,
		`"signature":"` + strings.ToUpper(hexSign) + `"`:                      base64Sig,
		`"mmcs-signature-hex":"` + hexSign + `"`:                              base64Sig,
		`"signature-base64":"` + base64Sig + `"`:                              base64Sig,
		`"signature-base64":"` + base64Sig + `","signature":"00"`:             base64Sig,
		`"signature-base64":"%","signature":"` + hexSign + `"`:                base64Sig,
		`"signature-base64":"","signature":"` + hexSign + `"`:                 base64Sig,
		`"signature-base64":"` + hexSign[:40] + `"`:                           hexSign[:40], // its name says so
		`"signature":"` + base64Sig + `"`:                                     "",
		`"signature":"` + hexSign + `0"`:                                      "",
		`"signature":""`:                                                      "",
		`"signature":5`:                                                       "",
		`"signature":["` + hexSign + `"]`:                                     "",
		`"signatures":"` + hexSign + `"`:                                      "",
		`"signature":"` + strings.Repeat("81", 4<<10) + `"`:                   "",
		`"signature-base64":"` + base64Sig[:12] + `\n` + base64Sig[12:] + `"`: base64Sig,
	} {
		if got := readable(more); got != want {
			t.Errorf("%.80s: got %q, want %q", more, got, want)
		}
	}
}

func TestAttachmentSize(t *testing.T) {
	for value, want := range map[string]int64{
		`"1834421"`: 1834421, `1834421`: 1834421, `0`: 0, `"0"`: 0, `-5`: 0, `"-5"`: 0, `"big"`: 0, `""`: 0, `null`: 0, `1.5`: 0, `1e3`: 0,
		`[5]`: 0, `{}`: 0, `true`: 0, `99999999999999999999`: 0, `9223372036854775807`: 9223372036854775807, ``: 0, `" 5"`: 0,
	} {
		got := attached(t, "["+with(t, "size", value)+"]")
		if len(got) != 1 || got[0].ClaimedBytes != want || got[0].Ref != goodRef() {
			t.Errorf("size %s: got %s, want %d", value, toJSON(t, got), want)
		}
	}
}

func TestAttachmentTypes(t *testing.T) {
	for _, kind := range []string{
		"image/jpeg", "image/jpg", "image/heic", "image/heif", "image/png", "image/gif", "image/webp", "image/tiff", "IMAGE/JPEG", "image/jpeg; charset=x",
		"application/octet-stream", "binary/octet-stream", "", "jpeg", "image",
	} {
		if got := attached(t, "["+with(t, "mimeType", `"`+kind+`"`)+"]"); len(got) != 1 || got[0].ClaimedType != kind {
			t.Errorf("%q: got %s, want a photo", kind, toJSON(t, got))
		}
	}
	for _, kind := range []string{
		"video/quicktime", "video/mp4", "audio/x-caf", "audio/amr", "application/pdf", "application/vnd.apple.pkpass", "vnd.usdz+zip", "model/vnd.usdz+zip",
		"text/vcard", "text/x-vlocation", "text/calendar", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "Video/QuickTime",
	} {
		if got := attached(t, "["+with(t, "mimeType", `"`+kind+`"`)+"]"); len(got) != 0 {
			t.Errorf("%q: got %s, want no photo", kind, toJSON(t, got))
		}
	}
	for _, odd := range []string{`5`, `null`, `["image/jpeg"]`, `{}`, ``} {
		if got := attached(t, "["+with(t, "mimeType", odd)+"]"); len(got) != 1 || got[0].ClaimedType != "" || got[0].Ref != goodRef() {
			t.Errorf("type %s: got %s, want a photo without one", odd, toJSON(t, got))
		}
	}
	long := attached(t, "["+with(t, "mimeType", `"image/`+strings.Repeat("x", 1000)+`"`)+"]")
	if len(long) != 1 || long[0].ClaimedType != "" {
		t.Errorf("an endless type: got %s, want a photo without one", toJSON(t, long))
	}
}

// Of a live photo the still is taken, in its place.
func TestAttachmentLivePhoto(t *testing.T) {
	film := with(t, "mimeType", `"video/quicktime"`)
	other := with(t, "size", `7`)
	got := attached(t, "["+film+","+goodPhoto+","+film+","+other+"]")
	if len(got) != 2 || got[0].ClaimedBytes != 1834421 || got[1].ClaimedBytes != 7 {
		t.Errorf("got %s, want the two stills in order", toJSON(t, got))
	}
}

// An attachment of which too little can be read harms neither the text nor its
// neighbours, and is one all the same: the agent hears of a photo that was sent.
func TestAttachmentBroken(t *testing.T) {
	broken := []string{`{}`, `null`, `5`, `"x"`, `[]`, `true`, `[` + goodPhoto + `]`}
	for _, name := range []string{"url", "owner", "signature", "key"} {
		for _, value := range []string{``, `""`, `null`, `5`, `[]`, `{}`, `" "`, `"a\r\nAuthorization: x"`, `"\u0000"`, `"` + strings.Repeat("a", 9000) + `"`} {
			broken = append(broken, with(t, name, value))
		}
	}
	for _, bad := range broken {
		got := attached(t, "["+goodPhoto+","+bad+","+goodPhoto+"]")
		if len(got) != 3 || got[0].Ref != goodRef() || got[2].Ref != goodRef() {
			t.Errorf("%.100s: got %s, want three photos", bad, toJSON(t, got))
			continue
		}
		if got[1].Ref != "unreadable" {
			t.Errorf("%.100s: got reference %q, want unreadable", bad, got[1].Ref)
		}
	}
	for _, list := range []string{`5`, `"x"`, `true`, `{}`} {
		if got := attached(t, list); len(got) != 1 || got[0].Ref != "unreadable" {
			t.Errorf("attachments %s: got %s, want one that cannot be read", list, toJSON(t, got))
		}
	}
	if got := attached(t, goodPhoto); len(got) != 1 || got[0].Ref != goodRef() {
		t.Errorf("one attachment without a list: got %s, want it", toJSON(t, got))
	}
}

// Whatever is taken as a reference is known as one again.
func TestAttachmentLongest(t *testing.T) {
	p, c := start(t)
	m := p.Message(said("one", jpeg))
	o := m["attachments"].([]any)[0].(applesim.Object)
	for _, name := range []string{"url", "owner"} {
		o[name] = strings.Repeat("<", 4<<10) // which JSON writes with six characters
	}
	photo := heard(t, c, p, m).Photos[0]
	if photo.Ref == "unreadable" {
		t.Fatal("got a reference that cannot be read")
	}
	var asked string
	p.Wrap(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.Header.Get("url") + r.Header.Get("owner")
			w.WriteHeader(http.StatusNotFound)
		})
	})
	wantKind(t, "the longest reference", fetchError(c, photo), connectors.Gone)
	if want := strings.Repeat("<", 8<<10); asked != want {
		t.Errorf("got %d bytes asked for, want %d", len(asked), len(want))
	}
}

func TestAttachmentMany(t *testing.T) {
	many := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat(goodPhoto+",", n), ",") + "]" }
	if got := attached(t, many(100)); len(got) != 100 {
		t.Errorf("got %d photos, want 100", len(got))
	}
	got := parse(t, withAttachments("look", many(101)))
	if got.Kind != connectors.Broken || len(got.Photos) != 0 {
		t.Errorf("101 photos: got %v with %d, want broken", got.Kind, len(got.Photos))
	}
}

// The key is in the reference, because nothing else tells it, and nowhere else.
func TestAttachmentKeyStaysInside(t *testing.T) {
	e := parse(t, withAttachments("look", "["+goodPhoto+"]"))
	e.Raw, e.Photos[0].Ref = nil, ""
	if text := fmt.Sprintf("%+v", e) + toJSON(t, e); strings.Contains(text, hexKey) {
		t.Error("the key of a photo is in another part of the event than its reference")
	}
}
