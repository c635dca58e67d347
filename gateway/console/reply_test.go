package console_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/gateway/console/consoletest"
)

func assigned(t *testing.T) (*consoletest.Gateway, string) {
	g := consoletest.New(t, ben(), eva())
	return g, g.Given("ben", "Ana", consoletest.Message{Text: "hello"})
}

// replies are the texts that the gateway was given.
func replies(g *consoletest.Gateway, id string) (texts []string) {
	for _, m := range g.Messages(id) {
		if m.From == "agent" {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

func TestDraftsSurvive(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	other := g.Given("ben", "Bo")
	p := signedIn(t, g, "ben", "/c/"+id)
	p.Click("#text")
	p.Type("half a sent")
	p.Press("Shift+Enter")
	p.Type("ence")
	p.Reload()
	p.Await(`document.querySelector('#text').value === 'half a sent\nence'`)
	p.Click("[data-tab=mine]")
	p.Click(".row[data-id='" + other + "']")
	p.AwaitText("#heading", "Bo")
	p.Await("document.querySelector('#text').value === ''")
	p.Click(".row[data-id='" + id + "']")
	p.AwaitText("#heading", "Ana")
	p.Await(`document.querySelector('#text').value === 'half a sent\nence'`)
	if got := replies(g, id); len(got) > 0 {
		t.Errorf("Shift+Enter has sent %q", got)
	}
}

func TestReplyIsSentOnceWhateverHappensToAnAnswer(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	p.Click("#text")
	// Enter while an input method composes chooses a word.
	p.Type("one")
	p.Eval("document.querySelector('#text').dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))")
	g.Fail("POST /v1/conversations/"+id+"/replies", consoletest.Fault{Status: 503})
	p.Press("Enter")
	p.AwaitText(".fate", "Waits for the connection")
	p.Type("two")
	p.Press("Enter")
	p.Await("document.querySelectorAll('.fate:not([hidden])').length === 2")
	p.Screenshot("reply-waiting")
	p.Reload() // what waits survives that, too
	p.Await("document.querySelectorAll('.fate:not([hidden])').length === 2")
	g.Mend("POST /v1/conversations/" + id + "/replies")
	p.Await("[...document.querySelectorAll('.fate:not([hidden])')].every((f) => f.textContent.includes('Sending'))")
	p.Await("document.querySelectorAll('.from-us').length === 2")
	if got := replies(g, id); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("sent %q, want one and two, in order and once", got)
	}
}

func TestRefusedReplySaysWhy(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	p.Click("#text")
	p.Type("too late")
	g.Fail("POST /v1/conversations/"+id+"/replies", consoletest.Fault{Status: 422, Times: 1})
	p.Click("#send")
	p.AwaitText(".fate.wrong", "Not sent:")
	p.AwaitText("[role=alert].unseen", "Not sent:")
	p.Click(".from-us .fate button")
	p.AwaitText(".fate", "Sending")
	m := g.Messages(id)[1]
	g.Change(id, m.ID, func(m *consoletest.Message) {
		m.Delivery = &consoletest.Delivery{State: "failed", Detail: "the 24 hours are over."}
	})
	p.AwaitText(".fate.wrong", "Not sent: the 24 hours are over. Try again")
	p.Click(".from-us .fate button")
	p.Await("document.querySelectorAll('.from-us').length === 2")
	if got := replies(g, id); !slices.Equal(got, []string{"too late", "too late"}) {
		t.Errorf("sent %q", got)
	}
}

func TestOfflineRepliesLeaveInOrder(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	p.AwaitText("#heading", "Ana")
	p.Offline(true)
	p.AwaitText("#bar", "Offline. Replies wait, and leave in order.")
	p.Click("#text")
	for _, text := range []string{"first", "second", "third"} {
		p.Type(text)
		p.Press("Enter")
	}
	p.Await("document.querySelectorAll('.from-us').length === 3")
	p.AwaitText(".fate", "Waits for the connection")
	looked(p, "offline")
	p.Offline(false)
	p.Await("[...document.querySelectorAll('.fate:not([hidden])')].every((f) => f.textContent.includes('Sending'))")
	p.AwaitNone("#bar:not(:empty)")
	if got := replies(g, id); !slices.Equal(got, []string{"first", "second", "third"}) {
		t.Errorf("sent %q", got)
	}
}

// TestTwoTabsLoseNoReply: what one tab keeps is not written over by another, and
// what both have found leaves once.
func TestTwoTabsLoseNoReply(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	second := p.Tab("/c/" + id)
	texts := []string{"from the first", "from the second"}
	p.AwaitFocus("#heading")
	second.AwaitFocus("#heading")
	for i, tab := range []*consoletest.Page{p, second} {
		tab.Offline(true)
		tab.Eval("document.querySelector('#text').focus()")
		tab.Type(texts[i])
		if tab == p { // a draft is shown in both
			second.Await("document.querySelector('#text').value === 'from the first'")
		}
		tab.Press("Enter")
		tab.AwaitText(".fate", "Waits for the connection")
		second.Await("document.querySelector('#text').value === ''")
	}
	kept := p.Eval("Object.keys(localStorage).filter((key) => key.includes(':reply:')).length")
	if kept != 2.0 {
		t.Errorf("%v replies are kept, want both", kept)
	}
	// Both tabs go. What comes back finds both, and so does a third.
	second.Offline(false)
	p.Offline(false)
	second.Reload()
	third := p.Tab("/c/" + id)
	for _, tab := range []*consoletest.Page{p, second, third} {
		tab.Await("document.querySelectorAll('.from-us').length === 2 && [...document.querySelectorAll('.fate:not([hidden])')].every((f) => f.textContent.includes('Sending'))")
	}
	p.Await("!Object.keys(localStorage).some((key) => key.includes(':reply:'))")
	got := replies(g, id)
	slices.Sort(got)
	if !slices.Equal(got, texts) {
		t.Errorf("sent %q, want each once", got)
	}
}

func TestLostConversationKeepsTheDraft(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	p := signedIn(t, g, "ben", "/c/"+id)
	p.Click("#text")
	p.Type("what I wanted to say")
	g.Assign(id, "eva")
	p.AwaitText("#instead", "Now with Eva")
	p.AwaitText("#kept", "what I wanted to say")
	p.Eval("navigator.clipboard.writeText = (text) => { globalThis.copied = text; return Promise.resolve(); }")
	p.Click("#copy-draft")
	p.AwaitText("#copy-draft", "Copied")
	if got := p.Eval("copied"); got != "what I wanted to say" {
		t.Errorf("copied %q", got)
	}
	g.Assign(id, "ben")
	p.Await("document.querySelector('#text').value === 'what I wanted to say'")
}

func TestLongRepliesSaySo(t *testing.T) {
	t.Parallel()
	g, id := assigned(t)
	g.Alter(id, func(c *consoletest.Conversation) { c.TextLimit = 100 })
	p := signedIn(t, g, "ben", "/c/"+id)
	p.Click("#text")
	p.Type(strings.Repeat("a", 90))
	p.AwaitText("#reply-hint", "10 characters left")
	p.Type(strings.Repeat("a", 20))
	p.AwaitText("#reply-hint", "Goes as 2 messages")
	p.Eval("document.querySelector('#text').value = 'a'.repeat(1003); document.querySelector('#text').dispatchEvent(new Event('input'))")
	p.AwaitText("#reply-hint", "3 characters too many")
	p.Press("Enter")
	if got := replies(g, id); len(got) > 0 {
		t.Error("what is too long was sent")
	}
}
