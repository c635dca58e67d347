package cli

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/apple"
	"github.com/lightlock/lightlock/connectors/apple/applesim"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/sim"
)

const webhookOfLINE = "https://photos.acme.test/webhooks/line/acme"

// connecting configures one connector of a simulated LINE, which finds a gateway
// at its webhook.
func connecting(t *testing.T) *linesim.Platform {
	t.Helper()
	p, err := linesim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	configured(t, goodGateway, strings.ReplaceAll(goodLine, "U00000000000000000000000000000000", p.BotID)+
		"api_base: "+p.URL+"\nallow_private_addresses: true\n")
	t.Setenv("TEST_SECRET", p.Secret)
	t.Setenv("TEST_ACCESS", p.Token)
	p.Reach(func(*connectors.Request) (int, string) { return http.StatusOK, "" })
	return p
}

func TestConnect(t *testing.T) {
	p := connecting(t)
	p.SetEndpoint(linesim.Endpoint{URL: "https://old.example.com/webhooks", Active: true})

	r := lightlock(t, "connect", "line/acme", "--check")
	hasAll(t, r.out, "✗ line/acme  not registered; the platform calls https://old.example.com/webhooks",
		"  address  "+webhookOfLINE, "  enter    LINE Developers Console")
	if r.code != exitFindings {
		t.Errorf("--check: got exit %d, want %d\n%s", r.code, exitFindings, r.err)
	}

	r = lightlock(t, "connect", "line/acme")
	if want := "✓ line/acme  registered: " + webhookOfLINE + "\n"; r.out != want || r.code != exitDone {
		t.Errorf("got exit %d and\n%s, want\n%s", r.code, r.out, want)
	}
	if r = lightlock(t, "connect", "--check"); r.code != exitDone {
		t.Errorf("after it: got exit %d\n%s", r.code, r.out)
	}

	p.SetEndpoint(linesim.Endpoint{URL: webhookOfLINE})
	r = lightlock(t, "connect", "--json")
	var got connection
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatalf("%v in %s", err, r.out)
	}
	if got.State != connectMissing || got.Account != "line/acme" || got.URL != webhookOfLINE || got.Detail == "" || got.Console == "" || r.code != exitFindings {
		t.Errorf("switched off in the console: got %+v with exit %d", got, r.code)
	}
}

func TestConnectFails(t *testing.T) {
	p := connecting(t)
	for _, row := range []struct {
		name    string
		prepare func()
		args    []string
		want    string
	}{
		{"the gateway is not up", func() { p.Reach(nil) }, []string{"line/acme"}, "or did not reach the gateway at its address: is it running? (line: test webhook"},
		{"no such connector", func() {}, []string{"line/acme2"}, "no connector is named line/acme2; there are: line/acme"},
		{"no such file", func() {}, []string{"--config", "nowhere.yaml"}, "nowhere.yaml"},
		{"a token that is refused", func() { t.Setenv("TEST_ACCESS", "another") }, nil, "the platform refuses the credentials"},
		{"the platform is away", func() { _ = p.Close() }, nil, "the platform does not answer"},
	} {
		row.prepare()
		r := lightlock(t, append([]string{"connect"}, row.args...)...)
		hasAll(t, r.out+r.err, row.want)
		if r.code != exitFailed {
			t.Errorf("%s: got exit %d, want %d\n%s%s", row.name, r.code, exitFailed, r.out, r.err)
		}
		if strings.Contains(r.out+r.err, p.Token) || strings.Contains(r.out+r.err, p.Secret) {
			t.Errorf("%s: a secret was printed:\n%s%s", row.name, r.out, r.err)
		}
	}
}

func TestConnectWithAWrongConfiguration(t *testing.T) {
	configured(t, goodGateway+"lisen: x\n", goodLine)
	r := lightlock(t, "connect")
	hasAll(t, r.err, "lisen", "nothing was asked")
	if r.code != exitFailed {
		t.Errorf("got exit %d, want %d", r.code, exitFailed)
	}
}

// To have registered nothing must not look like success.
func TestConnectWithoutConnectors(t *testing.T) {
	configured(t, goodGateway, "")
	r := lightlock(t, "connect")
	hasAll(t, r.err, "no connectors are configured")
	if r.code != exitFailed {
		t.Errorf("got exit %d, want %d\n%s", r.code, exitFailed, r.out)
	}
}

// A platform that cannot be asked is no failure: the address is printed.
func TestConnectByHand(t *testing.T) {
	configured(t, goodGateway, "")
	t.Setenv("TEST_SECRET", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	put(t, ".", "connectors/apple.yaml", []byte(`channel: apple
name: acme
msp_id: 3f6a1d20-9b7e-4c55-8d1c-0a4a2b6f7e11
secret: ${TEST_SECRET}
accounts:
  - id: 3f6a1d20-9b7e-4c55-8d1c-0a4a2b6f7e12
    queue: support
`))
	p := testProgram()
	p.Channels = []Channel{{Channel: apple.Channel(), Simulate: func() (sim.Platform, error) { return applesim.Start() }}}
	r := lightlockUntil(t.Context(), p, "connect")
	hasAll(t, r.out, "· apple/acme  the platform cannot be asked; enter the address by hand",
		"  address  https://photos.acme.test/webhooks/apple/acme\n", "  enter    Apple Business Register")
	if r.code != exitDone {
		t.Errorf("got exit %d, want %d\n%s", r.code, exitDone, r.err)
	}
}
