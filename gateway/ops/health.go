package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// State is how something that the gateway depends on is doing.
type State string

// The states. Only Fail takes the gateway out of service.
const (
	OK   State = "ok"
	Warn State = "warn"
	Fail State = "fail"
)

// Line is one line of /readyz.
type Line struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	// Note is for people: what is wrong, and what would mend it.
	Note string `json:"note,omitempty"`
}

// Check looks at one dependency or at several that are alike. It must return
// when ctx ends.
type Check func(ctx context.Context) []Line

// checkTime bounds the checks of one question, which run at once: a Redis that
// hangs says nothing about the store.
const checkTime = 2 * time.Second

// Health answers whether the gateway is alive and ready.
type Health struct {
	checks   []Check
	draining atomic.Bool
}

// NewHealth makes a Health that asks the given checks in order.
func NewHealth(checks ...Check) *Health { return &Health{checks: checks} }

// Drain makes the gateway unready from now on, so that a load balancer sends
// nothing new while it stops.
func (h *Health) Drain() { h.draining.Store(true) }

// report is what /readyz says.
type report struct {
	State string `json:"state"` // ready, degraded, unready
	Lines []Line `json:"checks"`
}

func (h *Health) report(ctx context.Context) report {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	r := report{State: "ready"}
	if h.draining.Load() {
		r.Lines = append(r.Lines, Line{"gateway", Fail, "stopping"})
	}
	r.Lines = append(r.Lines, slices.Concat(h.ask(ctx)...)...)
	for _, l := range r.Lines {
		switch {
		case l.State == Fail:
			r.State = "unready"
		case l.State == Warn && r.State == "ready":
			r.State = "degraded"
		}
	}
	return r
}

// ask runs all checks and returns their lines in the checks' order.
func (h *Health) ask(ctx context.Context) [][]Line {
	lines := make([][]Line, len(h.checks))
	var asked sync.WaitGroup
	for i, check := range h.checks {
		asked.Go(func() { lines[i] = check(ctx) })
	}
	asked.Wait()
	return lines
}

// text is the report as people read it.
func (r report) text(w io.Writer) {
	warnings := 0
	for _, l := range r.Lines {
		if l.State == Warn {
			warnings++
		}
	}
	head := r.State
	if r.State == "degraded" {
		head = "ready"
	}
	if warnings > 0 {
		head += fmt.Sprintf(", %d warning", warnings)
		if warnings > 1 {
			head += "s"
		}
	}
	fmt.Fprintln(w, head)
	widest := 0
	for _, l := range r.Lines {
		widest = max(widest, len(l.Name))
	}
	for _, l := range r.Lines {
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-*s  %-4s  %s", widest, l.Name, l.State, l.Note), " "))
	}
}

// ready answers /readyz: 200 while something durable can be accepted, with
// warnings or without, else 503.
func (h *Health) ready(w http.ResponseWriter, r *http.Request) {
	report := h.report(r.Context())
	status := http.StatusOK
	if report.State == "unready" {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(report)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	report.text(w)
}

// Admin is the handler of the operators' listener.
func Admin(h *Health, m *Metrics) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "alive\n")
	})
	mux.HandleFunc("GET /readyz", h.ready)
	mux.Handle("GET /metrics", m.Handler())
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "/healthz /readyz /metrics /debug/pprof/\n")
	})
	return mux
}
