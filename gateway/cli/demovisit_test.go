package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/lightlock/lightlock/gateway/console/consoletest"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
)

// visitor is somebody who has started the demo and was told where to look.
type visitor struct {
	*testing.T
	demo                    *process
	console, phones, public string // addresses
	token                   string // Ben's
}

// visit starts the demo with a small photo, and reads what it prints.
func visit(t *testing.T) *visitor {
	t.Helper()
	dir := t.TempDir()
	p := startIn(t, dir, "demo", "--keep", "--photo", put(t, dir, "cat.jpg", jpegOf(t, 400, 300)))
	p.await(t, "the hints", func() bool { return strings.Contains(p.out.String(), "/metrics\n") })
	found := regexp.MustCompile(`console +(http://(127\.0\.0\.1:\d+)/#token=(\w+))\n +phones +(http://127\.0\.0\.1:\d+)/\n`).FindStringSubmatch(p.out.String())
	if found == nil {
		t.Fatalf("no addresses on this machine in:\n%s", p.out.String())
	}
	return &visitor{T: t, demo: p, console: found[1], public: found[2], token: found[3], phones: found[4]}
}

// ask calls the agents' API as Ben, and reads the answer into v, if that is wanted.
func (v *visitor) ask(method, path, body string, into any) {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), method, "http://"+v.public+path, strings.NewReader(body))
	if err != nil {
		v.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+v.token)
	r.Header.Set("Idempotency-Key", "an-answer")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		v.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		v.Fatalf("%s %s: answered %d %s, %v", method, path, answer.StatusCode, text, err)
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			v.Fatal(err)
		}
	}
}

// chats are the conversations that wait, by channel: exactly one of each.
func (v *visitor) chats() map[string]string {
	v.Helper()
	var list struct {
		Total         int
		Conversations []struct {
			ID, Channel string
			Consumer    struct{ Name string }
		}
	}
	v.ask(http.MethodGet, "/v1/conversations?view=waiting", "", &list)
	ids := map[string]string{}
	for _, c := range list.Conversations {
		ids[c.Channel] = c.ID
		if want := consumers(c.Channel); nameless(c.Channel) != (c.Consumer.Name == "") || c.Consumer.Name != "" && c.Consumer.Name != want {
			v.Errorf("%s: agents see %q, want %q, or none if it is nameless", c.Channel, c.Consumer.Name, want)
		}
	}
	if list.Total != 7 || len(list.Conversations) != 7 || len(ids) != 7 {
		v.Fatalf("%d conversations wait, on %d channels: %+v", list.Total, len(ids), list)
	}
	return ids
}

// awaitSaid waits until a conversation has a text of its consumer, and so many photos
// that are ready.
func (v *visitor) awaitSaid(id, text string, photos int) {
	v.Helper()
	gatewaytest.Await(v, fmt.Sprintf("%q and %d photos in %s", text, photos, id), func() bool {
		var page struct {
			Messages []struct {
				From, Text string
				Photos     []struct{ Status string }
			}
		}
		v.ask(http.MethodGet, "/v1/conversations/"+id+"/messages", "", &page)
		said, ready := false, 0
		for _, m := range page.Messages {
			said = said || m.From == "consumer" && m.Text == text
			for _, p := range m.Photos {
				if p.Status == "ready" {
					ready++
				}
			}
		}
		return said && ready == photos
	})
}

// phone is how to find the phone of a channel on the page.
func phone(channel, within string) string {
	return fmt.Sprintf("[data-channel=%s] %s", channel, within)
}

// send types a text on a phone, chooses a file besides, and sends both.
func (v *visitor) send(p *consoletest.Page, channel, text, file string) {
	v.Helper()
	p.Click(phone(channel, "textarea"))
	p.Type(text)
	p.Eval(fmt.Sprintf(`(() => { const select = document.querySelector(%q); select.selectedIndex = select.options.length - 1;
		document.querySelector(%[2]q).hidden = false })()`, phone(channel, "select"), phone(channel, "[type=file]")))
	p.ChooseFile(phone(channel, "[type=file]"), file)
	p.Click(phone(channel, "button"))
	p.AwaitText(phone(channel, "li.said p"), text)
}

// TestAVisitorTriesTheDemo opens what the demo prints in a real browser: seven
// conversations wait, each with its photo; every phone sends another text and photo to
// the agents, and has their answer.
func TestAVisitorTriesTheDemo(t *testing.T) {
	t.Parallel()
	b := consoletest.Need(t, consoletest.StartBrowser)
	t.Cleanup(b.Stop)
	v := visit(t)
	chats := v.chats()
	for _, id := range chats {
		v.awaitSaid(id, question, 1)
	}
	where, err := url.Parse(v.console)
	if err != nil {
		t.Fatal(err)
	}
	ben := b.Page(t, "http://"+v.public)
	ben.Go("/#" + where.Fragment)
	ben.Await("[...document.querySelectorAll('.row')].filter((r) => r.checkVisibility()).length === 7")
	if address, _ := ben.Eval("location.href").(string); strings.Contains(address, v.token) {
		t.Errorf("the address still signs in: %s", address)
	}

	page := b.Page(t, v.phones)
	page.Size(1280, 1120)
	page.Go("/")
	page.Await("[...document.querySelectorAll('section li img')].filter((i) => i.naturalWidth === 240).length === 7")
	v.looks(page, "phones")
	file := put(t, t.TempDir(), "dog.jpg", jpegOf(t, 300, 400))
	for channel, id := range chats {
		text := "One more from " + channel
		v.send(page, channel, text, file)
		v.awaitSaid(id, text, 2)
		// Some platforms make two messages of it, and the list has the newest.
		ben.Await(fmt.Sprintf("[...document.querySelectorAll('.row')].some((r) => r.textContent.includes(%q) && (r.textContent.includes(%q) || r.textContent.includes('1 photo')))",
			page.Text(phone(channel, "h2")), text))
		if channel == byHand {
			continue
		}
		v.ask(http.MethodPost, "/v1/conversations/"+id+"/take", "", nil)
		v.ask(http.MethodPost, "/v1/conversations/"+id+"/replies", `{"text":"An answer on `+channel+`"}`, nil)
	}
	v.worksByHand(ben, chats[byHand])
	for channel := range chats {
		page.AwaitText(phone(channel, "li.got p"), "An answer on "+channel)
	}
	if cut := page.Eval("[...document.querySelectorAll('section ol')].filter((ol) => [...ol.querySelectorAll('img:not([hidden])')].at(-1).getBoundingClientRect().top < ol.getBoundingClientRect().top).length"); cut != 0.0 {
		t.Errorf("on %v phones the newest photo's top is cut", cut)
	}
	page.Click(phone("viber", "textarea"))
	page.Press("Enter")
	page.AwaitText(phone("viber", "[role=alert]"), "Write something, or choose a file.")
	page.Eval(fmt.Sprintf("document.querySelector(%q).value = 'pdf'", phone("viber", "select")))
	page.Press("Enter")
	page.AwaitText(phone("viber", "li.said p"), "File: A PDF, 1 kB")
	page.Eval(fmt.Sprintf("document.querySelector(%q).value = 'moving'", phone("line", "select")))
	page.Click(phone("line", "textarea"))
	page.Press("Enter")
	page.AwaitText(phone("line", "li.got p"), "photo") // what the consumer is told
	v.looks(page, "phones-answered")
	v.leaves()
}

// byHand is the channel whose conversation is answered and closed on the page, with the
// keys that the README names.
const byHand = "line"

// worksByHand opens a conversation, takes it, answers, looks at its newest photo and
// closes it, as an agent does on the first day.
func (v *visitor) worksByHand(p *consoletest.Page, id string) {
	v.Helper()
	p.Await("[...document.querySelectorAll('.row')].some((r) => r.textContent.includes('LINE'))")
	p.Eval("[...document.querySelectorAll('.row')].find((r) => r.textContent.includes('LINE')).click()")
	p.AwaitText("#messages", "One more from "+byHand)
	p.AwaitFocus("#heading")
	p.Press("t")
	p.AwaitFocus("#text")
	p.Type("An answer on " + byHand)
	p.Press("Enter")
	p.AwaitText(".from-us .texts", "An answer on "+byHand)
	p.Await("document.querySelector('.thumb img')?.naturalWidth === 240")
	p.Press("Escape")
	p.Press("p")
	p.AwaitFocus("#viewer-heading")
	p.Await("document.querySelector('#stage .preview')?.naturalWidth > 240")
	p.Press("Escape")
	p.AwaitNone("#viewer")
	p.Press("e")
	p.AwaitText("#confirm", "Close the conversation with")
	p.Click("#confirm-yes")
	p.AwaitText("#instead", "Closed by you")
	var closed struct{ State string }
	v.ask(http.MethodGet, "/v1/conversations/"+id, "", &closed)
	if closed.State != "closed" {
		v.Errorf("the conversation is %s, want closed", closed.State)
	}
}

// looks keeps how the phones look, and has axe look at them.
func (v *visitor) looks(p *consoletest.Page, state string) {
	v.Helper()
	axe := filepath.Join("..", "console", "testdata", "axe", "axe.min.js")
	for _, scheme := range []string{"light", "dark"} {
		p.Media(map[string]string{"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"})
		p.Axe(axe, state+" "+scheme)
		p.Screenshot(state + "-" + scheme)
	}
	p.Phone()
	p.Axe(axe, state+" on a phone")
	p.Screenshot(state + "-phone")
	if wide := p.Eval("document.documentElement.scrollWidth > innerWidth"); wide != false {
		v.Errorf("%s: the page is wider than a phone", state)
	}
	p.Size(1280, 1120)
}

// leaves ends the demo: what signs in was never among what it logs, and nothing is left.
func (v *visitor) leaves() {
	v.Helper()
	v.demo.signal(v.T, syscall.SIGINT)
	if code := v.demo.exit(v.T); code != exitDone {
		v.Errorf("exit %d", code)
	}
	log := v.demo.err.String()
	if !strings.Contains(log, "message forwarded") || strings.Contains(log, v.token) || strings.Contains(log, "#token") {
		v.Errorf("the log is empty, or holds what signs in:\n%s", log)
	}
	leavesNothing(v.T, v.demo)
}
