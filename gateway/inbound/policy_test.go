package inbound

import (
	"errors"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/budget"
	"github.com/lightlock/lightlock/media"
)

func TestPause(t *testing.T) {
	after := func(d time.Duration) error {
		return &connectors.Error{Kind: connectors.Throttled, After: d, Op: "test"}
	}
	for name, test := range map[string]struct {
		tries       int
		cause       error
		least, most time.Duration
	}{
		"first try":               {0, after(0), 1, time.Second},
		"third try":               {2, after(0), 1, 16 * time.Second},
		"after very many":         {1 << 40, after(0), 1, 15 * time.Minute},
		"the platform's word":     {0, after(time.Minute), time.Minute, time.Minute},
		"less than ours":          {9, after(time.Nanosecond), 1, 15 * time.Minute},
		"the platform's mistake":  {0, after(1000 * time.Hour), 15 * time.Minute, 15 * time.Minute},
		"the platform's nonsense": {0, after(-time.Hour), 1, time.Second},
	} {
		line := &Line{Work: config.Default().Work}
		var shortest, longest time.Duration
		for i := range 2000 {
			got := line.pause(test.tries, test.cause, time.Duration(line.Work.RetryMax))
			if got < test.least || got > test.most {
				t.Fatalf("%s: got %v, want from %v to %v", name, got, test.least, test.most)
			}
			if i == 0 {
				shortest = got
			}
			shortest, longest = min(shortest, got), max(longest, got)
		}
		if test.least < test.most && (shortest > test.most/10 || longest < test.most/2) {
			t.Errorf("%s: got pauses from %v to %v, want them spread up to %v", name, shortest, longest, test.most)
		}
	}
}

// A key is made of the platform's ids, and of nothing that a redelivery or an
// operator may change.
func TestEventKey(t *testing.T) {
	event := connectors.Event{Kind: connectors.Message, ID: "1", Account: "a", Text: "first", Consumer: connectors.Consumer{ID: "c"}}
	key := EventKey("line", event)
	same := connectors.Event{Kind: connectors.Broken, ID: "1", Account: "a", Text: "second", MessageID: "m"}
	if EventKey("line", same) != key {
		t.Error("the key depends on more than channel, account and id")
	}
	for name, other := range map[string]string{
		"channel": EventKey("viber", event),
		"account": EventKey("line", connectors.Event{ID: "1", Account: "b"}),
		"id":      EventKey("line", connectors.Event{ID: "2", Account: "a"}),
	} {
		if other == key {
			t.Errorf("another %s has the same key", name)
		}
	}
}

// Words that run into each other must not give the same digest: an account "1"
// with the event "23" is not the account "12" with the event "3".
func TestDigestKeepsWordsApart(t *testing.T) {
	seen := map[string][]string{}
	for _, words := range [][]string{{"line", "1", "23"}, {"line", "12", "3"}, {"line1", "2", "3"}, {"line", "123", ""}, {"line", "", "123"}, {"line", "123"}} {
		d := digest(words...)
		if other, ok := seen[d]; ok {
			t.Errorf("%q and %q have the digest %s", words, other, d)
		}
		seen[d] = words
	}
}

// An error of the platform's is ours where it waited for us, and a verdict or
// nothing is what it is.
func TestAFetchThatIsHeldUp(t *testing.T) {
	originals := budget.NewOriginals(budget.Plan{Largest: 1 << 20, Originals: 10 << 20}, time.Nanosecond)
	first, err := originals.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := originals.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	noRoom := second.Room(t.Context())(1)
	broken := &connectors.Error{Kind: connectors.Unavailable, Op: "test", Err: errors.New("connection reset")}
	verdict := &media.Rejection{Reason: media.TooLarge}
	for name, test := range map[string]struct {
		room      *budget.Original
		err, want error
		platforms bool
	}{
		"no room":                 {second, noRoom, budget.ErrNoRoom, false},
		"reset while it waited":   {second, broken, budget.ErrNoRoom, false},
		"reset by itself":         {first, broken, broken, true},
		"too large after waiting": {second, verdict, verdict, false},
		"nothing after waiting":   {second, nil, nil, false},
		"no kind":                 {first, errors.New("no kind"), nil, true},
	} {
		got := heldUp(test.err, test.room)
		if test.want != nil && !errors.Is(got, test.want) || test.err == nil && got != nil || isPlatforms(got) != test.platforms {
			t.Errorf("%s: got %v, want %v, the platform's: %v", name, got, test.want, test.platforms)
		}
	}
}
