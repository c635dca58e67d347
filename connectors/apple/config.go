package apple

import (
	"encoding/base64"
	"strings"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// Config is the file of an Apple connector: one messaging service provider
// (MSP), with the businesses that it speaks for.
type Config struct {
	config.Connector `yaml:",inline"`
	MSPID            string         `yaml:"msp_id" check:"required" why:"tokens that Apple made for another provider are refused" jsonschema_description:"MSP ID from Apple Business Register."`
	Secret           config.Secrets `yaml:"secret" check:"required" why:"no webhook can be verified without secret" jsonschema_description:"Secret of the MSP from Apple Business Register, in Base64 as it is shown there; a list of two while it is replaced, first the one that signs our own calls."`
	// MaxTokenAge is how old a token of Apple's may be. Apple says nothing of
	// it, so it is a setting.
	MaxTokenAge config.Duration `yaml:"max_token_age" jsonschema_description:"How old a token on a webhook may be; 1h by default."`
	// MediaHosts are where Apple may lead to for a photo, names or ".suffix".
	// Apple documents none.
	MediaHosts []string  `yaml:"media_hosts" jsonschema_description:"Hosts that Apple may lead to for a photo, a name or .suffix; by default those of iCloud and Apple. They are shown no credentials."`
	Accounts   []Account `yaml:"accounts" check:"required" jsonschema_description:"The businesses that the MSP speaks for."`
}

// Account is one business.
type Account struct {
	config.Account `yaml:",inline"`
}

// AccountList implements config.Settings.
func (c *Config) AccountList() []config.Account { return config.Accounts(c.Accounts) }

// Check implements config.Settings.
func (c *Config) Check() []config.Finding {
	found := config.Findings(wire.CheckHosts(c.MediaHosts))
	keys, err := c.keys()
	found.Unless(err == nil && len(keys) == len(c.Secret), "secret", "not Base64", "its bytes sign the tokens, and not its text",
		"copy the secret of the MSP from Apple Business Register as it is shown, with the = at its end")
	found.Unless(c.MaxTokenAge >= 0, "max_token_age", "less than nothing", "every webhook would be refused",
		`write a time such as "1h", or leave it out`)
	for i, a := range c.Accounts {
		found.Unless(fits(a.ID) && !strings.ContainsAny(a.ID, " \t") && a.ID == businessID(a.ID), config.AccountKey(i, "id"), "not the ID of a business",
			"messages name the business by it", `copy "Business ID" from Apple Business Register, without urn:biz: before it`)
	}
	return found
}

func (c *Config) mediaHosts() []string {
	if len(c.MediaHosts) > 0 {
		return c.MediaHosts
	}
	return []string{".icloud-content.com", ".icloud.com", ".apple.com"}
}

// keys returns the bytes that the secrets stand for. Apple shows them in Base64,
// and the text itself signs nothing.
func (c *Config) keys() (config.Secrets, error) {
	var keys config.Secrets
	for _, secret := range c.Secret {
		key, err := base64.StdEncoding.DecodeString(secret.Reveal())
		if err != nil {
			return nil, connectors.Errorf(connectors.Misconfigured, "apple: secret", "not Base64")
		}
		if len(key) > 0 { // an empty key is one that everybody has
			keys = append(keys, config.NewSecret(string(key)))
		}
	}
	return keys, nil
}
