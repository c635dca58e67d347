package line

import (
	"regexp"

	"github.com/lightlock/lightlock/config"
)

// Config is the file of a LINE connector. A LINE channel is one bot, so it
// usually has one account.
type Config struct {
	config.Connector `yaml:",inline"`
	// ChannelSecret signs the webhooks. A reissued one replaces the old at
	// once; list both while the change is under way.
	ChannelSecret config.Secrets `yaml:"channel_secret" check:"required" why:"no webhook can be verified without channel_secret" jsonschema_description:"Channel secret from the channel's Basic settings; a list of two while it is replaced."`
	Accounts      []Account      `yaml:"accounts" check:"required"`
}

// Account is one bot.
type Account struct {
	config.Account `yaml:",inline"`
	// ChannelAccessToken fetches the photos and sends.
	ChannelAccessToken config.Secret `yaml:"channel_access_token" check:"required" why:"no photo can be fetched without channel_access_token" jsonschema_description:"Long-lived channel access token from the Messaging API tab."`
}

// botID is the form of the id in a webhook's "destination".
// https://developers.line.biz/en/reference/messaging-api/#request-body
var botID = regexp.MustCompile(`^U[0-9a-f]{32}$`)

// AccountList implements config.Settings.
func (c *Config) AccountList() []config.Account { return config.Accounts(c.Accounts) }

// bearer is the Authorization header of every call.
func (a Account) bearer() string { return "Bearer " + a.ChannelAccessToken.Reveal() }

// Check implements config.Settings.
func (c *Config) Check() []config.Finding {
	return config.CheckAccountIDs(botID, c.AccountList(), "the user ID of a LINE bot",
		"take userId from GET https://api.line.me/v2/bot/info, called with the channel access token: U and 32 hex digits")
}
