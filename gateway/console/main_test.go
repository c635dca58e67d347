package console_test

import (
	"flag"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lightlock/lightlock/gateway/console/consoletest"
)

// browser starts the one browser of these tests when the first of them needs it.
var browser = sync.OnceValues(consoletest.StartBrowser)

var started atomic.Bool

func TestMain(m *testing.M) {
	// Most of them wait more than they work. A number on the command line comes later,
	// and counts.
	_ = flag.Set("test.parallel", "4")
	code := m.Run()
	if started.Load() {
		if b, err := browser(); err == nil {
			b.Stop()
		}
	}
	os.Exit(code)
}

// signedIn opens a page of a gateway's at a path, as an agent.
func signedIn(t *testing.T, g *consoletest.Gateway, agent, path string) *consoletest.Page {
	t.Helper()
	p := blank(t, g)
	p.SignIn(g.Session(agent))
	p.Go(path)
	return p
}

// blank opens a page that has no session and shows nothing yet.
func blank(t *testing.T, g *consoletest.Gateway) *consoletest.Page {
	t.Helper()
	b := consoletest.Need(t, browser)
	started.Store(true)
	return b.Page(t, g.URL)
}

func ben() consoletest.Agent { return consoletest.Agent{ID: "ben", Name: "Ben"} }
func eva() consoletest.Agent { return consoletest.Agent{ID: "eva", Name: "Eva"} }
