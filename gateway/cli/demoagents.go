package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lightlock/lightlock/connectors/sim"
)

// guest is an agent of a gateway without a configuration. Its link signs in as often
// as it is opened, so that whoever tries the gateway can open it in a second browser,
// or again when the first has forgotten the session: a link that is good once would
// have to be asked for again at a terminal. What it opens holds nothing but what is
// made up, on a gateway that only this machine reaches; the token is random, is
// never in a log, and is no agent's any more once the program has ended.
type guest struct{ id, name, token string }

// link opens the console and signs in there. The token stands behind the #, which
// browsers send to nobody.
func (g guest) link(public string) string { return "http://" + public + "/#token=" + g.token }

// guests makes two agents, so that a conversation can be handed over, and writes
// the agents file that knows them. Their tokens are new each time.
func guests(dir string) (file string, list []guest, err error) {
	list = []guest{{id: "ben", name: "Ben"}, {id: "eva", name: "Eva"}}
	var b strings.Builder
	b.WriteString("agents:\n")
	for i := range list {
		list[i].token = sim.Secret() + sim.Secret()
		sum := sha256.Sum256([]byte(list[i].token))
		fmt.Fprintf(&b, "  - id: %s\n    name: %s\n    token_sha256: %s\n    queues: [%s]\n",
			list[i].id, list[i].name, hex.EncodeToString(sum[:]), simulatedQueue)
	}
	file = filepath.Join(dir, "agents.yaml")
	return file, list, os.WriteFile(file, []byte(b.String()), 0o600)
}

// places says where to look, a line each.
func places(list []guest, public, stage string) string {
	text := fmt.Sprintf("  console    %s\n  phones     http://%s/\n", list[0].link(public), stage)
	for _, g := range list[1:] {
		text += fmt.Sprintf("  as %-7s %s\n", g.name, g.link(public))
	}
	return text
}
