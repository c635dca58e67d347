package whatsapp

import (
	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/meta"
)

// Config is the file of a WhatsApp connector: one Meta app, with the numbers
// whose webhooks it gets.
type Config struct {
	config.Connector `yaml:",inline"`
	meta.App         `yaml:",inline"`
	Accounts         []Account `yaml:"accounts" check:"required" jsonschema_description:"The app's phone numbers."`
}

// Account is one phone number.
type Account struct {
	config.Account `yaml:",inline"`
	WABAID         string `yaml:"waba_id" jsonschema_description:"ID of the WhatsApp Business Account that the number belongs to. With it the account's subscription is set and checked by the program. Write digits in quotes."`
	// AccessToken fetches the photos and sends the answers.
	AccessToken config.Secret `yaml:"access_token" check:"required" why:"no photo can be fetched and nothing sent without access_token" jsonschema_description:"Token of a system user with whatsapp_business_messaging on this number; with whatsapp_business_management too if waba_id is set."`
}

// AccountList implements config.Settings.
func (c *Config) AccountList() []config.Account { return config.Accounts(c.Accounts) }

// Check implements config.Settings.
func (c *Config) Check() []config.Finding {
	found := config.Findings(append(c.App.Check(), config.CheckAccountIDs(meta.Digits, c.AccountList(), "the ID of a WhatsApp phone number",
		`copy "Phone number ID" from the app's dashboard: digits, and no phone number`)...))
	for i, a := range c.Accounts {
		found.Unless(a.WABAID == "" || meta.Digits.MatchString(a.WABAID), config.AccountKey(i, "waba_id"), "not the ID of a WhatsApp Business Account",
			"Meta's calls name it by its ID", `copy "WhatsApp Business Account ID" from the app's dashboard: digits`)
	}
	return found
}
