package wire

import (
	"net/url"
	"strings"
	"testing"
)

func TestHostList(t *testing.T) {
	allowed := HostList("API.example.com", "files.example.com:8443", ".cdn.example.com",
		".edge.example.com:444", "[2001:db8::1]:9000", "127.0.0.1:8080", "xn--bcher-kva.example", "", ".")
	rows := []struct {
		url  string
		want bool
	}{
		{"https://api.example.com/x", true},
		{"https://Api.Example.COM./x", true},
		{"https://api.example.com:443/x", true},
		{"http://api.example.com/x", true},
		{"http://api.example.com:80/x", true},
		{"http://api.example.com:443/x", false},
		{"https://api.example.com:80/x", false},
		{"https://api.example.com:8443/x", false},
		{"https://evil-api.example.com/", false},
		{"https://x.api.example.com/", false},
		{"https://api.example.com.evil.test/", false},
		{"https://api.example.com@evil.test/", false},
		{"https://files.example.com/", false},
		{"https://files.example.com:8443/", true},
		{"https://mms.cdn.example.com/", true},
		{"https://a.b.CDN.example.com./", true},
		{"https://cdn.example.com/", false},
		{"https://.cdn.example.com/", false},
		{"https://evilcdn.example.com/", false},
		{"https://a.edge.example.com:444/", true},
		{"https://a.edge.example.com/", false},
		{"http://[2001:DB8::1]:9000/", true},
		{"http://127.0.0.1:8080/", true},
		{"http://127.0.0.1:8081/", false},
		{"https://xn--bcher-kva.example/", true},
		{"https://bücher.example/", false},
		{"ftp://api.example.com/", false},
		{"https:///x", false},
		{"https://./", false},
		{"https://../", false},
	}
	for _, row := range rows {
		if got := allowed(mustParse(t, row.url)); got != row.want {
			t.Errorf("%s: got %t, want %t", row.url, got, row.want)
		}
	}
	if HostList()(mustParse(t, "https://api.example.com/")) {
		t.Error("an empty list allows a host")
	}
}

// FuzzHostList looks for an address that passes both judgements and is not
// below the one name that is allowed.
func FuzzHostList(f *testing.F) {
	for _, seed := range []string{
		"https://a.example.com/", "https://a.example.com@b.test", "https://b.test#.example.com",
		"https://b.test\\.example.com", "https://b.test%2f.example.com", "https://b。example.com",
		"https://a.example.com:443:80/", "https://[::1%25.example.com]/",
	} {
		f.Add(seed)
	}
	client, allowed := NewClient(Options{}), HostList(".example.com")
	f.Fuzz(func(t *testing.T, address string) {
		u, err := url.Parse(address)
		if err != nil || client.judge(u) != "" || !allowed(u) {
			return
		}
		name, found := strings.CutSuffix(strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), ".example.com")
		if !found || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
			t.Errorf("%q passes as host %q", address, u.Host)
		}
		if u.User != nil || u.Scheme != "https" || u.Port() != "" && u.Port() != "443" {
			t.Errorf("%q passes", address)
		}
	})
}

func TestHostOfPrintsHostsOnly(t *testing.T) {
	rows := []struct{ url, want string }{
		{"https://user:pass@API.example.com/path?query", "api.example.com"},
		{"https://api.example.com:443/", "api.example.com"},
		{"https://api.example.com:8443/", "api.example.com:8443"},
		{"http://[::1]:80/", "::1"},
		{"http://[::1]:81/", "[::1]:81"},
		{"https://" + strings.Repeat("a", 300) + "/", "(no valid host)"},
		{"https://token=secret/", "(no valid host)"},
		{"/only/a/path", "(no valid host)"},
	}
	for _, row := range rows {
		if got := hostOf(mustParse(t, row.url)); got != row.want {
			t.Errorf("%s: got %q, want %q", row.url, got, row.want)
		}
	}
}
