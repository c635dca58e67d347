// Package sim is what simulated platforms share: the contract that each keeps,
// and the server behind which each answers.
//
// A simulated platform signs and answers as the real one does, and is written
// from the platform's documentation, never from our parser: where the two
// disagree, a test fails. The conformance suite, the end-to-end tests and the
// demo use the same ones.
package sim

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
)

// Platform is one simulated platform with one business on it.
type Platform interface {
	// Settings returns settings with which a connector of that name reaches
	// this platform; all messages go to queue.
	Settings(name, queue string) config.Settings
	// Webhook returns the signed calls by which the platform delivers what
	// was said to the webhook at url, in as few calls as it would use.
	Webhook(url string, said ...Said) ([]*connectors.Request, error)
	// Adopt makes it the platform that a connector with these settings reaches:
	// with its secrets and ids, and at its api_base where that is on this machine.
	// It is for the time before the platform is used.
	Adopt(settings config.Settings) error
	Backend
}

// Unsender is implemented by platforms whose consumers can take back what they
// have said.
type Unsender interface {
	// Unsend returns the signed call that takes back what was said in one
	// message: a text, or a photo with or without one.
	Unsend(url string, said Said) (*connectors.Request, error)
}

// Editor is implemented by platforms whose consumers can say it anew.
type Editor interface {
	// Edit returns the signed call by which what was said in one message gets
	// another text.
	Edit(url string, said Said, text string) (*connectors.Request, error)
}

// Leaver is implemented by platforms whose consumers can end the conversation.
type Leaver interface {
	// Leave returns the signed call by which a consumer does. What was said names
	// the consumer and the event.
	Leave(url string, said Said) (*connectors.Request, error)
}

// Backend is the platform's own side, apart from what consumers say. Server has
// it for all of them.
type Backend interface {
	// Sent returns the messages that consumers got from the business, in order.
	// What the platform recognised as a repeat is in it once.
	Sent() []Sent
	// Reach tells how the calls that the platform makes of its own accord get to
	// the gateway, such as the handshake of a registration. Until then, none
	// does.
	Reach(call func(*connectors.Request) (status int, body string))
	// Wrap puts a handler in front of the platform's API from now on, by which
	// tests make it slow, broken or hostile; nil takes it away.
	Wrap(func(http.Handler) http.Handler)
	// Close ends the platform's servers.
	Close() error
}

// Said is one message of a simulated consumer.
type Said struct {
	// ID names what was said. The platform's ids are made from it, so saying
	// the same ID again is a redelivery.
	ID       string
	Consumer string
	Name     string
	Text     string
	Photos   [][]byte
	At       time.Time
}

// Sent is one message that a simulated consumer got.
type Sent struct {
	// ID is the platform's of the message, as its API answered.
	ID string
	// Account and Consumer are the platform's ids of the two sides.
	Account, Consumer string
	Text              string
}

// Digest returns n lower-case hex digits that are always the same for the same
// words: the stuff that simulated ids are made of.
func Digest(n int, words ...string) string {
	h := sha256.New()
	for _, w := range words {
		h.Write([]byte(w))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))[:n]
}

// Decimal returns n decimal digits made like Digest; the first is never 0.
func Decimal(n int, words ...string) string {
	out := []byte(Digest(n, append(words, "decimal")...))
	for i, c := range out {
		out[i] = '0' + (c*7+byte(i))%10
	}
	if out[0] == '0' {
		out[0] = '5'
	}
	return string(out)
}

// Secret returns a new random secret of 32 hex digits.
func Secret() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// Server is a platform's API on a loopback port.
type Server struct {
	// URL is scheme, host and port.
	URL string

	http    *http.Server
	serving sync.WaitGroup

	mu    sync.Mutex
	wrap  func(http.Handler) http.Handler
	sent  []Sent
	reach func(*connectors.Request) (int, string)
}

// Serve starts a server for h.
func Serve(h http.Handler) (*Server, error) {
	s := &Server{}
	s.http = &http.Server{
		ReadHeaderTimeout: 5 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.wrapped(h).ServeHTTP(w, r)
		}),
	}
	return s, s.listen("127.0.0.1:0")
}

// listen serves at one more address, by which the server is known from now on.
func (s *Server) listen(address string) error {
	var listen net.ListenConfig
	l, err := listen.Listen(context.Background(), "tcp", address)
	if err != nil {
		return err
	}
	s.URL = "http://" + l.Addr().String()
	s.serving.Go(func() { _ = s.http.Serve(l) })
	return nil
}

// Local tells whether a simulated platform can answer at base, which is an
// address that connectors call: plain http on this machine, with a port.
func Local(base string) bool {
	u, err := url.Parse(base)
	return err == nil && u.Scheme == "http" && u.Port() != "" && net.ParseIP(u.Hostname()).IsLoopback()
}

// Move makes the server answer at base too, and be known by it, if base is Local;
// of any other nothing is heard here. Its path is the platform's own.
func (s *Server) Move(base string) error {
	if !Local(base) || strings.HasPrefix(base+"/", s.URL+"/") {
		return nil
	}
	u, err := url.Parse(base)
	if err != nil {
		return err
	}
	return s.listen(u.Host)
}

func (s *Server) wrapped(h http.Handler) http.Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wrap == nil {
		return h
	}
	return s.wrap(h)
}

// Deliver notes that a consumer got a message.
func (s *Server) Deliver(m Sent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, m)
}

// Sent implements Backend.
func (s *Server) Sent() []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// Reach implements Backend.
func (s *Server) Reach(call func(*connectors.Request) (int, string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reach = call
}

// Knock makes a call to the gateway, and returns status 0 where there is no way
// to it.
func (s *Server) Knock(r *connectors.Request) (status int, body string) {
	s.mu.Lock()
	call := s.reach
	s.mu.Unlock()
	if call == nil {
		return 0, ""
	}
	return call(r)
}

// Wrap implements Backend.
func (s *Server) Wrap(wrap func(http.Handler) http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrap = wrap
}

// Close ends the server and every connection to it.
func (s *Server) Close() error {
	err := s.http.Close()
	s.serving.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Shelf holds the originals that consumers have sent, by the platform's id.
type Shelf struct {
	mu    sync.Mutex
	items map[string][]byte
}

// Put stores data under id.
func (s *Shelf) Put(id string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.items == nil {
		s.items = map[string][]byte{}
	}
	s.items[id] = data
}

// Get returns what is stored under id.
func (s *Shelf) Get(id string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.items[id]
	return data, ok
}
