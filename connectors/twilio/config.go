package twilio

import (
	"encoding/base64"
	"net/url"
	"regexp"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/wire"
)

// Config is the file of a Twilio connector: one account or subaccount, with any
// number of phone numbers.
type Config struct {
	config.Connector `yaml:",inline"`
	// AccountSID is in every webhook, and in the address of every photo.
	AccountSID string `yaml:"account_sid" check:"required" why:"webhooks of every other account are refused" jsonschema_description:"Account SID from the console: AC and 32 hex digits. A subaccount has its own."`
	// AuthToken signs the webhooks, by the primary token only. List both while
	// the other is being promoted, the primary first.
	AuthToken config.Secrets `yaml:"auth_token" check:"required" why:"no webhook can be verified without auth_token" jsonschema_description:"Auth token of that account; a list of two while the other is promoted, the primary first."`
	// APIKeySID and APIKeySecret fetch the photos and send. Without them the account's
	// SID and first token do, which can do everything.
	APIKeySID    string        `yaml:"api_key_sid" jsonschema_description:"API key that fetches the photos and sends, SK and 32 hex digits; without one, the account's SID and token do."`
	APIKeySecret config.Secret `yaml:"api_key_secret" jsonschema_description:"Secret of api_key_sid."`
	// MediaHosts are where Twilio's API may lead to for a photo, names or
	// ".suffix". Twilio documents none; by default they are those seen so far.
	MediaHosts     []string  `yaml:"media_hosts" jsonschema_description:"Hosts that Twilio's API may lead to for a photo, a name or .suffix; by default those seen so far. They are shown no credentials."`
	StatusCallback string    `yaml:"status_callback" jsonschema_description:"Where Twilio tells what became of a message sent to a consumer: this webhook's own public address, https://.../webhooks/twilio/NAME. Without it nobody learns of a message that was not delivered."`
	Accounts       []Account `yaml:"accounts" check:"required" jsonschema_description:"The account's phone numbers."`
}

// Account is one phone number.
type Account struct {
	config.Account `yaml:",inline"`
	// MessagingServiceSID is the service that the number sends by, for its
	// registrations and opt-outs. Without one it sends by itself.
	MessagingServiceSID string `yaml:"messaging_service_sid" jsonschema_description:"Messaging service that the number sends by, MG and 32 hex digits; without one it sends by itself. The service must defer to the sender's webhook."`
}

// An account is named by E.164 or is a short code.
// https://www.twilio.com/docs/glossary/what-e164
var (
	accountSID  = regexp.MustCompile(`^AC[0-9a-f]{32}$`)
	serviceSID  = regexp.MustCompile(`^MG[0-9a-f]{32}$`)
	phoneNumber = regexp.MustCompile(`^(\+[1-9][0-9]{6,14}|[0-9]{5,6})$`)
)

// AccountList implements config.Settings.
func (c *Config) AccountList() []config.Account { return config.Accounts(c.Accounts) }

// Check implements config.Settings.
func (c *Config) Check() []config.Finding {
	found := config.Findings(wire.CheckHosts(c.MediaHosts))
	found.Unless(c.AccountSID == "" || accountSID.MatchString(c.AccountSID), "account_sid", "not the SID of a Twilio account",
		"webhooks of every other account are refused", `copy "Account SID" from the console: AC and 32 hex digits`)
	const alone, why, fix = "only one of api_key_sid and api_key_secret is set", "neither fetches a photo without the other",
		"set both, or none to use account_sid and auth_token"
	found.Unless(c.APIKeySID != "" || c.APIKeySecret.IsZero(), "api_key_sid", alone, why, fix)
	found.Unless(c.APIKeySID == "" || !c.APIKeySecret.IsZero(), "api_key_secret", alone, why, fix)
	found.Unless(c.StatusCallback == "" || isWebhook(c.StatusCallback), "status_callback", "not an https address",
		"Twilio tells there what became of a message", `write this webhook's public address: "https://gateway.example.com/webhooks/twilio/acme"`)
	for i, a := range c.Accounts {
		found.Unless(a.MessagingServiceSID == "" || serviceSID.MatchString(a.MessagingServiceSID), config.AccountKey(i, "messaging_service_sid"),
			"not the SID of a messaging service", "Twilio sends nothing by a service that it does not know",
			`copy "Sid" from the console, Messaging, Services: MG and 32 hex digits`)
	}
	return append(found, config.CheckAccountIDs(phoneNumber, c.AccountList(), "a phone number in E.164 form, nor a short code",
		`write it with its plus and in quotes: "+14155550199"; WhatsApp and RCS do not come in here`)...)
}

func isWebhook(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil
}

func (c *Config) mediaHosts() []string {
	if len(c.MediaHosts) > 0 {
		return c.MediaHosts
	}
	return []string{".twiliocdn.com", "s3-external-1.amazonaws.com"}
}

// basicAuth returns the Authorization header for Twilio's API.
func (c *Config) basicAuth() string {
	user, password := c.APIKeySID, c.APIKeySecret
	if user == "" {
		user, password = c.AccountSID, wire.First(c.AuthToken)
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password.Reveal()))
}
