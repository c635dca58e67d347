package console_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/console/consoletest"
)

const axe = "testdata/axe/axe.min.js"

// looked checks what is seen by axe in light and in dark, and takes a picture of
// each where that is wanted.
func looked(p *consoletest.Page, name string) {
	for _, look := range []struct {
		scheme string
		rules  []string
	}{{"dark", []string{"color-contrast", "link-in-text-block"}}, {"light", nil}} { // nothing else differs
		p.Media(map[string]string{"prefers-color-scheme": look.scheme, "prefers-reduced-motion": "reduce"})
		p.Axe(axe, name+", "+look.scheme, look.rules...)
		p.Screenshot(name + "-" + look.scheme)
	}
}

func ago(d time.Duration) time.Time { return time.Now().Add(-d) }

// busy is a gateway on a usual morning: some wait, Ben has one.
func busy(t *testing.T) (g *consoletest.Gateway, mine string) {
	g = consoletest.New(t, ben(), eva(), consoletest.Agent{ID: "kim", Name: "Kim Østergård"})
	for i, who := range []struct{ name, channel, title, text string }{
		{"Thomas Müller", "whatsapp", "WhatsApp", "Good morning, my order has arrived and one of the two lamps is broken. What shall I do now?"},
		{"さくら", "line", "LINE", "こんにちは。写真を送ります。"},
		{"ليلى حسن", "messenger", "Messenger", "مرحبا، هل يمكنكم المساعدة؟"},
		{"", "viber", "Viber", ""},
		{"Priya Raghunathan-Venkataraman of the Long Name Society", "apple", "Apple Messages", "Is this covered by the warranty?"},
	} {
		id := g.Open(consoletest.Conversation{
			Consumer: consoletest.Consumer{Name: who.name}, Channel: who.channel, ChannelTitle: who.title, OpenedAt: ago(time.Duration(90-i*17) * time.Minute),
		})
		m := consoletest.Message{Text: who.text, At: ago(time.Duration(90-i*17) * time.Minute)}
		for n := range i % 3 {
			m.Photos = append(m.Photos, consoletest.Ready(100+10*i+n, 1200, 900))
		}
		g.Say(id, m)
	}
	past := g.Open(consoletest.Conversation{Consumer: consoletest.Consumer{ID: "U4af49", Name: "Ana Lima"}, State: "closed", Agent: &consoletest.Agent{ID: "ben", Name: "Ben"},
		ClosedAt: ago(300 * time.Hour), ClosedBy: &consoletest.Actor{Kind: "agent", Agent: ben()}, OpenedAt: ago(310 * time.Hour)})
	g.Say(past, consoletest.Message{Text: "The invoice shows the wrong address.", At: ago(310 * time.Hour)})
	mine = g.Open(consoletest.Conversation{Consumer: consoletest.Consumer{ID: "U4af49", Name: "Ana Lima"}, OpenedAt: ago(26 * time.Hour), Previous: past})
	g.Alter(past, func(c *consoletest.Conversation) { c.Next = mine })
	g.Say(mine, consoletest.Message{Text: "Hello! The screen of my tablet has a crack.", At: ago(26 * time.Hour)})
	g.Say(mine, consoletest.Message{From: "agent", Agent: &consoletest.Agent{ID: "eva", Name: "Eva"}, Text: "Hello Ana, I am sorry to hear that. Could you send us a photo of it?", At: ago(25 * time.Hour), Delivery: &consoletest.Delivery{State: "delivered"}})
	g.Say(mine, consoletest.Message{Text: "From the front", At: ago(22 * time.Minute), Photos: []consoletest.Photo{consoletest.Ready(1, 1600, 1200)}})
	g.Say(mine, consoletest.Message{Text: "and upright", At: ago(21 * time.Minute), Photos: []consoletest.Photo{consoletest.Ready(2, 900, 1600)}})
	g.Assign(mine, "ben")
	return g, mine
}

func TestLooksOfTheList(t *testing.T) {
	t.Parallel()
	g, _ := busy(t)
	p := blank(t, g)
	p.Go("/")
	p.AwaitText("#by-oidc", "login.example.com")
	looked(p, "sign-in")

	p.SignIn(g.Session("ben"))
	p.Go("/waiting")
	p.AwaitText(".row", "Thomas Müller")
	looked(p, "list-waiting")

	p.Pointer(100, 300)
	p.Await("true")
	for i := range 3 {
		g.Open(consoletest.Conversation{Consumer: consoletest.Consumer{Name: fmt.Sprint("New ", i)}})
	}
	p.AwaitText("#held", "3 new")
	g.Assign(waiting(1), "eva")
	p.AwaitText(".row.left", "Taken by Eva")
	looked(p, "list-held")

	p.Go("/mine")
	p.AwaitText(".row", "Ana Lima")
	looked(p, "list-mine")
	p.Press("3")
	p.AwaitText(".row", "The invoice")
	p.Click(".row")
	p.AwaitText("#instead", "Closed by you, "+ago(300*time.Hour).Format("2 Jan"))
	p.Back()
	p.AwaitFocus(".row")
	looked(p, "list-closed")
	p.Press("/")
	p.AwaitFocus("#q")
	letters(p, "invoice")
	p.AwaitText(".row mark", "invoice")
	looked(p, "search")
	letters(p, "refund")
	p.AwaitText("#list-note", "Nothing found for “refund”.")
	looked(p, "search-nothing")
}

// waiting is one of those who wait in a busy gateway, counted from 1.
func waiting(n int) string {
	return fmt.Sprintf("%s.%032x", consoletest.Queue, 2*n-1)
}

func TestLooksOfEmptyPlaces(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	p := signedIn(t, g, "ben", "/waiting")
	p.AwaitText("#list-note", "Nobody is waiting. New ones appear by themselves.")
	looked(p, "list-empty")

	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	g.Fail("GET /v1/conversations?view=closed", consoletest.Fault{Until: never})
	p.Go("/closed")
	p.Await("document.querySelector('.skeleton')")
	looked(p, "list-loading")

	g.Fail("GET /v1/conversations?view=closed", consoletest.Fault{Status: 503})
	p.Go("/closed")
	p.AwaitText("#list-note", "could not be loaded")
	looked(p, "list-failed")

	p.Go("/c/support.00000000000000000000000000000000")
	p.AwaitText("#loading-conversation", "There is no such conversation")
	looked(p, "conversation-missing")
}

// everyState is a conversation with a photo in every state that there is.
func everyState(g *consoletest.Gateway) string {
	id := g.Open(consoletest.Conversation{Consumer: consoletest.Consumer{Name: "Ana Lima"}, OpenedAt: ago(time.Hour)})
	n := 500
	photo := func(reason string, s consoletest.Source, limit int64) consoletest.Photo {
		n++
		return consoletest.Rejected(n, reason, s, limit)
	}
	const mb = 1 << 20
	for i, p := range []consoletest.Photo{
		photo("too_large", consoletest.Source{Bytes: 32_715_571}, 10*mb),
		photo("too_large", consoletest.Source{Bytes: 10*mb + 1}, 10*mb),
		photo("unsupported_type", consoletest.Source{Type: "application/pdf"}, 0),
		photo("animated", consoletest.Source{}, 0),
		photo("too_many_pixels", consoletest.Source{Width: 24_000, Height: 18_000}, 0),
		photo("corrupt", consoletest.Source{}, 0), photo("expired", consoletest.Source{}, 0), photo("unreachable", consoletest.Source{}, 0),
		photo("disabled", consoletest.Source{}, 0), photo("too_complex", consoletest.Source{}, 0),
	} {
		m := consoletest.Message{At: ago(time.Duration(50-i) * time.Minute), Photos: []consoletest.Photo{p}}
		m.Notice = &consoletest.Delivery{State: []string{"sent", "failed"}[i%2]} // who was not told, was not
		g.Say(id, m)
	}
	damaged := consoletest.Ready(600, 1000, 800)
	damaged.Damaged = true
	g.Say(id, consoletest.Message{At: ago(9 * time.Minute), Text: "This one broke off", Photos: []consoletest.Photo{damaged}})
	g.Say(id, consoletest.Message{At: ago(8 * time.Minute), Photos: []consoletest.Photo{{ID: consoletest.Ready(601, 1, 1).ID, Status: "pending", Try: 2, Of: 8}}})
	// The clock of a slow machine must not make it one that takes long.
	g.Say(id, consoletest.Message{At: ago(-2 * time.Minute), Photos: []consoletest.Photo{{ID: consoletest.Ready(602, 1, 1).ID, Status: "pending"}}})
	for i := range 7 {
		g.Say(id, consoletest.Message{At: time.Now(), Album: &consoletest.Album{ID: "trip"}, Photos: []consoletest.Photo{consoletest.Ready(610+i, 1200, 900)}})
	}
	g.Assign(id, "ben")
	return id
}

func TestLooksOfPhotos(t *testing.T) {
	t.Parallel()
	g, _ := busy(t)
	id := everyState(g)
	p := signedIn(t, g, "ben", "/c/"+id)
	p.Size(1280, 1700)
	p.AwaitText(".plus", "+3")
	p.Await("[...document.querySelectorAll('.thumb img')].filter((i) => i.naturalWidth).length === 5")
	p.Eval("document.querySelector('#transcript').scrollTo(0, 1e6)")
	looked(p, "photos")

	p.Eval("document.querySelector('#transcript').scrollTop = 0")
	looked(p, "photos-top")
	want := []string{
		"Not shown: 31.2 MB; LINE allows 10 MB\nThe customer was told",
		"Not shown: 10.000001 MB; LINE allows 10 MB",
		"Not shown: a PDF, not a photo we accept\nThe customer was told",
		"Not shown: it moves. Ask for a still photo",
		"Not shown: 24,000 × 18,000 pixels is too many\nThe customer was told",
		"Not shown: the file is broken. Ask for it again",
		"Not shown: LINE no longer had it. Ask for it again\nThe customer was told",
		"Not shown: LINE did not deliver it in 8 tries",
		"Not shown: photos are off for this account\nThe customer was told",
		"Not shown: no camera makes files like this",
		"Still fetching from LINE, try 2 of 8",
		"Photo on its way",
	}
	if got := p.Texts(".photo .why"); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := p.Texts(".photo .missing:not([hidden])"); len(got) != 1 || got[0] != "Part of this photo is missing" {
		t.Errorf("of the damaged one: got %q", got)
	}
	if got := p.Eval("new Set([...document.querySelectorAll('.thumb, .box')].filter((n) => n.checkVisibility()).map((n) => n.offsetWidth + 'x' + n.offsetHeight)).size"); got != 1.0 {
		t.Errorf("boxes have %v sizes, want one", got)
	}
}

func TestLooksOfAConversation(t *testing.T) {
	t.Parallel()
	g, mine := busy(t)
	p := signedIn(t, g, "ben", "/c/"+mine)
	p.Await("[...document.querySelectorAll('.thumb img')].filter((i) => i.naturalWidth).length === 2")
	p.AwaitText("#history", "wrong address")
	for _, d := range []consoletest.Delivery{{State: "sent"}, {State: "failed", Detail: "WhatsApp says that the 24 hours for an answer are over"}, {State: "unknown"}} {
		g.Say(mine, consoletest.Message{From: "agent", Agent: &consoletest.Agent{ID: "ben", Name: "Ben"}, Text: "Thank you, that helps.", Delivery: &d})
	}
	p.AwaitText(".fate", "Perhaps not sent")
	p.Click("#text")
	p.Type("I will look into it")
	looked(p, "conversation")

	p.Press("Escape")
	p.Click("#close")
	looked(p, "ask-close")
	p.Press("Escape")
	p.Click("#transfer")
	p.AwaitText("#hand-over", "Eva")
	looked(p, "ask-transfer")
	p.Press("Escape")
	p.Click("#open-settings")
	looked(p, "settings")
	p.Press("Escape")
	p.Press("?")
	looked(p, "keys")
	p.Press("Escape")

	p.Size(900, 700)
	looked(p, "tablet")
	p.Click("#open-details")
	looked(p, "details-drawer")
	p.Press("Escape")
	p.Size(1280, 800)

	g.Assign(mine, "eva")
	p.AwaitText("#instead", "Now with Eva")
	looked(p, "lost")
	g.Alter(mine, func(c *consoletest.Conversation) {
		c.State, c.ClosedAt, c.ClosedBy, c.Next = "closed", time.Now(), &consoletest.Actor{Kind: "agent", Agent: eva()}, waiting(1)
	})
	p.AwaitText("#instead", "Closed by Eva, "+g.Conversation(mine).ClosedAt.Format("15:04"))
	p.Go("/c/" + mine)
	p.AwaitText("#next-conversation", "The customer wrote again")
	looked(p, "closed")
	p.Click("#next-conversation")
	p.AwaitText("#heading", "Thomas")
	p.Go("/c/" + waiting(2))
	p.AwaitText("#instead", "Take it to answer")
	p.AwaitText(".photo .why", "Take it to see this photo")
	looked(p, "not-taken")
	g.Alter(waiting(2), func(c *consoletest.Conversation) {
		c.State, c.Agent, c.ReplyUntil = "assigned", &consoletest.Agent{ID: "ben", Name: "Ben"}, ago(time.Hour)
	})
	p.AwaitText("#instead", "The channel takes no answer any more")
	looked(p, "window-over")
}

func TestLooksOfTheViewer(t *testing.T) {
	t.Parallel()
	g, mine := busy(t)
	p := signedIn(t, g, "ben", "/c/"+mine)
	p.Click(".thumb")
	p.Await("document.querySelector('#stage .preview')?.naturalWidth === 1600")
	p.Await("getComputedStyle(document.querySelector('#stage .thumbnail')).display === 'none'")
	looked(p, "viewer")
	p.Press("+", "+")
	looked(p, "viewer-zoomed")
	p.Press("0", "r")
	looked(p, "viewer-rotated")
	p.Press("ArrowRight")
	p.Await("document.querySelector('#stage .preview')?.naturalWidth === 900")
	looked(p, "viewer-portrait")
}

func TestLooksOnAPhone(t *testing.T) {
	t.Parallel()
	g, mine := busy(t)
	p := blank(t, g)
	p.Phone()
	p.Go("/")
	p.AwaitText("#sign-in", "Sign in")
	looked(p, "phone-sign-in")
	p.SignIn(g.Session("ben"))
	p.Go("/waiting")
	p.AwaitText(".row", "Thomas")
	looked(p, "phone-list")
	p.Go("/c/" + mine)
	p.Await("[...document.querySelectorAll('.thumb img')].filter((i) => i.naturalWidth).length === 2")
	looked(p, "phone-conversation")
	p.Click("#open-details")
	looked(p, "phone-details")
	p.Click("#close-details")
	p.Click(".thumb")
	p.Await("document.querySelector('#stage .preview')?.naturalWidth")
	looked(p, "phone-viewer")
	p.Go("/c/" + everyState(g))
	p.AwaitText(".plus", "+3")
	p.Eval("document.querySelector('#transcript').scrollTop = 0")
	looked(p, "phone-photos")
	if got := p.Eval("document.querySelector('.box').offsetWidth + ' ' + document.querySelector('.box').offsetHeight"); got != "120 120" {
		t.Errorf("a photo's box is %v on a phone, want 120 120", got)
	}
}
