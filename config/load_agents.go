package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
)

// TokenHash returns what an agents file keeps of a token: its SHA-256, in hex.
func TokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Entry returns the agent as an entry of an agents file, indented to stand below the
// key agents. The error is a *Problems if no such file would take it.
func (a LocalAgent) Entry() (string, error) {
	queues := make([]string, len(a.Queues))
	for i, q := range a.Queues {
		queues[i] = quoted(q)
	}
	entry := "  - id: " + quoted(a.ID) + "\n"
	if a.Name != "" {
		entry += "    name: " + quoted(a.Name) + "\n"
	}
	entry += "    token_sha256: " + a.TokenSHA256 + "\n    queues: [" + strings.Join(queues, ", ") + "]\n"
	doc := &document{lines: strings.Split("agents:\n"+entry, "\n")}
	doc.refuseBinary()
	l := &loader{forms: forms{}}
	l.agentsFile(doc, nil)
	return entry, l.problems()
}

// quoted writes a text as JSON does, which YAML reads.
func quoted(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // never fails
	return strings.TrimSpace(b.String())
}

// LoadAgents reads the file of local agents that a configuration names, and
// returns none where it names none. queues are all that there are; none means that
// they are not known. The error is that of Load.
func LoadAgents(c *Config, queues []string) ([]LocalAgent, error) {
	if c.Agents.File == "" {
		return nil, nil
	}
	doc, err := openDocument(c.Agents.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the agents file %s does not exist: %w", c.Agents.File, err)
	case err != nil:
		return nil, fmt.Errorf("the agents file %s cannot be read: %w", c.Agents.File, err)
	}
	l := &loader{forms: forms{}}
	d, file := l.agentsFile(doc, c.Services)
	d.strangeAgents(file, queues)
	if problems := l.problems(); problems != nil {
		return nil, problems
	}
	return file.Agents, nil
}

// agentsFile decodes and checks a file of local agents.
func (l *loader) agentsFile(doc *document, services []Service) (*decoder, *AgentsFile) {
	d, file := l.decoder(doc), &AgentsFile{}
	d.env = os.LookupEnv
	d.decode(doc.parse(), reflect.ValueOf(file).Elem())
	if _, there := d.places["agents"]; !there && !doc.partial && !d.bad["agents"] {
		d.report(d.top, "agents", `missing key "agents"`, "a file that lists nobody may be one that is only half written", "add agents: [] if there are none")
	}
	d.findings(file.check(services))
	return d, file
}

// agents reads the file of local agents, if there is one. Who only looks needs none of
// them: while somebody edits that file, the gateway works on as well.
func (l *loader) agents(gateway *decoder, c *Config) {
	if c.Agents.File == "" || gateway.bad["agents.file"] || l.look {
		return
	}
	doc, err := openDocument(c.Agents.File)
	if err != nil {
		what := "the file cannot be read"
		if errors.Is(err, fs.ErrNotExist) {
			what = "the file does not exist"
		}
		gateway.findings([]Finding{{"agents.file", what, "nobody could sign in", "put it there, or correct the path, which is relative to this file"}})
		return
	}
	l.local, l.localAgents = l.agentsFile(doc, c.Services)
}

// strangeAgents reports queues of local agents that no account puts anything into.
// No queues means that they are not known.
func (d *decoder) strangeAgents(file *AgentsFile, queues []string) {
	for i, a := range file.Agents {
		d.strangeQueues(fmt.Sprintf("agents[%d].queues", i), a.Queues, queues, "the agent would wait for conversations for ever")
	}
}

// strangeQueues reports those of a list that are not among the known ones.
func (d *decoder) strangeQueues(path string, list, known []string, why string) {
	for j, q := range list {
		if len(known) == 0 || slices.Contains(known, q) {
			continue
		}
		d.findings([]Finding{{fmt.Sprintf("%s[%d]", path, j), fmt.Sprintf("no account has the queue %q", q),
			why, choice(q, known[:min(len(known), 20)]) + ", or give an account this queue"}})
	}
}

// queues lists all that accounts have. There are none while there are no
// connectors, or some account could not be read, which may name another.
func (l *loader) queues(files int) []string {
	queues := map[string]bool{}
	for _, c := range l.connectors {
		if c.doc.partial || c.troubled("accounts") {
			return nil
		}
		for _, a := range c.settings.AccountList() {
			queues[a.Queue] = true
		}
	}
	if len(l.connectors) != files {
		return nil
	}
	return slices.Sorted(maps.Keys(queues))
}
