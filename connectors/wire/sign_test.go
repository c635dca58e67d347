package wire

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"net/http"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
)

// signatures are vectors that others have published or computed: LINE's form,
// with escapes and an emoji, and those of Twilio's own test suite.
var signatures = []struct {
	name, secret, message, mac string
	hash                       func() hash.Hash
}{
	{"line", "line-channel-secret-for-tests",
		`{"destination":"U00000000000000000000000000000001","events":[]}`,
		"qUXRbYIaVWxhdk4uqvj+WBlgZ+QCobW9rGoRe6CwvXw=", sha256.New},
	{"line, escapes", "line-channel-secret-for-tests",
		`{"destination":"U00000000000000000000000000000001","events":[{"x":"\u5199\/写📷"}]}`,
		"EXwJaejy7BLu5rj27T365TG5nMDwCqGRR8mdOLtXYf0=", sha256.New},
	{"twilio", "12345",
		"https://mycompany.com/myapp.php?foo=1&bar=2" +
			"CallSidCA1234567890ABCDECaller+14158675309Digits1234From+14158675309To+18005551212",
		"RSOYDt4T1cUTdK1PDd93/VVr8B8=", sha1.New},
}

func decode(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestVerifyMACKnowsPublishedSignatures(t *testing.T) {
	for _, v := range signatures {
		t.Run(v.name, func(t *testing.T) {
			mac, message := decode(t, v.mac), []byte(v.message)
			secrets := config.Secrets{config.NewSecret(v.secret)}
			if !VerifyMAC(v.hash, secrets, message, mac) {
				t.Error("got a refusal of the right signature")
			}
			for i := range mac {
				mac[i] ^= 1
				if VerifyMAC(v.hash, secrets, message, mac) {
					t.Errorf("got consent to a bit flipped in byte %d", i)
				}
				mac[i] ^= 1
			}
			if VerifyMAC(v.hash, secrets, append(message, '\n'), mac) {
				t.Error("got consent to a longer message")
			}
		})
	}
}

func TestVerifyMACTakesEverySecretThatIsValid(t *testing.T) {
	message := []byte("body")
	secret, next := config.NewSecret("old"), config.NewSecret("new")
	mac := func(key string) []byte { return MAC(sha256.New, []byte(key), message) }
	rows := []struct {
		name    string
		secrets config.Secrets
		got     []byte
		want    bool
	}{
		{"first of two", config.Secrets{secret, next}, mac("old"), true},
		{"second of two", config.Secrets{secret, next}, mac("new"), true},
		{"the replaced one", config.Secrets{next}, mac("old"), false},
		{"no secret", nil, mac(""), false},
		{"an empty secret is no secret", config.Secrets{config.NewSecret("")}, mac(""), false},
		{"empty beside a right one", config.Secrets{config.NewSecret(""), next}, mac("new"), true},
		{"no signature", config.Secrets{secret}, nil, false},
		{"half a signature", config.Secrets{secret}, mac("old")[:16], false},
		{"signature and more", config.Secrets{secret}, append(mac("old"), 0), false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := VerifyMAC(sha256.New, row.secrets, message, row.got); got != row.want {
				t.Errorf("got %t, want %t", got, row.want)
			}
		})
	}
}

func TestHeaderIsThereExactlyOnce(t *testing.T) {
	rows := []struct {
		name   string
		header http.Header
		want   string
	}{
		{"once", http.Header{"X-Line-Signature": {"abc"}}, "abc"},
		{"not in canonical form", http.Header{"x-line-signature": {"abc"}}, "abc"},
		{"missing", http.Header{"X-Other": {"abc"}}, ""},
		{"no headers", nil, ""},
		{"empty", http.Header{"X-Line-Signature": {""}}, ""},
		{"no value", http.Header{"X-Line-Signature": {}}, ""},
		{"twice", http.Header{"X-Line-Signature": {"abc", "abc"}}, ""},
		{"empty, then set", http.Header{"X-Line-Signature": {"", "abc"}}, ""},
		{"twice in two spellings", http.Header{"X-Line-Signature": {"abc"}, "x-line-signature": {"abc"}}, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, err := Header(&connectors.Request{Header: row.header}, "x-line-signature")
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			if row.want == "" {
				wantKind(t, err, connectors.Unauthentic)
			} else if err != nil {
				t.Errorf("got %v, want no error", err)
			}
		})
	}
}

func TestSignatureForms(t *testing.T) {
	for _, row := range []struct {
		name, text string
		decode     func(string) ([]byte, error)
		good       bool
	}{
		{"Base64", "AAEC/w==", base64Of4, true},
		{"Base64 with a line break", "AAEC\n/w==", base64Of4, false},
		{"Base64 without padding", "AAEC/w", base64Of4, false},
		{"Base64 of another spelling", "AAEC/x==", base64Of4, false},
		{"Base64 for addresses", "AAEC_w==", base64Of4, false},
		{"Base64 of three bytes", "AAEC", base64Of4, false},
		{"hex", "000102ff", hexOf, true},
		{"hex in capitals", "000102FF", hexOf, false},
		{"hex of half a byte", "000102f", hexOf, false},
		{"no hex", "000102fg", hexOf, false},
	} {
		got, err := row.decode(row.text)
		if row.good && (err != nil || string(got) != "\x00\x01\x02\xff") {
			t.Errorf("%s: got %x, %v", row.name, got, err)
		}
		if !row.good {
			wantKind(t, err, connectors.Unauthentic)
		}
	}
}

func base64Of4(text string) ([]byte, error) { return Base64("x: verify", text, 4) }

func hexOf(text string) ([]byte, error) { return Hex("x: verify", text) }

func TestCheckMAC(t *testing.T) {
	secrets := config.Secrets{config.NewSecret("old")}
	mac := MAC(sha256.New, []byte("old"), []byte("body"))
	if err := CheckMAC("x: verify", sha256.New, secrets, []byte("body"), mac); err != nil {
		t.Errorf("got %v for the right signature", err)
	}
	wantKind(t, CheckMAC("x: verify", sha256.New, secrets, []byte("body "), mac), connectors.Unauthentic)
}

func TestFirst(t *testing.T) {
	if got := First(config.Secrets{config.NewSecret("new"), config.NewSecret("old")}); got.Reveal() != "new" {
		t.Errorf("got %q, want the first", got.Reveal())
	}
	if got := First(nil); !got.IsZero() {
		t.Errorf("got %q of no secrets, want none", got.Reveal())
	}
}

func TestParameterIsThereExactlyOnce(t *testing.T) {
	for query, want := range map[string]string{
		"?a=1": "1", "?b=2&a=%2B+x": "+ x", "?a.b=1&a=2": "2",
		"": "", "?": "", "?b=1": "", "?a": "", "?a=": "", "?a=1&a=1": "", "?a=1&a": "", "?A=1": "", "?a=1&b=%zz": "", "?a=1;b=2": "", "#a=1": "",
	} {
		if got := Parameter(&connectors.Request{URL: "https://gateway.example/x" + query}, "a"); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	if got := Parameter(&connectors.Request{URL: "https://%zz?a=1"}, "a"); got != "" {
		t.Errorf("got %q of an address that cannot be read, want nothing", got)
	}
}
