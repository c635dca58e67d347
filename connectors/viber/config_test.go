package viber_test

import (
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/viber"
)

func TestConfigCheck(t *testing.T) {
	account := func(id, name, sender string) viber.Account {
		return viber.Account{Account: config.Account{ID: id, Name: name, Queue: "support"}, SenderName: sender}
	}
	for _, row := range []struct {
		name     string
		accounts []viber.Account
		path     string
	}{
		{"good settings", settings().Accounts, ""},
		{"no account, which the tag finds", nil, ""},
		{"a sender of 28 characters", []viber.Account{account(botID, "", strings.Repeat("Ж", 28))}, ""},
		{"a sender of 29 characters", []viber.Account{account(botID, "", strings.Repeat("Ж", 29))}, "accounts[0].sender_name"},
		{"a sender of 15 emoji, which are 30", []viber.Account{account(botID, "", strings.Repeat("📷", 15))}, "accounts[0].sender_name"},
		{"a long account name as sender", []viber.Account{account(botID, strings.Repeat("a", 29), "")}, "accounts[0].sender_name"},
		{"a long account name and a sender", []viber.Account{account(botID, strings.Repeat("a", 29), "Acme")}, ""},
		{"two accounts", []viber.Account{account("a", "a", ""), account("b", "b", "")}, "accounts"},
	} {
		s := settings()
		s.Accounts = row.accounts
		found := s.Check()
		if row.path == "" {
			if len(found) != 0 {
				t.Errorf("%s: got %+v, want nothing", row.name, found)
			}
			continue
		}
		if len(found) != 1 || found[0].Path != row.path || found[0].What == "" || found[0].Why == "" || found[0].Fix == "" {
			t.Errorf("%s: got %+v, want one finding at %s", row.name, found, row.path)
		}
	}
	s := settings()
	s.Name = strings.Repeat("a", 29)
	if found := s.Check(); len(found) != 1 || found[0].Path != "accounts[0].sender_name" {
		t.Errorf("a long connector name as sender: got %+v, want one finding at accounts[0].sender_name", found)
	}
}

func TestConfigAccounts(t *testing.T) {
	list := settings().AccountList()
	if len(list) != 1 || list[0].ID != botID || list[0].Queue != "support" {
		t.Errorf("got %+v, want the account", list)
	}
}
