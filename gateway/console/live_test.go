package console_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/console/consoletest"
)

func TestConnectionCutAndRestored(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	g.Say(id, consoletest.Message{Text: "before"})
	p.AwaitText("#messages", "before")
	g.SetAway(true)
	p.AwaitText("#bar", "Reconnecting… last update "+time.Now().Format("15:"))
	looked(p, "reconnecting")
	g.Say(id, consoletest.Message{Text: "meanwhile"})
	other := g.Open(named("New meanwhile", 0))
	g.SetAway(false)
	p.AwaitText("#messages", "meanwhile")
	p.AwaitNone("#bar:not(:empty)")
	p.Click("[data-tab=waiting]")
	p.AwaitText(".row[data-id='"+other+"']", "New meanwhile")
	// By the place that was heard last, and not by fetching everything.
	if asked(g, "GET /v1/events?since=support%3D") == 0 {
		t.Errorf("no stream was resumed: %q", g.Requests())
	}
}

// TestConversationThatHasGoneIsReadAnew: what has moved to the archive, or is partly
// there, is told by its name alone.
func TestConversationThatHasGoneIsReadAnew(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	m := g.Say(id, consoletest.Message{Text: "take this back", Photos: []consoletest.Photo{consoletest.Ready(1, 800, 600)}})
	p := signedIn(t, g, "ben", "/c/"+id)
	p.AwaitText("#messages", "take this back")
	p.Await("document.querySelector('.thumb img')")
	g.Rewrite(id, m.ID, func(m *consoletest.Message) { m.Text, m.Photos, m.UnsentAt = "", []consoletest.Photo{}, time.Now() })
	g.Gone(id)
	p.AwaitText(".photo .why", "The customer withdrew it")
	p.Await("!document.querySelector('.thumb img') && !document.querySelector('#messages').textContent.includes('take this back')")
}

func TestSessionThatEndsAsksForSignIn(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	g.Say(id, consoletest.Message{Photos: []consoletest.Photo{consoletest.Ready(1, 800, 600)}})
	p := signedIn(t, g, "ben", "/c/"+id)
	p.Click("#text")
	p.Type("not lost")
	p.Await("document.querySelector('.thumb img')")
	g.EndSessions()
	p.AwaitText("#sign-in", "Drafts are kept")
	p.Await("!document.querySelector('.thumb img')")
	p.AwaitFocus("#token")
	looked(p, "session-over")
	p.Press("Escape")
	p.Type("ben")
	p.Press("Enter")
	p.AwaitNone("#sign-in")
	p.Await("document.querySelector('#text').value === 'not lost'")
	p.Await("document.querySelector('.thumb img')")
	g.Say(id, consoletest.Message{Text: "live again"})
	p.AwaitText("#messages", "live again")
}

func TestSomebodyElseBeginsWithAnEmptyPage(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	p.Click("#text")
	p.Type("mine alone")
	g.EndSessions()
	p.AwaitFocus("#token")
	p.Type("eva")
	p.Press("Enter")
	p.AwaitText("#me", "Eva")
	p.AwaitText("#instead", "With Ben")
	if strings.Contains(p.Text("body"), "mine alone") {
		t.Error("Eva sees Ben's draft")
	}
}

func TestSignOutDestroysDrafts(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	p.Click("#text")
	p.Type("a secret")
	p.Click("#open-settings")
	p.Click("#sign-out")
	p.AwaitText("#confirm", "1 draft that was not sent will be lost.")
	p.Click("#confirm-yes")
	p.AwaitFocus("#token")
	if got := p.Eval("JSON.stringify(localStorage)"); strings.Contains(got.(string), "secret") {
		t.Errorf("left behind: %v", got)
	}
}

func TestTabsShareOneStream(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	p.AwaitText("#heading", "Ana")
	second := p.Tab("/c/" + id)
	second.AwaitText("#heading", "Ana")
	g.Say(id, consoletest.Message{Text: "to both"})
	p.AwaitText("#messages", "to both")
	second.AwaitText("#messages", "to both")
	if streams := asked(g, "GET /v1/events"); streams != 1 {
		t.Errorf("two tabs have made %d streams, want 1", streams)
	}
}

func TestWithoutASharedWorker(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := blank(t, g)
	p.Before("delete globalThis.SharedWorker; delete globalThis.requestIdleCallback")
	p.SignIn(g.Session("ben"))
	p.Go("/c/" + id)
	p.AwaitText("#heading", "Ana")
	g.Say(id, consoletest.Message{Text: "without a worker"})
	p.AwaitText("#messages", "without a worker")
	g.SetAway(true)
	p.AwaitText("#bar", "Reconnecting")
	g.Say(id, consoletest.Message{Text: "meanwhile"})
	g.SetAway(false)
	p.AwaitText("#messages", "meanwhile")
}

func TestAnotherAgentInAnotherTab(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	p.AwaitText("#heading", "Ana")
	g.Say(id, consoletest.Message{Text: "one"})
	p.AwaitText("#messages", "one")
	p.SignIn(g.Session("eva"))
	second := p.Tab("/c/" + id)
	second.AwaitText("#me", "Eva")
	p.AwaitText("#me", "Eva") // it finds that out, and begins anew
	p.AwaitText("#instead", "With Ben")
	g.Say(id, consoletest.Message{Text: "two"})
	second.AwaitText("#messages", "two")
	p.AwaitText("#messages", "two")
}

func TestGatewayThatIsAwayAtTheStart(t *testing.T) {
	t.Parallel()
	g, _ := assigned(t)
	g.Fail("GET /v1/", consoletest.Fault{Status: 503})
	p := signedIn(t, g, "ben", "/mine")
	p.AwaitText("#bar", "Reconnecting")
	g.Mend("GET /v1/")
	p.AwaitText(".row", "Ana")
	p.AwaitNone("#bar:not(:empty)")
}

// TestTwoThousandRows says how long the page takes with them; it judges only that
// all are there and that the list changes.
func TestTwoThousandRows(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	var last string
	for i := range 2000 {
		last = g.Open(named("Customer", time.Hour-time.Duration(i)*time.Second))
	}
	p := signedIn(t, g, "ben", "/waiting")
	p.Await("document.querySelectorAll('.row').length === 2000")
	p.Eval(`new PerformanceObserver((list) => { globalThis.longest = Math.max(globalThis.longest ?? 0, ...list.getEntries().map((e) => e.duration)); })
		.observe({ type: 'longtask' }); globalThis.longest = 0`)
	for range 20 {
		g.Say(last, consoletest.Message{Text: "an update"})
	}
	p.Await("[...document.querySelectorAll('.row .gist')].at(-1).textContent === 'an update'")
	t.Logf("first contentful paint %.0f ms after navigation, longest task while 20 updates came %.0f ms (0: none over 50)",
		p.Eval("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"), p.Eval("longest"))
}
