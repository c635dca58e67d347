package faults

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lightlock/lightlock/connectors/apple/applesim"
	"github.com/lightlock/lightlock/connectors/sim"
)

// step is one call of a platform in a plan.
type step struct {
	call
	// once marks a platform that does not repeat a call without an answer.
	once bool
	// copies is how often it is sent at the same time.
	copies int
}

// plan is what consumers say on all channels, with what platforms do to it:
// copies, at once and later, and messages that are taken back, edited, or
// followed by the end of their conversation. The same random numbers make the
// same plan.
func (s *stage) plan(r *rand.Rand, messages int) []step {
	s.t.Helper()
	var steps []step
	// later puts a call somewhere behind what is there, or a little before it.
	later := func(c call) {
		steps = slices.Insert(steps, max(0, len(steps)-r.IntN(20)), step{call: c, copies: 1})
	}
	for i := range messages {
		m := s.invent(r, i)
		for _, c := range s.say(m) {
			steps = append(steps, step{call: c, once: m.channel == "twilio", copies: 1 + r.IntN(10)/9})
			if r.IntN(10) == 0 {
				later(c)
			}
		}
		single := len(m.pictures) == 0 || len(m.pictures) == 1 && m.text == ""
		_, unsends := s.platforms[m.channel].(sim.Unsender)
		_, edits := s.platforms[m.channel].(sim.Editor)
		switch {
		case single && unsends && r.IntN(6) == 0:
			later(s.unsend(m))
		case single && edits && r.IntN(10) == 0:
			later(s.edit(m, fmt.Sprintf("%s %d, said anew", canary, i)))
		case m.channel == "apple" && r.IntN(20) == 0:
			p := s.platforms["apple"].(*applesim.Platform)
			c, err := p.Call(webhookURL("apple"), p.Event(sim.Said{ID: m.id + " close", Consumer: m.consumer}, "close"))
			later(s.own("apple", c, err))
		}
	}
	return steps
}

// invent makes up a message. Whoever sends a picture that is rejected has said
// nothing else, and so hears of it at most once.
func (s *stage) invent(r *rand.Rand, i int) message {
	m := message{
		channel: channelNames[r.IntN(len(channelNames))], id: fmt.Sprintf("message %d", i), at: time.Now(),
		consumer: fmt.Sprintf("consumer %d", r.IntN(50)), text: fmt.Sprintf("%s %d, say no more", canary, i),
	}
	for range []int{0, 0, 0, 0, 1, 1, 1, 1, 1, 2}[r.IntN(10)] {
		m.pictures = append(m.pictures, goodPictures[r.IntN(len(goodPictures))])
	}
	if len(m.pictures) > 0 && r.IntN(10) == 0 {
		m.consumer = fmt.Sprintf("unlucky %d", i)
		m.pictures = []string{badPictures[r.IntN(len(badPictures))]}
	}
	if len(m.pictures) > 0 && r.IntN(2) == 0 {
		m.text = ""
	}
	return m
}
