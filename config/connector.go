package config

// Connector is what the files of all connectors have in common. A channel's
// settings embed it with `yaml:",inline"`.
type Connector struct {
	// Channel is the platform, such as line or whatsapp.
	Channel string `yaml:"channel" check:"required" why:"the channel says which keys the rest of the file may have" jsonschema_description:"The platform: apple, line, messenger, twilio, twitter, viber or whatsapp."`
	// Name tells connectors of one channel apart; it is part of the webhook's
	// address.
	Name string `yaml:"name" check:"required,label" why:"the webhook's address ends with it: /webhooks/CHANNEL/NAME" jsonschema_description:"Tells connectors of one channel apart; the webhook's address is /webhooks/CHANNEL/NAME."`
	// APIBase replaces the platform's API addresses, for a simulated platform
	// or an egress proxy.
	APIBase string `yaml:"api_base" jsonschema_description:"Replaces the platform's API addresses, for a simulated platform or an egress proxy."`
	// Registration says what becomes of a webhook that the platform has no
	// longer on record; empty means "check".
	Registration string `yaml:"registration" check:"oneof=check repair off" jsonschema_description:"check: once an hour the platform is asked whether it still sends its webhooks here, and /readyz says so if not. repair: they are registered again, too. off: it is not asked."`
	// AllowPrivateAddresses lets this connector call http and addresses that
	// are not public. It is named in the log at every start.
	AllowPrivateAddresses bool `yaml:"allow_private_addresses" jsonschema_description:"Lets this connector call http and addresses that are not public. For tests."`
}

// Account is one business's presence behind a connector. A channel's account
// settings embed it with `yaml:",inline"`.
type Account struct {
	// ID is the platform's own id of the account, as it stands in its events.
	ID string `yaml:"id" check:"required" why:"events name the account by it" jsonschema_description:"The platform's own id of the account, as it stands in its events. Write digits in quotes."`
	// Name tells accounts of one connector apart; a single one needs none.
	Name string `yaml:"name" check:"label" jsonschema_description:"Tells accounts of one connector apart; a single one needs none."`
	// Queue is the agents' queue for this account's messages.
	Queue string `yaml:"queue" check:"required,label" why:"the agents' software takes this account's messages from it" jsonschema_description:"The agents' queue for this account's messages."`
	// Notices overrides the gateway's notices for this account.
	Notices Notices `yaml:"notices" jsonschema_description:"What is different for this account's notices."`
	// Photos overrides the gateway's photos for this account.
	Photos Photos `yaml:"photos" jsonschema_description:"What is different for this account's photos."`
}

// Base returns what all accounts have in common, for every struct that embeds
// Account.
func (a Account) Base() Account { return a }

// Accounts returns the common part of a channel's own accounts, in their order.
func Accounts[A interface{ Base() Account }](own []A) []Account {
	list := make([]Account, len(own))
	for i, a := range own {
		list[i] = a.Base()
	}
	return list
}

// FindAccount returns the account with the platform's id.
func FindAccount[A interface{ Base() Account }](own []A, id string) (A, bool) {
	for _, a := range own {
		if a.Base().ID == id {
			return a, true
		}
	}
	var none A
	return none, false
}

// Settings is a connector's file, decoded. Load itself checks what lies in
// Connector and Account; the accounts' key is always "accounts".
type Settings interface {
	// Common returns the part that all connectors share.
	Common() *Connector
	// AccountList returns the accounts behind this connector, in the file's
	// order.
	AccountList() []Account
	// Check returns what the struct's tags cannot say. Each problem names the
	// key's path, such as "accounts[0].id", by which its place is found. It is
	// also called on settings with gaps where the file is wrong; what it finds
	// about a value that already has a problem is left out.
	Check() []Finding
}

// Prototypes make the empty settings of each channel, by the channel's name, to
// decode a connector's file into. What they have set is the default.
type Prototypes map[string]func() Settings

// Finding is something wrong with one value, named by its path in the file.
type Finding struct {
	// Path is the key's path, such as "accounts[0].id".
	Path string
	// What is wrong, Why it matters and the Fix, each half a sentence. The
	// report puts the path before What.
	What, Why, Fix string
}

// FullName returns the connector's full name, channel/name, as logs and metrics
// show it.
func (c *Connector) FullName() string { return c.Channel + "/" + c.Name }

// Common implements Settings for every struct that embeds Connector.
func (c *Connector) Common() *Connector { return c }
