package twilio_test

import (
	"reflect"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/twilio"
)

func TestCheck(t *testing.T) {
	account := func(id string) twilio.Account {
		return twilio.Account{Account: config.Account{ID: id, Queue: "support"}}
	}
	key := "SK00000000000000000000000000000001"
	for _, row := range []struct {
		name   string
		change func(*twilio.Config)
		want   []string
	}{
		{"nothing wrong", func(*twilio.Config) {}, nil},
		{"a short code", func(c *twilio.Config) { c.Accounts[0].ID = "12345" }, nil},
		{"no account SID: its tag tells", func(c *twilio.Config) { c.AccountSID = "" }, nil},
		{"account SID with a space", func(c *twilio.Config) { c.AccountSID += " " }, []string{"account_sid"}},
		{"account SID in capitals", func(c *twilio.Config) { c.AccountSID = "ACABCDEF00000000000000000000000001" }, []string{"account_sid"}},
		{"an API key's SID", func(c *twilio.Config) { c.AccountSID = key }, []string{"account_sid"}},
		{"a key and its secret", func(c *twilio.Config) { c.APIKeySID, c.APIKeySecret = key, config.NewSecret("x") }, nil},
		{"a key without its secret", func(c *twilio.Config) { c.APIKeySID = key }, []string{"api_key_secret"}},
		{"a secret without its key", func(c *twilio.Config) { c.APIKeySecret = config.NewSecret("x") }, []string{"api_key_sid"}},
		{"hosts", func(c *twilio.Config) {
			c.MediaHosts = []string{".twiliocdn.com", "s3.example", "127.0.0.1:8080", "localhost:1"}
		}, nil},
		{"bad hosts", func(c *twilio.Config) {
			c.MediaHosts = []string{".com", "", "https://a.example", "a.example/x", "*.a.example", "A.example", ".", "a..example"}
		}, []string{
			"media_hosts[0]", "media_hosts[1]", "media_hosts[2]", "media_hosts[3]",
			"media_hosts[4]", "media_hosts[5]", "media_hosts[6]", "media_hosts[7]",
		}},
		{"a messaging service", func(c *twilio.Config) { c.Accounts[0].MessagingServiceSID = "MG00000000000000000000000000000001" }, nil},
		{"a service that is none", func(c *twilio.Config) { c.Accounts[0].MessagingServiceSID = accountSID }, []string{"accounts[0].messaging_service_sid"}},
		{"a status callback", func(c *twilio.Config) { c.StatusCallback = webhookURL }, nil},
		{"a status callback by http", func(c *twilio.Config) { c.StatusCallback = "http://gateway.example/" }, []string{"status_callback"}},
		{"a status callback nowhere", func(c *twilio.Config) { c.StatusCallback = "https:///webhooks" }, []string{"status_callback"}},
		{"a status callback that cannot be read", func(c *twilio.Config) { c.StatusCallback = "https://%zz" }, []string{"status_callback"}},
		{"a password in the status callback", func(c *twilio.Config) { c.StatusCallback = "https://u:p@gateway.example/" }, []string{"status_callback"}},
		{"bad numbers", func(c *twilio.Config) {
			for _, id := range []string{"whatsapp:+14155550199", "14155550199", "+1 415 555 0199", "+0155550199", "", "rcs:acme", "5550199"} {
				c.Accounts = append(c.Accounts, account(id))
			}
		}, []string{"accounts[1].id", "accounts[2].id", "accounts[3].id", "accounts[4].id", "accounts[5].id", "accounts[6].id", "accounts[7].id"}},
	} {
		c := &twilio.Config{AccountSID: accountSID, Accounts: []twilio.Account{account(number)}}
		row.change(c)
		var got []string
		for _, f := range c.Check() {
			got = append(got, f.Path)
			if f.What == "" || f.Why == "" || f.Fix == "" {
				t.Errorf("%s: got a finding without What, Why or Fix: %+v", row.name, f)
			}
		}
		if !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: got findings at %q, want %q", row.name, got, row.want)
		}
	}
}

func TestConfigAccounts(t *testing.T) {
	c := &twilio.Config{Accounts: []twilio.Account{
		{Account: config.Account{ID: number, Queue: "support"}}, {Account: config.Account{ID: "12345", Name: "short", Queue: "sales"}},
	}}
	list := c.AccountList()
	if len(list) != 2 || list[0].ID != number || list[1].Name != "short" || list[1].Queue != "sales" {
		t.Errorf("got %+v, want both accounts in order", list)
	}
}
