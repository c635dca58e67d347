package console_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/console/consoletest"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
)

// asked is how many calls begin so.
func asked(g *consoletest.Gateway, prefix string) (n int) {
	for _, r := range g.Requests() {
		if strings.HasPrefix(r, prefix) {
			n++
		}
	}
	return n
}

// TestReadIsWhatSomebodyLooksAt: a window that is open and not looked at reads nothing.
func TestReadIsWhatSomebodyLooksAt(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	p.Await("document.title === 'Lightlock'")
	p.Eval("document.hasFocus = () => false")
	g.Say(id, consoletest.Message{Text: "unseen"})
	p.AwaitText("#messages", "unseen")
	p.Await("document.title === '(1) Lightlock'")
	if got := g.Conversation(id).Read; got != 1 {
		t.Errorf("read %d of 2 in a window that nobody looks at, want 1", got)
	}
	p.Eval("delete document.hasFocus; dispatchEvent(new Event('focus'))")
	p.Await("document.title === 'Lightlock'")
}

func TestListIsHeldWhileItIsScrolled(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	for i := range 30 {
		g.Open(named(fmt.Sprint("N", i), time.Hour-time.Duration(i)*time.Second))
	}
	p := signedIn(t, g, "ben", "/waiting")
	p.Await("document.querySelectorAll('.row').length === 30")
	p.Pointer(700, 300)
	p.Eval("document.querySelector('#rows').scrollTop = 500")
	first := g.Open(named("First", 2*time.Hour))
	p.AwaitText("#held", "1 new")
	if got := p.Eval("document.querySelector('#rows').scrollTop"); got != 500.0 {
		t.Errorf("the list moved to %v under who reads it", got)
	}
	p.Eval("document.querySelector('#rows').scrollTop = 0")
	p.Await("document.querySelector('.row').dataset.id === '" + first + "'")
}

// TestWaitingCountIsSaidNowAndThen: at once, and then not again for a while.
func TestWaitingCountIsSaidNowAndThen(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	p.AwaitText("#heading", "Ana")
	g.Open(named("Bo", 0))
	p.AwaitText("[role=status].unseen", "1 conversation waiting")
	g.Open(named("Cy", 0))
	p.AwaitText("[data-tab=waiting] .count", "2")
	g.Say(id, consoletest.Message{Text: "later"})
	p.AwaitText("[role=log].unseen", "later")
	if got := p.Texts("[role=status].unseen p"); len(got) != 1 {
		t.Errorf("it is said %q, want one sentence within 20 s", got)
	}
}

func TestSearchWaitsForTheSecondLetterAndForgetsTheLast(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	for _, name := range []string{"Zoe", "Ana"} {
		g.Close(g.Open(named(name, time.Hour)))
	}
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	g.Fail("GET /v1/conversations?view=closed&q=Zo", consoletest.Fault{Until: never})
	p := signedIn(t, g, "ben", "/closed")
	p.Await("document.querySelectorAll('.row').length === 2")
	letters(p, "Zo")
	p.Await("document.querySelector('.skeleton')")
	letters(p, "an")
	p.AwaitText(".row mark", "An")
	letters(p, "Z")
	p.Await("document.querySelectorAll('.row').length === 2")
	if n := asked(g, "GET /v1/conversations?view=closed&q=Z&"); n > 0 {
		t.Errorf("one letter was searched for %d times", n)
	}
}

func TestFocusStaysWithoutRows(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben(), eva())
	id := g.Open(named("Ana", time.Hour))
	p := signedIn(t, g, "ben", "/waiting")
	p.AwaitText(".row", "Ana")
	p.Press("j")
	p.AwaitFocus(".row")
	if got := p.Eval("getComputedStyle(document.activeElement).outlineWidth"); got != "2px" {
		t.Errorf("the ring around what has the focus is %v wide, want 2px", got)
	}
	g.Assign(id, "eva")
	p.AwaitText(".row.left", "Taken by Eva")
	p.Press(".")
	p.AwaitFocus("#list-heading")
	p.AwaitText("#list-note", "Nobody is waiting")
}

// TestResetFetchesAnew: what was missed is there, though no live update tells it.
func TestResetFetchesAnew(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	p.AwaitText("#messages", "hello")
	g.Rewrite(id, g.Messages(id)[0].ID, func(m *consoletest.Message) { m.Text = "what was missed" })
	g.Reset()
	p.AwaitText("#messages", "what was missed")
}

// TestViewerShowsTheThumbnailAtOnce, and has its neighbours ready before they are
// wanted; what was turned is upright after a reload. Below the preview there is no
// thumbnail any more, whose edges would be seen.
func TestViewerShowsTheThumbnailAtOnce(t *testing.T) {
	t.Parallel()
	g, id := shots(t)
	come := make(chan struct{})
	photo := func(n int) string { return "GET /v1/photos/" + consoletest.Ready(n, 1, 1).ID + "/preview" }
	g.Fail(photo(2), consoletest.Fault{Until: come})
	p := signedIn(t, g, "ben", "/c/"+id+"/photo/"+consoletest.Ready(2, 1, 1).ID)
	p.Await("document.querySelector('#stage .thumbnail')?.naturalWidth === 240 && !document.querySelector('#stage .preview')")
	before := box(p)
	p.Media(map[string]string{"prefers-reduced-motion": "no-preference"}) // it fades in
	close(come)
	p.Await("document.querySelector('#stage .preview')?.naturalWidth === 2000")
	p.Await("!document.querySelector('#stage .thumbnail').checkVisibility()")
	if after := box(p); after != before {
		t.Errorf("the preview lies at %v, the thumbnail at %v", after, before)
	}
	gatewaytest.Await(t, "the photos beside it are fetched", func() bool { return asked(g, photo(1)) == 1 && asked(g, photo(3)) == 1 })
	p.Press("r")
	p.Reload()
	p.Await("document.querySelector('#stage .preview')?.naturalWidth === 2000")
	if again := box(p); again != before {
		t.Errorf("after a reload it lies at %v, want %v", again, before)
	}
}

// TestNewOrderWaits: what would only move a row under the agent's hand waits, too.
func TestNewOrderWaits(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	ana := g.Given("ben", "Ana", consoletest.Message{Text: "old", At: ago(time.Hour)})
	g.Given("ben", "Bo", consoletest.Message{Text: "newer", At: ago(time.Minute)})
	p := signedIn(t, g, "ben", "/mine")
	awaitNames(p, "Bo Ana")
	p.Press("j")
	p.AwaitFocus(".row")
	g.Say(ana, consoletest.Message{Text: "newest"})
	p.AwaitText("#held", "New order")
	if got := names(p); got != "Bo Ana" {
		t.Errorf("under the focus: %s, want Bo Ana", got)
	}
	p.Press(".")
	awaitNames(p, "Ana Bo")
	p.AwaitNone("#held")
}

// TestLateMessage: what came after the close waits again, and says why.
func TestLateMessage(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	g.Close(id)
	p := signedIn(t, g, "ben", "/c/"+id)
	p.AwaitText("#instead", "Closed by you")
	g.Alter(id, func(c *consoletest.Conversation) { c.State, c.Agent, c.Late = "waiting", nil, true })
	g.Say(id, consoletest.Message{Text: "and this", Late: true})
	p.AwaitText("#instead", "A message came after it was closed. Take it to read and close it")
	p.AwaitText("#subheading", "waiting · a message came late")
	p.AwaitText(".by", "came late")
	p.Press("t")
	p.AwaitFocus("#text")
}
