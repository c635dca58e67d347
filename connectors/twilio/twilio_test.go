package twilio_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twilio"
	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
)

// jpeg begins as a JPEG does.
var jpeg = append([]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00"), bytes.Repeat([]byte{7}, 5000)...)

// start starts a simulated Twilio that ends with the test.
func start(t testing.TB) *twiliosim.Platform {
	t.Helper()
	p, err := twiliosim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// connect returns a connector to p, with settings that change may change.
func connect(t testing.TB, p *twiliosim.Platform, change func(*twilio.Config)) connectors.Connector {
	t.Helper()
	c := p.Settings("acme", "support").(*twilio.Config)
	if change != nil {
		change(c)
	}
	made, err := twilio.New(c, connectors.Env{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func said(id string, photos [][]byte) sim.Said {
	return sim.Said{ID: id, Consumer: "ada", Text: "hello", Photos: photos}
}

// deliver returns the one event of one message, after Verify.
func deliver(t testing.TB, c connectors.Connector, p *twiliosim.Platform, form url.Values) connectors.Event {
	t.Helper()
	r := p.Sign(webhookURL, form)
	if err := c.Verify(r); err != nil {
		t.Fatal(err)
	}
	events, err := c.Parse(r)
	if err != nil || len(events) != 1 {
		t.Fatalf("got %d events and error %v, want 1 and none", len(events), err)
	}
	return events[0]
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestResponse(t *testing.T) {
	kind, body := example(t).(connectors.Responder).Response()
	if kind != "text/xml" || body != "<Response></Response>" {
		t.Errorf("got %q and %q, want text/xml and an empty Response", kind, body)
	}
}

func TestNewRefusesAnAddressThatIsNone(t *testing.T) {
	for _, base := range []string{"https://api.twilio.com:port", "api.twilio.com", "/2010-04-01"} {
		c := &twilio.Config{}
		c.APIBase = base
		if _, err := twilio.New(c, connectors.Env{}); connectors.KindOf(err) != connectors.Misconfigured {
			t.Errorf("%s: got %v, want kind misconfigured", base, err)
		}
	}
}

// TestManyPhotos sends more than one message can carry.
func TestManyPhotos(t *testing.T) {
	p := start(t)
	c := connect(t, p, nil)
	var photos [][]byte
	for i := range 12 {
		photos = append(photos, append(bytes.Clone(jpeg), byte(i)))
	}
	requests, err := p.Webhook(webhookURL, said("many", photos))
	if err != nil || len(requests) != 2 {
		t.Fatalf("got %d calls and error %v, want 2", len(requests), err)
	}
	var got []connectors.Photo
	text := ""
	for _, r := range requests {
		events, err := c.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, events[0].Photos...)
		text += events[0].Text
	}
	if len(got) != 12 || text != "hello" {
		t.Fatalf("got %d photos and text %q, want 12 and hello", len(got), text)
	}
	for i, photo := range got {
		data, err := read(t, c, photo)
		if err != nil || !bytes.Equal(data, photos[i]) {
			t.Errorf("photo %d: got %d bytes and error %v, want those that were sent", i, len(data), err)
		}
	}
}
