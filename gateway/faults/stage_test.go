package faults

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/whatsapp/whatsappsim"
	"github.com/lightlock/lightlock/gateway/gatewaytest/platforms"
	"github.com/lightlock/lightlock/gateway/load"
)

const (
	// testQueue is on the first primary of a cluster of three, which has a replica.
	testQueue = "care"
	publicURL = "https://gateway.test/base"
	// canary stands in every text and every photo's metadata. It is never logged.
	canary = "canary-5e1d"
)

// channelNames are all channels, always in this order.
var channelNames = []string{"apple", "line", "messenger", "twilio", "twitter", "viber", "whatsapp"}

// stage is what outlives gateways and Redis alike: the platforms, and what their
// consumers have said.
type stage struct {
	t         testing.TB
	platforms map[string]sim.Platform
	settings  map[string]config.Settings
	// readers are the connectors, for what a call's events are: the same bytes
	// are the same events.
	readers  map[string]connectors.Connector
	speakers []*load.Speaker

	mu   sync.Mutex
	said map[string]said // by the event's key
	// people are consumers' ids as platforms call them, and their numbers, without
	// a plus. None is ever logged.
	people map[string]bool
}

// said is an event as its platform tells of it.
type said struct {
	channel  string
	kind     connectors.Kind
	text     string
	pictures []string // names of what it shows
	// message is a name of the message that it is or is about, if it can be told
	// from others.
	message string
}

func newStage(t testing.TB) *stage {
	t.Helper()
	s := &stage{
		t: t, platforms: map[string]sim.Platform{}, settings: map[string]config.Settings{},
		readers: map[string]connectors.Connector{}, said: map[string]said{},
		people: map[string]bool{},
	}
	for _, p := range platforms.All() {
		s.enter(p)
	}
	return s
}

// enter starts a platform and whoever speaks for its consumers.
func (s *stage) enter(of platforms.Platform) {
	s.t.Helper()
	p, err := of.Start()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = p.Close() })
	settings := p.Settings("acme", testQueue)
	settings.Common().Registration = "off" // they call us without
	reader, err := of.New(settings, connectors.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		s.t.Fatal(err)
	}
	s.platforms[of.Name], s.settings[of.Name], s.readers[of.Name] = p, settings, reader
	speaker, err := load.Speak(load.Channel{Channel: of.Channel, Simulate: func() (sim.Platform, error) { return p, nil }}, settings, publicURL)
	if err != nil {
		s.t.Fatal(err)
	}
	s.speakers = append(s.speakers, speaker)
}

// line returns the simulated LINE, the plainest of the platforms.
func (s *stage) line() *linesim.Platform { return s.platforms["line"].(*linesim.Platform) }

// webhookURL is the address of a channel's webhook as its platform knows it.
func webhookURL(channel string) string { return publicURL + "/webhooks/" + channel + "/acme" }

// call is one call of a platform, and the keys of its events that are accepted.
type call struct {
	channel string
	*connectors.Request
	keys []string
}

// message is what one consumer says on one channel; pictures are names.
type message struct {
	channel, id, consumer, text string
	pictures                    []string
	at                          time.Time // now if it is zero
}

// said is the message in the platforms' words.
func (m message) said() sim.Said {
	one := sim.Said{ID: m.id, Consumer: m.consumer, Name: canary + " " + m.consumer, Text: m.text, At: m.at}
	if one.At.IsZero() {
		one.At = time.Now()
	}
	for _, name := range m.pictures {
		one.Photos = append(one.Photos, picture(name))
	}
	return one
}

// say returns the calls by which a platform delivers messages of one channel.
func (s *stage) say(messages ...message) []call {
	s.t.Helper()
	var list []sim.Said
	var pictures []string
	channel := messages[0].channel
	for _, m := range messages {
		pictures = append(pictures, m.pictures...)
		list = append(list, m.said())
		s.number(m.channel, m.consumer)
	}
	requests, err := s.platforms[channel].Webhook(webhookURL(channel), list...)
	if err != nil {
		s.t.Error(err) // not Fatal: streams say something beside the test
	}
	var calls []call
	for _, r := range requests {
		var c call
		c, pictures = s.read(channel, r, pictures)
		calls = append(calls, c)
	}
	return calls
}

// read finds a call's events and notes them. Photos stand in the order in which
// they were said.
func (s *stage) read(channel string, r *connectors.Request, pictures []string) (call, []string) {
	s.t.Helper()
	events, err := s.readers[channel].Parse(r)
	if err != nil {
		s.t.Error(err)
	}
	c := call{channel: channel, Request: r}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		s.meet(e)
		if e.Kind == connectors.Ignored || e.Kind == connectors.Receipt {
			continue
		}
		n := min(len(e.Photos), len(pictures))
		c.keys = append(c.keys, eventKey(channel, e))
		one := said{channel: channel, kind: e.Kind, text: e.Text, pictures: pictures[:n]}
		if e.MessageID != "" {
			one.message = digest(channel, e.Account, "message", e.MessageID)
		}
		s.said[eventKey(channel, e)] = one
		pictures = pictures[n:]
	}
	return c, pictures
}

// meet notes who has said something. The lock is held.
func (s *stage) meet(e connectors.Event) {
	if e.Consumer.ID != "" {
		s.people[strings.TrimPrefix(e.Consumer.ID, "+")] = true
	}
}

// number notes a number that stands in a call beside its consumer's id.
func (s *stage) number(channel, consumer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if channel == "whatsapp" {
		s.people[whatsappsim.Phone(consumer)] = true
	}
}

// introduce notes the consumers of a plan, whose calls we do not read.
func (s *stage) introduce(consumers int) {
	s.t.Helper()
	for channel, p := range s.platforms {
		for n := range consumers {
			one := sim.Said{ID: "introduced", Consumer: fmt.Sprint("consumer ", n), Text: canary, At: time.Now()}
			requests, err := p.Webhook(webhookURL(channel), one)
			if err != nil {
				s.t.Fatal(err)
			}
			events, err := s.readers[channel].Parse(requests[0])
			if err != nil || len(events) == 0 {
				s.t.Fatalf("%s: %d events, %v", channel, len(events), err)
			}
			s.number(channel, one.Consumer)
			s.mu.Lock()
			s.meet(events[0])
			s.mu.Unlock()
		}
	}
}

// own is read for a call that a test has made by itself.
func (s *stage) own(channel string, r *connectors.Request, err error) call {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	c, _ := s.read(channel, r, nil)
	return c
}

// unsend returns the call that takes a message back, which had one part: a text,
// or a photo with or without one.
func (s *stage) unsend(m message) call {
	s.t.Helper()
	r, err := s.platforms[m.channel].(sim.Unsender).Unsend(webhookURL(m.channel), m.said())
	return s.own(m.channel, r, err)
}

// eventKey is the name of an event in the journal: a hash over channel, account
// and id, each behind its length.
func eventKey(channel string, e connectors.Event) string { return digest(channel, e.Account, e.ID) }

func digest(words ...string) string {
	h := sha256.New()
	for _, w := range words {
		n := len(w)
		h.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		h.Write([]byte(w))
	}
	return hex.EncodeToString(h.Sum(nil))
}
