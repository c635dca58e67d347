package whatsapp

import (
	"cmp"
	"regexp"
	"strconv"

	"github.com/lightlock/lightlock/config"
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
	// GraphVersion is the version of the Graph API to call; v25.0 if empty.
	GraphVersion string    `yaml:"graph_version" jsonschema_description:"Version of the Graph API to call, such as v25.0, which is the default."`
	Accounts     []Account `yaml:"accounts" check:"required" jsonschema_description:"The app's phone numbers."`
}

// Account is one phone number.
type Account struct {
	config.Account `yaml:",inline"`
	// AccessToken fetches the photos.
	AccessToken config.Secret `yaml:"access_token" check:"required" why:"no photo can be fetched without access_token" jsonschema_description:"Token of a system user with whatsapp_business_messaging on this number."`
}

// defaultVersion was the newest one when this channel was written. Meta keeps
// a version for two years at least.
const defaultVersion = "v25.0"

var (
	graphVersion = regexp.MustCompile(`^v[0-9]+\.[0-9]+$`)
	// phoneNumberID is the form of metadata.phone_number_id.
	phoneNumberID = regexp.MustCompile(`^[0-9]+$`)
)

// AccountList implements config.Settings.
func (c *Config) AccountList() []config.Account {
	list := make([]config.Account, len(c.Accounts))
	for i, a := range c.Accounts {
		list[i] = a.Account
	}
	return list
}

// Check implements config.Settings.
func (c *Config) Check() []config.Finding {
	var found []config.Finding
	if !graphVersion.MatchString(c.version()) {
		found = append(found, config.Finding{
			Path: "graph_version",
			What: "not a version of the Graph API",
			Why:  "it is part of every address that is called",
			Fix:  "write it like " + defaultVersion + ", or leave it out",
		})
	}
	for i, a := range c.Accounts {
		if !phoneNumberID.MatchString(a.ID) {
			found = append(found, config.Finding{
				Path: "accounts[" + strconv.Itoa(i) + "].id",
				What: "not the ID of a WhatsApp phone number",
				Why:  "messages name the number by it",
				Fix:  `copy "Phone number ID" from the app's WhatsApp page: digits, and not the number itself`,
			})
		}
	}
	return found
}

// version returns the version of the Graph API to call.
func (c *Config) version() string { return cmp.Or(c.GraphVersion, defaultVersion) }
