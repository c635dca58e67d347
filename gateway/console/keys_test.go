package console_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/console/consoletest"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	waiting := g.Open(named("Bo", time.Minute))
	p := signedIn(t, g, "ben", "/")
	p.AwaitText(".row", "Bo")
	at := func(path string) {
		t.Helper()
		p.Await(fmt.Sprintf("location.pathname === %q", path))
	}
	p.Press("2")
	at("/mine")
	p.Press("3")
	at("/closed")
	p.Press("1")
	at("/waiting")
	p.Press("?")
	p.AwaitText("#keys", "Rotate right, left")
	p.AwaitText("#keys", "While you write, letters are letters: press Esc first.")
	p.Press("Escape")
	p.AwaitNone("#keys")
	p.Press("n")
	p.AwaitText("#heading", "Ana")
	p.Press("r")
	p.AwaitFocus("#text")
	p.Type("tnx?123") // letters are letters in a text
	at("/c/" + id)
	p.Await("document.querySelector('#text').value === 'tnx?123'")
	p.Press("Escape")
	p.AwaitFocus("#transcript")
	p.Press("n") // nothing unread any more: the one who has waited longest
	p.AwaitText("#heading", "Bo")
	p.Press("t")
	p.AwaitFocus("#text")
	p.Press("Escape", "x")
	p.AwaitText("#hand-over", "Eva")
	p.Click("#hand-over input[value='agent:eva']")
	p.Click("#hand-over .main")
	p.AwaitText("#instead", "Now with Eva")
	if got := g.Conversation(waiting).Agent.ID; got != "eva" {
		t.Errorf("it is with %s, want eva", got)
	}
	p.Press("e") // not ours to close
	p.AwaitNone("#confirm")

	p.Click("#open-settings")
	p.Click("#settings input[name=letters]")
	p.Press("Escape")
	p.Press("1")
	p.AwaitNone("#settings")
	at("/c/" + waiting)
	p.Reload()
	p.AwaitText("#heading", "Bo")
	p.Press("1")
	p.Eval("new Promise((done) => setTimeout(done))")
	at("/c/" + waiting)
}

// TestOutOfTheReply: taking leads into the reply box, and Esc from there to the
// conversation's keys; the draft stays.
func TestOutOfTheReply(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	id := g.Open(named("Ana", time.Hour))
	g.Say(id, consoletest.Message{Photos: []consoletest.Photo{consoletest.Ready(1, 1200, 900)}})
	p := signedIn(t, g, "ben", "/c/"+id)
	p.AwaitText("#heading", "Ana")
	p.Press("t")
	p.AwaitFocus("#text")
	p.AwaitText("#reply-hint", "Enter sends · Esc for the keys")
	p.Type("so far")
	p.Press("Escape")
	p.AwaitFocus("#transcript")
	p.Press("p")
	p.AwaitFocus("#viewer-heading")
	p.Press("Escape")
	p.AwaitNone("#viewer")
	p.Press("r")
	p.AwaitFocus("#text")
	p.Press("Escape", "e")
	p.AwaitText("#confirm", "Close the conversation with Ana?")
	p.Press("Escape", "Escape") // the question, then the conversation
	p.AwaitFocus(".row")
	p.Await("document.querySelector('#text').value === 'so far'")
	p.Click("#open-settings")
	p.Click("#settings input[name=letters]")
	p.Press("Escape")
	p.Click("#text")
	p.Type("!")
	p.Await("document.querySelector('#reply-hint').textContent === 'Enter sends'")
}

func TestPutBackAmongTheWaiting(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	p.AwaitText("#facts", "Unanswered since")
	p.Click("#transfer")
	p.Click("#hand-over input[value=nobody]")
	p.Click("#hand-over .main")
	p.AwaitText("#instead", "Not yours any more: it waits again")
	p.AwaitText("#facts", "Waits since")
	p.AwaitText("[data-tab=waiting] .count", "1")
	p.Click("#take-below")
	p.AwaitFocus("#text")
}

func TestTwoWantTheSame(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben(), eva())
	id := g.Open(named("Ana", time.Hour))
	p := signedIn(t, g, "ben", "/c/"+id)
	p.AwaitText("#instead", "Take it to answer")
	g.SetAway(true) // Ben does not hear of it
	p.AwaitText("#bar", "Reconnecting")
	g.Assign(id, "eva")
	p.Click("#take")
	p.AwaitText("[role=alert].unseen", "Taken by Eva")
	p.AwaitText("#instead", "With Eva")
}

func TestEnterCanBreakTheLine(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	p.Click("#open-settings")
	p.Click("#settings input[name=enter]")
	p.Press("Escape")
	p.Click("#text")
	p.Type("one")
	p.Press("Enter")
	p.Type("two")
	p.Await(`document.querySelector('#text').value === 'one\ntwo'`)
	p.Click("#send")
	p.AwaitText(".from-us", "one\ntwo")
}

func TestThemeIsKept(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	p.Click("#open-settings")
	p.Click("#settings input[value=dark]")
	p.Await("getComputedStyle(document.body).backgroundColor === 'rgb(18, 18, 18)'")
	p.Reload()
	p.Await("document.documentElement.dataset.theme === 'dark' && getComputedStyle(document.body).backgroundColor === 'rgb(18, 18, 18)'")
	p.Click("#open-settings")
	p.Click("#settings input[value=system]")
	p.Await("getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'")
}

func TestPhoneHasOnePane(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := blank(t, g)
	p.Phone()
	p.SignIn(g.Session("ben"))
	p.Go("/mine")
	p.AwaitText(".row", "Ana")
	p.AwaitNone("#heading")
	p.Click(".row")
	p.AwaitFocus("#heading")
	p.AwaitNone(".row")
	// A phone's Enter breaks the line.
	p.Click("#text")
	p.Type("a")
	p.Press("Enter")
	p.Type("b")
	p.Await(`document.querySelector('#text').value === 'a\nb' && !document.querySelector('#reply-hint').textContent`)
	p.Back()
	p.AwaitFocus(".row")
	p.Click(".row")
	p.Click("#back")
	p.AwaitFocus(".row")
	p.Go("/c/" + id)
	p.Click("#open-details")
	p.AwaitText("#details", "Customer")
	p.Click("#close-details")
	p.AwaitFocus("#open-details")
	if small := p.Eval(`[...document.querySelectorAll('button, .row, .tabs a')].filter((n) => n.checkVisibility() && !n.matches('.link, .pill') && (n.offsetHeight < 44 || n.offsetWidth < 44)).map((n) => n.outerHTML).join()`); small != "" {
		t.Errorf("too small to touch: %v", small)
	}
}
