package connectortest

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

// FuzzParse fuzzes the toy channel: the fuzz target itself, that is.
func FuzzParse(f *testing.F) { Fuzz(f, toyManners{tokens: true}.subject()) }

// A fuzz target that finds nothing in a broken channel would be of no use.
func TestReads(t *testing.T) {
	for name, parse := range map[string]func(r *connectors.Request) ([]connectors.Event, error){
		"no ID": func(*connectors.Request) ([]connectors.Event, error) {
			return []connectors.Event{{Kind: connectors.Message}}, nil
		},
		"other times": func(*connectors.Request) ([]connectors.Event, error) { return []connectors.Event{dated()}, nil },
		"no kind":     func(*connectors.Request) ([]connectors.Event, error) { return nil, os.ErrInvalid },
		"another account's photo": func(*connectors.Request) ([]connectors.Event, error) {
			return []connectors.Event{{Kind: connectors.Message, ID: "1", Raw: []byte("{}"), Photos: []connectors.Photo{{Account: "2"}}}}, nil
		},
	} {
		m := toyMutant{twist: func(t *twistedToy) { t.parse = parse }}
		s, _ := m.subject()
		b, err := newBench(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := reads(b.connector, &connectors.Request{}); err == nil {
			t.Errorf("%s: got no error", name)
		}
		b.close()
	}
}

func dated() connectors.Event {
	return connectors.Event{Kind: connectors.Message, ID: time.Now().String(), Raw: []byte("{}")}
}

// channelFolders returns the folders of the channels that run the suite.
func channelFolders(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../*/conformance_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("got files %v, %v, want one of each channel", files, err)
	}
	var folders []string
	for _, f := range files {
		folders = append(folders, filepath.Dir(f))
	}
	return folders
}

// sources calls visit with every Go file below a folder.
func sources(t *testing.T, folder string, visit func(path string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		visit(path, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryChannelIsFuzzed(t *testing.T) {
	for _, folder := range channelFolders(t) {
		fuzzed := false
		sources(t, folder, func(path string, text []byte) {
			fuzzed = fuzzed || strings.HasSuffix(path, "_test.go") && bytes.Contains(text, []byte("\nfunc FuzzParse("))
		})
		if !fuzzed {
			t.Errorf("%s has no FuzzParse; connectortest.Fuzz is the body of one", folder)
		}
	}
}

// own matches ways to the network other than package wire's. What that package
// refuses, such as a redirect from a public host to a private address, it
// refuses for every channel only as long as none has a way of its own.
var own = regexp.MustCompile(`\bhttp\.(Get\(|Post\(|PostForm\(|Head\(|DefaultClient|DefaultTransport|Client\{|Transport\{)|\bnet\.(Dial|Lookup)|\btls\.(Dial|Client\()`)

func TestChannelsCallByWireAlone(t *testing.T) {
	for _, folder := range append(channelFolders(t), "../meta") {
		sources(t, folder, func(path string, text []byte) {
			simulated := strings.HasSuffix(filepath.Dir(path), "sim")
			if found := own.Find(text); found != nil && !simulated && !strings.HasSuffix(path, "_test.go") {
				t.Errorf("%s has %s: platforms are called by connectors/wire, which keeps private addresses and foreign hosts out", path, found)
			}
		})
	}
	for _, bad := range []string{"http.Get(u)", "&http.Client{}", "http.DefaultClient.Do", "net.DialTimeout(", "&http.Transport{"} {
		if !own.MatchString(bad) {
			t.Errorf("%q is not recognised as a way to the network", bad)
		}
	}
}
