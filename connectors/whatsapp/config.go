package whatsapp

import (
	"regexp"
	"strconv"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/meta"
)

// Config is the file of a WhatsApp connector: one Meta app, with the numbers
// whose webhooks it gets.
type Config struct {
	config.Connector `yaml:",inline"`
	// AppSecret signs the webhooks. List the old and the new one while it is
	// being replaced.
	AppSecret config.Secrets `yaml:"app_secret" check:"required" why:"no webhook can be verified without app_secret" jsonschema_description:"App secret from the app's dashboard, Settings, Basic; a list of two while it is replaced."`
	// VerifyToken is a text of your own; Meta shows it when it first calls the
	// webhook's address.
	VerifyToken config.Secret `yaml:"verify_token" check:"required" why:"Meta registers no webhook that cannot answer for its verify_token" jsonschema_description:"A text of your own, the same as Verify token in the app's dashboard, WhatsApp, Configuration, Webhook."`
	// AppID is the app's own id. With it the webhook's address can be set and
	// checked by the program.
	AppID string `yaml:"app_id" jsonschema_description:"App ID from the app's dashboard. With it the webhook's address is set and checked by the program. Write digits in quotes."`
	// GraphVersion is the version of the Graph API to call; v25.0 if empty.
	GraphVersion string    `yaml:"graph_version" jsonschema_description:"Version of the Graph API to call, such as v25.0, which is the default."`
	Accounts     []Account `yaml:"accounts" check:"required" jsonschema_description:"The app's phone numbers."`
}

// Account is one phone number.
type Account struct {
	config.Account `yaml:",inline"`
	// WABAID is the WhatsApp Business Account that the number belongs to. With
	// it the account's subscription can be set and checked by the program.
	WABAID string `yaml:"waba_id" jsonschema_description:"ID of the WhatsApp Business Account that the number belongs to. With it the account's subscription is set and checked by the program. Write digits in quotes."`
	// AccessToken fetches the photos and sends the answers.
	AccessToken config.Secret `yaml:"access_token" check:"required" why:"no photo can be fetched and nothing sent without access_token" jsonschema_description:"Token of a system user with whatsapp_business_messaging on this number; with whatsapp_business_management too if waba_id is set."`
}

// digits is the form of Meta's ids of numbers, accounts and apps, and of a phone
// number in its international form.
var digits = regexp.MustCompile(`^[0-9]+$`)

// AccountList implements config.Settings.
func (c *Config) AccountList() []config.Account { return config.Accounts(c.Accounts) }

// Check implements config.Settings.
func (c *Config) Check() []config.Finding {
	found := meta.CheckVersion(c.GraphVersion)
	check := func(path, id, what, field string) {
		if !digits.MatchString(id) {
			found = append(found, config.Finding{
				Path: path,
				What: "not the ID of a " + what,
				Why:  "Meta's messages and calls name it by its ID",
				Fix:  `copy "` + field + `" from the app's dashboard: digits, and no phone number`,
			})
		}
	}
	if c.AppID != "" {
		check("app_id", c.AppID, "Meta app", "App ID")
	}
	for i, a := range c.Accounts {
		path := "accounts[" + strconv.Itoa(i) + "]"
		check(path+".id", a.ID, "WhatsApp phone number", "Phone number ID")
		if a.WABAID != "" {
			check(path+".waba_id", a.WABAID, "WhatsApp Business Account", "WhatsApp Business Account ID")
		}
	}
	return found
}
