package twitter_test

import (
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/twitter"
)

func TestConfigCheck(t *testing.T) {
	token := config.NewSecret("x")
	for name, row := range map[string]struct {
		change func(*twitter.Config, *twitter.Account)
		path   string
	}{
		"as it should be": {func(*twitter.Config, *twitter.Account) {}, ""},
		"no app id":       {func(c *twitter.Config, _ *twitter.Account) { c.SourceAppID = "" }, ""},
		"OAuth 2.0": {func(_ *twitter.Config, a *twitter.Account) {
			*a = twitter.Account{Account: a.Account, OAuth2Token: token}
		}, ""},
		"an app id of words":    {func(c *twitter.Config, _ *twitter.Account) { c.SourceAppID = "my app" }, "source_app_id"},
		"no id":                 {func(_ *twitter.Config, a *twitter.Account) { a.ID = "" }, "accounts[1].id"},
		"a handle":              {func(_ *twitter.Config, a *twitter.Account) { a.ID = "@acme" }, "accounts[1].id"},
		"an id with a line end": {func(_ *twitter.Config, a *twitter.Account) { a.ID = accountID + "\n" }, "accounts[1].id"},
		"an access token":       {func(_ *twitter.Config, a *twitter.Account) { a.ID = accountID + "-x" }, "accounts[1].id"},
		"too many digits":       {func(_ *twitter.Config, a *twitter.Account) { a.ID = accountID + "00" }, "accounts[1].id"},
		"no token":              {func(_ *twitter.Config, a *twitter.Account) { *a = twitter.Account{Account: a.Account} }, "accounts[1].access_token"},
		"half a token":          {func(_ *twitter.Config, a *twitter.Account) { a.AccessTokenSecret = config.Secret{} }, "accounts[1].access_token_secret"},
		"the other half":        {func(_ *twitter.Config, a *twitter.Account) { a.AccessToken = config.Secret{} }, "accounts[1].access_token"},
		"both kinds of token":   {func(_ *twitter.Config, a *twitter.Account) { a.OAuth2Token = token }, "accounts[1].oauth2_token"},
		"both, one of them half": {func(_ *twitter.Config, a *twitter.Account) {
			a.OAuth2Token, a.AccessToken = token, config.Secret{}
		}, "accounts[1].oauth2_token"},
	} {
		s := settings()
		s.Accounts = append(s.Accounts, s.Accounts[0])
		row.change(s, &s.Accounts[1])
		found := s.Check()
		switch {
		case row.path == "" && len(found) != 0:
			t.Errorf("%s: got %+v, want nothing", name, found)
		case row.path != "" && (len(found) != 1 || found[0].Path != row.path || found[0].What == "" || found[0].Why == "" || found[0].Fix == ""):
			t.Errorf("%s: got %+v, want one finding at %s", name, found, row.path)
		}
	}
}

func TestConfigAccounts(t *testing.T) {
	s := settings()
	s.Accounts = append(s.Accounts, twitter.Account{Account: config.Account{ID: "2", Name: "shop", Queue: "sales"}})
	list := s.AccountList()
	if len(list) != 2 || list[0].ID != accountID || list[1].Name != "shop" || list[1].Queue != "sales" {
		t.Errorf("got %+v, want both accounts in order", list)
	}
}

func TestNewRefusesBase(t *testing.T) {
	for _, base := range []string{"x", "::", "/path", "https://"} {
		s := settings()
		s.APIBase = base
		_, err := twitter.New(s, connectors.Env{Now: now})
		wantKind(t, "api_base "+base, err, connectors.Misconfigured)
	}
}
