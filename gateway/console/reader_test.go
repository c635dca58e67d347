package console_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/console/consoletest"
)

// TestWhatIsSaidIsHeardInADialog: all that lies below an open dialog is out of a
// screen reader's reach, and so are live regions there.
func TestWhatIsSaidIsHeardInADialog(t *testing.T) {
	t.Parallel()
	g, id := shots(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	answer := make(chan struct{})
	g.Fail("POST /v1/conversations/"+id+"/replies", consoletest.Fault{Status: 422, Until: answer})
	p.AwaitText("#heading", "Ana")
	p.Click("#text")
	p.Type("an answer")
	p.Press("Enter")
	p.AwaitText(".fate", "Sending")
	p.Press("Escape", "p")
	p.AwaitFocus("#viewer-heading")
	p.AwaitHeard("dialog", "Photo from Ana")
	p.Press("ArrowLeft")
	p.AwaitHeard("status", "Photo 3 of 4. shot 3")
	g.Say(id, consoletest.Message{Text: "and another thing"})
	p.AwaitHeard("log", "Ana: and another thing")
	close(answer)
	p.AwaitHeard("alert", "Not sent:")
	p.Press("Escape")
	p.AwaitNone("#viewer")
	if n := p.Eval("document.querySelectorAll('#viewer [role] p').length"); n != 0.0 {
		t.Errorf("%v sentences are left in the viewer, and would be said again", n)
	}

	p.Press("e")
	p.AwaitHeard("dialog", "Close the conversation with Ana?")
	g.Say(id, consoletest.Message{Text: "wait"})
	p.AwaitHeard("log", "Ana: wait")
	p.Press("Escape", "p")
	p.AwaitFocus("#viewer-heading")
	g.SetAway(true)
	p.AwaitHeard("status", "Reconnecting… last update")
	g.SetAway(false)
	p.AwaitHeard("status", "Connected again")
	// What closes the dialog is said below it.
	g.Assign(id, "eva")
	p.AwaitNone("#viewer")
	p.AwaitHeard("alert", "Now with Eva")
}

// TestAsAScreenReaderHasIt reads the page by the browser's accessibility tree.
func TestAsAScreenReaderHasIt(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	for i := range 5 {
		g.Say(id, consoletest.Message{Text: []string{"", "the crack"}[i%2], Photos: []consoletest.Photo{consoletest.Ready(i+1, 800, 600)}})
	}
	m := g.Messages(id)[2]
	g.Say(id, consoletest.Message{From: "agent", Agent: &consoletest.Agent{ID: "ben"}, Text: "I see", Delivery: &consoletest.Delivery{State: "delivered"}})
	g.Assign(g.Open(named("Bo", time.Minute)), "ben")
	p := signedIn(t, g, "ben", "/mine")
	p.AwaitText(".row", "Ana")
	p.Eval("document.querySelector('.row[data-id=\"" + id + "\"]').click()")
	p.Await("document.querySelectorAll('.thumb img').length === 5")
	p.AwaitFocus("#heading")
	at := m.At.Format("15:04")
	has(t, p,
		node("navigation", "Lists", ""), node("link", "Waiting", ""), node("link", "Mine, 2 conversations", ""), node("link", "Closed", ""),
		node("navigation", "Mine", "Ana"), node("heading", "Mine", ""), node("link", "Bo 1 min LINE", ""), node("link", "Ana now LINE", "You: I see"),
		node("main", "", "Ana"), node("heading", "Ana", "Ana"), node("button", "Transfer", ""), node("button", "Close", ""),
		node("region", "Messages of Ana", "hello"), node("article", "", "Ana "+at+" the crack"), node("article", "", "You"),
		node("button", "Open photo 2 of 5 from Ana, "+at+". Caption: the crack", ""),
		node("button", "Open photo 1 of 5 from Ana, "+at+".", ""),
		node("textbox", "Reply", ""), node("button", "Send", ""), node("complementary", "Details", "Customer Ana"), node("heading", "Earlier conversations", ""),
	)
	p.AwaitTree("seven articles", func(tree []consoletest.Node) bool { return count(tree, "article") == 7 })
	for _, n := range p.Tree() {
		if (n.Role == "button" || n.Role == "link" || n.Role == "textbox" || n.Role == "dialog") && n.Name == "" {
			t.Errorf("%s has no name", n)
		}
	}
	for key, dialog := range map[string]string{"?": "Keys", "x": "Transfer the conversation with Ana", "e": "Close the conversation with Ana?", "p": "Photo from Ana, " + at} {
		p.Press(key)
		p.AwaitHeard("dialog", dialog)
		p.AwaitTree("dialog alone: below "+dialog+" the page is still there", func(tree []consoletest.Node) bool {
			return count(tree, "main")+count(tree, "navigation") == 0
		})
		p.Press("Escape")
		p.AwaitHeard("main", "Ana")
	}
	since := ago(25 * time.Hour)
	g.Open(named("Cy", 24*time.Minute+time.Second))
	g.Open(consoletest.Conversation{Consumer: consoletest.Consumer{Name: "Di"}, OpenedAt: since})
	p.Press("1")
	has(t, p, node("link", "Cy Waits 24 min LINE", ""), node("link", "Di Waits since "+since.Format("Mon 15:04")+" LINE", ""))
}

func node(role, name, text string) consoletest.Node {
	return consoletest.Node{Role: role, Name: name, Text: text}
}

func count(tree []consoletest.Node, role string) (n int) {
	for _, one := range tree {
		if one.Role == role {
			n++
		}
	}
	return n
}

// has waits until a screen reader has all of these: names that begin so, and text
// with this in it.
func has(t *testing.T, p *consoletest.Page, wanted ...consoletest.Node) {
	t.Helper()
	for _, want := range wanted {
		p.AwaitNode(want.String(), func(n consoletest.Node) bool {
			return n.Role == want.Role && strings.HasPrefix(n.Name, want.Name) && strings.Contains(n.Text, want.Text)
		})
	}
}
