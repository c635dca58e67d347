package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// check returns what is wrong with the gateway's file and what its tags cannot
// say. Paths are resolved already.
func (c *Config) check() []Finding {
	found := c.checkListeners()
	found = append(found, c.checkPublicURL()...)
	for i, network := range c.TrustedProxies {
		if what := badNetwork(network); what != "" {
			found = append(found, Finding{fmt.Sprintf("trusted_proxies[%d]", i), what,
				"whoever calls from there is believed", "write the proxy's network, such as 10.0.0.0/8, or 10.1.2.3/32 for one address"})
		}
	}
	if c.TLS != nil {
		found = append(found, missingFile("tls.cert_file", c.TLS.CertFile)...)
		found = append(found, missingFile("tls.key_file", c.TLS.KeyFile)...)
	}
	if c.Redis != nil {
		found = append(found, c.Redis.check()...)
	}
	if c.Work.RetryMin > c.Work.RetryMax {
		found = append(found, Finding{"work.retry_min", fmt.Sprintf("%s is longer than retry_max, %s", c.Work.RetryMin, c.Work.RetryMax),
			"the pause grows from retry_min to retry_max", "choose retry_min <= retry_max"})
	}
	if c.Conversations.TrimQueue > 0 && !c.Conversations.Enabled {
		found = append(found, Finding{"conversations.trim_queue", "no conversations are kept",
			"what is removed from the queue unread would be nowhere", "leave it out, or switch conversations.enabled on"})
	}
	found = append(found, c.checkStore()...)
	found = append(found, c.checkSpool()...)
	found = append(found, c.Photos.tooLarge("photos.max_bytes", c.Photos.MaxBytes)...)
	found = append(found, c.Notices.check("notices")...)
	found = append(found, c.checkAgents()...)
	return append(found, c.checkServices()...)
}

// checkSpool finds a spool in a folder that is another part's alone.
func (c *Config) checkSpool() []Finding {
	if !c.Spool.Enabled || c.Spool.Folder == "" {
		return nil
	}
	for _, other := range []struct{ folder, whose string }{{"photos", "the pictures"}, {"redis", "the private redis-server"}} {
		if within(c.Spool.Folder, filepath.Join(c.Data, other.folder)) {
			return []Finding{{"spool.folder", "in the folder of " + other.whose, "each would take the other's files for its own",
				"choose a folder that is the spool's alone, or leave it out"}}
		}
	}
	return nil
}

// within tells whether a path is a folder, or leads into it.
func within(path, folder string) bool {
	path, errPath := filepath.Abs(path)
	folder, errFolder := filepath.Abs(folder)
	rest, err := filepath.Rel(folder, path)
	return errPath == nil && errFolder == nil && err == nil && filepath.IsLocal(rest)
}

func (c *Config) checkListeners() []Finding {
	var found []Finding
	for _, one := range [][2]string{{"listen", c.Listen}, {"admin_listen", c.AdminListen}} {
		if badHostPort(one[1]) {
			found = append(found, Finding{one[0], "not host:port", "the gateway binds exactly this address", "write it like " + Default().Listen})
		}
	}
	_, port, _ := net.SplitHostPort(c.Listen)
	if c.Listen == c.AdminListen && port != "0" {
		found = append(found, Finding{"admin_listen", "the same address as listen", "what operators see is not for platforms", "choose another port"})
	}
	if c.exposed() && c.TLS == nil && len(c.TrustedProxies) == 0 {
		found = append(found, Finding{"listen", "reachable from other machines, without TLS", "photos and tokens would cross the network in the clear",
			"set tls, or name the proxies in front under trusted_proxies, or listen on 127.0.0.1"})
	}
	return found
}

// exposed tells whether other machines can reach Listen.
func (c *Config) exposed() bool {
	host, _, err := net.SplitHostPort(c.Listen)
	return err == nil && !loopback(host)
}

func (c *Config) checkPublicURL() []Finding {
	if c.PublicURL == "" {
		return nil
	}
	u, what := webAddress(c.PublicURL)
	switch {
	case what != "":
	case u.Scheme == "http" && c.exposed():
		what = "not https, and listen is reachable from other machines"
	case u.Scheme == "http" && !loopback(u.Hostname()):
		what = "not https"
	default:
		return nil
	}
	return []Finding{{"public_url", what, "platforms sign and call exactly this address",
		"write it like https://photos.example.com, without query and fragment; http is for loopback hosts only"}}
}

func (c *Config) checkServices() []Finding {
	var found []Finding
	names, tokens := map[string]int{}, map[string]int{}
	for i, s := range c.Services {
		path := fmt.Sprintf("services[%d]", i)
		if first, twice := names[s.Name]; twice && s.Name != "" {
			found = append(found, Finding{path + ".name", fmt.Sprintf("the same name as services[%d]", first),
				"the log tells services apart by it", "give each a name of its own"})
		}
		if first, twice := tokens[s.Token.Reveal()]; twice && !s.Token.IsZero() {
			found = append(found, Finding{path + ".token", fmt.Sprintf("the same token as services[%d]", first),
				"the token says which service is calling", "give each a token of its own"})
		}
		names[s.Name], tokens[s.Token.Reveal()] = i, i
	}
	return found
}

// badNetwork says what is wrong with a network, or "".
func badNetwork(text string) string {
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return "not a network in CIDR notation"
	case prefix.Bits() == 0:
		return "this is every address there is"
	case prefix.Masked() != prefix:
		return "bits are set beyond the mask: " + prefix.Masked().String() + " is the network"
	}
	return ""
}

func missingFile(path, name string) []Finding {
	if name == "" {
		return nil
	}
	f, err := os.Open(name)
	if err == nil {
		_ = f.Close()
		return nil
	}
	what := "the file cannot be read"
	if os.IsNotExist(err) {
		what = "the file does not exist"
	}
	return []Finding{{path, what, "without it no TLS connection can be made", "put the PEM file there, or correct the path, which is relative to this file"}}
}

// badHostPort tells whether text is not an address to bind or to call.
func badHostPort(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil || strings.ContainsAny(host, "/ @") {
		return true
	}
	n, err := strconv.Atoi(port)
	return err != nil || n < 0 || n > 65535
}

// webAddress reads an absolute http or https address and says what is wrong
// with it, or "".
func webAddress(text string) (*url.URL, string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
		return nil, "not an absolute http or https address"
	case u.User != nil:
		return nil, "a user name stands in the address"
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return nil, "a query or fragment stands in the address"
	}
	return u, ""
}

// loopback tells whether host is this machine by its own word.
func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// privateHost tells whether a host's name alone says that it is not public. An
// IP address never is: certificates and platforms go by names.
func privateHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(host); err == nil || loopback(host) || !strings.Contains(host, ".") {
		return true
	}
	last := host[strings.LastIndex(host, ".")+1:]
	_, numeric := strconv.ParseUint(last, 0, 64)
	return numeric == nil || slices.Contains([]string{"local", "internal", "lan", "home", "localdomain"}, last)
}
