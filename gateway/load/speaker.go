package load

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/inbound"
)

// Channel is a platform that the program speaks, and its simulated twin.
type Channel struct {
	connectors.Channel
	Simulate func() (sim.Platform, error)
}

// Speaker is the platform's side of one connector: it says what consumers say,
// signed as the platform signs, and serves their photos. Its methods may be
// called from one goroutine at a time.
type Speaker struct {
	// Settings are the connector's.
	Settings config.Settings
	// Photos tells whether the gateway can fetch photos from here.
	Photos bool
	// Platform is the simulated platform itself.
	Platform sim.Platform

	channel   connectors.Channel
	connector connectors.Connector
	public    *url.URL // of the gateway
	path      string   // before the webhooks' own, where a proxy takes the calls
	captions  bool     // a photo and a text are one message
	several   bool     // several photos are one message
	proof     proof
}

// Speak starts a simulated platform for a connector that delivers to the gateway
// of this public address. Without settings the connector is a new one, named
// load, whose queue is Queue.
func Speak(channel Channel, settings config.Settings, publicURL string) (*Speaker, error) {
	public, err := url.Parse(publicURL)
	if err != nil {
		return nil, err
	}
	platform, err := channel.Simulate()
	if err != nil {
		return nil, fmt.Errorf("simulated %s: %w", channel.Name, err)
	}
	s := &Speaker{Platform: platform, Settings: settings, Photos: true, channel: channel.Channel, public: public}
	if err := s.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("simulated %s: %w", channel.Name, err), platform.Close())
	}
	return s, nil
}

func (s *Speaker) open() (err error) {
	if s.Settings == nil {
		s.Settings = s.Platform.Settings("load", Queue)
		s.Settings.Common().Registration = "off" // the platform calls us anyway
	} else {
		s.Photos = sim.Local(s.Settings.Common().APIBase)
		if err := s.Platform.Adopt(s.Settings); err != nil {
			return err
		}
	}
	s.connector, err = s.channel.New(s.Settings, connectors.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		return err
	}
	return s.learn()
}

// Name is the connector's full name, as in line/acme.
func (s *Speaker) Name() string { return s.Settings.Common().FullName() }

// Queue is where the gateway puts what is said here.
func (s *Speaker) Queue() string { return s.Settings.AccountList()[0].Queue }

// Close ends the platform's servers.
func (s *Speaker) Close() error { return s.Platform.Close() }

// webhook is the address that the platform calls, without what it adds itself.
func (s *Speaker) webhook() string {
	return strings.TrimRight(s.public.String(), "/") + "/webhooks/" + s.Name()
}

// learn finds out how this platform words and signs things.
func (s *Speaker) learn() error {
	request, whole, err := s.isOne("a caption", []byte{0xff})
	if err != nil {
		return err
	}
	s.captions = whole
	if _, s.several, err = s.isOne("", []byte{0xff}, []byte{0xfe}); err != nil {
		return err
	}
	s.proof, err = findProof(s.connector, request)
	return err
}

// isOne tells whether what is said at once is one message here, and returns the
// first of its calls.
func (s *Speaker) isOne(text string, photos ...[]byte) (*connectors.Request, bool, error) {
	said := sim.Said{ID: sim.Secret(), Consumer: "learn", Name: "learn", Text: text, At: time.Now(), Photos: photos}
	requests, err := s.Platform.Webhook(s.webhook(), said)
	if err != nil {
		return nil, false, err
	}
	events, err := s.connector.Parse(requests[0])
	if err != nil {
		return nil, false, err
	}
	return requests[0], len(requests) == 1 && len(events) == 1, nil
}

// proof says where a call's signature stands: in a header, and on some platforms
// in the query as well.
type proof struct {
	header string
	query  bool
}

// findProof looks for the header without which a call is not the platform's.
func findProof(c connectors.Connector, r *connectors.Request) (proof, error) {
	for _, query := range []bool{false, true} {
		for _, name := range slices.Sorted(maps.Keys(r.Header)) {
			p := proof{name, query}
			if c.Verify(p.without(r)) != nil && c.Verify(r) == nil {
				return p, nil
			}
		}
	}
	return proof{}, errors.New("nothing in a call proves whose it is")
}

// without is the call with its proof taken away.
func (p proof) without(r *connectors.Request) *connectors.Request {
	bare := *r
	bare.Header = r.Header.Clone()
	bare.Header.Del(p.header)
	if p.query {
		bare.URL, _, _ = strings.Cut(r.URL, "?")
	}
	return &bare
}

// spoil is the call with a proof of the right form that proves nothing.
func (p proof) spoil(r *connectors.Request) *connectors.Request {
	spoilt := p.without(r)
	value := []byte(r.Header.Get(p.header))
	// Not the last characters, of which some say nothing in Base64, nor the
	// first, which may name the method.
	at := len(value) * 3 / 4
	if value[at] == '7' {
		value[at] = '3'
	} else {
		value[at] = '7'
	}
	spoilt.Header.Set(p.header, string(value))
	return spoilt
}

// Say returns the call that delivers a message: a text, a photo, or both where
// the platform puts them into one message; else the photo alone.
func (s *Speaker) Say(said sim.Said) (*Call, error) {
	request, err := s.message(said)
	if err != nil {
		return nil, err
	}
	return s.call(request, connectors.Message)
}

// message makes one call of what is one message.
func (s *Speaker) message(said sim.Said) (*connectors.Request, error) {
	if len(said.Photos) > 0 && !s.captions {
		said.Text = ""
	}
	requests, err := s.Platform.Webhook(s.webhook(), said)
	if err == nil && len(requests) != 1 {
		err = fmt.Errorf("%s: %d calls for one message", s.Name(), len(requests))
	}
	if err != nil {
		return nil, err
	}
	return requests[0], nil
}

// Forge returns the call that would deliver a message if its signature were
// right.
func (s *Speaker) Forge(said sim.Said) (*Call, error) {
	request, err := s.message(said)
	if err != nil {
		return nil, err
	}
	spoilt := s.proof.spoil(request)
	if s.connector.Verify(spoilt) == nil {
		return nil, fmt.Errorf("%s: the forged call proves to be real", s.Name())
	}
	call, err := s.read(spoilt, connectors.Message)
	if call != nil {
		call.Forged = true
	}
	return call, err
}

// Unsend returns the call that takes a message back, or nil where consumers of
// this platform cannot.
func (s *Speaker) Unsend(said sim.Said, message *Event) (*Call, error) {
	p, can := s.Platform.(sim.Unsender)
	if !can {
		return nil, nil //nolint:nilnil // no call and no error: the platform has none
	}
	request, err := p.Unsend(s.webhook(), said)
	if err != nil {
		return nil, err
	}
	return s.about(request, connectors.Unsend, message)
}

// Edit returns the call that gives a message another text, or nil where
// consumers of this platform cannot.
func (s *Speaker) Edit(said sim.Said, text string, message *Event) (*Call, error) {
	p, can := s.Platform.(sim.Editor)
	if !can {
		return nil, nil //nolint:nilnil // no call and no error: the platform has none
	}
	request, err := p.Edit(s.webhook(), said, text)
	if err != nil {
		return nil, err
	}
	return s.about(request, connectors.Edit, message)
}

// Leave returns the call by which a consumer ends the conversation, or nil where
// consumers of this platform cannot.
func (s *Speaker) Leave(said sim.Said) (*Call, error) {
	p, can := s.Platform.(sim.Leaver)
	if !can {
		return nil, nil //nolint:nilnil // no call and no error: the platform has none
	}
	request, err := p.Leave(s.webhook(), said)
	if err != nil {
		return nil, err
	}
	return s.call(request, connectors.Close)
}

func (s *Speaker) about(request *connectors.Request, kind connectors.Kind, message *Event) (*Call, error) {
	call, err := s.call(request, kind)
	if call != nil {
		call.Event.Of = message
	}
	return call, err
}

// call makes sure that the connector takes the request for what it is meant to
// be: what is wrong here would be counted as lost there.
func (s *Speaker) call(r *connectors.Request, want connectors.Kind) (*Call, error) {
	if err := s.connector.Verify(r); err != nil {
		return nil, fmt.Errorf("%s: its own call: %w", s.Name(), err)
	}
	return s.read(r, want)
}

func (s *Speaker) read(r *connectors.Request, want connectors.Kind) (*Call, error) {
	events, err := s.connector.Parse(r)
	if err != nil {
		return nil, fmt.Errorf("%s: its own call: %w", s.Name(), err)
	}
	if len(events) != 1 || events[0].Kind != want {
		return nil, fmt.Errorf("%s: %d events in a call for one %s", s.Name(), len(events), want)
	}
	e := events[0]
	return &Call{
		Speaker: s,
		Event:   &Event{Key: inbound.EventKey(s.channel.Name, e), Kind: want, Text: e.Text, Photos: len(e.Photos)},
		bytes:   render(r, s.public, s.path),
	}, nil
}
