package apple_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/apple"
)

func newSecret(text string) config.Secret { return config.NewSecret(text) }

func TestConfigCheck(t *testing.T) {
	for _, row := range []struct {
		name, path string
		change     func(c *apple.Config)
	}{
		{"good", "", func(*apple.Config) {}},
		{"two secrets", "", func(c *apple.Config) { c.Secret = append(c.Secret, newSecret("bmV3")) }},
		{"hosts", "", func(c *apple.Config) {
			c.MediaHosts = []string{"content.example.com", ".example.com", "127.0.0.1:8080"}
		}},
		{"an age", "", func(c *apple.Config) { c.MaxTokenAge = config.Duration(time.Minute) }},
		{"no Base64", "secret", func(c *apple.Config) { c.Secret = config.Secrets{newSecret("not-Base64!")} }},
		{"Base64 cut short", "secret", func(c *apple.Config) { c.Secret = config.Secrets{newSecret(secret[:43])} }},
		{"the second no Base64", "secret", func(c *apple.Config) { c.Secret = append(c.Secret, newSecret("%")) }},
		{"line breaks only", "secret", func(c *apple.Config) { c.Secret = config.Secrets{newSecret("\n")} }},
		{"an age below nothing", "max_token_age", func(c *apple.Config) { c.MaxTokenAge = -1 }},
		{"a URL for a host", "media_hosts[0]", func(c *apple.Config) { c.MediaHosts = []string{"https://content.example.com"} }},
		{"all hosts of a country", "media_hosts[1]", func(c *apple.Config) { c.MediaHosts = []string{"a.b", ".com"} }},
		{"a business as in the Messages app", "accounts[0].id", func(c *apple.Config) { c.Accounts[0].ID = "urn:biz:" + businessID }},
		{"no business", "accounts[0].id", func(c *apple.Config) { c.Accounts[0].ID = "" }},
		{"a business with a blank", "accounts[0].id", func(c *apple.Config) { c.Accounts[0].ID = businessID + " x" }},
		{"a business with a line", "accounts[0].id", func(c *apple.Config) { c.Accounts[0].ID = businessID + "\n" }},
	} {
		s := settings()
		row.change(s)
		found := s.Check()
		if row.path == "" && len(found) == 0 {
			continue
		}
		if len(found) != 1 || found[0].Path != row.path || found[0].What == "" || found[0].Why == "" || found[0].Fix == "" {
			t.Errorf("%s: got %+v, want one finding at %q", row.name, found, row.path)
		}
	}
}

func TestConfigAccounts(t *testing.T) {
	s := settings()
	s.Accounts = append(s.Accounts, apple.Account{Account: config.Account{ID: "b2", Name: "shop", Queue: "sales"}})
	list := s.AccountList()
	if len(list) != 2 || list[0].ID != businessID || list[1].Name != "shop" || list[1].Queue != "sales" {
		t.Errorf("got %+v, want both accounts in order", list)
	}
}

func TestNewRefuses(t *testing.T) {
	env := connectors.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now}
	for _, base := range []string{"mspgw.push.apple.com", "https://", "::", "/v1"} {
		s := settings()
		s.APIBase = base
		_, err := apple.New(s, env)
		wantKind(t, "api_base "+base, err, connectors.Misconfigured)
	}
	s := settings()
	s.Secret = config.Secrets{newSecret("not-Base64!")}
	_, err := apple.New(s, env)
	wantKind(t, "a secret that is no Base64", err, connectors.Misconfigured)
	wantQuiet(t, "a secret that is no Base64", err, "not-Base64")
}

// Neither the secret nor its bytes are printed with a connector.
func TestConnectorPrintsNoSecret(t *testing.T) {
	c := connect(t, settings(), time.Now())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, c); strings.Contains(text, secret) || strings.Contains(text, "0123456789abcdef0123456789abcdef") {
			t.Errorf("%s prints the secret", verb)
		}
	}
}
