package whatsapp_test

import (
	"encoding/json"
	"log/slog"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/whatsapp"
)

func FuzzParse(f *testing.F) {
	const head = `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"1"},`
	for _, seed := range []string{
		emptyBody,
		escapedBody,
		`{"object":"whatsapp_business_account","entry":[null,{"changes":[null,{"field":"messages"}]}]}`,
		head + `"contacts":[{"wa_id":"35","user_id":"PT.1","profile":{"name":"A"}}],"messages":[{"id":"w","from":"35","timestamp":"1","type":"image","image":{"id":"1","sha256":"` + base64Sum + `"}}]}}]}]}`,
		head + `"messages":[{"id":"w","from":"35","type":"edit","edit":{"original_message_id":"v","message":{"type":"text","text":{"body":"x"}}}}]}}]}]}`,
		head + `"messages":[{"id":"w","from":"35","type":"revoke","revoke":{"original_message_id":"v"}},{"type":"unsupported","errors":[{"code":131052}]}]}}]}]}`,
		head + `"messages":[{"id":"w","from":"35","type":"edit","edit":{"original_message_id":"v","text":"x"}},{"id":"w","from":"35","type":"edit","edit":{"original_message_id":"v","image":{}}}]}}]}]}`,
		head + `"statuses":[{"id":"w","status":"read","timestamp":1},{"id":"w","status":"deleted"}],"errors":[{"code":1}]}}]}]}`,
	} {
		f.Add([]byte(seed))
	}
	c, err := whatsapp.New(settings("app-secret"), connectors.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := c.Parse(&connectors.Request{Body: body})
		again, errAgain := c.Parse(&connectors.Request{Body: body})
		if !reflect.DeepEqual(events, again) || (err == nil) != (errAgain == nil) {
			t.Errorf("got %+v, %v and then %+v, %v", events, err, again, errAgain)
		}
		if err != nil && connectors.KindOf(err) != connectors.Malformed {
			t.Errorf("got %v, want kind malformed", err)
		}
		for _, e := range events {
			if e.Kind == "" || e.ID == "" || len(e.Raw) == 0 {
				t.Errorf("got an event without kind, ID or raw text: %+v", e)
			}
			if e.Kind == connectors.Message && (e.Consumer.ID == "" || e.Text == "" && len(e.Photos) == 0) {
				t.Errorf("got a message without its consumer or any content: %+v", e)
			}
			if e.Kind == connectors.Receipt && (e.MessageID == "" || !slices.Contains([]string{"sent", "delivered", "read", "failed"}, e.Reason)) {
				t.Errorf("got a receipt of nothing or with a strange reason: %+v", e)
			}
			if (e.Kind == connectors.Unsend || e.Kind == connectors.Edit) && (e.MessageID == "" || e.Consumer.ID == "" || len(e.Photos) != 0) {
				t.Errorf("got an edit or a revoke of nothing, by nobody or with photos: %+v", e)
			}
			if _, err := json.Marshal(e); err != nil {
				t.Errorf("the event cannot be stored: %v", err)
			}
		}
	})
}
