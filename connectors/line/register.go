package line

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

const webhookPath = "/v2/bot/channel/webhook/"

// Registered implements connectors.Registrar.
// https://developers.line.biz/en/reference/messaging-api/#get-webhook-endpoint-information
func (c *Connector) Registered(ctx context.Context, account, address string) (connectors.Registration, error) {
	var on webhook
	err := c.manage(ctx, account, wire.Request{Op: "line: get webhook", Path: webhookPath + "endpoint"}, &on)
	if err != nil && connectors.KindOf(err) != connectors.Gone {
		return connectors.Registration{}, err
	}
	missing := ""
	if !on.Active {
		missing = `"Use webhook" is switched off in the console`
	}
	return wire.Registration(on.Endpoint, address, missing), nil
}

// Register implements connectors.Registrar. LINE stores an address without a
// look at it, so it is asked to try the webhook then. That "Use webhook" is
// switched off can be changed in the console alone.
// https://developers.line.biz/en/reference/messaging-api/#set-webhook-endpoint-url
// https://developers.line.biz/en/reference/messaging-api/#test-webhook-endpoint
func (c *Connector) Register(ctx context.Context, account, address string) error {
	want := webhook{Endpoint: address}
	err := c.manage(ctx, account, wire.Request{Op: "line: set webhook", Method: http.MethodPut, Path: webhookPath + "endpoint", Body: want}, nil)
	if err != nil {
		return err
	}
	const op = "line: test webhook"
	var test webhookTest
	if err := c.manage(ctx, account, wire.Request{Op: op, Path: webhookPath + "test", Body: want}, &test); err != nil {
		return err
	}
	if !test.Success {
		return connectors.Errorf(connectors.Misconfigured, op, "LINE's own call to the webhook failed: %s, HTTP status %d", test.reason(), test.StatusCode)
	}
	return nil
}

// manage makes a call about the webhook of an account, and reads the answer as
// far as somebody wants it.
func (c *Connector) manage(ctx context.Context, account string, r wire.Request, answer any) error {
	a, err := wire.Account(r.Op, c.config.Accounts, account)
	if err != nil {
		return err
	}
	r.Authorization = a.bearer()
	body, err := c.api.Do(ctx, r)
	if err != nil || answer == nil {
		return err
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return connectors.Errorf(connectors.Malformed, r.Op, "answer is not JSON as documented")
	}
	return nil
}

// webhook is what LINE has on record about where events go.
type webhook struct {
	Endpoint string `json:"endpoint"`
	Active   bool   `json:"active,omitempty"` // only LINE's console sets it
}

// webhookTest is what became of LINE's own call to the webhook.
type webhookTest struct {
	Success    bool   `json:"success"`
	StatusCode int    `json:"statusCode"` // 0 or negative if no answer came
	Reason     string `json:"reason"`
}

// reason returns LINE's word for it where it is one of those documented,
// because it goes into a log.
func (t webhookTest) reason() string {
	switch t.Reason {
	case "COULD_NOT_CONNECT", "ERROR_STATUS_CODE", "REQUEST_TIMEOUT", "UNCLASSIFIED":
		return t.Reason
	default:
		return "no reason given"
	}
}
