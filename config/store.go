package config

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Store says where previews and thumbnails are kept.
type Store struct {
	// S3 is a bucket; nil keeps them in files below Data.
	S3 *S3 `yaml:"s3" jsonschema_description:"A bucket of an S3-compatible server. Without it, pictures are files in the folder data."`
	// Keys wrap the key of each photo: the first those of new photos; all can open.
	// Where there is none, files have one below Data.
	Keys []StoreKey `yaml:"keys" check:"max=16" jsonschema_description:"The operator's keys, without which nothing that is stored can be read. The first is for what is new, all can open. A bucket needs one; files get one of their own, in keys/store.key below data."`
}

// StoreKey is a key of the operator's.
type StoreKey struct {
	// ID stands beside what the key has wrapped, and tells which one opens it.
	ID string `yaml:"id" check:"required,label" why:"it stands beside what the key has wrapped, and tells which key opens it" jsonschema_description:"Name of the key, never used for another: a year will do."`
	// Key is 32 random bytes in base64.
	Key Secret `yaml:"key" check:"required" why:"without it nobody could open a photo, and with it everybody can" jsonschema_description:"32 random bytes in base64, as openssl rand -base64 32 makes them. Keep a copy in another place: without it no photo opens."`
}

// storeKeyBytes is how long a key is.
const storeKeyBytes = 32

// Bytes returns the key itself, 32 bytes.
func (k StoreKey) Bytes() ([]byte, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(k.Key.Reveal()))
	if err != nil || len(raw) != storeKeyBytes {
		return nil, fmt.Errorf("not %d bytes in base64, as openssl rand -base64 %d makes them", storeKeyBytes, storeKeyBytes)
	}
	return raw, nil
}

// TryEvery is how often a readiness check may try the store: files at any time; a
// bucket seldom, as each try is some requests, which its owner pays for.
func (s Store) TryEvery() time.Duration {
	if s.S3 == nil {
		return 0
	}
	return 10 * time.Second
}

// S3 says how to reach a bucket. Its key needs s3:PutObject, s3:GetObject and
// s3:DeleteObject below Prefix, and s3:ListBucket for Prefix.
type S3 struct {
	// Endpoint is the server's address: scheme, host and port.
	Endpoint string `yaml:"endpoint" check:"required" jsonschema_description:"Address of the server, https://HOST or https://HOST:PORT."`
	// Insecure allows an Endpoint without TLS that is not this machine's own.
	Insecure bool   `yaml:"insecure" jsonschema_description:"Whether the endpoint may be http on another machine: pictures then cross the network in the clear."`
	Bucket   string `yaml:"bucket" check:"required" jsonschema_description:"Name of the bucket. It must be there, and keep no versions."`
	// Region is what signatures name; empty means what the endpoint of AWS
	// says, else us-east-1.
	Region string `yaml:"region" check:"max=64" jsonschema_description:"Region that signatures name. Unless set: what an endpoint of AWS says, else us-east-1."`
	// Prefix stands before every object's name, with or without a slash behind it.
	Prefix    string `yaml:"prefix" check:"max=256" jsonschema_description:"Stands before every object's name, so that a bucket can be shared."`
	AccessKey Secret `yaml:"access_key" check:"required" jsonschema_description:"Access key, which needs PutObject, GetObject and DeleteObject on the objects and ListBucket on the bucket."`
	SecretKey Secret `yaml:"secret_key" check:"required" jsonschema_description:"Secret that belongs to access_key."`
	// Addressing says where a request names the bucket.
	Addressing string `yaml:"addressing" check:"oneof=auto path virtual" jsonschema_description:"Where a request names the bucket. path: behind the host. virtual: before it. auto: before it on AWS and Google, else behind it."`
	// CAFile holds certificates, PEM, that are trusted beside the system's.
	CAFile string `yaml:"ca_file" jsonschema_description:"Certificates that are trusted beside the system's, PEM, for a server with an authority of its own."`
	// Proxy is the address of an HTTP proxy. The environment's is never used.
	Proxy string `yaml:"proxy" jsonschema_description:"Address of an HTTP proxy on the way, http://HOST:PORT. The environment's is not used."`
}

var (
	bucketName   = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	bucketPrefix = regexp.MustCompile(`^([A-Za-z0-9_-][A-Za-z0-9._-]*/?)*$`)
)

// makeKey is how to make a key.
const makeKey = "make one with: openssl rand -base64 32"

// checkKeys finds keys that are none, or not their own.
func (s Store) checkKeys() []Finding {
	var found []Finding
	if s.S3 != nil && len(s.Keys) == 0 {
		found = append(found, Finding{"store", "no keys beside s3", "photos would lie in the bucket for everybody who can read it", makeKey + ", put it into the environment, and name it under store.keys"})
	}
	ids, values := map[string]bool{}, map[string]bool{}
	for i, k := range s.Keys {
		path := fmt.Sprintf("store.keys[%d].", i)
		raw, err := k.Bytes()
		switch {
		case err != nil:
			found = append(found, Finding{path + "key", err.Error(), "AES-256 takes exactly that", makeKey})
		case values[string(raw)]:
			found = append(found, Finding{path + "key", "the same key as another", "it could not be taken out of use", "give each entry a key of its own; " + makeKey})
		}
		values[string(raw)] = err == nil
		if ids[k.ID] {
			found = append(found, Finding{path + "id", "the same id as another", "it tells which key opens a photo", "give each key an id of its own"})
		}
		ids[k.ID] = true
	}
	return found
}

// checkStore finds what the tags of Store cannot say.
func (c *Config) checkStore() []Finding {
	keys := c.Store.checkKeys()
	if c.Store.S3 == nil {
		return keys
	}
	s := c.Store.S3
	found := append(keys, missingFile("store.s3.ca_file", s.CAFile)...)
	found = append(found, s.checkEndpoint()...)
	if !bucketName.MatchString(s.Bucket) || strings.Contains(s.Bucket, "..") {
		found = append(found, Finding{"store.s3.bucket", "no name of a bucket",
			"3 to 63 of a-z, 0-9, . and -, with a letter or digit at both ends", "write the bucket's name alone, without an address"})
	}
	if !bucketPrefix.MatchString(s.Prefix) {
		found = append(found, Finding{"store.s3.prefix", "not a plain path", "objects are named by it, and found again by it",
			"write it like lightlock/photos, of letters, digits, . _ - and single slashes"})
	}
	if u, what := webAddress(s.Proxy); s.Proxy != "" && (what != "" || u.Path != "") {
		found = append(found, Finding{"store.s3.proxy", "not the address of a proxy", "pictures would not get to the store", "write it like http://proxy.example.com:3128"})
	}
	return found
}

func (s *S3) checkEndpoint() []Finding {
	u, what := webAddress(s.Endpoint)
	why, fix := "no picture can be stored without it", "write it like https://s3.eu-central-1.amazonaws.com or https://minio.example.com:9000"
	switch {
	case what != "":
	case strings.Trim(u.Path, "/") != "":
		what = "a path stands in the address"
	case s.inTheClear(u):
		what, why, fix = "http, and not on this machine", "photos would cross the network in the clear", "write https, or set insecure: true where the network is your own"
	default:
		return nil
	}
	return []Finding{{"store.s3.endpoint", what, why, fix}}
}

// inTheClear tells whether pictures would leave this machine without TLS, and
// nobody has said that they may.
func (s *S3) inTheClear(endpoint *url.URL) bool {
	return endpoint.Scheme == "http" && !s.Insecure && !loopback(endpoint.Hostname())
}
