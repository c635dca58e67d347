package viber_test

import (
	"encoding/json"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/viber"
)

// FuzzParse reads whatever comes: no panic, a kind for every error, events that
// can be stored, and the same ones the second time.
func FuzzParse(f *testing.F) {
	f.Add([]byte(webhookBody))
	f.Add([]byte(pictureBody))
	for event, more := range passedOver() {
		f.Add([]byte(other(event, more)))
	}
	for _, event := range []string{"delivered", "seen", "failed", "client_status"} {
		f.Add([]byte(other(event, `,"user_id":"`+userID+`","desc":"x"`)))
	}
	for _, object := range []string{
		`{"type":"picture","media":"` + mediaURL + `","text":"x","size":5}`, `{"type":"text","text":"\ud800"}`, `{"type":"sticker","sticker_id":40133}`,
		`{"type":"file","media":"https://h.example/a","file_name":"x","size":-1}`, `{"type":"url","media":"x"}`, `null`, `[]`,
	} {
		f.Add([]byte(message(object)))
	}
	c, err := viber.New(settings(), connectors.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now})
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
			sound(t, e)
		}
		if again, err := c.Parse(post(string(body), "X", "")); err != nil || len(events) != 1 || !reflect.DeepEqual(again, events) {
			t.Errorf("got %+v, %v the second time, want %+v", again, err, events)
		}
	})
}

// sound reports what is wrong with an event by itself.
func sound(t *testing.T, e connectors.Event) {
	t.Helper()
	if _, err := json.Marshal(e); err != nil || e.ID == "" || e.Kind == "" || len(e.Raw) == 0 || e.Account != botID {
		t.Errorf("got event %+v, %v, want one that can be stored", e, err)
	}
	if e.Kind == connectors.Message && (e.MessageID == "" || e.Consumer.ID == "" || e.Text == "" && len(e.Photos) == 0) {
		t.Errorf("got a message without its id, its consumer or any content: %+v", e)
	}
	if e.Kind == connectors.Receipt && (e.MessageID == "" || e.Reason == "") {
		t.Errorf("got a receipt of nothing: %+v", e)
	}
	if len(e.Photos) > 1 || len(e.Photos) == 1 && (e.Photos[0].Account != e.Account || e.Photos[0].ClaimedBytes < 0) {
		t.Errorf("got photos %+v of account %q", e.Photos, e.Account)
	}
}

// FuzzVerify reads whatever signature and address come: only the right one is
// accepted.
func FuzzVerify(f *testing.F) {
	f.Add(webhookSignature, "")
	f.Add("", "?sig="+webhookSignature)
	f.Add("", "?sig=%63c056d&sig=")
	c, err := viber.New(settings(), connectors.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header, query string) {
		r := post(pictureBody, signatureHeader, header)
		if header == "" {
			delete(r.Header, signatureHeader)
		}
		r.URL += query
		// The right one for this body is in neither corpus.
		if err := c.Verify(r); err != nil {
			wantKind(t, "Verify", err, connectors.Unauthentic)
		} else if header != pictureSignature {
			t.Errorf("header %q and query %q were accepted", header, query)
		}
	})
}
