package messenger_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/lightlock/lightlock/connectors"
)

// FuzzParse reads whatever comes: no panic, a kind for every error, events that
// can be stored, and the same ones the second time.
func FuzzParse(f *testing.F) {
	f.Add([]byte(escapedBody))
	f.Add([]byte(`{"object":"page","entry":[null,{"messaging":{}},{"id":5,"standby":[null],"changes":[{}]}]}`))
	f.Add([]byte(`{"object":"page","entry":[{"id":"1","messaging":[` + item(`"delivery":{"mids":["m_1",5]}`) + `]}]}`))
	f.Add([]byte(`{"object":"page","entry":[{"id":"1","messaging":[` + item(`"message_edit":{"mid":"m_1","text":"x","num_edit":"1"}`) + `]}]}`))
	for _, s := range shapes() {
		f.Add([]byte(`{"object":"page","entry":[{"id":"1","messaging":[` + item(s.content) + `]}]}`))
	}
	s := settings("app-secret")
	f.Fuzz(func(t *testing.T, body []byte) {
		c := connect(t, s)
		events, err := c.Parse(&connectors.Request{Body: body})
		again, errAgain := c.Parse(&connectors.Request{Body: body})
		if !reflect.DeepEqual(events, again) || (err == nil) != (errAgain == nil) {
			t.Errorf("got %+v, %v and then %+v, %v", events, err, again, errAgain)
		}
		if err != nil {
			wantKind(t, "Parse", err, connectors.Malformed)
		}
		for _, e := range events {
			if e.Kind == "" || e.ID == "" || len(e.Raw) == 0 {
				t.Errorf("got an event without kind, ID or raw text: %+v", e)
			}
			if e.Kind == connectors.Message && (e.Consumer.ID == "" || e.Text == "" && len(e.Photos) == 0) {
				t.Errorf("got a message without its consumer or any content: %+v", e)
			}
			if e.Kind == connectors.Edit && (e.MessageID == "" || e.Text == "" || e.ID == e.MessageID) {
				t.Errorf("got an edit without its message, its text or an ID: %+v", e)
			}
			for _, p := range e.Photos {
				if p.Account != e.Account || p.Ref == "" {
					t.Errorf("got photo %+v of account %q", p, e.Account)
				}
			}
			if _, err := json.Marshal(e); err != nil {
				t.Errorf("the event cannot be stored: %v", err)
			}
		}
	})
}
