package wire

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// HostList returns a function that tells whether a URL's host is one of hosts.
// An entry is a name, a name with a port, or ".suffix" for every name below
// suffix, though not suffix itself. Letter case and a trailing dot make no
// difference. An entry without a port means the scheme's own port, 443 or 80.
func HostList(hosts ...string) func(*url.URL) bool {
	entries := make([]hostEntry, 0, len(hosts))
	for _, host := range hosts {
		entries = append(entries, newHostEntry(host))
	}
	return func(u *url.URL) bool {
		name, port := canonical(u.Hostname()), portOf(u)
		for _, entry := range entries {
			if entry.matches(name, port, defaultPort(u.Scheme)) {
				return true
			}
		}
		return false
	}
}

// hostEntry is one line of a host list; an empty port is the scheme's own.
type hostEntry struct{ name, port string }

func newHostEntry(host string) hostEntry {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.Trim(host, "[]"), ""
	}
	return hostEntry{canonical(name), port}
}

func (e hostEntry) matches(name, port, schemePort string) bool {
	want := e.port
	if want == "" {
		want = schemePort
	}
	if port == "" || port != want || e.name == "" || e.name == "." {
		return false
	}
	if strings.HasPrefix(e.name, ".") {
		return len(name) > len(e.name) && strings.HasSuffix(name, e.name)
	}
	return name == e.name
}

// canonical makes names comparable. Punycode stays as it is.
func canonical(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return defaultPort(u.Scheme)
}

func defaultPort(scheme string) string {
	switch scheme {
	case "https":
		return "443"
	case "http":
		return "80"
	}
	return ""
}

// hostOf returns the host as it may stand in an error: nothing else of a URL
// does, and of a host only what looks like one.
func hostOf(u *url.URL) string {
	name := canonical(u.Hostname())
	if _, err := netip.ParseAddr(name); err != nil && !isName(name) {
		return "(no valid host)"
	}
	if port := u.Port(); port != "" && port != defaultPort(u.Scheme) {
		return net.JoinHostPort(name, port)
	}
	return name
}

// isName tells whether name is made of DNS labels. Only ASCII passes, because
// net/http folds other letters and digits: a circled 127 becomes an address.
func isName(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, nameCharacters) != "" {
			return false
		}
	}
	return true
}

const nameCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-_"

// isAddress tells whether some resolver might take name for an IP address:
// besides the usual forms these are 2130706433, 0177.0.0.1 and 0x7f.1, which
// getaddrinfo accepts. No top-level domain begins like a number.
func isAddress(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	last := name[strings.LastIndex(name, ".")+1:]
	return strings.HasPrefix(last, "0x") || last != "" && strings.Trim(last, "0123456789") == ""
}
