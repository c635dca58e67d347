package config

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

const benEntry = "  - {id: ben, token_sha256: 3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b, queues: [support]}\n"

// loadAgents reads a file of local agents.
func loadAgents(t *testing.T, text string, queues ...string) ([]LocalAgent, error) {
	t.Helper()
	inFolder(t, map[string]string{"agents.yaml": text})
	c := Default()
	c.Agents.File = "agents.yaml"
	c.Services = []Service{{Name: "desk", Token: NewSecret("a token")}}
	return LoadAgents(&c, queues)
}

func TestAgentsFile(t *testing.T) {
	got, err := loadAgents(t, "agents:\n"+benEntry, "support")
	if err != nil || len(got) != 1 || got[0].ID != "ben" || got[0].Queues[0] != "support" {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := loadAgents(t, "agents: []\n"); err != nil || len(got) != 0 {
		t.Errorf("nobody: got %+v, %v", got, err)
	}
	c := Default()
	if got, err := LoadAgents(&c, nil); err != nil || got != nil {
		t.Errorf("no file: got %+v, %v", got, err)
	}
	c.Agents.File = "elsewhere.yaml"
	if _, err := LoadAgents(&c, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: got %v", err)
	}
}

func TestWrongAgentsFiles(t *testing.T) {
	const token = "llat_canary-canary-canary"
	for _, c := range []struct{ text, want string }{
		{"", `missing key "agents"`},
		{"agents:\n", "agents: nothing stands behind the key"},
		{"agents: {}\n", "agents: wanted a list"},
		{"agents:\n" + benEntry + benEntry, "agents[1].id: the same as of agents[0]"},
		{"agents:\n" + benEntry + strings.Replace(benEntry, "ben", "eva", 1), "agents[1].token_sha256: the same as of agents[0]"},
		{"agents:\n  - {id: ben, token_sha256: " + TokenHash("a token") + ", queues: [support]}", "the same as of services[0]"},
		{"agents:\n" + strings.Replace(benEntry, "ben", "oidc:ben", 1), "agents[0].id: not made of letters"},
		{"agents:\n" + strings.Replace(benEntry, "ben", "''", 1), "agents[0].id: must not be empty"},
		{"agents:\n" + strings.Replace(benEntry, "support", "supp", 1), `no account has the queue "supp"`},
		{"agents:\n" + strings.Replace(benEntry, "[support]", "[]", 1), "agents[0].queues: must not be empty"},
		{"agents:\n" + strings.Replace(benEntry, "token_sha256", "token_sha265", 1), `unknown key "token_sha265"`},
		{"agents:\n  - {id: ben, queue: x, token_sha256: " + token + ", queues: [support]}", "agents[0].token_sha256: not a SHA-256"},
		{"agents:\n  - {id: ben, token: " + token + ", queues: [support]}", `unknown key "token"`},
		{"agents:\n  - id: ben\n    token_sha256: 3A7BD3E2360A3D29EEA436FCFB7E44C735D117C42D1C1835420B6B9942DD4F1B\n    queues: [support]", "agents[0].token_sha256: not a SHA-256"},
	} {
		_, err := loadAgents(t, c.text, "support", "sales")
		var problems *Problems
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %s", c.text, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("a token is shown: %v", err)
		}
	}
}

func TestHowAgentsAreKnown(t *testing.T) {
	for _, c := range []struct{ agents, want string }{
		{"session: 30s", "agents.session: too small"},
		{"file: agents.yaml", "agents.file: the file does not exist"},
		{"oidc: {issuer: \"https://login.example.com\", client_id: a, queues_claim: q}", ""},
		{"oidc: {issuer: \"http://localhost:9998/\", client_id: a, queues: [support]}", ""},
		{"oidc: {issuer: \"http://login.example.com\", client_id: a, queues_claim: q}", "agents.oidc.issuer: not https"},
		{"oidc: {issuer: login.example.com, client_id: a, queues_claim: q}", "agents.oidc.issuer: not an absolute"},
		{"oidc: {issuer: \"https://a:b@login.example.com\", client_id: a, queues_claim: q}", "agents.oidc.issuer: a user name"},
		{"oidc: {issuer: \"https://login.example.com\", client_id: a}", "wanted exactly one of queues_claim and queues"},
		{"oidc: {issuer: \"https://login.example.com\", client_id: a, queues_claim: q, queues: [support]}", "wanted exactly one of queues_claim and queues"},
		{"oidc: {issuer: \"https://login.example.com\", client_id: a, queues: [supp]}", `no account has the queue "supp"`},
		{"oidc: {issuer: \"https://login.example.com\", queues_claim: q}", `missing key "client_id"`},
		{"oidc: {issuer: \"https://login.example.com\", client_id: a, queues_claim: q, client_secret: canary}", "a secret stands in the file itself"},
		{"oidc: {issuer: \"https://login.example.com\", client_id: a, queues_claim: q, ca_file: ca.pem}", "agents.oidc.ca_file: the file does not exist"},
		{"oidc: {issuer: \"https://login.example.com\", client_id: a, queues_claim: q, proxy: proxy}", "agents.oidc.proxy: not the address of a proxy"},
	} {
		inFolder(t, map[string]string{"lightlock.yaml": goodGateway + "agents:\n  " + c.agents + "\n", "connectors/line.yaml": goodLine})
		setVariables(t, goodGateway+goodLine)
		_, err := Load("lightlock.yaml", testChannels)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.agents, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %s", c.agents, err, c.want)
		case err != nil && strings.Contains(err.Error(), "canary"):
			t.Errorf("a secret is shown: %v", err)
		}
	}
}

func TestSigningInNeedsAnAddress(t *testing.T) {
	inFolder(t, map[string]string{"lightlock.yaml": "agents:\n  oidc: {issuer: \"https://login.example.com\", client_id: a, queues_claim: q, client_secret: \"${TEST_OIDC}\"}\n"})
	t.Setenv("TEST_OIDC", "a secret")
	if _, err := Load("lightlock.yaml", nil); err == nil || !strings.Contains(err.Error(), "agents.oidc.client_secret: public_url is not set") {
		t.Errorf("got %v", err)
	}
	t.Setenv("TEST_OIDC", "")
	if _, err := LoadToLook("lightlock.yaml", nil); err != nil {
		t.Errorf("to look: %v", err)
	}
}

// TestLookingNeedsNoAgents: one who looks after messages is not kept from it by
// another's typing error.
func TestLookingNeedsNoAgents(t *testing.T) {
	inFolder(t, map[string]string{"lightlock.yaml": "agents: {file: agents.yaml}\n", "agents.yaml": "agents: [{id: ben"})
	if _, err := Load("lightlock.yaml", nil); err == nil {
		t.Error("a broken agents file is no problem")
	}
	if _, err := LoadToLook("lightlock.yaml", nil); err != nil {
		t.Errorf("to look: %v", err)
	}
}

// TestAgentsExample reads the example as it is, and with what it shows put in.
func TestAgentsExample(t *testing.T) {
	text, err := os.ReadFile("agents.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := loadAgents(t, string(text)); err != nil || len(got) != 0 {
		t.Errorf("as it is: got %+v, %v", got, err)
	}
	bare := strings.Replace(string(text), "agents: []", "", 1)
	bare = strings.Replace(bare, "#   - id", "agents:\n  - id", 1)
	bare = regexp.MustCompile(`(?m)^#     ([a-z_0-9]+:)`).ReplaceAllString(bare, "    $1")
	got, err := loadAgents(t, strings.Replace(bare, "HEX", TokenHash("x"), 1), "support")
	if err != nil || len(got) != 1 || got[0].Name != "Ben" || got[0].Queues[0] != "support" {
		t.Errorf("with what it shows: got %+v, %v\n%s", got, err, bare)
	}
}

func TestSchemaOfTheAgentsFile(t *testing.T) {
	check := compiled(t, AgentsFile{})
	for _, good := range []string{"agents: []", "agents:\n" + benEntry} {
		if err := check(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"agents: {}", "agents: [{id: ben}]", "agents:\n" + strings.Replace(benEntry, "3a7b", "3A7B", 1), "agent: []"} {
		if err := check(bad); err == nil {
			t.Errorf("%s: passes", bad)
		}
	}
}
