package connectortest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/lightlock/lightlock/connectors"
)

// garbage returns bodies that the platform would never send: some for everybody
// and n copies of a good one with damage. They are the same at every run.
func garbage(good []byte, n int) [][]byte {
	bodies := [][]byte{
		nil, []byte(" "), []byte("\x00"), []byte("null"), []byte("true"), []byte("0"), []byte(`""`), []byte("[]"), []byte("{}"),
		[]byte("[[]]"), []byte("[{}]"), []byte("\xff\xfe"), []byte("\xef\xbb\xbf{}"), []byte("%"), []byte("a=%zz&b;c"), []byte("&&==&"),
		[]byte(`{"events":null}`), []byte(`{"events":{}}`), []byte(`{"entry":[null]}`), []byte(`{"a":1e999}`), []byte(`{"\ud800":"\ud800"}`),
		bytes.Repeat([]byte("["), 20_000), bytes.Repeat([]byte(`{"a":`), 20_000), bytes.Repeat([]byte("a=b&"), 5_000),
		append(bytes.Clone(good), good...), bytes.Repeat([]byte("9"), 20_000),
	}
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // The same damage at every run.
	for range n {
		bodies = append(bodies, damage(r, good))
	}
	return bodies
}

// damage returns a copy of good with one thing wrong.
func damage(r *rand.Rand, good []byte) []byte {
	bad := bytes.Clone(good)
	if len(bad) == 0 {
		return bad
	}
	i := r.IntN(len(bad))
	j := min(len(bad), i+1+r.IntN(20))
	switch r.IntN(5) {
	case 0:
		bad[i] = byte(r.Uint32())
	case 1:
		bad = slices.Delete(bad, i, j)
	case 2:
		bad = slices.Insert(bad, i, bytes.Clone(bad[i:j])...)
	case 3:
		const marks = `"{}[]:,0-\ `
		bad[i] = marks[r.IntN(len(marks))]
	case 4:
		// Another value of another type in the place of a JSON string.
		parts := strings.Split(string(bad), `"`)
		parts[r.IntN(len(parts))] = `":[null,{"a":-1e9}],"b":"`
		bad = []byte(strings.Join(parts, `"`))
	}
	return bad
}

func checkParseGarbage(b *bench) error {
	r, err := b.one()
	if err != nil {
		return err
	}
	for _, body := range garbage(document(r), 250) {
		changed := with(r, body)
		if err := tolerates(b.connector, changed); err != nil {
			return fmt.Errorf("body %.200q: %w", body, err)
		}
	}
	empty := []*connectors.Request{{}, {Method: "GET", URL: "::", Body: r.Body}, {Method: "POST", URL: r.URL + "?%zz", Header: r.Header}}
	for i, r := range empty {
		if err := tolerates(b.connector, r); err != nil {
			return fmt.Errorf("empty request %d: %w", i, err)
		}
	}
	return nil
}

// tolerates returns an error unless c reads r or calls it Malformed.
func tolerates(c connectors.Connector, r *connectors.Request) error {
	if err := c.Verify(r); err != nil {
		if err := wantKind(err, connectors.Unauthentic); err != nil {
			return fmt.Errorf("Verify: %w", err)
		}
	}
	if _, err := c.Parse(r); err != nil {
		if err := wantKind(err, connectors.Malformed); err != nil {
			return fmt.Errorf("Parse: %w", err)
		}
	}
	return nil
}

// calmly returns the events of a request that may be garbage. That it is read
// without a panic is a check of its own.
func calmly(c connectors.Connector, r *connectors.Request) (events []connectors.Event) {
	defer func() { _ = recover() }()
	events, err := c.Parse(r)
	if err != nil {
		return nil
	}
	return events
}

func checkParseReasons(b *bench) error {
	requests, err := b.deliver(text("one"), withPhotos("two", picture(1)))
	if err != nil {
		return err
	}
	reasons, words := map[string]bool{}, 0
	for _, r := range requests {
		err := strangers(document(r), func(body []byte, word string) error {
			words++
			for _, e := range calmly(b.connector, with(r, body)) {
				reasons[e.Reason] = true
				if strings.Contains(e.Reason, word) || strings.Contains(e.Reason, "hello") {
					return fmt.Errorf("got reason %q, which quotes the request", e.Reason)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if words < 200 {
		return fmt.Errorf("only %d strange values fit into the webhook, want 200", words)
	}
	if len(reasons) > 40 {
		return fmt.Errorf("got %d different reasons, want few", len(reasons))
	}
	return nil
}
