package whatsapp_test

import (
	"context"
	"io"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/whatsapp"
	"github.com/lightlock/lightlock/connectors/whatsapp/whatsappsim"
)

const webhookURL = "https://gateway.example/webhooks/whatsapp/acme"

// at is when consumers speak here: 1790000000 seconds.
var at = time.Unix(1790000000, 0).UTC()

// start returns a platform with one number, and a connector that reaches it.
func start(t *testing.T) (*whatsappsim.Platform, connectors.Connector) {
	t.Helper()
	p, err := whatsappsim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p, connect(t, p.Settings("acme", "support"))
}

func connect(t *testing.T, s config.Settings) connectors.Connector {
	t.Helper()
	c, err := whatsapp.New(s, connectors.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// settings are those of an app with the given secrets, without a platform.
func settings(secrets ...string) *whatsapp.Config {
	c := &whatsapp.Config{
		Connector: config.Connector{Channel: "whatsapp", Name: "acme"},
		App:       meta.App{VerifyToken: config.NewSecret("verify-token")},
		Accounts: []whatsapp.Account{{
			Account:     config.Account{ID: "108877665544332", Queue: "support"},
			AccessToken: config.NewSecret("access-token"),
		}},
	}
	for _, s := range secrets {
		c.AppSecret = append(c.AppSecret, config.NewSecret(s))
	}
	return c
}

// parse returns the events of a body.
func parse(t *testing.T, body string) []connectors.Event {
	t.Helper()
	events, err := connect(t, settings("app-secret")).Parse(&connectors.Request{Method: "POST", URL: webhookURL, Body: []byte(body)})
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return events
}

// parseMessages returns the events of messages that stand in one change, with
// one contact.
func parseMessages(t *testing.T, messages string) []connectors.Event {
	t.Helper()
	return parse(t, `{"object":"whatsapp_business_account","entry":[{"id":"330044556677889","changes":[{"field":"messages","value":{
		"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100200","phone_number_id":"108877665544332"},
		"contacts":[{"profile":{"name":"Ana P.","username":"anap"},"wa_id":"351910000001","user_id":"PT.90017263544"}],
		"messages":[`+messages+`]}}]}]}`)
}

// parseOne returns the event of one message, of which type and content are
// given.
func parseOne(t *testing.T, content string) connectors.Event {
	t.Helper()
	events := parseMessages(t, `{"from":"351910000001","from_user_id":"PT.90017263544","id":"wamid.1=","timestamp":"1790000000",`+content+`}`)
	if len(events) != 1 {
		t.Fatalf("got %d events, want 1", len(events))
	}
	return events[0]
}

// photo returns the reference to one photo that p's first number was sent.
func photo(t *testing.T, p *whatsappsim.Platform, c connectors.Connector, data []byte) connectors.Photo {
	t.Helper()
	requests, err := p.Webhook(webhookURL, said("photo", "", data))
	if err != nil {
		t.Fatal(err)
	}
	events, err := c.Parse(requests[0])
	if err != nil || len(events) != 1 || len(events[0].Photos) != 1 {
		t.Fatalf("got %+v, %v, want one event with one photo", events, err)
	}
	return events[0].Photos[0]
}

// read fetches a photo to its end.
func read(c connectors.Connector, p connectors.Photo) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	rc, err := c.Fetch(ctx, p)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rc.Close() }()
	return io.ReadAll(rc)
}

func TestChannel(t *testing.T) {
	c := whatsapp.Channel()
	if c.PhotoLimit != 25*config.MB {
		t.Errorf("got PhotoLimit %d, want 25 MB", c.PhotoLimit)
	}
	// Meta sends up to 3 MB.
	if c.BodyLimit != 4<<20 {
		t.Errorf("got BodyLimit %d, want 4 MB", c.BodyLimit)
	}
	if want := (connectors.Texts{Limit: 4096, Window: 24 * time.Hour}); c.Texts != want || !c.Withdraws {
		t.Errorf("got Texts %+v, Withdraws %t, want %+v, true", c.Texts, c.Withdraws, want)
	}
	if got := c.Settings(); !reflect.DeepEqual(got, &whatsapp.Config{}) {
		t.Errorf("got settings %+v, want empty ones", got)
	}
}

func TestNewRefusesAnAddressThatIsNone(t *testing.T) {
	for _, base := range []string{"https://graph.facebook.com:port", "graph.facebook.com", "/v25.0"} {
		s := settings("app-secret")
		s.APIBase = base
		if _, err := whatsapp.New(s, connectors.Env{}); connectors.KindOf(err) != connectors.Misconfigured {
			t.Errorf("%s: got %v, want kind misconfigured", base, err)
		}
	}
}

func TestConfigCheck(t *testing.T) {
	tests := []struct {
		name   string
		change func(*whatsapp.Config)
		want   string
	}{
		{"good", func(*whatsapp.Config) {}, ""},
		{"version given", func(c *whatsapp.Config) { c.GraphVersion = "v31.0" }, ""},
		{"version without v", func(c *whatsapp.Config) { c.GraphVersion = "25.0" }, "graph_version"},
		{"version with a path", func(c *whatsapp.Config) { c.GraphVersion = "v25.0/.." }, "graph_version"},
		{"number instead of its id", func(c *whatsapp.Config) { c.Accounts[0].ID = "+1 555 0100200" }, "accounts[0].id"},
		{"ids given", func(c *whatsapp.Config) { c.AppID, c.Accounts[0].WABAID = "670843887433847", "102290129340398" }, ""},
		{"app's name instead of its id", func(c *whatsapp.Config) { c.AppID = "acme" }, "app_id"},
		{"account's id with a path", func(c *whatsapp.Config) { c.Accounts[0].WABAID = "1/.." }, "accounts[0].waba_id"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := settings("app-secret")
			test.change(c)
			var got string
			for _, f := range c.Check() {
				got += f.Path
				if f.What == "" || f.Why == "" || f.Fix == "" {
					t.Errorf("finding without an explanation: %+v", f)
				}
			}
			if got != test.want {
				t.Errorf("got findings at %q, want %q", got, test.want)
			}
		})
	}
}
