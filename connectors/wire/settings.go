package wire

import (
	"regexp"
	"strconv"

	"github.com/lightlock/lightlock/config"
)

// hostForm is a name with or without a port, or a suffix of two labels or more.
var hostForm = regexp.MustCompile(`^(([a-z0-9-]+\.)*[a-z0-9-]+|(\.[a-z0-9-]+){2,})(:[0-9]{1,5})?$`)

// CheckHosts returns what is wrong with the setting media_hosts, a list for
// HostList.
func CheckHosts(hosts []string) []config.Finding {
	var found Findings
	for i, host := range hosts {
		found.Unless(hostForm.MatchString(host), "media_hosts["+strconv.Itoa(i)+"]",
			"neither a host name in lower case nor a suffix of two parts or more", "photos are fetched from these hosts and no others",
			`write "media.example.com", or ".example.com" for all names below it`)
	}
	return found
}

// CheckAccountIDs returns which of the accounts have an id of another form than
// theirs: what it is meant to be, and how to mend it.
func CheckAccountIDs(form *regexp.Regexp, accounts []config.Account, what, fix string) []config.Finding {
	var found Findings
	for i, a := range accounts {
		found.Unless(form.MatchString(a.ID), AccountKey(i, "id"), "not "+what, "events name the account by it", fix)
	}
	return found
}

// AccountKey is the path of a key of one account.
func AccountKey(i int, key string) string { return "accounts[" + strconv.Itoa(i) + "]." + key }

// Findings collects what is wrong with a connector's settings.
type Findings []config.Finding

// Unless notes a finding unless ok: what is wrong at path, why it matters and how
// to fix it, as in config.Finding.
func (f *Findings) Unless(ok bool, path, what, why, fix string) {
	if !ok {
		*f = append(*f, config.Finding{Path: path, What: what, Why: why, Fix: fix})
	}
}
