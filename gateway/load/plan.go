package load

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/lightlock/lightlock/connectors/sim"
)

// Plan says what consumers say, and in what order. The same plan with the same
// seed and name says the same, but for the times that stand in it.
type Plan struct {
	Seed uint64
	// Name is part of every message's id, so that two plans of different names
	// never say the same one.
	Name string
	// Messages is how many different ones there are; 0 is without end.
	Messages int
	// Consumers is how many people write, each on every channel; 1 at least.
	Consumers int
	// Photos is the share of messages with a photo, from 0 to 1. It is one of
	// Originals.
	Photos    float64
	Originals [][]byte
	// Duplicates is the share of calls that come twice. Unsends and Edits are
	// those of messages taken back and edited, on the platforms that have it.
	Duplicates, Unsends, Edits float64
	// Albums is the share of messages with a photo that have several, on the
	// platforms that have it: up to four, those of Originals that come next.
	Albums float64
	// Closes is the share of messages behind which the consumer ends the
	// conversation, on the platforms that have it.
	Closes float64
	// Forged is how many calls with a wrong signature there are for a message.
	Forged float64
}

// spread is within how many messages the calls about one message come: some at
// once with it, and at the rates of a test some milliseconds apart.
const spread = 50

var errNoOriginal = errors.New("a plan with photos needs an original")

// Check says what is wrong with the plan.
func (p Plan) Check() error {
	for _, share := range []struct {
		name  string
		value float64
	}{
		{"photos", p.Photos}, {"duplicates", p.Duplicates}, {"unsends", p.Unsends}, {"edits", p.Edits}, {"forged", p.Forged},
		{"albums", p.Albums}, {"closes", p.Closes},
	} {
		if share.value < 0 || share.value > 1 {
			return fmt.Errorf("%s is %v; a share is from 0 to 1", share.name, share.value)
		}
	}
	if p.Photos > 0 && len(p.Originals) == 0 {
		return errNoOriginal
	}
	return nil
}

// Calls returns the plan's calls, made one by one, on all speakers in turn. It
// ends after the first error.
func (p Plan) Calls(speakers []*Speaker) iter.Seq2[*Call, error] {
	return func(yield func(*Call, error) bool) {
		t := &teller{
			Plan: p, speakers: speakers, yield: yield, due: map[int][]followUp{},
			dice: rand.New(rand.NewPCG(p.Seed, 0)), //nolint:gosec // a plan has to come out the same again
		}
		for i := 0; p.Messages == 0 || i < p.Messages; i++ {
			if !t.message(i) || !t.owed(i) {
				return
			}
		}
		for i := p.Messages; len(t.due) > 0; i++ {
			if !t.owed(i) {
				return
			}
		}
	}
}

// followUp makes a call about an earlier message, or nil.
type followUp func() (*Call, error)

// teller goes through a plan.
type teller struct {
	Plan
	speakers []*Speaker
	yield    func(*Call, error) bool
	dice     *rand.Rand
	due      map[int][]followUp // by the number of the message that they come behind
}

func (t *teller) chance(share float64) bool { return t.dice.Float64() < share }

// owe puts a call off for up to spread messages.
func (t *teller) owe(i int, f followUp) {
	at := i + t.dice.IntN(spread+1)
	t.due[at] = append(t.due[at], f)
}

// owed tells the calls that were put off until behind message i. Those that they
// lead to may be due at once as well.
func (t *teller) owed(i int) bool {
	for len(t.due[i]) > 0 {
		next := t.due[i][0]
		t.due[i] = t.due[i][1:]
		call, err := next()
		if call == nil && err == nil {
			continue
		}
		if !t.tell(call, err) {
			return false
		}
		if !call.Repeat && t.chance(t.Duplicates) {
			t.owe(i, again(call))
		}
	}
	delete(t.due, i)
	return true
}

func again(call *Call) followUp {
	repeat := *call
	repeat.Repeat = true
	return func() (*Call, error) { return &repeat, nil }
}

func (t *teller) tell(call *Call, err error) bool { return t.yield(call, err) && err == nil }

// message tells message i, and decides what else will be told of it.
func (t *teller) message(i int) bool {
	speaker := t.speakers[i%len(t.speakers)]
	said, photo := t.said(i, speaker)
	call, err := speaker.Say(said)
	if call != nil {
		call.Event.Photo = photo
	}
	if !t.tell(call, err) {
		return false
	}
	if t.chance(t.Duplicates) {
		t.owe(i, again(call))
	}
	if t.chance(t.Edits) {
		t.owe(i, func() (*Call, error) { return speaker.Edit(said, said.Text+", edited", call.Event) })
	}
	if t.chance(t.Unsends) {
		t.owe(i, func() (*Call, error) { return speaker.Unsend(said, call.Event) })
	}
	if t.chance(t.Closes) {
		t.owe(i, func() (*Call, error) { return speaker.Leave(said) })
	}
	if t.chance(t.Forged) {
		forged := said
		forged.ID += " forged"
		t.owe(i, func() (*Call, error) { return speaker.Forge(forged) })
	}
	return true
}

// said is what stands in message i.
func (t *teller) said(i int, s *Speaker) (said sim.Said, photo int) {
	consumer := strconv.Itoa(t.dice.IntN(max(1, t.Consumers)))
	said = sim.Said{
		ID: t.Name + " " + strconv.Itoa(i), Consumer: "consumer " + consumer, Name: "Consumer " + consumer, At: time.Now(),
		Text: "message " + strconv.Itoa(i) + " of " + t.Name,
	}
	if t.chance(t.Photos) && s.Photos {
		photo = t.dice.IntN(len(t.Originals))
		several := 1
		if s.several && t.chance(t.Albums) {
			several = 2 + t.dice.IntN(3)
		}
		for n := range several {
			said.Photos = append(said.Photos, t.Originals[(photo+n)%len(t.Originals)])
		}
	}
	return said, photo
}
