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
	var found config.Findings
	for i, host := range hosts {
		found.Unless(hostForm.MatchString(host), "media_hosts["+strconv.Itoa(i)+"]",
			"neither a host name in lower case nor a suffix of two parts or more", "photos are fetched from these hosts and no others",
			`write "media.example.com", or ".example.com" for all names below it`)
	}
	return found
}
