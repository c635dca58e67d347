package console_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/console/consoletest"
)

func long(g *consoletest.Gateway, n int) string {
	var said []consoletest.Message
	for i := range n {
		said = append(said, consoletest.Message{Text: fmt.Sprint("message ", i), At: ago(time.Duration(n-i) * time.Minute)})
	}
	return g.Given("ben", "Ana", said...)
}

const atEnd = "(() => { const s = document.querySelector('#transcript'); return s.scrollHeight - s.scrollTop - s.clientHeight < 2; })()"

func TestTranscriptOpensAtTheFirstUnread(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	id := long(g, 45)
	g.Alter(id, func(c *consoletest.Conversation) { c.Read = 20 })
	p := signedIn(t, g, "ben", "/c/"+id)
	p.AwaitText(".new", "New")
	p.Await(`(() => {
		const top = document.querySelector('#transcript').getBoundingClientRect().top;
		const at = document.querySelector('.new:not([hidden])').getBoundingClientRect().top - top;
		return at >= 0 && at < 60;
	})()`)
	if got := g.Conversation(id).Read; got != 20 {
		t.Errorf("read %d, though the newest was not in view", got)
	}
	p.Eval("document.querySelector('#transcript').scrollTo(0, 1e6)")
	p.Await("document.title === 'Lightlock'")
}

func TestTranscriptFollowsOnlyWhoIsAtTheEnd(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	id := long(g, 120)
	g.Alter(id, func(c *consoletest.Conversation) { c.Read = 120 })
	p := signedIn(t, g, "ben", "/c/"+id)
	p.AwaitText("#messages", "message 119")
	p.Await(atEnd)
	g.Say(id, consoletest.Message{Text: "followed"})
	p.AwaitText("#messages", "followed")
	p.Await(atEnd)

	// Older pages come in above, and what is in view stays where it is.
	p.Eval("document.querySelector('#transcript').scrollTop = 700")
	const seen = `(() => {
		const s = document.querySelector('#transcript').getBoundingClientRect();
		const li = [...document.querySelectorAll('#messages > li')].find((n) => n.getBoundingClientRect().top > s.top + 100);
		return li.textContent + Math.round(li.getBoundingClientRect().top);
	})()`
	before := p.Eval(seen)
	p.Eval("document.querySelector('#transcript').scrollTop -= 410")
	p.AwaitText("#messages", "message 25")
	p.Eval("document.querySelector('#transcript').scrollTop += 410")
	if after := p.Eval(seen); after != before {
		t.Errorf("an older page moved what was in view: %v, was %v", after, before)
	}
	g.Say(id, consoletest.Message{Text: "one below"})
	g.Say(id, consoletest.Message{Text: "two below"})
	p.AwaitText("#newer", "2 new ↓")
	if after := p.Eval(seen); after != before {
		t.Errorf("a new message moved what was in view: %v, was %v", after, before)
	}
	p.Click("#newer")
	p.Await(atEnd)
	p.AwaitNone("#newer")
}

func TestPhotosOfATransferredConversationAreGone(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben(), eva())
	id := g.Given("ben", "Ana", consoletest.Message{Text: "look", Photos: []consoletest.Photo{consoletest.Ready(1, 800, 600)}})
	p := signedIn(t, g, "ben", "/c/"+id)
	e := signedIn(t, g, "eva", "/c/"+id)
	p.Click(".thumb")
	p.Await("document.querySelector('#stage .preview')?.naturalWidth === 800")
	e.AwaitText(".photo .why", "Only Ben can see this photo")
	src := p.Eval("document.querySelector('#stage .preview').src")

	g.Assign(id, "eva")
	p.AwaitNone("#viewer")
	p.AwaitText(".photo .why", "Only Eva can see this photo")
	p.AwaitText("[role=alert].unseen", "Now with Eva")
	if n := p.Eval("document.querySelectorAll('main img, dialog#viewer img').length"); n != 0.0 {
		t.Errorf("%v pictures are in the document of who has lost the conversation", n)
	}
	if got := p.Eval(fmt.Sprintf("new Promise((done) => { const i = new Image(); i.onload = () => done('there'); i.onerror = () => done('gone'); i.src = %q; })", src)); got != "gone" {
		t.Error("the picture is still in the page's memory")
	}
	e.Await("document.querySelector('.thumb img')?.naturalWidth === 240")
	p.Reload()
	p.AwaitText(".photo .why", "Only Eva can see this photo")
}

func TestPhotoThatDoesNotLoadIsTriedAgain(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	id := g.Given("ben", "Ana",
		consoletest.Message{Photos: []consoletest.Photo{consoletest.Ready(2, 800, 600)}, At: ago(13 * 30 * 24 * time.Hour)},
		consoletest.Message{Photos: []consoletest.Photo{consoletest.Ready(1, 800, 600)}})
	g.Fail("GET /v1/photos/"+consoletest.Ready(1, 1, 1).ID, consoletest.Fault{Status: 503})
	g.Fail("GET /v1/photos/"+consoletest.Ready(2, 1, 1).ID, consoletest.Fault{Status: 404})
	p := signedIn(t, g, "ben", "/c/"+id)
	p.AwaitText(".photo .why", "Deleted after 13 months")
	p.AwaitText(".photo .why", "Could not load.")
	if got := asked(g, "GET /v1/photos/"+consoletest.Ready(1, 1, 1).ID); got != 3 {
		t.Errorf("it was fetched %d times, want 3", got)
	}
	looked(p, "photos-not-loaded")
	g.Mend("GET /v1/photos/" + consoletest.Ready(1, 1, 1).ID)
	g.Fail("GET /v1/photos/"+consoletest.Ready(1, 1, 1).ID+"/preview", consoletest.Fault{Status: 503})
	p.Click(".photo .again:not([hidden])")
	p.Await("document.querySelector('.thumb img')?.naturalWidth === 240")
	p.Click(".photo[data-id='" + consoletest.Ready(1, 1, 1).ID + "'] .thumb")
	p.AwaitText("#stage .note", "Could not load.")
	looked(p, "viewer-not-loaded")
	g.Mend("GET /v1/photos/" + consoletest.Ready(1, 1, 1).ID + "/preview")
	p.Click("#stage .note button")
	p.Await("document.querySelector('#stage .preview')?.naturalWidth === 800")
}

func TestWhatBecomesOfAMessage(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	id := g.Open(named("Ana", time.Hour))
	asked := g.Say(id, consoletest.Message{Text: "is it red?"})
	m := g.Say(id, consoletest.Message{Text: "a photo", ReplyTo: asked.MessageID, Photos: []consoletest.Photo{{ID: consoletest.Ready(1, 1, 1).ID, Status: "pending"}}})
	g.Assign(id, "ben")
	p := signedIn(t, g, "ben", "/c/"+id)
	p.AwaitText(".photo .why", "Photo on its way")
	p.AwaitText(".quote", "“is it red?”")
	g.Change(id, m.ID, func(m *consoletest.Message) { m.Photos = []consoletest.Photo{consoletest.Ready(1, 800, 600)} })
	p.Await("document.querySelector('.thumb img')?.naturalWidth === 240")
	if got, want := p.Eval("document.querySelector('.thumb').getAttribute('aria-label')"), "Open photo 1 of 1 from Ana, "+m.At.Format("15:04")+". Caption: a photo"; got != want {
		t.Errorf("the thumbnail is called %q, want %q", got, want)
	}
	g.Change(id, m.ID, func(m *consoletest.Message) { m.Text, m.EditedAt = "another text", time.Now() })
	p.AwaitText("#messages", "another text")
	p.AwaitText(".by", "edited")
	g.Change(id, m.ID, func(m *consoletest.Message) { m.Text, m.Photos, m.UnsentAt = "", []consoletest.Photo{}, time.Now() })
	p.AwaitText(".photo .why", "The customer withdrew it")
	p.Await("!document.querySelector('.thumb img')")
	looked(p, "photo-withdrawn")
	p.Reload()
	p.AwaitText(".withdrawn", "The customer withdrew it")
	if got := p.Texts("[role=log].unseen p"); len(got) != 0 {
		t.Errorf("what is not new was said: %q", got)
	}
}

// TestPhotoOnItsWay: after a while it is said from whom it comes, and which try it is.
func TestPhotoOnItsWay(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	id := g.Open(named("Ana", time.Hour))
	photo := consoletest.Photo{ID: consoletest.Ready(1, 1, 1).ID, Status: "pending", Try: 2, Of: 8, HostTitle: "LINE"}
	m := g.Say(id, consoletest.Message{At: ago(11 * time.Second), Photos: []consoletest.Photo{photo}})
	g.Assign(id, "ben")
	p := signedIn(t, g, "ben", "/c/"+id)
	p.AwaitText(".photo .why", "Still fetching from LINE, try 2 of 8")
	g.Change(id, m.ID, func(m *consoletest.Message) { m.Photos[0].Try = 3 })
	p.AwaitText(".photo .why", "Still fetching from LINE, try 3 of 8")
}

// TestPeopleWithoutANameAreCalledSomething in every place, and their id is among the
// details.
func TestPeopleWithoutANameAreCalledSomething(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	p := signedIn(t, g, "ben", "/mine")
	for _, row := range []struct{ channel, title, id, name, want string }{
		{"line", "LINE", "U4af4980629ca7d1e9c8b3d9a4f2a", "", "Customer …4f2a"},
		{"whatsapp", "WhatsApp", "4915112345678", "", "+4915112345678"},
		{"twilio", "Twilio SMS/MMS", "+14155550123", "", "+14155550123"},
		{"messenger", "Facebook Messenger", "4915112345678901", " \u200b ", "Customer …8901"},
		{"viber", "Viber", "<b>evil</b>==", "", "Customer …vilb"},
		{"apple", "Apple Messages for Business", "urn:mbid:AQAAY9f+x2==", "", "Customer …9fx2"},
		{"viber", "Viber", "==/==/==", "", "Customer …=/=="},
		{"line", "LINE", "ana", "", "ana"},
		{"line", "LINE", "U4af4980629ca7d1e9c8b3d9a4f2a", "🙂", "🙂"},
	} {
		id := g.Open(consoletest.Conversation{Channel: row.channel, ChannelTitle: row.title, Consumer: consoletest.Consumer{ID: row.id, Name: row.name}})
		g.Say(id, consoletest.Message{Text: "hello"})
		g.Assign(id, "ben")
		p.Await("document.title === '(1) Lightlock'")
		p.Press("n")
		p.AwaitText("#heading", row.want)
		p.AwaitText(".row[aria-current]", row.want)
		for place, selector := range map[string]string{"heading": "#heading", "list": ".row[aria-current] .name", "transcript": ".by bdi", "details": "#facts dd"} {
			if got := p.Texts(selector); len(got) == 0 || got[0] != row.want {
				t.Errorf("%s %q is called %q in the %s, want %q", row.channel, row.id, got, place, row.want)
			}
		}
		if got := slices.Contains(p.Texts("#facts dt"), "Customer’s id"); got != (row.id != row.want) {
			t.Errorf("%s: whether the id is told beside it: %v", row.want, got)
		}
		g.Say(id, consoletest.Message{Text: "again"})
		p.AwaitText("[role=log].unseen", row.want+": again")
		g.Close(id)
	}
}

func TestHistoryThatCannotBeLookedUp(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	id := g.Open(consoletest.Conversation{Account: "line" + consoletest.Unknown, Consumer: consoletest.Consumer{Name: "Ana"}})
	other := g.Open(named("Bo", time.Minute))
	p := signedIn(t, g, "ben", "/c/"+id)
	p.AwaitText("#history-note", "the account is not set up here any more")
	looked(p, "details-unknown-account")
	g.Fail("GET /v1/conversations?view=closed", consoletest.Fault{Status: 503})
	p.Click(".row[data-id='" + other + "']")
	p.AwaitText("#history-note", "They could not be loaded.")
	g.Mend("GET /v1/conversations?view=closed")
	p.Click("#history-note button")
	p.AwaitText("#history-note", "None")
}

func TestHostileTextsStayTexts(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	zalgo := strings.Repeat("Z\u0310\u0311\u0312\u0313\u0314\u033d\u0489a\u0310\u0311\u0312", 30)
	texts := []string{
		"<img src=x onerror=alert(1)><script>alert(2)</script>", "\u202eevil\u202d \u2066\u2067 reversed", zalgo,
		strings.Repeat("W", 10_000), strings.Repeat("👩‍👩‍👧‍👦", 200), "javascript:alert(1)", "{{.Secret}} ${secret} %s", "line\nline\r\n\tline", "\x00\x01\x7f",
	}
	var first string
	for i, text := range texts {
		id := g.Open(consoletest.Conversation{Consumer: consoletest.Consumer{Name: text}, OpenedAt: ago(time.Duration(60-i) * time.Minute)})
		for _, said := range texts {
			g.Say(id, consoletest.Message{Text: said, Photos: []consoletest.Photo{consoletest.Ready(1000*i, 400, 300)}})
		}
		g.Assign(id, "ben")
		first = id
	}
	p := signedIn(t, g, "ben", "/mine")
	p.Await("document.querySelectorAll('.row').length === 9")
	p.Await("[...document.querySelectorAll('.row')].every((r) => r.offsetHeight === 72)")
	p.Screenshot("hostile-list")
	got := p.Texts(".row .name")
	for _, text := range texts {
		if !slices.Contains(got, text) && !strings.ContainsAny(text, "\x00\r") {
			t.Errorf("%.40q is not shown as it is; got %.200q", text, got)
		}
	}
	for i := range texts {
		p.Eval(fmt.Sprintf("document.querySelectorAll('.row')[%d].click()", i))
		p.Await(fmt.Sprintf("document.querySelectorAll('.row')[%d].ariaCurrent === 'page' && document.querySelectorAll('#messages > li').length === 9", i))
		p.Await("document.querySelector('.thumb img')")
		if wide := p.Eval("document.querySelector('#transcript').scrollWidth > document.querySelector('#transcript').clientWidth || document.documentElement.scrollWidth > innerWidth"); wide != false {
			t.Errorf("%.40q: the page is wider than the window", texts[i])
		}
	}
	p.Click("#close")
	p.AwaitText("#confirm", "Close the conversation")
	p.Axe(axe, "hostile")
	p.Screenshot("hostile")
	_ = first
}
