package messenger

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/meta"
)

// Config is the file of a Messenger connector: one Meta app, with the Pages
// whose webhooks it gets.
type Config struct {
	config.Connector `yaml:",inline"`
	// AppSecret signs the webhooks. List the old and the new one while it is
	// being replaced.
	AppSecret config.Secrets `yaml:"app_secret" check:"required" why:"no webhook can be verified without app_secret" jsonschema_description:"App secret from the app's dashboard, Settings, Basic; a list of two while it is replaced."`
	// VerifyToken is a text of your own; Meta shows it when it first calls the
	// webhook's address.
	VerifyToken config.Secret `yaml:"verify_token" check:"required" why:"Meta registers no webhook that cannot answer for its verify_token" jsonschema_description:"A text of your own, the same as Verify Token in the app's dashboard, Messenger, Webhooks."`
	// AppID lets the webhook's address be checked and registered; without it,
	// only the Pages' part in it is.
	AppID string `yaml:"app_id" jsonschema_description:"App ID from the app's dashboard: with it, the webhook's address can be checked and registered, too."`
	// GraphVersion is the version of the Graph API to call; v25.0 if empty.
	GraphVersion string `yaml:"graph_version" jsonschema_description:"Version of the Graph API to call, such as v25.0, which is the default."`
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

var (
	decimal   = regexp.MustCompile(`^[0-9]+$`)
	mediaHost = regexp.MustCompile(`^(([a-z0-9-]+\.)*[a-z0-9-]+|(\.[a-z0-9-]+){2,})(:[0-9]{1,5})?$`)
)

// AccountList implements config.Settings.
func (c *Config) AccountList() []config.Account { return config.Accounts(c.Accounts) }

// Check implements config.Settings.
func (c *Config) Check() []config.Finding {
	found := meta.CheckVersion(c.GraphVersion)
	check := func(ok bool, f config.Finding) {
		if !ok {
			found = append(found, f)
		}
	}
	check(c.AppID == "" || decimal.MatchString(c.AppID), config.Finding{
		Path: "app_id",
		What: "not the ID of a Meta app",
		Why:  "the webhook is registered with the app of this ID",
		Fix:  `copy "App ID" from the app's dashboard: digits, in quotes`,
	})
	for i, host := range c.MediaHosts {
		check(mediaHost.MatchString(host), config.Finding{
			Path: "media_hosts[" + strconv.Itoa(i) + "]",
			What: "neither a host name in lower case nor a suffix of two parts or more",
			Why:  "photos are fetched from these hosts and no others",
			Fix:  `write "media.example.com", or ".example.com" for all names below it`,
		})
	}
	for i, a := range c.Accounts {
		check(decimal.MatchString(a.ID), config.Finding{
			Path: "accounts[" + strconv.Itoa(i) + "].id",
			What: "not the ID of a Facebook Page",
			Why:  "messages name the Page by it",
			Fix:  `copy "Page ID" from the Page, About, Page transparency: digits, in quotes, and not the name`,
		})
	}
	return found
}

func (c *Config) mediaHosts() []string {
	if len(c.MediaHosts) > 0 {
		return slices.Clone(c.MediaHosts)
	}
	return []string{".fbcdn.net", ".fbsbx.com"}
}
