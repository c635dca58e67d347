// Package config is what an operator can set: one YAML file for the gateway,
// and beside it one file per connector.
//
// It promises that a wrong file is refused with every problem at once, each
// with its place and the fix, and that no secret can be printed by accident.
// Channels keep their own settings beside their code, in a struct that embeds
// Connector, and are read by the same rules. YAML is read by goccy/go-yaml,
// because it keeps the place of every value; it imports nothing of ours.
//
// # Settings are structs
//
// The key of a field is its yaml tag; `yaml:",inline"` puts an embedded struct's
// keys among those of its parent. A field may be a string, a bool, an int, a
// float64, Bytes, Duration, Secret, Secrets, a struct, or a pointer to or a
// slice of these. A field that the file does not name keeps the value that it
// has. Three more tags say what the type cannot:
//
//	check:"required"           the key must be there and not be empty
//	check:"min=1,max=64"       limits, inclusive: of a number, a size or a time
//	                           (min=1 KB, max=5m), of the characters of a text or
//	                           secret, of the entries of a list
//	check:"oneof=fsync trusted"  the only values; of a list, of each entry
//	check:"label"              1 to 64 of a-z, 0-9 and -; of a list, each entry
//	check:"sha256"             64 hex digits; anything else is never shown
//	why:"..."                  what goes wrong without it, half a sentence
//	jsonschema_description:"..." what an editor shows
//
// # Secrets
//
// A Secret with the key x is given as `x: ${NAME}`, an environment variable, or
// as `x_file: PATH`; line ends behind it are dropped. It never stands in the
// file itself. Secrets take one such value or a list of them.
//
// Paths in a file are relative to the folder of that file.
//
// # Where to read
//
// config.go and connector.go are the keys themselves, values.go and secret.go
// the types of their own. load.go is the order of steps; what it calls stands
// in files of that name: document.go reads a file, parse.go makes keys of it,
// form.go and rules.go know what a struct accepts, the files decode*.go fill
// it, check*.go judge the whole, and problems.go writes the report, of which
// view.go hides what may be secret.
package config

import "path/filepath"

// Config is the gateway's file, lightlock.yaml.
type Config struct {
	// Listen is the address for platforms and agents, host:port.
	Listen string `yaml:"listen" check:"required" jsonschema_description:"Address for platforms and agents, host:port. Anything but loopback wants tls or trusted_proxies."`
	// AdminListen is the address for operators.
	AdminListen string `yaml:"admin_listen" check:"required" jsonschema_description:"Address for operators: /healthz, /readyz, /metrics. Keep it on loopback or inside the cluster."`
	// PublicURL is the address under which the platforms reach this gateway:
	// scheme, host, and a path if a proxy adds one. It is never guessed.
	PublicURL string `yaml:"public_url" jsonschema_description:"Address under which the platforms reach this gateway: scheme, host, and a path if a proxy adds one. Needed as soon as there is a connector."`
	// TLS holds the certificate for Listen; nil behind a proxy.
	TLS *TLS `yaml:"tls" jsonschema_description:"Certificate for listen. Leave it out behind a proxy."`
	// TrustedProxies are the networks (CIDR) that may call Listen without TLS.
	TrustedProxies []string `yaml:"trusted_proxies" check:"max=64" jsonschema_description:"Networks (CIDR) of the proxies that may call listen without TLS."`
	// Data is the folder for pictures and, without Redis, the journal. Unless
	// the file names it, it is ./data of the working directory.
	Data string `yaml:"data" check:"required" jsonschema_description:"Folder for pictures and, without redis, the journal."`
	// Connectors is the folder of the connectors' files, relative to this file.
	Connectors string `yaml:"connectors" check:"required" jsonschema_description:"Folder of the connectors' files, relative to this file. Every .yaml and .yml file in it is read."`
	// Redis is where journal and queue live; nil starts a private redis-server.
	Redis *Redis `yaml:"redis" jsonschema_description:"Where journal and queue live. Without it, a private redis-server is started."`
	// Store is where pictures live; empty keeps them below Data.
	Store Store `yaml:"store" jsonschema_description:"Where pictures live. Without it, in the folder data."`
	// Spool is what takes webhooks while Redis does not.
	Spool Spool `yaml:"spool" jsonschema_description:"Local files that take webhooks while redis does not. They want a disk that survives the machine's restart."`
	// Work says how the worker works.
	Work Work `yaml:"work" jsonschema_description:"How messages are worked on."`
	// Conversations says what is kept of conversations, for agents.
	Conversations Conversations `yaml:"conversations" jsonschema_description:"What is kept of conversations, for agents."`
	// Photos is what holds for every account that does not say otherwise.
	Photos GatewayPhotos `yaml:"photos" jsonschema_description:"What holds for every account that does not say otherwise."`
	// Notices is what holds for every account that does not say otherwise.
	Notices Notices `yaml:"notices" jsonschema_description:"What consumers are told about rejected photos, for every account that does not say otherwise."`
	// Services are the programs that may fetch pictures.
	Services []Service `yaml:"services" check:"max=1000" jsonschema_description:"Programs that may fetch pictures, such as the agents' desktop."`
	// Agents says how the people are known who answer consumers.
	Agents Agents `yaml:"agents" jsonschema_description:"How the people are known who answer consumers."`
}

// TLS names a certificate and its key, both PEM.
type TLS struct {
	CertFile string `yaml:"cert_file" check:"required" jsonschema_description:"Certificate and its chain, PEM."`
	KeyFile  string `yaml:"key_file" check:"required" jsonschema_description:"Private key of the certificate, PEM."`
}

// Redis says how to reach Redis, and what durability it has: one server, or a
// primary that Sentinel knows, or a cluster.
type Redis struct {
	// Address is host:port, or the path of a unix socket.
	Address string `yaml:"address" jsonschema_description:"host:port, or the absolute path of a unix socket."`
	// Addresses are further ones, of Sentinels or of a cluster's nodes; those that
	// the file does not name are found through them.
	Addresses []string `yaml:"addresses" check:"max=64" jsonschema_description:"Further addresses, host:port: of the Sentinels, with master, or of some of a cluster's nodes, with cluster. The others are found through them."`
	// Master is the primary's name among the Sentinels.
	Master string `yaml:"master" jsonschema_description:"Name of the primary among the Sentinels, whose addresses are given."`
	// SentinelUsername and SentinelPassword are for the Sentinels themselves.
	SentinelUsername string `yaml:"sentinel_username" jsonschema_description:"User of the Sentinels' own access control list."`
	SentinelPassword Secret `yaml:"sentinel_password" jsonschema_description:"Password of the Sentinels themselves, where they have one."`
	// Cluster tells that the addresses are those of a Redis Cluster.
	Cluster  bool   `yaml:"cluster" jsonschema_description:"Whether Redis is a cluster. Each queue lives on one of its primaries."`
	Username string `yaml:"username" jsonschema_description:"User of the access control list."`
	Password Secret `yaml:"password" jsonschema_description:"Password of the user, or of the default user."`
	TLS      bool   `yaml:"tls" jsonschema_description:"Whether Redis, and the Sentinels, are reached by TLS."`
	DB       int    `yaml:"db" check:"min=0,max=1023" jsonschema_description:"Number of the database. A cluster has only 0."`
	// Durability is "fsync" (checked at start; what Load makes of silence) or
	// "trusted", for a managed Redis that does not let us ask.
	Durability string `yaml:"durability" check:"oneof=fsync trusted" jsonschema_description:"fsync: Redis must say at start that it writes before it answers. trusted: for a managed Redis that does not let us ask."`
}

// Spool says how webhooks are kept while Redis does not take them.
type Spool struct {
	// Enabled is false where the gateway has no disk that lasts.
	Enabled bool `yaml:"enabled" jsonschema_description:"Whether webhooks are kept in local files while redis does not take them. Without it they are refused, and some platforms never repeat them."`
	// MaxBytes is how much the files of all queues may take up together.
	MaxBytes Bytes `yaml:"max_bytes" check:"min=1 MB,max=16 GB" why:"a webhook must fit in, and the disk must hold it" jsonschema_description:"How much the files may take up together. 256 MB hold about 200,000 messages."`
	// Folder is this gateway's alone; empty means the folder spool below Data.
	Folder string `yaml:"folder" jsonschema_description:"Folder of the files, of one gateway alone. Unless set, spool below data."`
}

// Limit is MaxBytes, or zero where nothing is to be spooled.
func (s Spool) Limit() int64 {
	if !s.Enabled {
		return 0
	}
	return int64(s.MaxBytes)
}

// Places are all addresses that the file names, under either key.
func (r Redis) Places() []string {
	if r.Address == "" {
		return r.Addresses
	}
	return append([]string{r.Address}, r.Addresses...)
}

// Work says how the worker works.
type Work struct {
	// Slots is how many messages are in work at once.
	Slots int `yaml:"slots" check:"min=1,max=1024" jsonschema_description:"How many messages are in work at once."`
	// PerAccount is how many messages with photos of one account are in work at
	// once, by all gateways together.
	PerAccount int `yaml:"per_account" check:"min=1,max=1024" jsonschema_description:"How many messages with photos of one account are in work at once, by all gateways together. The others of that account wait, and nobody else does."`
	// PerHost is how many photos of one host a gateway fetches at once, but for
	// accounts that have none there, which get in up to halfway to Slots; zero means
	// half of Slots.
	PerHost int `yaml:"per_host" check:"min=1,max=1024" jsonschema_description:"How many photos of one host a gateway fetches at once. Unless set, half of slots, so that a host that hangs never has them all. An account that has none there gets in above it, up to halfway to slots."`
	// Promise is after how long agents are told the text of a message whose photos
	// are not settled. Gateways look for such messages twice a second, so agents have
	// it within a second more, and by default within ten seconds.
	Promise Duration `yaml:"promise" check:"min=100ms,max=1m" jsonschema_description:"After how long agents are told the text of a message whose photos are not settled; they have it within a second more. They have it earlier where a try has failed."`
	// Lease is after how long without a sign of life another worker takes over.
	Lease Duration `yaml:"lease" check:"min=100ms,max=1h" jsonschema_description:"After how long without a sign of life another worker takes over."`
	// Attempts is how often a photo is fetched before it is unreachable.
	Attempts int `yaml:"attempts" check:"min=1,max=100" jsonschema_description:"How often a photo is fetched before it is unreachable."`
	// RetryMin and RetryMax bound the pause between two attempts.
	RetryMin Duration `yaml:"retry_min" check:"min=1ms,max=24h" jsonschema_description:"Shortest pause between two attempts."`
	RetryMax Duration `yaml:"retry_max" check:"min=1ms,max=24h" jsonschema_description:"Longest pause between two attempts."`
	// KeepLetters is how long dead letters are kept: they hold consumers' words.
	KeepLetters Duration `yaml:"keep_letters" check:"min=1h,max=8760h" jsonschema_description:"How long dead letters are kept, which hold consumers' words."`
	// LettersBytes is how much a queue's dead letters may take up together.
	LettersBytes Bytes `yaml:"letters_bytes" check:"min=1 MB,max=64 GB" why:"dead letters lie in the memory of Redis" jsonschema_description:"How much the dead letters of a queue may take up together; the oldest are removed first."`
	// Paused accepts webhooks and works on nothing, for maintenance and for
	// measurements: what is accepted waits in the journal.
	Paused bool `yaml:"paused" jsonschema_description:"Accepts webhooks and works on nothing, for maintenance and for measurements: what is accepted waits, and no message leaves."`
}

// Conversations says what is kept of conversations, for agents.
type Conversations struct {
	// Enabled is false where only other software reads the queues.
	Enabled bool `yaml:"enabled" jsonschema_description:"Whether conversations are kept for the console and the agents' API. Without them Redis needs less memory, and other software reads the queues as ever."`
	// Idle is how long a conversation stays open in which nothing happens.
	Idle Duration `yaml:"idle" check:"min=1h,max=8760h" jsonschema_description:"How long a conversation stays open in which nothing happens. Then it is closed, and the consumer's next message opens another."`
	// TrimQueue is after how long an entry of the agents' queue is removed, read or
	// not; zero means never.
	TrimQueue Duration `yaml:"trim_queue" check:"min=1h,max=8760h" jsonschema_description:"After how long an entry of the agents' queue is removed, read or not: for where agents work on the console alone, and no software of yours reads the queues. Unless set, never."`
}

// Service is a program, such as the agents' desktop, that may fetch pictures.
type Service struct {
	Name string `yaml:"name" check:"required,label" jsonschema_description:"Name of the program, as the log shows it."`
	// Token is what it sends as "Authorization: Bearer".
	Token Secret `yaml:"token" check:"required,min=32" why:"a token is all that stands between a stranger and the photos" jsonschema_description:"What the program sends as Authorization: Bearer; 32 characters or more."`
	// Queues are the queues whose pictures it may fetch.
	Queues []string `yaml:"queues" check:"required,label,max=1000" why:"a service sees the photos of the queues it names, and no others" jsonschema_description:"Queues whose pictures the program may fetch."`
}

// Photos says what happens to pictures. A zero field means: as one level up,
// and at the top: as Default says.
type Photos struct {
	// Enabled is false where consumers may not send photos.
	Enabled *bool `yaml:"enabled" jsonschema_description:"Whether consumers may send photos."`
	// MaxBytes is the largest original; exactly that many bytes pass. Zero at
	// every level means the channel's own limit.
	MaxBytes Bytes `yaml:"max_bytes" check:"min=1 B,max=256 MB" jsonschema_description:"Largest original; exactly that many bytes pass. 1 MB = 1,048,576 bytes. Unless set, the channel's own limit."`
	// Formats are those that are accepted: jpeg, png, gif, webp.
	Formats []string `yaml:"formats" check:"min=1,oneof=jpeg png gif webp" jsonschema_description:"Formats that are accepted."`
	// Damaged says what becomes of a file that breaks off in its middle: reject,
	// or show what is there if that is at least half of the picture.
	Damaged string `yaml:"damaged" check:"oneof=reject show" jsonschema_description:"What becomes of a photo of which a part is missing. reject: it is corrupt. show: what is there is developed, if it is at least half, and marked as damaged for the agents."`
	// PreviewSide is the preview's longest side in pixels.
	PreviewSide int `yaml:"preview_side" check:"min=64,max=8192" jsonschema_description:"Longest side of the preview in pixels."`
	// ThumbnailSide is the thumbnail's side in pixels.
	ThumbnailSide int `yaml:"thumbnail_side" check:"min=16,max=1024" jsonschema_description:"Side of the square thumbnail in pixels."`
}

// GatewayPhotos says what happens to the pictures of all accounts.
type GatewayPhotos struct {
	Photos `yaml:",inline"`
	// Memory is what the gateway and its darkroom may hold together, in resident
	// bytes; zero means DefaultMemory, or three quarters of the container's limit
	// where that is less. A private redis-server is not counted in.
	Memory Bytes `yaml:"memory" check:"min=224 MB,max=1024 GB" why:"with less, an ordinary photo cannot be developed" jsonschema_description:"What the gateway and its darkroom may hold in memory together. Unless set, 512 MB, or three quarters of the container's limit where that is less."`
	// Keep is how long pictures are kept, by the store's dates, and how long messages are,
	// in open conversations and in closed ones, each from when it was received.
	Keep Duration `yaml:"keep" check:"min=24h,max=87600h" why:"agents must be able to look at a photo, and nobody's photos are kept for ever" jsonschema_description:"How long pictures and messages are kept, each from when it came in. Unless set, 9504h: 396 days, 13 months."`
}

// Default returns what holds where the file is silent: loopback only, pictures
// in ./data, a private Redis.
func Default() Config {
	photos, notices := true, true
	return Config{
		Listen:      "127.0.0.1:8080",
		AdminListen: "127.0.0.1:8081",
		Data:        "./data",
		Connectors:  "connectors",
		Spool:       Spool{Enabled: true, MaxBytes: 256 * MB},
		Work: Work{
			Slots:      16,
			PerAccount: 8,
			Promise:    seconds(9),
			Lease:      seconds(60),
			Attempts:   8,
			RetryMin:   seconds(1),
			RetryMax:   seconds(15 * 60),

			KeepLetters:  seconds(30 * 24 * 3600),
			LettersBytes: 64 << 20,
		},
		Conversations: Conversations{Enabled: true, Idle: seconds(30 * 24 * 3600)},
		Photos: GatewayPhotos{Keep: seconds(396 * 24 * 3600), Photos: Photos{
			Enabled:       &photos,
			Formats:       []string{"jpeg", "png", "gif"},
			Damaged:       "reject",
			PreviewSide:   2048,
			ThumbnailSide: 240,
		}},
		Notices: Notices{Enabled: &notices, Language: "en"},
		Agents:  Agents{Session: seconds(12 * 3600)},
	}
}

// SpoolFolder returns where the spool lies.
func (c *Config) SpoolFolder() string {
	if c.Spool.Folder != "" {
		return c.Spool.Folder
	}
	return filepath.Join(c.Data, "spool")
}

// Over returns p with what it leaves open taken from base, one level up.
func (p Photos) Over(base Photos) Photos {
	if p.Enabled == nil {
		p.Enabled = base.Enabled
	}
	if p.MaxBytes == 0 {
		p.MaxBytes = base.MaxBytes
	}
	if p.Formats == nil {
		p.Formats = base.Formats
	}
	if p.Damaged == "" {
		p.Damaged = base.Damaged
	}
	if p.PreviewSide == 0 {
		p.PreviewSide = base.PreviewSide
	}
	if p.ThumbnailSide == 0 {
		p.ThumbnailSide = base.ThumbnailSide
	}
	return p
}
