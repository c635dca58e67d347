package config

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// lineSettings stands in for a channel's settings.
type lineSettings struct {
	Connector     `yaml:",inline"`
	ChannelSecret Secrets       `yaml:"channel_secret" check:"required" why:"no webhook can be verified without channel_secret"`
	Ratio         float64       `yaml:"ratio" check:"min=0,max=1"`
	Accounts      []lineAccount `yaml:"accounts" check:"required"`
}

type lineAccount struct {
	Account `yaml:",inline"`
	Token   Secret `yaml:"channel_access_token" check:"required"`
}

func (c *lineSettings) AccountList() []Account {
	var list []Account
	for _, a := range c.Accounts {
		list = append(list, a.Account)
	}
	return list
}

func (c *lineSettings) Check() []Finding {
	var found []Finding
	for i, a := range c.Accounts {
		if !strings.HasPrefix(a.ID, "U") {
			found = append(found, Finding{"accounts[" + strconv.Itoa(i) + "].id", "no bot's id", "events name it", "copy it"})
		}
	}
	return found
}

var testChannels = Prototypes{"line": func() Settings { return &lineSettings{} }}

const goodGateway = `public_url: https://photos.example.com
services:
  - name: desk
    token: ${TEST_TOKEN}
    queues: [support]
`

const goodLine = `channel: line
name: acme
channel_secret: ${TEST_SECRET}
accounts:
  - id: U1
    queue: support
    channel_access_token: ${TEST_ACCESS}
`

const testToken = "0123456789abcdef0123456789abcdef"

// inFolder writes files into a new folder, makes it the working directory, and
// sets the variables that the good files name.
func inFolder(t testing.TB, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	switch t := t.(type) {
	case *testing.T:
		t.Chdir(dir)
	case *testing.F:
		t.Chdir(dir)
	}
	t.Setenv("TEST_SECRET", "the-channel-secret")
	t.Setenv("TEST_ACCESS", "the-access-token")
	t.Setenv("TEST_TOKEN", testToken)
}

// mustFail loads lightlock.yaml and returns its problems.
func mustFail(t testing.TB) *Problems {
	t.Helper()
	_, err := Load("lightlock.yaml", testChannels)
	var problems *Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got error %v, want *Problems", err)
	}
	return problems
}

// heads are the first lines of a report's paragraphs.
func heads(p *Problems) []string {
	var list []string
	for _, one := range p.List {
		list = append(list, one.File+":"+strconv.Itoa(one.Line)+":"+strconv.Itoa(one.Column)+": "+one.What)
	}
	return list
}
