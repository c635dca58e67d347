package messenger

import (
	"slices"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/wire"
)

// Config is the file of a Messenger connector: one Meta app, with the Pages
// whose webhooks it gets.
type Config struct {
	config.Connector `yaml:",inline"`
	meta.App         `yaml:",inline"`
	// MediaHosts are where photos may lie, names or ".suffix". Meta documents
	// none; by default they are those seen so far.
	MediaHosts []string  `yaml:"media_hosts" jsonschema_description:"Hosts that photos may be fetched from, a name or .suffix; by default .fbcdn.net and .fbsbx.com. They are shown no credentials."`
	Accounts   []Account `yaml:"accounts" check:"required" jsonschema_description:"The Pages that have installed the app."`
}

// Account is one Page.
type Account struct {
	config.Account `yaml:",inline"`
	// PageAccessToken sends for the Page, and finds photos whose address is
	// over.
	PageAccessToken config.Secret `yaml:"page_access_token" check:"required" why:"nothing can be sent without page_access_token" jsonschema_description:"Page access token with pages_messaging; one of a system user does not expire."`
}

// AccountList implements config.Settings.
func (c *Config) AccountList() []config.Account { return config.Accounts(c.Accounts) }

// Check implements config.Settings.
func (c *Config) Check() []config.Finding {
	return slices.Concat(c.App.Check(), wire.CheckHosts(c.MediaHosts), config.CheckAccountIDs(meta.Digits, c.AccountList(), "the ID of a Facebook Page",
		`copy "Page ID" from the Page, About, Page transparency: digits, in quotes, and not the name`))
}

func (c *Config) mediaHosts() []string {
	if len(c.MediaHosts) > 0 {
		return c.MediaHosts
	}
	return []string{".fbcdn.net", ".fbsbx.com"}
}
