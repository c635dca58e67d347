package connectortest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

// parseChecks are about the events that a channel makes of a webhook.
func parseChecks() []check {
	return []check{
		{"parse_pure", "the same body gives the same events with the same IDs, also when its headers are lost", checkParsePure},
		{"parse_complete", "every event has a kind, an ID, its own raw text, and a reason where it goes no further", checkParseComplete},
		{"parse_ids", "different messages have different IDs, and a redelivery has the same", checkParseIDs},
		{"parse_text", "a text arrives as it was written, with its consumer and its time", checkParseText},
		{"parse_consumer", "a consumer keeps one id, and no two share it", checkParseConsumer},
		{"parse_photos", "photos arrive in the order in which they were sent, each once", checkParsePhotos},
		{"parse_until", "a photo's end is after its message, and the same for all who read it", checkParseUntil},
		{"parse_caption", "text and photo of one message both arrive, once", checkParseCaption},
		{"parse_batch", "all messages of one call arrive, in the platform's order", checkParseBatch},
		{"parse_account", "the account is taken from the event and not from the configuration", checkParseAccount},
		{"parse_neighbours", "an event that cannot be read leaves its neighbours alone", checkParseNeighbours},
		{"parse_garbage", "what is not as documented gives events or kind Malformed, never a panic", checkParseGarbage},
		{"parse_reasons", "reasons are few fixed words, whatever a stranger sends", checkParseReasons},
	}
}

func checkParsePure(b *bench) error {
	requests, err := b.deliver(text("one"), withPhotos("two", picture(1), picture(2)))
	if err != nil {
		return err
	}
	want, err := parse(b.connector, requests)
	if err != nil {
		return err
	}
	nextYear := func() time.Time { return time.Now().AddDate(1, 0, 0) }
	later, err := b.build(b.settings, nextYear)
	if err != nil {
		return err
	}
	for _, c := range []connectors.Connector{b.connector, later} {
		for i, r := range requests {
			requests[i] = clone(r)
			requests[i].ReceivedAt = nextYear()
			requests[i].Header = http.Header{}
			requests[i].URL, _, _ = strings.Cut(r.URL, "?")
		}
		got, err := parse(c, requests)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(got, want) {
			return fmt.Errorf("got other events the second time:\n%s\nwant\n%s", show(got), show(want))
		}
	}
	return nil
}

// show prints events for a failure.
func show(events []connectors.Event) string {
	var lines []string
	for _, e := range events {
		line, err := json.Marshal(e)
		if err != nil {
			line = []byte(err.Error())
		}
		lines = append(lines, string(line))
	}
	return strings.Join(lines, "\n")
}

func checkParseComplete(b *bench) error {
	requests, err := b.deliver(text("one"), withPhotos("two", picture(1), picture(2)))
	if err != nil {
		return err
	}
	for _, r := range requests {
		events, err := b.connector.Parse(r)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Account == "" {
				return fmt.Errorf("the event has no account: %s", show(events))
			}
		}
	}
	for _, body := range garbage(document(requests[0]), 150) {
		for _, e := range calmly(b.connector, with(requests[0], body)) {
			if err := complete(e); err != nil {
				return fmt.Errorf("%w, in event %.300q of body %.300q", err, show([]connectors.Event{e}), body)
			}
		}
	}
	return nil
}

// complete returns what is wrong with an event by itself.
func complete(e connectors.Event) error {
	switch e.Kind {
	case connectors.Message, connectors.Edit, connectors.Unsend, connectors.Close, connectors.Receipt:
	case connectors.Ignored, connectors.Broken:
		if e.Reason == "" {
			return errors.New("no Reason")
		}
	default:
		return fmt.Errorf("unknown Kind %q", e.Kind)
	}
	if e.ID == "" {
		return errors.New("no ID")
	}
	if len(bytes.TrimSpace(e.Raw)) == 0 {
		return errors.New("no Raw")
	}
	if _, err := json.Marshal(e); err != nil {
		return fmt.Errorf("the event cannot be stored: %w", err)
	}
	return nil
}

func checkParseIDs(b *bench) error {
	said := []sim.Said{
		{ID: "a", Consumer: "ada", Text: "same", At: at()},
		{ID: "b", Consumer: "ada", Text: "same", At: at()},
		{ID: "c", Consumer: "bob", Text: "same", At: at()},
		{ID: "d", Consumer: "bob", Photos: [][]byte{picture(1), picture(1)}, At: at()},
	}
	first, err := b.events(said...)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, e := range first {
		if seen[e.ID] {
			return fmt.Errorf("two events share ID %q:\n%s", e.ID, show(first))
		}
		seen[e.ID] = true
	}
	again, err := b.events(said...)
	if err != nil {
		return err
	}
	if got, want := ids(again), ids(first); !reflect.DeepEqual(got, want) {
		return fmt.Errorf("got IDs %q when delivered again, want %q", got, want)
	}
	return nil
}

// ids returns the names by which events are known.
func ids(events []connectors.Event) []string {
	var list []string
	for _, e := range events {
		list = append(list, e.ID+" "+e.MessageID)
	}
	return list
}

func checkParseText(b *bench) error {
	for i, words := range []string{
		"hello", "two\nlines", `\u5199 \/ "quoted" <b>&amp;</b>`, "写 \U0001F4F7 \u202eabc e\u0301", "1+1=2 %2B &a=b;c", "{\"events\":[]}",
	} {
		events, err := b.events(sim.Said{ID: fmt.Sprint(i), Consumer: "ada", Name: "Ada", Text: words, At: at()})
		if err != nil {
			return err
		}
		if len(events) != 1 || events[0].Kind != connectors.Message || events[0].Text != words {
			return fmt.Errorf("got %s\nwant one message with text %q", show(events), words)
		}
		if err := meta(events[0]); err != nil {
			return fmt.Errorf("%w in %s", err, show(events))
		}
	}
	return nil
}

// meta returns what is wrong with what surrounds a message of Ada's.
func meta(e connectors.Event) error {
	switch {
	case e.MessageID == "":
		return errors.New("no MessageID")
	case e.Consumer.ID == "":
		return errors.New("no consumer")
	case e.Consumer.Name != "" && e.Consumer.Name != "Ada":
		return fmt.Errorf("got consumer name %q, want Ada or none", e.Consumer.Name)
	case !e.SentAt.IsZero() && !e.SentAt.Truncate(time.Second).Equal(at()):
		return fmt.Errorf("got SentAt %v, want %v or none", e.SentAt, at())
	case len(e.Photos) != 0:
		return fmt.Errorf("got %d photos, want none", len(e.Photos))
	}
	return nil
}

func checkParseConsumer(b *bench) error {
	var got []string
	for i, name := range []string{"ada", "bob", "ada"} {
		messages, err := b.hear(sim.Said{ID: fmt.Sprint(i), Consumer: name, Text: "x", At: at()})
		if err != nil {
			return err
		}
		if len(messages) != 1 {
			return fmt.Errorf("got %d messages, want 1", len(messages))
		}
		got = append(got, messages[0].Consumer.ID)
	}
	if got[0] != got[2] || got[0] == got[1] {
		return fmt.Errorf("got consumer ids %q of ada, bob and ada", got)
	}
	return nil
}

func checkParsePhotos(b *bench) error {
	want := [][]byte{picture(1), picture(2), picture(3)}
	photos, err := b.photos(withPhotos("album", want...))
	if err != nil {
		return err
	}
	for i, p := range photos {
		data, err := fetch(b.ctx, b.connector, p)
		if err != nil {
			return err
		}
		if !bytes.Equal(data, want[i]) {
			return fmt.Errorf("photo %d of %d is not the one that was sent in its place", i+1, len(want))
		}
	}
	return nil
}

// longestLife is more than any platform keeps a photo for and says so: what is
// later is a number that was misread.
const longestLife = 366 * 24 * time.Hour

// checkParseUntil leaves it to parse_pure that the end comes from the payload
// alone.
func checkParseUntil(b *bench) error {
	sent := withPhotos("album", picture(1), picture(2))
	sent.At = time.Now() // a platform that has dropped them may say so
	messages, err := b.hear(sent)
	if err != nil {
		return err
	}
	for _, m := range messages {
		for _, p := range m.Photos {
			if left := p.Until.Sub(sent.At); !p.Until.IsZero() && (left <= 0 || left > longestLife) {
				return fmt.Errorf("got Until %v of a photo sent at %v, want a time after it, or none", p.Until, sent.At)
			}
		}
	}
	return nil
}

func checkParseCaption(b *bench) error {
	said := withPhotos("one", picture(1))
	said.Text = "my leaf"
	messages, err := b.hear(said)
	if err != nil {
		return err
	}
	words, photos := "", 0
	for _, m := range messages {
		words += m.Text
		photos += len(m.Photos)
	}
	if words != said.Text || photos != 1 {
		return fmt.Errorf("got %s\nwant %q once and one photo", show(messages), said.Text)
	}
	return nil
}

func checkParseBatch(b *bench) error {
	said := batch()
	requests, err := b.deliver(said...)
	if err != nil {
		return err
	}
	if len(requests) >= len(said) {
		return fmt.Errorf("the simulated platform made %d calls for %d messages, want fewer", len(requests), len(said))
	}
	events, err := parse(b.connector, requests)
	if err != nil {
		return err
	}
	var got, want []string
	for _, e := range events {
		got = append(got, e.Text)
	}
	for _, s := range said {
		want = append(want, s.Text)
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("got texts %q, want %q", got, want)
	}
	return nil
}

// batch is what two consumers say at about the same time.
func batch() []sim.Said {
	said := []sim.Said{text("one"), text("two"), text("three")}
	said[1].Consumer, said[1].Name = "bob", "Bob"
	return said
}

func checkParseAccount(b *bench) error {
	want := b.settings.AccountList()[0].ID
	requests, err := b.deliver(text("one"), withPhotos("two", picture(1)))
	if err != nil {
		return err
	}
	s := b.platform.Settings("acme", "support")
	if _, err := withDecoy(s); err != nil {
		return err
	}
	c, err := b.build(s, time.Now)
	if err != nil {
		return fmt.Errorf("settings with two accounts: %w", err)
	}
	events, err := parse(c, requests)
	if err != nil {
		return err
	}
	for _, e := range events {
		if e.Account != want {
			return fmt.Errorf("got account %q, want %q, the second of two configured ones", e.Account, want)
		}
		for _, p := range e.Photos {
			if p.Account != want {
				return fmt.Errorf("got a photo of account %q, want %q", p.Account, want)
			}
		}
	}
	return nil
}
