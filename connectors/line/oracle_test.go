package line_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/line/line-bot-sdk-go/v8/linebot/webhook"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/sim"
)

// LINE's own SDK is the judge of both sides here: of what the simulated
// platform sends, and of what the connector makes of it.

// sdkRead lets the SDK verify and parse r.
func sdkRead(t *testing.T, secret string, r *connectors.Request) (*webhook.CallbackRequest, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = r.Header.Clone()
	return webhook.ParseRequest(secret, req)
}

func TestOracleSignatures(t *testing.T) {
	p, _ := start(t)
	for _, words := range []string{"hello", `\u5199 \/ "quoted"`, "写 📷", strings.Repeat("long ", 10_000)} {
		one := said("one")
		one.Text = words
		requests, err := p.Webhook(webhookURL, one)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sdkRead(t, p.Secret, requests[0]); err != nil {
			t.Errorf("LINE's SDK refuses what the simulated platform signed: %v", err)
		}
		if _, err := sdkRead(t, "another secret", requests[0]); err == nil {
			t.Error("LINE's SDK accepts another secret")
		}
	}
	for _, signature := range []string{emptySignature, escapedSignature, "", "%", strings.TrimRight(emptySignature, "="), emptySignature + " "} {
		got := connect(t, settings()).Verify(post(emptyBody, "X-Line-Signature", signature)) == nil
		if want := webhook.ValidateSignature("line-channel-secret-for-tests", signature, []byte(emptyBody)); got != want {
			t.Errorf("signature %q: got %v, LINE's SDK says %v", signature, got, want)
		}
	}
}

func TestOracleVerifyButton(t *testing.T) {
	p, _ := start(t)
	r, err := p.Call(webhookURL)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := sdkRead(t, p.Secret, r)
	if err != nil || cb.Destination != p.BotID || len(cb.Events) != 0 {
		t.Errorf("LINE's SDK reads %+v, %v, want no events", cb, err)
	}
}

func TestOraclePayloads(t *testing.T) {
	p, c := start(t)
	one, two := said("one"), said("two")
	one.Text = "three photos"
	one.Photos = [][]byte{[]byte(jpeg), []byte(jpeg), []byte(jpeg)}
	two.Consumer, two.Photos = "bob", [][]byte{[]byte(jpeg)}
	requests, err := p.Webhook(webhookURL, one, two)
	if err != nil || len(requests) != 1 {
		t.Fatalf("got %d calls, %v, want 1", len(requests), err)
	}
	cb, err := sdkRead(t, p.Secret, requests[0])
	if err != nil {
		t.Fatal(err)
	}
	ours, err := c.Parse(requests[0])
	if err != nil {
		t.Fatal(err)
	}
	if len(ours) != 5 || len(cb.Events) != 5 || cb.Destination != p.BotID {
		t.Fatalf("got %d events, LINE's SDK %d for %s, want 5", len(ours), len(cb.Events), cb.Destination)
	}
	for i, theirs := range cb.Events {
		compare(t, ours[i], theirs)
	}
}

// compare reports where we and LINE's SDK read a message differently.
func compare(t *testing.T, ours connectors.Event, theirs webhook.EventInterface) {
	t.Helper()
	m, ok := theirs.(webhook.MessageEvent)
	if !ok {
		t.Fatalf("LINE's SDK reads a %T, want a message", theirs)
	}
	source, ok := m.Source.(webhook.UserSource)
	if !ok || source.UserId != ours.Consumer.ID {
		t.Errorf("got consumer %q, LINE's SDK reads %+v", ours.Consumer.ID, m.Source)
	}
	if m.WebhookEventId != ours.ID || m.Timestamp != ours.SentAt.UnixMilli() || m.DeliveryContext.IsRedelivery {
		t.Errorf("got ID %q at %v, LINE's SDK reads %q at %d", ours.ID, ours.SentAt, m.WebhookEventId, m.Timestamp)
	}
	if m.Mode != webhook.EventMode_ACTIVE || m.ReplyToken == "" {
		t.Errorf("LINE's SDK reads mode %q and reply token %q, want both as LINE sends them", m.Mode, m.ReplyToken)
	}
	switch content := m.Message.(type) {
	case webhook.TextMessageContent:
		if content.Id != ours.MessageID || content.Text != ours.Text || content.QuoteToken == "" {
			t.Errorf("got %s, LINE's SDK reads %+v", toJSON(t, ours), content)
		}
	case webhook.ImageMessageContent:
		comparePhoto(t, ours, content)
	default:
		t.Errorf("LINE's SDK reads a %T, want text or image", content)
	}
}

func comparePhoto(t *testing.T, ours connectors.Event, theirs webhook.ImageMessageContent) {
	t.Helper()
	if theirs.Id != ours.MessageID || len(ours.Photos) != 1 || theirs.ContentProvider.Type != webhook.ContentProviderTYPE_LINE {
		t.Errorf("got %s, LINE's SDK reads %+v", toJSON(t, ours), theirs)
	}
	switch set := theirs.ImageSet; {
	case set == nil && ours.Album != nil, set != nil && ours.Album == nil:
		t.Errorf("got album %+v, LINE's SDK reads %+v", ours.Album, set)
	case set != nil && (set.Id != ours.Album.ID || int(set.Index) != ours.Album.Index || int(set.Total) != ours.Album.Total):
		t.Errorf("got album %+v, LINE's SDK reads %+v", ours.Album, set)
	}
}

func TestOracleUnsend(t *testing.T) {
	p, _ := start(t)
	e := p.Event(said("one"), "unsend", nil)
	e["type"], e["unsend"] = "unsend", linesim.Object{"messageId": "580000000000000001"}
	r, err := p.Call(webhookURL, e)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := sdkRead(t, p.Secret, r)
	if err != nil {
		t.Fatal(err)
	}
	if u, ok := cb.Events[0].(webhook.UnsendEvent); !ok || u.Unsend.MessageId != "580000000000000001" {
		t.Errorf("LINE's SDK reads %+v, want the unsend", cb.Events[0])
	}
}

// The ids have the forms that LINE documents.
func TestOracleIDForms(t *testing.T) {
	p, c := start(t)
	one := said("one")
	one.Photos = [][]byte{[]byte(jpeg), []byte(jpeg)}
	events := heard(t, p, c, one)
	e := events[0]
	if len(e.ID) != 26 || strings.Trim(e.ID, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") != "" {
		t.Errorf("got event id %q, want a ULID", e.ID)
	}
	if strings.Trim(e.MessageID, "0123456789") != "" || len(e.MessageID) < 14 {
		t.Errorf("got message id %q, want 14 or more digits", e.MessageID)
	}
	if !strings.HasPrefix(e.Consumer.ID, "U") || len(e.Consumer.ID) != 33 || len(e.Album.ID) != 64 {
		t.Errorf("got consumer %q and image set %q, want U and 32, and 64 hex digits", e.Consumer.ID, e.Album.ID)
	}
}

func heard(t *testing.T, p *linesim.Platform, c connectors.Connector, said ...sim.Said) []connectors.Event {
	t.Helper()
	requests, err := p.Webhook(webhookURL, said...)
	if err != nil {
		t.Fatal(err)
	}
	var events []connectors.Event
	for _, r := range requests {
		more, err := c.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, more...)
	}
	return events
}
