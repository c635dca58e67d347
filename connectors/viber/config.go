package viber

import (
	"cmp"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
)

// Config is the file of a Viber connector: one bot. Its token does everything,
// and no event names the bot, so there is exactly one account.
type Config struct {
	config.Connector `yaml:",inline"`
	// AuthToken signs the webhooks and opens the API. Viber replaces it at once
	// everywhere; list both while the change is under way, the new one first,
	// because the first one sends.
	AuthToken config.Secrets `yaml:"auth_token" check:"required" why:"no webhook can be verified and nothing sent without auth_token" jsonschema_description:"The bot's token, from More, Settings, Bots, Edit info in its administrator's Viber; a list of two while it is replaced, the new one first."`
	Media     string         `yaml:"media" check:"oneof=open strict" jsonschema_description:"open: photos are fetched from any public host, which some of Viber's phones name. strict: from Viber's own hosts alone, and photos elsewhere are rejected."`
	Accounts  []Account      `yaml:"accounts" check:"required" jsonschema_description:"The one bot."`
}

// Account is the bot.
type Account struct {
	config.Account `yaml:",inline"`
	SenderName     string `yaml:"sender_name" jsonschema_description:"What stands above the bot's messages, at most 28 characters; by default the account's name, or the connector's."`
}

// maxSenderName is how long a sender's name may be.
// https://developers.viber.com/docs/api/rest-bot-api/#general-send-message-parameters
const maxSenderName = 28

// AccountList implements config.Settings.
func (c *Config) AccountList() []config.Account { return config.Accounts(c.Accounts) }

// Check implements config.Settings.
func (c *Config) Check() []config.Finding {
	var found config.Findings
	found.Unless(len(c.Accounts) <= 1, "accounts", "more than one account",
		"a token is one bot's, and no event names the bot that it is for", "give each bot a connector of its own")
	for i, a := range c.Accounts {
		found.Unless(connectors.Length(c.senderName(a)) <= maxSenderName, config.AccountKey(i, "sender_name"), "longer than 28 characters",
			"Viber takes no message with a longer sender's name", "write a shorter sender_name; without one it is the account's name, or the connector's")
	}
	return found
}

// senderName is what stands above a message of this account.
func (c *Config) senderName(a Account) string { return cmp.Or(a.SenderName, a.Name, c.Name) }

// bot is the id of the one account, which stands for all that comes in.
func (c *Config) bot() string {
	if len(c.Accounts) == 0 {
		return ""
	}
	return c.Accounts[0].ID
}
