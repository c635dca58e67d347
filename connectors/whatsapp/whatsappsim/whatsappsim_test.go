package whatsappsim

import "testing"

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
