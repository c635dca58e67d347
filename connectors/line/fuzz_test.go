package line_test

import (
	"encoding/json"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
)

// FuzzParse reads whatever comes: no panic, a kind for every error, events that
// can be stored, and the same ones the second time.
func FuzzParse(f *testing.F) {
	f.Add([]byte(emptyBody))
	f.Add([]byte(escapedBody))
	for kind, more := range passedOver() {
		f.Add([]byte(`{"destination":"U","events":[` + event(kind, "a", more) + `]}`))
	}
	f.Add([]byte(`{"destination":"U","events":[` + message("a", `{"type":"image","id":"1","imageSet":{"id":"s","index":1,"total":2}}`) +
		`,` + message("b", `{"type":"text","id":"2","text":"\ud800"}`) + `,5,null,` + event("unsend", "c", `,"unsend":{"messageId":"1"}`) + `]}`))
	c, err := line.New(settings(), connectors.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := c.Parse(post(string(body), "X", ""))
		if err != nil {
			wantKind(t, "Parse", err, connectors.Malformed)
			return
		}
		for _, e := range events {
			if _, err := json.Marshal(e); err != nil || e.ID == "" || e.Kind == "" || len(e.Raw) == 0 {
				t.Errorf("got event %+v, %v, want one that can be stored", e, err)
			}
			if len(e.Photos) > 1 || len(e.Photos) == 1 && e.Photos[0].Account != e.Account {
				t.Errorf("got photos %+v of account %q", e.Photos, e.Account)
			}
		}
		if again, err := c.Parse(post(string(body), "X", "")); err != nil || !reflect.DeepEqual(again, events) {
			t.Errorf("got %+v, %v the second time, want %+v", again, err, events)
		}
	})
}
