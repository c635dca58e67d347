// Package console serves the agents' page: a shell of HTML, modules of JavaScript
// and one stylesheet, all part of the program, with no step that builds them. The
// modules are joined into one script when the program starts.
//
// The page talks to the agents' API and to nothing else. It promises that text
// from outside stays text: the shell has no place for it but one block of JSON,
// the modules write it into text nodes only, and the content security policy of
// every answer allows no other script than ours, no style in the markup, and no
// string that becomes markup (Trusted Types).
package console

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// policy is the content security policy of the page and of everything that it
// loads; the worker of the live updates has that of its own script. Photos are
// fetched by script and shown from memory: blob: is theirs.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; worker-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lightlock"

// Options are what a console is made of.
type Options struct {
	// API answers /v1. What the page shows first is asked of it in this process, in
	// the name of who opens the page, so that the list is there with the page. Nil:
	// the page asks for everything itself.
	API http.Handler
	// Keep is how long photos are kept. The page says so of one that is gone.
	Keep time.Duration
	// Tries is how often a photo is fetched before it counts as unreachable.
	Tries int
}

// page is what is served.
type page struct {
	options Options
	shell   *template.Template
	assets  map[string]asset
}

func load(o Options) (*page, error) {
	shell, err := template.ParseFS(files, "shell.html")
	if err != nil {
		return nil, err
	}
	all, err := assets()
	if err != nil {
		return nil, err
	}
	return &page{options: o, shell: shell, assets: all}, nil
}

// Mount adds the page's routes to e.
func Mount(e *echo.Echo, o Options) error {
	p, err := load(o)
	if err != nil {
		return fmt.Errorf("console: %w", err)
	}
	both := []string{http.MethodGet, http.MethodHead}
	for _, path := range []string{"/", "/waiting", "/mine", "/closed", "/c/:conversation", "/c/:conversation/photo/:photo"} {
		e.Match(both, path, p.show)
	}
	e.Match(both, "/assets/:name", p.asset)
	return nil
}

// data is what the page is given. All but the numbers may be absent.
type data struct {
	Me      json.RawMessage `json:"me,omitempty"`
	Waiting json.RawMessage `json:"waiting,omitempty"`
	Mine    json.RawMessage `json:"mine,omitempty"`
	// Keep is the retention time in months.
	Keep  int `json:"keep,omitempty"`
	Tries int `json:"tries,omitempty"`
}

// show answers with the shell. It is the same for every address: the modules read
// which view is meant.
func (p *page) show(ec echo.Context) error {
	r, w := ec.Request(), ec.Response()
	var text bytes.Buffer
	err := p.shell.Execute(&text, map[string]any{"Theme": theme(r), "Data": p.first(r)})
	if err != nil {
		return fmt.Errorf("console: %w", err)
	}
	header(w.Header())
	// It bears what only this agent may read.
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	body := text.Bytes()
	if accepts(r) {
		w.Header().Set("Content-Encoding", "gzip")
		body = compress(body)
	}
	w.Header().Add("Vary", "Accept-Encoding")
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, err = w.Write(body)
	}
	return err
}

func header(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// theme is the colours that the agent has chosen in this browser, or none.
func theme(r *http.Request) string {
	cookie, err := r.Cookie("lightlock_theme")
	if err != nil || cookie.Value != "light" && cookie.Value != "dark" {
		return ""
	}
	return cookie.Value
}

// month is one of the calendar's on average.
const month = 30.4 * 24 * float64(time.Hour)

// first asks the API for what is shown first. What does not come is left out, and
// the page asks itself.
func (p *page) first(r *http.Request) data {
	d := data{Keep: int(float64(p.options.Keep)/month + 0.5), Tries: p.options.Tries}
	if p.options.API == nil {
		return d
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	if d.Me = p.ask(ctx, r, "/v1/me"); d.Me == nil {
		return d
	}
	d.Waiting = p.ask(ctx, r, "/v1/conversations?view=waiting&limit=50")
	d.Mine = p.ask(ctx, r, "/v1/conversations?view=mine&limit=50")
	return d
}
