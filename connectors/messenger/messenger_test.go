package messenger_test

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/messenger"
	"github.com/lightlock/lightlock/connectors/messenger/messengersim"
	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/sim"
)

const (
	webhookURL = "https://gateway.example/webhooks/messenger/acme"
	pageID     = "104455667788990"
	psid       = "7123456789012345"
)

// at is when consumers speak here.
var at = time.UnixMilli(1790000000011).UTC()

// start returns a platform with one Page, and a connector that reaches it.
func start(t *testing.T) (*messengersim.Platform, *messenger.Connector) {
	t.Helper()
	p, err := messengersim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p, connect(t, p.Settings("acme", "support"))
}

func connect(t *testing.T, s config.Settings) *messenger.Connector {
	t.Helper()
	c, err := messenger.New(s, connectors.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return c.(*messenger.Connector)
}

// settings are those of an app with the given secrets, without a platform.
func settings(secrets ...string) *messenger.Config {
	c := &messenger.Config{
		Connector: config.Connector{Channel: "messenger", Name: "acme"},
		App:       meta.App{VerifyToken: config.NewSecret("verify-token")},
		Accounts: []messenger.Account{{
			Account:         config.Account{ID: pageID, Queue: "support"},
			PageAccessToken: config.NewSecret("page-access-token"),
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
	events, err := connect(t, settings("app-secret")).Parse(&connectors.Request{Method: http.MethodPost, URL: webhookURL, Body: []byte(body)})
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return events
}

// parseItems returns the events of items in one entry.
func parseItems(t *testing.T, items string) []connectors.Event {
	t.Helper()
	return parse(t, `{"object":"page","entry":[{"id":"`+pageID+`","time":1790000000123,"messaging":[`+items+`]}]}`)
}

// item is one that a consumer sent, with this content.
func item(content string) string {
	return `{"sender":{"id":"` + psid + `"},"recipient":{"id":"` + pageID + `"},"timestamp":1790000000011,` + content + `}`
}

// parseOne returns the event of one item with this content.
func parseOne(t *testing.T, content string) connectors.Event {
	t.Helper()
	events := parseItems(t, item(content))
	if len(events) != 1 {
		t.Fatalf("got %d events, want 1", len(events))
	}
	return events[0]
}

// addresses returns where the photos of e are.
func addresses(t *testing.T, e connectors.Event) []string {
	t.Helper()
	var list []string
	for i, p := range e.Photos {
		var ref struct {
			URL, MID     string
			Index, Total int
		}
		if err := json.Unmarshal([]byte(p.Ref), &ref); err != nil {
			t.Fatalf("reference %q: %v", p.Ref, err)
		}
		if ref.Index != i || ref.Total != len(e.Photos) || ref.MID != e.MessageID || p.Account != e.Account {
			t.Errorf("got reference %s of account %s for photo %d of %d of %q", p.Ref, p.Account, i, len(e.Photos), e.MessageID)
		}
		list = append(list, cmp.Or(ref.URL, "(none)"))
	}
	return list
}

func said(id, text string, photos ...[]byte) sim.Said {
	return sim.Said{ID: id, Consumer: "ada", Name: "Ada", Text: text, Photos: photos, At: at}
}

// hear returns the events of what was said.
func hear(t *testing.T, p *messengersim.Platform, c connectors.Connector, said ...sim.Said) []connectors.Event {
	t.Helper()
	requests, err := p.Webhook(webhookURL, said...)
	if err != nil || len(requests) != 1 {
		t.Fatalf("got %d calls, %v, want 1", len(requests), err)
	}
	if err := c.Verify(requests[0]); err != nil {
		t.Fatal(err)
	}
	events, err := c.Parse(requests[0])
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// read fetches a photo to its end.
func read(c connectors.Connector, p connectors.Photo) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	stream, err := c.Fetch(ctx, p)
	if err != nil {
		return "", err
	}
	defer func() { _ = stream.Close() }()
	data, err := io.ReadAll(stream)
	return string(data), err
}

// record returns the requests to p from now on.
func record(p *messengersim.Platform) (seen func() []*http.Request) {
	var mu sync.Mutex
	var requests []*http.Request
	p.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			requests = append(requests, r)
			mu.Unlock()
			h.ServeHTTP(w, r)
		})
	})
	return func() []*http.Request {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(requests)
	}
}

// calls returns method and path of each request, one a line.
func calls(requests []*http.Request) string {
	var list []string
	for _, r := range requests {
		list = append(list, r.Method+" "+r.URL.Path)
	}
	return strings.Join(list, "\n")
}

func wantKind(t *testing.T, what string, err error, want connectors.ErrorKind) {
	t.Helper()
	if err == nil || connectors.KindOf(err) != want {
		t.Errorf("%s: got %v, want kind %v", what, err, want)
	}
}

func TestChannel(t *testing.T) {
	c := messenger.Channel()
	if c.Name != "messenger" || c.Title != "Facebook Messenger" || !c.Withdraws || c.Console == "" || len(c.Cannot) != 0 {
		t.Errorf("got %+v", c)
	}
	if c.PhotoLimit != 25*config.MB || c.BodyLimit != 4<<20 {
		t.Errorf("got PhotoLimit %d and BodyLimit %d, want 25 MB and 4 MB", c.PhotoLimit, c.BodyLimit)
	}
	if want := (connectors.Texts{Limit: 2000, Window: 24 * time.Hour}); c.Texts != want {
		t.Errorf("got Texts %+v, want %+v", c.Texts, want)
	}
	if got := c.Settings(); !reflect.DeepEqual(got, &messenger.Config{}) {
		t.Errorf("got settings %+v, want empty ones", got)
	}
}

func TestNewRefusesAnAddressThatIsNone(t *testing.T) {
	for _, base := range []string{"https://graph.facebook.com:port", "graph.facebook.com", "/v25.0"} {
		s := settings("app-secret")
		s.APIBase = base
		_, err := messenger.New(s, connectors.Env{})
		wantKind(t, base, err, connectors.Misconfigured)
	}
}

func TestConfigCheck(t *testing.T) {
	tests := []struct {
		name   string
		change func(*messenger.Config)
		want   string
	}{
		{"good", func(*messenger.Config) {}, ""},
		{"all given", func(c *messenger.Config) {
			c.GraphVersion, c.AppID = "v31.0", "1517776481860111"
			c.MediaHosts = []string{".fbcdn.net", "media.example", "127.0.0.1:8080"}
		}, ""},
		{"version without v", func(c *messenger.Config) { c.GraphVersion = "25.0" }, "graph_version"},
		{"version with a path", func(c *messenger.Config) { c.GraphVersion = "v25.0/.." }, "graph_version"},
		{"name instead of the app's id", func(c *messenger.Config) { c.AppID = "Acme Bot" }, "app_id"},
		{"name instead of the Page's id", func(c *messenger.Config) { c.Accounts[0].ID = "acme.shop" }, "accounts[0].id"},
		{"Page without an id", func(c *messenger.Config) { c.Accounts[0].ID = "" }, "accounts[0].id"},
		{"bad hosts", func(c *messenger.Config) {
			c.MediaHosts = []string{".net", "", "https://a.example", "*.a.example", "A.example"}
		}, "media_hosts[0] media_hosts[1] media_hosts[2] media_hosts[3] media_hosts[4]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := settings("app-secret")
			test.change(c)
			var got []string
			for _, f := range c.Check() {
				got = append(got, f.Path)
				if f.What == "" || f.Why == "" || f.Fix == "" {
					t.Errorf("finding without an explanation: %+v", f)
				}
			}
			if got := strings.Join(got, " "); got != test.want {
				t.Errorf("got findings at %q, want %q", got, test.want)
			}
		})
	}
}

func TestConfigAccounts(t *testing.T) {
	c := settings("app-secret")
	c.Accounts = append(c.Accounts, messenger.Account{Account: config.Account{ID: "2", Name: "shop", Queue: "sales"}})
	list := c.AccountList()
	if len(list) != 2 || list[0].ID != pageID || list[1].Name != "shop" || list[1].Queue != "sales" {
		t.Errorf("got %+v, want both Pages in order", list)
	}
}

// fetchEnded fetches from an address with a context that has ended.
func fetchEnded(c connectors.Connector, address string) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	ref, err := json.Marshal(map[string]any{"url": address})
	if err != nil {
		return nil, err
	}
	return c.Fetch(ctx, connectors.Photo{Account: pageID, Ref: string(ref)})
}
