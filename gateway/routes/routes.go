// Package routes knows who is behind which address: the connectors that the
// configuration asks for, each with its accounts and what the operator has set
// for them.
//
// It promises that an account is found by the platform's id and never by a
// configured name, so that a message outlives a renamed connector.
package routes

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/media"
)

// Route is one connector with what the operator has set for it.
type Route struct {
	// Name is channel/name, as in "line/acme".
	Name string
	// URL is the address that is registered with the platform, without query.
	URL       string
	Channel   connectors.Channel
	Connector connectors.Connector
	// Accounts are in the order of the connector's file; there is at least one.
	Accounts []Account
	// Registration is check, repair or off, as config.Connector has it.
	Registration string
}

// Account is one business's presence behind a connector.
type Account struct {
	// ID is the platform's.
	ID string
	// Name is the connector's, or channel/connector/account where a connector
	// has several.
	Name    string
	Queue   string
	Enabled bool
	Photos  media.Settings
	Notices config.Notices
}

// Table is all connectors of a gateway.
type Table struct{ list []*Route }

// New builds the connectors that the configuration asks for.
func New(loaded *config.Loaded, channels []connectors.Channel, env connectors.Env) (*Table, error) {
	table := &Table{}
	if name, twice := namedTwice(channels); twice {
		return nil, fmt.Errorf("two channels are named %s", name)
	}
	for _, settings := range loaded.Connectors {
		common := settings.Common()
		channel, ok := channelOf(channels, common.Channel)
		if !ok {
			return nil, fmt.Errorf("%s: no such channel", common.FullName())
		}
		connector, err := channel.New(settings, env)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", common.FullName(), err)
		}
		table.list = append(table.list, &Route{
			Name:         common.FullName(),
			URL:          strings.TrimRight(loaded.Config.PublicURL, "/") + "/webhooks/" + common.FullName(),
			Channel:      channel,
			Connector:    connector,
			Accounts:     accounts(settings, channel, loaded.Config),
			Registration: cmp.Or(common.Registration, "check"),
		})
		if common.AllowPrivateAddresses {
			env.Log.Warn("private addresses and plain http are allowed for this connector",
				"connector", common.FullName(), "setting", "allow_private_addresses")
		}
	}
	return table, nil
}

// namedTwice finds the channel that was copied and kept its name.
func namedTwice(channels []connectors.Channel) (string, bool) {
	known := map[string]bool{}
	for _, c := range channels {
		if known[c.Name] {
			return c.Name, true
		}
		known[c.Name] = true
	}
	return "", false
}

func channelOf(channels []connectors.Channel, name string) (connectors.Channel, bool) {
	for _, c := range channels {
		if c.Name == name {
			return c, true
		}
	}
	return connectors.Channel{}, false
}

// accounts merges each account's settings over the gateway's, and those over
// the channel's own limit.
func accounts(s config.Settings, channel connectors.Channel, c config.Config) []Account {
	base := c.Photos.Photos
	if base.MaxBytes == 0 {
		base.MaxBytes = channel.PhotoLimit
	}
	list := s.AccountList()
	out := make([]Account, len(list))
	for i, a := range list {
		photos := a.Photos.Over(base)
		name := s.Common().FullName()
		if a.Name != "" && len(list) > 1 {
			name += "/" + a.Name
		}
		out[i] = Account{
			ID: a.ID, Name: name, Queue: a.Queue,
			Enabled: photos.Enabled == nil || *photos.Enabled,
			Photos:  photoSettings(photos),
			Notices: a.Notices.Over(c.Notices),
		}
	}
	return out
}

// photoSettings turns what an operator has set into the darkroom's terms.
func photoSettings(p config.Photos) media.Settings {
	s := media.Default()
	if p.MaxBytes > 0 {
		s.MaxBytes = int64(p.MaxBytes)
	}
	if len(p.Formats) > 0 {
		s.Formats = p.Formats
	}
	s.ShowDamaged = p.Damaged == "show"
	if p.PreviewSide > 0 {
		s.Preview.Side = p.PreviewSide
	}
	if p.ThumbnailSide > 0 {
		s.Thumbnail.Side = p.ThumbnailSide
	}
	return s
}

// All returns every route, in the configuration's order.
func (t *Table) All() []*Route { return t.list }

// Queues returns the name of every queue that an account has, once each.
func (t *Table) Queues() []string {
	var names []string
	seen := map[string]bool{}
	for _, route := range t.list {
		for _, a := range route.Accounts {
			if !seen[a.Queue] {
				seen[a.Queue] = true
				names = append(names, a.Queue)
			}
		}
	}
	return names
}

// LargestPhoto returns the size of the largest original that an account takes.
func (t *Table) LargestPhoto() config.Bytes {
	var largest int64
	for _, route := range t.list {
		for _, a := range route.Accounts {
			largest = max(largest, a.Photos.MaxBytes)
		}
	}
	return config.Bytes(largest)
}

// AccountNames returns the name of every account.
func (t *Table) AccountNames() []string {
	var names []string
	for _, route := range t.list {
		for _, a := range route.Accounts {
			names = append(names, a.Name)
		}
	}
	return names
}

// Account returns the account of this route with the platform's id.
func (r *Route) Account(id string) (Account, bool) {
	for _, a := range r.Accounts {
		if a.ID == id {
			return a, true
		}
	}
	return Account{}, false
}

// Find returns the route and account by the platform's id. Its error is of kind
// Misconfigured.
func (t *Table) Find(channel, account string) (*Route, Account, error) {
	for _, route := range t.list {
		if route.Channel.Name != channel {
			continue
		}
		if a, ok := route.Account(account); ok {
			return route, a, nil
		}
	}
	return nil, Account{}, connectors.Errorf(connectors.Misconfigured, "find account", "no connector has this account any more")
}
