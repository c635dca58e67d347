package consoletest

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is far more than anything on a page takes.
const patience = 30 * time.Second

// Page is a page in a browser context of its own. Its methods fail the test where
// they cannot do what they say.
type Page struct {
	t    testing.TB
	base string
	ctx  context.Context
	// altered says that the tab is not as others are: it has another device's ways,
	// or scripts of the test's.
	altered bool

	mu       sync.Mutex
	troubles []string
}

// Page opens an empty one for a gateway at base. Scripts that throw, and what the
// content security policy refuses, fail the test.
func (b *Browser) Page(t testing.TB, base string) *Page {
	t.Helper()
	tab, err := b.tab()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(tab.ctx)
	p := &Page{t: t, base: base, ctx: ctx}
	t.Cleanup(func() {
		if t.Failed() {
			p.Screenshot("failed-" + strings.ReplaceAll(t.Name(), "/", "-"))
		}
		stop()
		if t.Failed() || p.altered {
			tab.cancel()
		} else {
			b.giveBack(tab, base)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, trouble := range p.troubles {
			t.Errorf("the page: %s", trouble)
		}
	})
	p.do(chromedp.EmulateViewport(1280, 800))
	// Without it a click may go to where a thing was before it slid away.
	p.Media(map[string]string{"prefers-reduced-motion": "reduce"})
	if err := chromedp.Listen(ctx, p.heard); err != nil {
		t.Fatal(err)
	}
	return p
}

// heard collects what goes wrong on the page. That a call was answered by an
// error is not the page's fault.
func (p *Page) heard(event any) {
	var trouble string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		trouble = e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			trouble += " " + e.ExceptionDetails.Exception.Description
		}
	case *cdplog.EventEntryAdded:
		if e.Entry.Source == cdplog.EntrySourceNetwork || e.Entry.Level != cdplog.EntryLevelError {
			return
		}
		trouble = e.Entry.Text
	default:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.troubles = append(p.troubles, trouble)
}

func (p *Page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// SignIn gives the page a session's cookie.
func (p *Page) SignIn(cookie *http.Cookie) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, network.SetCookie, network.SetCookieParams{
		Name: cookie.Name, Value: cookie.Value, URL: p.base, HTTPOnly: &cookie.HttpOnly, Secure: &cookie.Secure,
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// Go opens an address of the gateway's.
func (p *Page) Go(path string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.base + path))
}

// Reload loads the page anew.
func (p *Page) Reload() { p.t.Helper(); p.do(chromedp.Reload()) }

// Back goes back in the page's history.
func (p *Page) Back() { p.t.Helper(); p.Eval("history.back()") }

// Phone makes the window a phone's.
func (p *Page) Phone() {
	p.t.Helper()
	p.altered = true
	p.do(chromedp.EmulateViewport(390, 780, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait))
}

// Size makes the window so large, in pixels.
func (p *Page) Size(width, height int64) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(width, height))
}

// Media sets what the system wishes, such as prefers-color-scheme: dark.
func (p *Page) Media(features map[string]string) {
	p.t.Helper()
	var list []*emulation.MediaFeature
	for name, value := range features {
		list = append(list, &emulation.MediaFeature{Name: name, Value: value})
	}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: list}); err != nil {
		p.t.Fatal(err)
	}
}

// Eval runs a script, waits for its promise, and returns what comes of it as JSON
// has it.
func (p *Page) Eval(script string) any {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	raw, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](script, chromedp.EvalAwaitPromise, chromedp.EvalAsValue))
	if err != nil {
		p.t.Fatalf("%s: %v", script, err)
	}
	var value any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &value); err != nil {
			p.t.Fatalf("%s: %v", script, err)
		}
	}
	return value
}

// Await waits until a script's value is true.
func (p *Page) Await(script string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, 60*time.Millisecond) {
		// A page that is being loaded has no context to run in for a moment.
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[*bool]("Boolean("+script+")", chromedp.EvalAwaitPromise))
		if err == nil && ok != nil && *ok {
			return
		}
		select {
		case <-ctx.Done():
			p.t.Fatalf("waited in vain until %s (%v); the page says:\n%s", script, err, p.text("body"))
		case <-time.After(wait):
		}
	}
}

// AwaitText waits until a visible element has a text in it.
func (p *Page) AwaitText(selector, text string) {
	p.t.Helper()
	p.Await(fmt.Sprintf("[...document.querySelectorAll(%s)].some((n) => n.checkVisibility() && n.textContent.includes(%s))", quote(selector), quote(text)))
}

// AwaitNone waits until no visible element is there.
func (p *Page) AwaitNone(selector string) {
	p.t.Helper()
	p.Await(fmt.Sprintf("![...document.querySelectorAll(%s)].some((n) => n.checkVisibility())", quote(selector)))
}

// AwaitFocus waits until an element has the focus.
func (p *Page) AwaitFocus(selector string) {
	p.t.Helper()
	p.Await(fmt.Sprintf("document.activeElement?.matches(%s)", quote(selector)))
}

// Text is the text of the first such element, as it is seen.
func (p *Page) Text(selector string) string { p.t.Helper(); return p.text(selector) }

func (p *Page) text(selector string) string {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[*string](fmt.Sprintf("document.querySelector(%s)?.innerText ?? ''", quote(selector))))
	if err != nil || text == nil {
		return fmt.Sprint(err)
	}
	return *text
}

// Texts are the texts of all such elements that are visible.
func (p *Page) Texts(selector string) []string {
	p.t.Helper()
	list, _ := p.Eval(fmt.Sprintf("[...document.querySelectorAll(%s)].filter((n) => n.checkVisibility()).map((n) => n.textContent)", quote(selector))).([]any)
	var texts []string
	for _, one := range list {
		texts = append(texts, one.(string))
	}
	return texts
}

// Click clicks the middle of the first such element, once it is visible, as a
// mouse does.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.Await(fmt.Sprintf("document.querySelector(%s)?.checkVisibility()", quote(selector)))
	p.do(chromedp.Click(selector))
}

// Type types into what has the focus.
func (p *Page) Type(text string) { p.t.Helper(); p.do(chromedp.KeyEvent(text)) }

// Screenshot writes what is seen to the folder that LIGHTLOCK_SCREENSHOTS names (an
// absolute path: tests run in their package's folder), or to the test's own where the tests run with -artifacts.
func (p *Page) Screenshot(name string) {
	p.t.Helper()
	folder := os.Getenv("LIGHTLOCK_SCREENSHOTS")
	if kept := flag.Lookup("test.artifacts"); folder == "" && kept != nil && kept.Value.String() == "true" {
		folder = p.t.ArtifactDir()
	}
	if folder == "" {
		return
	}
	if err := os.MkdirAll(folder, 0o750); err != nil { //nolint:gosec // who runs the tests names the folder
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".png"), png, 0o600) //nolint:gosec // who runs the tests names the folder
	}
	if err != nil {
		p.t.Errorf("screenshot %s: %v", name, err)
	}
}

func quote(s string) string {
	b, _ := json.Marshal(s) //nolint:errchkjson // a string always has JSON
	return string(b)
}

// Tab opens another page in the same context, as a second tab of the same agent.
func (p *Page) Tab(path string) *Page {
	p.t.Helper()
	p.altered = true
	ctx, cancel := chromedp.NewContext(p.ctx)
	p.t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		p.t.Fatal(err)
	}
	second := &Page{t: p.t, base: p.base, ctx: ctx}
	second.Go(path)
	return second
}

// Offline takes the page's network away, and gives it back.
func (p *Page) Offline(off bool) {
	p.t.Helper()
	p.altered = true
	_, err := chromedp.Call(p.ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: off})
	if err != nil {
		p.t.Fatal(err)
	}
}

// Before runs a script in every document before its own.
func (p *Page) Before(script string) {
	p.t.Helper()
	p.altered = true
	_, err := chromedp.Call(p.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	if err != nil {
		p.t.Fatal(err)
	}
}
