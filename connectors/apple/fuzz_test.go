package apple_test

import (
	"encoding/json"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/apple"
	"github.com/lightlock/lightlock/connectors/apple/applesim"
)

// FuzzParse reads whatever comes: no panic, a kind for every error, an event
// that can be stored, the same one the second time, and no reference that Fetch
// would not know.
func FuzzParse(f *testing.F) {
	for _, body := range []string{
		message("text", `,"body":"hello"`), message("typing_start", ""), message("close", ""), message("interactive", `,"interactiveData":{}`),
		withAttachments("\uFFFC look", "["+goodPhoto+`,{},null,5,{"mime-type":"video/mp4"},{"mmcs-url":"u","file-size":"5"}]`),
		`{"id":"a","type":"text","sourceId":"b","body":"\ud800","attachments":{"key":"00"}}`, `{"type":5}`, `null`, `[]`, ``,
	} {
		f.Add([]byte(body))
		f.Add(applesim.Gzip([]byte(body)))
	}
	c, err := apple.New(settings(), connectors.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := c.Parse(&connectors.Request{Body: body})
		if err != nil {
			wantKind(t, "Parse", err, connectors.Malformed)
			return
		}
		if len(events) != 1 {
			t.Fatalf("got %d events, want 1", len(events))
		}
		e := events[0]
		if _, err := json.Marshal(e); err != nil || e.ID == "" || e.Kind == "" || len(e.Raw) == 0 {
			t.Errorf("got event %+v, %v, want one that can be stored", e, err)
		}
		for _, p := range e.Photos {
			if p.Account != e.Account || p.Ref == "" || p.ClaimedBytes < 0 || len(p.Ref) > 80<<10 {
				t.Errorf("got photo %+v of account %q", p, e.Account)
			}
		}
		if again, err := c.Parse(&connectors.Request{Body: body}); err != nil || !reflect.DeepEqual(again, events) {
			t.Errorf("got %+v, %v the second time, want %+v", again, err, events)
		}
	})
}
