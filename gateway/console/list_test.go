package console_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/console/consoletest"
)

func named(name string, since time.Duration) consoletest.Conversation {
	return consoletest.Conversation{Consumer: consoletest.Consumer{Name: name}, OpenedAt: ago(since)}
}

// names are those of the rows that are shown, in order.
func names(p *consoletest.Page) string { return strings.Join(p.Texts(".row .name"), " ") }

func awaitNames(p *consoletest.Page, want string) {
	p.Await(fmt.Sprintf("[...document.querySelectorAll('.row .name')].map((n) => n.textContent).join(' ') === %q", want))
}

func TestListDoesNotMoveUnderTheHand(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben(), eva())
	first := g.Open(named("A", 3*time.Minute))
	g.Open(named("B", 2*time.Minute))
	p := signedIn(t, g, "ben", "/waiting")
	awaitNames(p, "A B")
	g.Open(named("C", time.Minute))
	awaitNames(p, "A B C") // at the end: longest first

	p.Pointer(100, 200)
	p.Await("document.querySelector('#list').matches(':hover')")
	g.Open(named("D", 0))
	g.Open(named("E", 0))
	g.Say(first, consoletest.Message{Text: "only the text changes", Photos: []consoletest.Photo{consoletest.Ready(1, 8, 8), consoletest.Ready(2, 8, 8)}})
	p.AwaitText("#held", "2 new")
	p.AwaitText(".row .gist", "2 photos · only the text changes")
	g.Assign(first, "eva")
	p.AwaitText(".row.left", "Taken by Eva")
	if got := names(p); got != "A B C" {
		t.Errorf("under the pointer: %s, want A B C", got)
	}
	p.Press(".")
	p.AwaitNone("#held")
	awaitNames(p, "B C D E")

	g.Open(named("F", 0))
	p.AwaitText("#held", "1 new")
	p.Pointer(700, 300)
	p.AwaitNone("#held") // a second after the pointer has left
	awaitNames(p, "B C D E F")
	if slices.ContainsFunc(g.Requests(), func(r string) bool { return strings.Contains(r, "/v1/photos/") }) {
		t.Error("a picture was fetched of a conversation that nobody has taken")
	}
}

func TestListKeepsTheFocus(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben(), eva())
	var ids []string
	for i, name := range []string{"A", "B", "C"} {
		ids = append(ids, g.Open(named(name, time.Duration(9-i)*time.Minute)))
	}
	p := signedIn(t, g, "ben", "/waiting")
	awaitNames(p, "A B C")
	p.Press("j")
	p.AwaitFocus(".row[data-id='" + ids[0] + "']")
	p.Press("ArrowDown")
	p.AwaitFocus(".row[data-id='" + ids[1] + "']")
	p.Press("End")
	p.AwaitFocus(".row[data-id='" + ids[2] + "']")
	p.Press("k")
	p.AwaitFocus(".row[data-id='" + ids[1] + "']")
	p.Press("ArrowUp")
	p.AwaitFocus(".row[data-id='" + ids[0] + "']")
	p.Press("End", "Home", "j")
	if got := p.Eval("document.querySelectorAll('.row[tabindex=\"0\"]').length"); got != 1.0 {
		t.Errorf("Tab comes to %v rows, want one", got)
	}
	// The row that has the focus is taken by somebody else: it stays until the
	// agent asks for the new list, and then the focus is on the next.
	g.Assign(ids[1], "eva")
	p.AwaitText(".row.left", "Taken by Eva")
	p.AwaitFocus(".row.left")
	p.Press(".")
	awaitNames(p, "A C")
	p.AwaitFocus(".row[data-id='" + ids[2] + "']")
	p.Press("Enter")
	p.AwaitFocus("#heading")
	p.Press("Escape")
	p.AwaitFocus(".row[data-id='" + ids[2] + "']")
}

func TestUnreadIsSaid(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	id := g.Given("ben", "Ana")
	g.Given("ben", "Bo")
	p := signedIn(t, g, "ben", "/mine")
	p.AwaitText(".row", "Ana")
	for i := range 3 {
		g.Say(id, consoletest.Message{Text: fmt.Sprint("hello ", i)})
	}
	p.Await("document.title === '(3) Lightlock'")
	p.Await("document.querySelector('#icon').href.endsWith('/assets/icon-dot.svg')")
	p.AwaitText(".badge", "3 unread")
	p.AwaitText("[role=log].unseen", "Ana: hello 2")
	awaitNames(p, "Ana Bo") // the newest message first
	g.Alter(id, func(c *consoletest.Conversation) { c.Arrived = 240 })
	p.AwaitText(".badge", "99+")
	g.Alter(id, func(c *consoletest.Conversation) { c.Arrived = 3 })

	p.Press("n")
	p.AwaitFocus("#heading")
	p.AwaitText("#heading", "Ana")
	p.Await("document.title === 'Lightlock'") // the newest message was in view
	p.Await("document.querySelector('#icon').href.endsWith('/assets/icon.svg')")
	if got := g.Conversation(id).Read; got != 3 {
		t.Errorf("read %d of 3", got)
	}
	if got := p.Texts("[role=log].unseen p"); len(got) != 3 {
		t.Errorf("%d sentences were said for 3 messages: %q", len(got), got)
	}
}

func TestLongListsAreWhole(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	for i := range 460 {
		g.Open(named(fmt.Sprint("N", i), time.Hour-time.Duration(i)*time.Second))
	}
	p := signedIn(t, g, "ben", "/waiting")
	p.Await("document.querySelectorAll('.row').length === 460")
	p.AwaitText("[data-tab=waiting] .count", "460")
	g.Open(named("Last", 0))
	p.Await("[...document.querySelectorAll('.row .name')].at(-1).textContent === 'Last'")
	p.AwaitText("[data-tab=waiting] .count", "461")
}

func TestSearchAmongClosed(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	for i := range 60 {
		id := g.Open(named(fmt.Sprint("Customer ", i), time.Hour))
		g.Say(id, consoletest.Message{Text: fmt.Sprint("Parcel ", i)})
		g.Close(id)
	}
	odd := g.Open(named("Zoë Ångström", time.Hour))
	g.Close(odd)
	p := signedIn(t, g, "ben", "/waiting")
	p.AwaitText("#list-note", "Nobody is waiting")
	p.Press("/")
	p.AwaitFocus("#q")
	p.Await("document.querySelectorAll('.row').length === 50")
	p.Click("#list-note button")
	p.Await("document.querySelectorAll('.row').length === 61")
	letters(p, "OMER 59")
	p.Await("document.querySelectorAll('.row').length === 1")
	p.AwaitText(".row mark", "omer 59")
	p.AwaitText("[role=status].unseen", "1 conversation found")
	if got := p.Eval("location.search"); got != "?q=OMER%2059" {
		t.Errorf("the address ends in %v, want ?q=OMER%%2059", got)
	}
	p.Click(".row")
	p.AwaitText("#instead", "Closed by")
	p.Back()
	p.Await("location.search === '?q=OMER%2059' && document.querySelectorAll('.row').length === 1")
	p.Reload()
	p.Await("document.querySelector('#q').value === 'OMER 59' && document.querySelectorAll('.row').length === 1")
	letters(p, "nothing has this")
	p.AwaitText("#list-note", "Nothing found for “nothing has this”.")
	asked := slices.DeleteFunc(g.Requests(), func(r string) bool { return !strings.Contains(r, "view=closed&q=") })
	if len(asked) > 5 { // and not one for each of 24 letters
		t.Errorf("%d searches for three: %q", len(asked), asked)
	}
}

// letters writes a text into the search letter by letter, faster than anybody.
func letters(p *consoletest.Page, text string) {
	p.Eval(fmt.Sprintf(`(() => {
		const q = document.querySelector('#q');
		q.value = '';
		for (const letter of %q) { q.value += letter; q.dispatchEvent(new Event('input', { bubbles: true })); }
	})()`, text))
}
