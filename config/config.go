// Package config is what an operator can set: one YAML file for the gateway,
// and beside it one file per connector.
//
// It promises that a wrong file is refused with every problem at once, each
// with its place and the fix, and that no secret can be printed by accident.
// Channels keep their own settings beside their code, in a struct that embeds
// Connector, and are read by the same rules. YAML is read by goccy/go-yaml,
// because it keeps the place of every value; it imports nothing of ours.
package config

// Config is the gateway's file, lightlock.yaml.
type Config struct {
	// Listen is the address for platforms and agents, host:port.
	Listen string `yaml:"listen" jsonschema_description:"Address for platforms and agents, host:port. Anything but loopback wants tls or trusted_proxies."`
	// AdminListen is the address for operators.
	AdminListen string `yaml:"admin_listen" jsonschema_description:"Address for operators: /healthz, /readyz, /metrics. Keep it on loopback or inside the cluster."`
	// PublicURL is the address under which the platforms reach this gateway:
	// scheme, host, and a path if a proxy adds one. It is never guessed.
	PublicURL string `yaml:"public_url"`
	// TLS holds the certificate for Listen; nil behind a proxy.
	TLS *TLS `yaml:"tls"`
	// TrustedProxies are the networks (CIDR) that may call Listen without TLS.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// Data is the folder for pictures and, without Redis, the journal.
	Data string `yaml:"data"`
	// Connectors is the folder of the connectors' files, relative to this file.
	Connectors string `yaml:"connectors"`
	// Redis is where journal and queue live; nil starts a private redis-server.
	Redis *Redis `yaml:"redis"`
	// Work says how the worker works.
	Work Work `yaml:"work"`
	// Photos is what holds for every account that does not say otherwise.
	Photos Photos `yaml:"photos"`
	// Services are the programs that may fetch pictures.
	Services []Service `yaml:"services"`
}

// TLS names a certificate and its key, both PEM.
type TLS struct {
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
}

// Redis says how to reach Redis, and what durability it has.
type Redis struct {
	// Address is host:port, or the path of a unix socket.
	Address  string `yaml:"address"`
	Username string `yaml:"username"`
	Password Secret `yaml:"password"`
	TLS      bool   `yaml:"tls"`
	DB       int    `yaml:"db"`
	// Durability is "fsync" (checked at start) or "trusted", for a managed
	// Redis that does not let us ask.
	Durability string `yaml:"durability" jsonschema:"enum=fsync,enum=trusted"`
}

// Work says how the worker works.
type Work struct {
	// Slots is how many messages are in work at once.
	Slots int `yaml:"slots"`
	// Lease is after how long without a sign of life another worker takes over.
	Lease Duration `yaml:"lease"`
	// Attempts is how often a photo is fetched before it is unreachable.
	Attempts int `yaml:"attempts"`
	// RetryMin and RetryMax bound the pause between two attempts.
	RetryMin Duration `yaml:"retry_min"`
	RetryMax Duration `yaml:"retry_max"`
}

// Service is a program, such as the agents' desktop, that may fetch pictures.
type Service struct {
	Name string `yaml:"name"`
	// Token is what it sends as "Authorization: Bearer".
	Token Secret `yaml:"token"`
	// Queues are the queues whose pictures it may fetch.
	Queues []string `yaml:"queues"`
}

// Photos says what happens to pictures. A zero field means: as one level up,
// and at the top: as Default says.
type Photos struct {
	// Enabled is false where consumers may not send photos.
	Enabled *bool `yaml:"enabled"`
	// MaxBytes is the largest original; exactly that many bytes pass.
	MaxBytes Bytes `yaml:"max_bytes"`
	// Formats are those that are accepted: jpeg, png, gif, webp.
	Formats []string `yaml:"formats"`
	// PreviewSide is the preview's longest side in pixels.
	PreviewSide int `yaml:"preview_side"`
	// ThumbnailSide is the thumbnail's side in pixels.
	ThumbnailSide int `yaml:"thumbnail_side"`
}

// Connector is what the files of all connectors have in common. A channel's
// settings embed it with `yaml:",inline"`.
type Connector struct {
	// Channel is the platform: line, whatsapp, twilio.
	Channel string `yaml:"channel"`
	// Name tells connectors of one channel apart; it is part of the webhook's
	// address.
	Name string `yaml:"name"`
	// APIBase replaces the platform's API addresses, for a simulated platform
	// or an egress proxy.
	APIBase string `yaml:"api_base"`
	// AllowPrivateAddresses lets this connector call http and addresses that
	// are not public. It is named in the log at every start.
	AllowPrivateAddresses bool `yaml:"allow_private_addresses"`
}

// Account is one business's presence behind a connector. A channel's account
// settings embed it with `yaml:",inline"`.
type Account struct {
	// ID is the platform's own id of the account, as it stands in its events.
	ID string `yaml:"id"`
	// Name tells accounts of one connector apart; a single one needs none.
	Name string `yaml:"name"`
	// Queue is the agents' queue for this account's messages.
	Queue  string `yaml:"queue"`
	Photos Photos `yaml:"photos"`
}

// Settings is a connector's file, decoded.
type Settings interface {
	// Common returns the part that all connectors share.
	Common() *Connector
	// AccountList returns the accounts behind this connector, in the file's
	// order.
	AccountList() []Account
	// Check returns what the struct's tags cannot say. Each problem names the
	// key's path, such as "accounts[0].id", by which its place is found.
	Check() []Finding
}

// Finding is something wrong with one value, named by its path in the file.
type Finding struct {
	// Path is the key's path, such as "accounts[0].id".
	Path string
	// What is wrong, Why it matters and the Fix, each half a sentence.
	What, Why, Fix string
}

// FullName returns the connector's full name, channel/name, as logs and metrics
// show it.
func (c *Connector) FullName() string { return c.Channel + "/" + c.Name }

// Common implements Settings for every struct that embeds Connector.
func (c *Connector) Common() *Connector { return c }
