package config

import (
	"slices"
	"testing"
)

// Memory is the gateway's: an account can neither set it nor ask for more than
// it holds.
func TestMemoryIsTheGateways(t *testing.T) {
	for name, test := range map[string]struct{ gateway, account, want string }{
		"fits":              {"", "max_bytes: 121 MB", ""},
		"is too large":      {"", "max_bytes: 140 MB", "connectors/line.yaml:9:18: accounts[0].photos.max_bytes: photos of 140 MB need photos.memory of at least 568 MB"},
		"fits into more":    {"photos: {memory: 568 MB}\n", "max_bytes: 140 MB", ""},
		"set by an account": {"", "memory: 512 MB", `connectors/line.yaml:9:7: unknown key "memory"`},
		"not known":         {"photos: {memory: much}\n", "max_bytes: 256 MB", `lightlock.yaml:6:18: photos.memory: "much" does not begin with a number`},
	} {
		t.Run(name, func(t *testing.T) {
			inFolder(t, map[string]string{
				"lightlock.yaml":       goodGateway + test.gateway,
				"connectors/line.yaml": goodLine + "    photos:\n      " + test.account + "\n",
			})
			if test.want == "" {
				if _, err := Load("lightlock.yaml", testChannels); err != nil {
					t.Error(err)
				}
				return
			}
			if got := heads(mustFail(t)); !slices.Equal(got, []string{test.want}) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}
