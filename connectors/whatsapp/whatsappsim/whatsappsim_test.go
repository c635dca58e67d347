package whatsappsim

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors/sim"
)

// TestSign compares with what openssl dgst -sha256 -hmac app-secret says.
func TestSign(t *testing.T) {
	tests := []struct{ name, body, wire, signature string }{
		{
			"ASCII", `{"object":"whatsapp_business_account","entry":[]}`, `{"object":"whatsapp_business_account","entry":[]}`,
			"sha256=d3e4f9da0ce6c71ab3dba55929b8eeeee2455349e534924ead19f98d143e904f",
		},
		{
			"unicode is escaped and then signed",
			`{"object":"page","entry":[{"id":"1","time":1700000000000,"messaging":[{"sender":{"id":"9"},"recipient":{"id":"1"},"timestamp":1700000000000,"message":{"mid":"m_abc","text":"café 😀"}}]}]}`,
			`{"object":"page","entry":[{"id":"1","time":1700000000000,"messaging":[{"sender":{"id":"9"},"recipient":{"id":"1"},"timestamp":1700000000000,"message":{"mid":"m_abc","text":"caf\u00e9 \ud83d\ude00"}}]}]}`,
			"sha256=08f4cb82c2a3b56389b92cfd3b858b4852c07df7f123994ff56b6b05d4f5cfbc",
		},
	}
	p := Platform{AppSecret: "app-secret"}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := p.Sign("https://gateway.example/", []byte(test.body))
			if got := string(r.Body); got != test.wire {
				t.Errorf("got body %s, want %s", got, test.wire)
			}
			if got := r.Header.Get("X-Hub-Signature-256"); got != test.signature {
				t.Errorf("got signature %s, want %s", got, test.signature)
			}
		})
	}
}

func TestEscape(t *testing.T) {
	tests := []struct{ body, want string }{
		{`{"url":"https://a/b"}`, `{"url":"https:\/\/a\/b"}`},
		{`{"url":"https:\/\/a"}`, `{"url":"https:\/\/a"}`},
		{"\xff", "\xff"},
	}
	for _, test := range tests {
		if got := string(escape([]byte(test.body))); got != test.want {
			t.Errorf("%s: got %s, want %s", test.body, got, test.want)
		}
	}
}

// TestServers checks that Graph and the host of the media are as strict as the
// real ones.
func TestServers(t *testing.T) {
	p, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	one, two := p.Numbers[0], p.AddNumber("shop")
	said := sim.Said{ID: "a", Consumer: "ada", Photos: [][]byte{[]byte("x")}, At: time.Unix(1790000000, 0)}
	image := p.Messages(one, said)[0].(Object)["image"].(Object)
	lookup, address := p.URL+"/v25.0/"+image["id"].(string), image["url"].(string)
	tests := []struct {
		name, address, token string
		want                 int
	}{
		{"look-up", lookup, one.Token, 200},
		{"look-up for its number", lookup + "?phone_number_id=" + one.ID, one.Token, 200},
		{"look-up for another number", lookup + "?phone_number_id=" + two.ID, one.Token, 400},
		{"look-up with another number's token", lookup, two.Token, 400},
		{"look-up without a token", lookup, "", 401},
		{"look-up with a wrong token", lookup, one.Token + "0", 401},
		{"look-up without a version", strings.Replace(lookup, "v25.0", "latest", 1), one.Token, 400},
		{"look-up of nothing", lookup + "0", one.Token, 400},
		{"download", address, one.Token, 200},
		{"download without a token", address, "", 401},
		{"download with another number's token", address, two.Token, 404},
		{"download without a hash", address[:strings.Index(address, "&hash")], one.Token, 404},
		{"download of another medium", strings.Replace(address, "mid=", "mid=0", 1), one.Token, 404},
	}
	for _, test := range tests {
		if got := status(t, test.address, test.token); got != test.want {
			t.Errorf("%s: got HTTP %d, want %d", test.name, got, test.want)
		}
	}
	p.ExpireAddresses()
	if got := status(t, address, one.Token); got != 404 {
		t.Errorf("download from an expired address: got HTTP %d, want 404", got)
	}
}

func status(t *testing.T, address, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = w.Body.Close()
	return w.StatusCode
}
