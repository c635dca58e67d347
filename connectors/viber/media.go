package viber

import (
	"net/url"
	"strconv"
	"time"

	"github.com/lightlock/lightlock/connectors/wire"
)

const (
	// mediaSuffix is what the names of Viber's own media hosts end with;
	// dl-media.viber.com and share.viber.com have been seen.
	mediaSuffix = ".viber.com"
	// A reference is the address of the bytes, which is all that Viber tells of
	// a photo. Its query is signed, so not a character of it may change.
	mediaPrefix = "media:"
	// maxURL is how long it may be; those seen have about 700 characters.
	maxURL = 8000
)

// mediaHosts returns which hosts a photo may come from. Viber itself names a
// stranger's for some photos, so a list would lose real ones, and has to be
// asked for.
func mediaHosts(c *Config, api wire.API) func(*url.URL) bool {
	if c.Media != "strict" {
		return nil
	}
	own := wire.HostList(mediaSuffix)
	return func(u *url.URL) bool { return own(u) || c.APIBase != "" && api.Host(u) }
}

// firstTime is the least number that can be a time in seconds: a smaller one in
// a stranger's address is a span.
const firstTime = 1_000_000_000

// expired tells whether an address says of itself that it is over. Viber's do,
// an hour after the event, in the manner of CloudFront.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-canned-policy.html
func expired(address string, now time.Time) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false // what is wrong with it is said by the call
	}
	seconds, err := strconv.ParseInt(u.Query().Get("Expires"), 10, 64)
	return err == nil && seconds >= firstTime && now.After(time.Unix(seconds, 0))
}
