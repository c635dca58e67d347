package consoletest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
)

// Browser is a real browser without a window, for all tests of a package.
type Browser struct {
	ctx     context.Context
	cancel  context.CancelFunc
	profile string

	mu   sync.Mutex
	free []*tab
}

// tab is a tab in a context of its own, for one test after the other: each has its
// own origin, and with it its own storage, and to begin one costs more than most
// tests do.
type tab struct {
	ctx    context.Context
	cancel context.CancelFunc
}

// tab gives one that nobody uses.
func (b *Browser) tab() (*tab, error) {
	b.mu.Lock()
	if n := len(b.free); n > 0 {
		defer b.mu.Unlock()
		t := b.free[n-1]
		b.free = b.free[:n-1]
		return t, nil
	}
	b.mu.Unlock()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	// The tab lives as long as the context of its first action, so that must not be
	// one with a deadline.
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		return nil, err
	}
	return &tab{ctx: ctx, cancel: cancel}, nil
}

// giveBack takes a tab that nobody uses any more, without what the pages at an
// origin have left in it; one that cannot be cleaned is closed.
func (b *Browser) giveBack(t *tab, origin string) {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	err := chromedp.Do(ctx, chromedp.Navigate("about:blank"))
	if err == nil {
		_, err = chromedp.Call(ctx, storage.ClearDataForOrigin, storage.ClearDataForOriginParams{Origin: origin, StorageTypes: "all"})
	}
	for _, clean := range []cdp.Command[cdp.Empty, cdp.Empty]{page.ResetNavigationHistory, network.ClearBrowserCookies} {
		if err == nil {
			_, err = chromedp.Call(ctx, clean, cdp.Empty{})
		}
	}
	if err != nil {
		t.cancel()
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free = append(b.free, t)
}

// ErrNoBrowser says what to install.
type ErrNoBrowser struct{}

// Error implements error.
func (ErrNoBrowser) Error() string {
	return "no chromium or google-chrome on PATH (apt-get install chromium | dnf install chromium | brew install --cask chromium)"
}

// StartBrowser starts one. It has a profile of its own, and asks nobody for
// anything but the pages that it is sent to.
func StartBrowser() (*Browser, error) {
	program, err := find()
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "lightlock-browser-")
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", false), chromedp.WindowSize(1280, 800))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	b := &Browser{ctx: ctx, profile: profile, cancel: func() { cancel(); stop() }}
	if err := chromedp.Do(ctx); err != nil {
		b.Stop()
		return nil, fmt.Errorf("%s does not start: %w", program, err)
	}
	return b, nil
}

func find() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoBrowser{}
}

// Stop ends the browser and removes its profile.
func (b *Browser) Stop() {
	_ = chromedp.Cancel(b.ctx)
	b.cancel()
	_ = os.RemoveAll(b.profile)
}

// Need gives the browser that start has started, and ends a test that cannot have
// one: without a browser it is skipped, and fails where CI runs.
func Need(t testing.TB, start func() (*Browser, error)) *Browser {
	t.Helper()
	b, err := start()
	if _, none := err.(ErrNoBrowser); none { //nolint:errorlint // never wrapped
		gatewaytest.Missing(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}
