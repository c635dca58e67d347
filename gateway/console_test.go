package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/console/consoletest"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
)

// withAgents has a gateway know Ben and Eva, whose tokens are made of their names.
func withAgents(t *testing.T) func(*config.Config) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "agents.yaml")
	text := "agents:\n"
	for _, name := range []string{"Ben", "Eva"} {
		sum := sha256.Sum256([]byte(agentToken(name)))
		text += fmt.Sprintf("  - {id: %s, name: %s, token_sha256: %s, queues: [%s]}\n", strings.ToLower(name), name, hex.EncodeToString(sum[:]), testQueue)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(c *config.Config) { c.Agents.File = file }
}

func agentToken(name string) string { return strings.Repeat(name+"-", 12) }

// page opens the console as an agent, in a browser of the agent's own.
func (h *house) page(b *consoletest.Browser, agent string) *consoletest.Page {
	h.t.Helper()
	p := b.Page(h.t, "http://"+h.app.Addresses().Public)
	p.Go("/#token=" + agentToken(agent))
	p.AwaitText("header", agent)
	return p
}

// writes has a consumer say something on a channel.
func (h *house) writes(channel string, said sim.Said) {
	h.t.Helper()
	said.At = time.Now()
	for _, call := range h.calls(channel, said) {
		if response, body := h.post(call); response.StatusCode != http.StatusOK {
			h.t.Fatalf("answered %d %q", response.StatusCode, body)
		}
	}
}

// row is the list's row of a consumer.
func row(name string) string {
	return fmt.Sprintf("[...document.querySelectorAll('.row')].find((r) => r.checkVisibility() && r.textContent.includes(%q))", name)
}

// TestAnAgentsDay goes with a photo from the consumer's phone to the one agent who may
// see it, with the answer back to the phone, and finds all of it again when it is over,
// in two real browsers before the real gateway.
func TestAnAgentsDay(t *testing.T) {
	b := consoletest.Need(t, consoletest.StartBrowser)
	t.Cleanup(b.Stop)
	h := open(t, withAgents(t))
	ben, eva := h.page(b, "Ben"), h.page(b, "Eva")
	h.writes("whatsapp", sim.Said{ID: "1", Consumer: "chidi", Name: "Chidi", Text: "It arrived like this", Photos: [][]byte{sideways(picture(t, 1600, 1200), canary)}})
	h.writes("viber", sim.Said{ID: "2", Consumer: "mei", Name: "Mei <b>bold</b>", Text: "<img src=x onerror=alert(1)>"})

	for _, p := range []*consoletest.Page{ben, eva} {
		p.Await(row("Chidi"))
		p.Await(row("Mei <b>bold</b>"))
		p.Await("document.querySelectorAll('.row').length === 2")
	}
	ben.Eval(row("Chidi") + ".click()")
	ben.AwaitText(".photo .why", "Take it to see this photo")
	ben.AwaitFocus("#heading")
	ben.Axe(filepath.Join("console", "testdata", "axe", "axe.min.js"), "waiting")
	ben.Press("t")
	ben.AwaitFocus("#text")
	ben.Await("document.querySelector('.thumb img')?.naturalWidth === 240")

	h.looksAt(ben)
	h.seesNothing(eva, ben)
	h.answers(ben)
	h.isCutAndRestored(ben)
	h.closes(ben)
	if log := h.log.String(); strings.Contains(log, canary) || strings.Contains(log, agentToken("Ben")) {
		t.Error("the log holds a consumer's words, or what signs in")
	}
}

// looksAt looks at the photo on the full page: upright, and nothing else of the
// original.
func (h *house) looksAt(p *consoletest.Page) {
	h.t.Helper()
	p.Click(".thumb")
	p.AwaitFocus("#viewer-heading")
	p.Await("document.querySelector('#stage .preview')?.naturalWidth === 1200 && document.querySelector('#stage .preview').naturalHeight === 1600")
	p.Screenshot("day-viewer")
	p.Press("r")
	p.Press("Escape")
	p.AwaitNone("#viewer")
	p.AwaitFocus(".thumb")
}

// seesNothing has another agent look at the same conversation, and ask for its
// pictures by the addresses that the first one has.
func (h *house) seesNothing(other, holder *consoletest.Page) {
	h.t.Helper()
	path, _ := holder.Eval("location.pathname").(string)
	other.Go(path)
	other.AwaitText("#messages", "It arrived like this")
	other.AwaitText("main", "Ben")
	other.Screenshot("day-other-agent")
	// A photo that was late lies where its second try put it, which only href says.
	hrefs := holder.Eval(`(async () => {
		const {messages} = await (await fetch('/v1' + ` + fmt.Sprintf("%q", strings.Replace(path, "/c/", "/conversations/", 1)) + ` + '/messages')).json();
		const photo = messages.flatMap((m) => m.photos ?? [])[0];
		return JSON.stringify([photo.preview.href, photo.thumbnail.href]);
	})()`)
	for _, page := range []struct {
		*consoletest.Page
		want float64
	}{{holder, http.StatusOK}, {other, http.StatusNotFound}} {
		got := page.Eval(fmt.Sprintf(`(async () => {
			const answers = await Promise.all(%s.map((href) => fetch(href)));
			return answers.map((a) => a.status).reduce((a, b) => a === b ? a : -1);
		})()`, hrefs))
		if got != page.want {
			h.t.Errorf("the photo is answered %v, want %v", got, page.want)
		}
	}
	if n := other.Eval("document.querySelectorAll('main img').length"); n != float64(0) {
		h.t.Errorf("another agent's page has %v pictures", n)
	}
}

// answers replies, and waits until the consumer's phone has it.
func (h *house) answers(p *consoletest.Page) {
	h.t.Helper()
	p.Click("#text")
	p.Type("Thank you, Chidi. We send you another one.")
	p.Press("Enter")
	p.AwaitText(".from-us .texts", "We send you another one.")
	gatewaytest.Await(h.t, "the consumer has the answer", func() bool {
		sent := h.platforms["whatsapp"].Sent()
		return len(sent) == 1 && sent[0].Text == "Thank you, Chidi. We send you another one."
	})
	p.AwaitText(".from-us .fate", "Sent")
	p.Screenshot("day-answered")
}

// isCutAndRestored stops the gateway under an open page, and starts it again at the
// same address. What was said meanwhile is there, once.
func (h *house) isCutAndRestored(p *consoletest.Page) {
	h.t.Helper()
	h.loaded.Config.Listen = h.app.Addresses().Public
	if err := h.app.Close(); err != nil {
		h.t.Fatal(err)
	}
	p.AwaitText("#bar", "Reconnecting… last update")
	p.Screenshot("day-reconnecting")
	h.start()
	h.writes("whatsapp", sim.Said{ID: "3", Consumer: "chidi", Name: "Chidi", Text: "Great, thanks!"})
	p.AwaitText("#messages", "Great, thanks!")
	p.AwaitNone("#bar:not(:empty)")
	if n := p.Eval("[...document.querySelectorAll('#messages .texts')].filter((n) => n.textContent.includes('Great, thanks!')).length"); n != float64(1) {
		h.t.Errorf("the message is there %v times", n)
	}
}

// closes closes the conversation and finds it again, with its photo.
func (h *house) closes(p *consoletest.Page) {
	h.t.Helper()
	p.Eval("document.activeElement?.blur()")
	p.Press("e")
	p.AwaitText("#confirm", "Close the conversation with Chidi?")
	p.Click("#confirm-yes")
	p.AwaitText("#instead", "Closed by you")
	p.Go("/closed?q=chi")
	p.Await(row("Chidi"))
	p.Eval(row("Chidi") + ".click()")
	p.AwaitText("#messages", "Great, thanks!")
	p.Await("document.querySelector('.thumb img')?.naturalWidth === 240")
	p.Axe(filepath.Join("console", "testdata", "axe", "axe.min.js"), "closed")
	p.Screenshot("day-closed")
	h.writes("whatsapp", sim.Said{ID: "4", Consumer: "chidi", Name: "Chidi", Text: "One more thing"})
	p.Go("/waiting")
	p.Await(row("Chidi"))
	p.Eval(row("Chidi") + ".click()")
	p.AwaitText("#messages", "One more thing")
	p.AwaitText("main button", "The conversation before")
	p.Eval("[...document.querySelectorAll('main button')].find((a) => a.textContent.includes('The conversation before')).click()")
	p.AwaitText("#messages", "Great, thanks!")
}
