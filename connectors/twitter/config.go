package twitter

import (
	"regexp"

	"github.com/lightlock/lightlock/config"
)

// The products by which X delivers direct messages.
const (
	apiActivity        = "activity"
	apiAccountActivity = "account_activity"
)

// Config is the file of an X connector: one app, with the accounts whose
// messages it gets.
type Config struct {
	config.Connector `yaml:",inline"`
	// ConsumerKey names the app in OAuth 1.0a.
	ConsumerKey config.Secret `yaml:"consumer_key" check:"required" why:"no request can be signed without consumer_key" jsonschema_description:"API key of the app, from its page in the X developer console, Keys and tokens."`
	// ConsumerSecret signs the webhooks, answers X's checks and signs requests.
	// While it is being replaced list the new one first: the first one signs,
	// all of them verify.
	ConsumerSecret config.Secrets `yaml:"consumer_secret" check:"required" why:"no webhook can be verified without consumer_secret" jsonschema_description:"API key secret of the app, beside its API key; a list of two while it is replaced, the new one first."`
	// BearerToken is the app's own and manages its webhook. Without it that is
	// tried with the account's OAuth 1.0a token.
	BearerToken config.Secret `yaml:"bearer_token" jsonschema_description:"Bearer token of the app, beside its API key. It registers the webhook."`
	// API is the product that is registered with; webhooks of both are read.
	API         string    `yaml:"api" check:"oneof=activity account_activity" jsonschema_description:"The product that the webhook is registered with: activity (the X Activity API) or account_activity (its predecessor)."`
	SourceAppID string    `yaml:"source_app_id" jsonschema_description:"App ID, from the app's page in the X developer console. What this app has sent is never taken for a consumer's message. Write digits in quotes."`
	Accounts    []Account `yaml:"accounts" check:"required" jsonschema_description:"The X accounts that have authorised the app."`
}

// Account is one X account. It has either the two halves of an OAuth 1.0a
// access token or an OAuth 2.0 user token.
type Account struct {
	config.Account    `yaml:",inline"`
	AccessToken       config.Secret `yaml:"access_token" jsonschema_description:"OAuth 1.0a access token of the account, with permission to read and write direct messages."`
	AccessTokenSecret config.Secret `yaml:"access_token_secret" jsonschema_description:"The secret that belongs to access_token."`
	OAuth2Token       config.Secret `yaml:"oauth2_token" jsonschema_description:"OAuth 2.0 user token with dm.read, dm.write, tweet.read and users.read, instead of access_token. X lets it expire after two hours."`
}

// userID is the form of X's ids of accounts, consumers and apps: 64-bit
// integers.
// https://docs.x.com/fundamentals/x-ids
var userID = regexp.MustCompile(`^[0-9]{1,20}$`)

// AccountList implements config.Settings.
func (c *Config) AccountList() []config.Account { return config.Accounts(c.Accounts) }

// Check implements config.Settings.
func (c *Config) Check() []config.Finding {
	var found config.Findings
	found.Unless(c.SourceAppID == "" || userID.MatchString(c.SourceAppID), "source_app_id", "not the id of an X app",
		"messages name the app that sent them by it", "copy App ID from the app's page in the X developer console: digits")
	for i, a := range c.Accounts {
		found.Unless(userID.MatchString(a.ID), config.AccountKey(i, "id"), "not the user id of an X account", "events name the account by it",
			"write the number in front of the dash in the account's access token, and not its @name")
		const why = "no photo can be fetched and nothing can be sent without the account's token"
		const fix = "add access_token and access_token_secret, from the app's page in the X developer console, or oauth2_token"
		oauth1, secret, oauth2 := !a.AccessToken.IsZero(), !a.AccessTokenSecret.IsZero(), !a.OAuth2Token.IsZero()
		found.Unless(!oauth2 || !oauth1 && !secret, config.AccountKey(i, "oauth2_token"), "beside an OAuth 1.0a token",
			"only one of the two would be used", "leave out oauth2_token, or access_token and access_token_secret")
		found.Unless(oauth1 || oauth2, config.AccountKey(i, "access_token"), "missing", why, fix)
		found.Unless(secret || oauth2 || !oauth1, config.AccountKey(i, "access_token_secret"), "missing", why, fix)
	}
	return found
}
