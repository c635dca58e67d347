package connectortest

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

func parseMutants() []mutant {
	return []mutant{
		{"tells the time in events", "parse_pure parse_extra", event(func(_ *twisted, e *connectors.Event) { e.ReplyTo = time.Now().String() })},
		{"believes the content type", "parse_pure", func(t *twisted) {
			t.parse = func(r *connectors.Request) ([]connectors.Event, error) {
				if r.Header.Get("Content-Type") == "" {
					return nil, connectors.Errorf(connectors.Malformed, "test", "no")
				}
				return t.Connector.Parse(r)
			}
		}},
		{"makes random IDs", "parse_pure parse_ids parse_neighbours parse_extra", event(func(_ *twisted, e *connectors.Event) { e.ID = fmt.Sprint(rand.Uint64()) })},
		{"takes the consumer for the ID", "parse_ids", event(func(_ *twisted, e *connectors.Event) {
			if e.Consumer.ID != "" {
				e.ID = e.Consumer.ID
			}
		})},
		{"keeps an event without Raw", "parse_complete", event(func(_ *twisted, e *connectors.Event) { e.Raw = nil })},
		{"gives no reason", "parse_complete", event(func(_ *twisted, e *connectors.Event) { e.Reason = "" })},
		{"unescapes the text", "parse_text", event(func(_ *twisted, e *connectors.Event) { e.Text = html.UnescapeString(e.Text) })},
		{"takes all consumers for one", "parse_consumer", event(func(_ *twisted, e *connectors.Event) { e.Consumer.ID = "U" })},
		{"swaps photos", "parse_photos", events(func(_ *twisted, list []connectors.Event) []connectors.Event {
			for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
				list[i].Photos, list[j].Photos = list[j].Photos, list[i].Photos
			}
			return list
		})},
		{"ends photos before they were sent", "parse_until", event(func(_ *twisted, e *connectors.Event) {
			for i := range e.Photos {
				e.Photos[i].Until = e.SentAt.Add(-time.Second)
			}
		})},
		{"says the text with every photo", "parse_caption", events(func(_ *twisted, list []connectors.Event) []connectors.Event {
			for i := range list {
				if len(list[i].Photos) > 0 {
					list[i].Text = list[0].Text
				}
			}
			return list
		})},
		{"drops the second event", "parse_photos parse_caption parse_batch parse_neighbours parse_accounts", events(func(_ *twisted, list []connectors.Event) []connectors.Event {
			if len(list) > 1 {
				list = slices.Delete(list, 1, 2)
			}
			return list
		})},
		{"turns the order round", "parse_batch parse_photos", events(func(_ *twisted, list []connectors.Event) []connectors.Event {
			slices.Reverse(list)
			return list
		})},
	}
}

func envelopeMutants() []mutant {
	return []mutant{
		{"files all under the first account", "parse_account parse_accounts", event(func(t *twisted, e *connectors.Event) {
			e.Account = t.config.Accounts[0].ID
			for i := range e.Photos {
				e.Photos[i].Account = e.Account
			}
		})},
		{"gives up the call for one broken event", "parse_neighbours", func(t *twisted) {
			t.parse = func(r *connectors.Request) ([]connectors.Event, error) {
				list, err := t.Connector.Parse(r)
				if slices.ContainsFunc(list, func(e connectors.Event) bool { return e.Kind == connectors.Broken }) {
					return nil, connectors.Errorf(connectors.Malformed, "test", "no")
				}
				return list, err
			}
		}},
		{"panics in a deep document", "parse_garbage", func(t *twisted) {
			t.parse = func(r *connectors.Request) ([]connectors.Event, error) {
				if bytes.HasPrefix(r.Body, []byte("[[[")) {
					panic("too deep")
				}
				return t.Connector.Parse(r)
			}
		}},
		{"has no kind for garbage", "parse_garbage parse_cut", func(t *twisted) {
			t.parse = func(r *connectors.Request) ([]connectors.Event, error) {
				list, err := t.Connector.Parse(r)
				if err != nil {
					err = errors.New("no")
				}
				return list, err
			}
		}},
		{"quotes the type in the reason", "parse_reasons", event(func(_ *twisted, e *connectors.Event) {
			if _, kind, ok := strings.Cut(string(e.Raw), `"type":"stranger`); ok && e.Reason != "" {
				e.Reason = "unknown type stranger" + kind[:strings.Index(kind, `"`)]
			}
		})},
		{"writes a token into an event", "secrets_in_events", event(func(t *twisted, e *connectors.Event) {
			e.ReplyTo = "?token=" + t.config.Accounts[0].ChannelAccessToken.Reveal()
		})},
	}
}
