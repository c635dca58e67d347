package line_test

import (
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/line"
)

func TestConfigCheck(t *testing.T) {
	if found := settings().Check(); len(found) != 0 {
		t.Errorf("got %+v for good settings, want nothing", found)
	}
	for _, id := range []string{"", "acme", "@acme", "U", "u0aa1b2c3d4e5f60718293a4b5c6d7e8f", botID + "0", botID + "\n", "C" + botID[1:]} {
		s := settings()
		s.Accounts = append(s.Accounts, line.Account{Account: config.Account{ID: id}})
		found := s.Check()
		if len(found) != 1 || found[0].Path != "accounts[1].id" || found[0].What == "" || found[0].Why == "" || found[0].Fix == "" {
			t.Errorf("id %q: got %+v, want one finding at accounts[1].id", id, found)
		}
	}
}

func TestConfigAccounts(t *testing.T) {
	s := settings()
	s.Accounts = append(s.Accounts, line.Account{Account: config.Account{ID: "U2", Name: "shop", Queue: "sales"}})
	list := s.AccountList()
	if len(list) != 2 || list[0].ID != botID || list[1].Name != "shop" || list[1].Queue != "sales" {
		t.Errorf("got %+v, want both accounts in order", list)
	}
}
