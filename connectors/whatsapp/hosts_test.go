package whatsapp

import (
	"net/url"
	"testing"

	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/wire"
)

func TestTokenHosts(t *testing.T) {
	tests := []struct {
		base     string
		replaced bool
		address  string
		want     bool
	}{
		{meta.GraphBase, false, "https://graph.facebook.com/v25.0/1", true},
		{meta.GraphBase, false, "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", true},
		{meta.GraphBase, false, "https://LOOKASIDE.fbsbx.com:443/", true},
		{meta.GraphBase, false, "http://lookaside.fbsbx.com/", false},
		{meta.GraphBase, false, "http://graph.facebook.com:443/", false},
		{meta.GraphBase, false, "https://lookaside.fbsbx.com:8443/", false},
		{meta.GraphBase, false, "https://lookaside.fbsbx.com.evil.example/", false},
		{meta.GraphBase, false, "https://evil.example/lookaside.fbsbx.com", false},
		{meta.GraphBase, false, "https://lookaside.fbsbx.com@evil.example/", false},
		{meta.GraphBase, false, "https://www.facebook.com/", false},
		{meta.GraphBase, false, "https://x.lookaside.fbsbx.com/", false},
		{meta.GraphBase, false, "//lookaside.fbsbx.com/", false},
		{meta.GraphBase, false, "/whatsapp_business/attachments/", false},

		{"http://127.0.0.1:4000", true, "http://127.0.0.1:4000/x", true},
		{"http://127.0.0.1:4000", true, "http://127.0.0.1:4001/x", false},
		{"http://127.0.0.1:4000", true, "https://127.0.0.1:4000/x", false},
		{"http://127.0.0.1:4000", true, "http://lookaside.fbsbx.com/x", false},
		{"https://egress.example/meta", true, "https://egress.example/anything", true},
		{"https://egress.example/meta", true, "https://lookaside.fbsbx.com/x", false},
		{"https://egress.example/meta", true, "http://egress.example/x", false},
	}
	for _, test := range tests {
		address, err := url.Parse(test.address)
		if err != nil {
			t.Fatal(err)
		}
		if got := tokenHosts(wire.API{Base: test.base}, test.replaced)(address); got != test.want {
			t.Errorf("with base %s: got %v for %s, want %v", test.base, got, test.address, test.want)
		}
	}
}
