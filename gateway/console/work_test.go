package console_test

import (
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/console/consoletest"
)

func TestFromSignInToClosed(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben(), eva())
	ana := g.Open(consoletest.Conversation{Consumer: consoletest.Consumer{Name: "Ana"}, OpenedAt: time.Now().Add(-4 * time.Minute)})
	g.Say(ana, consoletest.Message{Text: "The screen is broken, see here:"})
	g.Say(ana, consoletest.Message{Text: "From the front", Photos: []consoletest.Photo{consoletest.Ready(1, 1600, 1200)}})

	p := blank(t, g)
	p.Go("/")
	p.AwaitText("#sign-in", "Sign in")
	p.AwaitFocus("#token")
	p.Type("wrong")
	p.Press("Enter")
	p.AwaitText("#sign-in-wrong", "not known")
	looked(p, "sign-in-wrong")
	p.Type("ben")
	p.Press("Enter")
	p.AwaitNone("#sign-in")

	p.AwaitText(".row", "Ana")
	p.AwaitText(".row", "1 photo")
	p.Click(".row")
	p.AwaitFocus("#heading")
	p.AwaitText(".photo .why", "Take it to see this photo")
	p.Press("t")
	p.AwaitFocus("#text")
	p.Await("document.querySelector('.thumb img')?.naturalWidth === 240")
	p.Type("Thank you, Ana.")
	p.Press("Enter")
	p.AwaitText(".from-us .texts", "Thank you, Ana.")
	p.AwaitText(".from-us .fate", "Sending")
	reply := g.Messages(ana)[2]
	g.Change(ana, reply.ID, func(m *consoletest.Message) { m.Delivery.State = "delivered" })
	p.AwaitText(".from-us .fate", "Delivered")

	p.Click(".thumb")
	p.AwaitFocus("#viewer-heading")
	p.Await("document.querySelector('#stage .preview')?.naturalWidth === 1600")
	p.Press("Escape")
	p.AwaitNone("#viewer")
	p.AwaitFocus(".thumb")

	p.Press("e")
	p.AwaitText("#confirm", "Close the conversation with Ana?")
	p.Click("#confirm-yes")
	p.AwaitText("#instead", "Closed by you")
	p.Press("3")
	p.AwaitText(".row", "Ana")
	if got := g.Conversation(ana).State; got != "closed" {
		t.Errorf("the conversation is %s, want closed", got)
	}
}
