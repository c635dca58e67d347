package webhook

import (
	"log/slog"
	"net/http"

	"github.com/lightlock/lightlock/config"
)

// ListenMost is Listen with another bound to the connections that are open.
func ListenMost(h http.Handler, certificate *config.TLS, log *slog.Logger, most int) (*Server, error) {
	return listen("127.0.0.1:0", h, certificate, log, most)
}

// Open is how many connections are without a call, and how many with one.
func (s *Server) Open() (waiting, busy int) {
	s.listener.mu.Lock()
	defer s.listener.mu.Unlock()
	return s.listener.waiting.Len(), s.listener.busy.Len()
}

// Crowded tells whether somebody waits for room, or there is none left.
func (b *Bodies) Crowded() bool {
	if !b.rest.TryAcquire(1) {
		return true
	}
	b.rest.Release(1)
	return false
}

// Free tells whether there is this much room, in the first parts and beyond.
func (b *Bodies) Free(first, rest int64) bool {
	if !b.first.TryAcquire(first) {
		return false
	}
	defer b.first.Release(first)
	if !b.rest.TryAcquire(rest) {
		return false
	}
	b.rest.Release(rest)
	return true
}
