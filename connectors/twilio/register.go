package twilio

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// Registered implements connectors.Registrar. What a messaging service has set
// instead is not looked at: by default it leaves the matter to its numbers.
// https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
func (c *Connector) Registered(ctx context.Context, account, address string) (connectors.Registration, error) {
	n, err := c.number(ctx, "twilio: get webhook", account)
	if err != nil {
		return connectors.Registration{}, err
	}
	if n.application {
		return connectors.Registration{Detail: "a TwiML app is set in the webhook's place"}, nil
	}
	missing := ""
	if n.method != http.MethodPost {
		missing = "the webhook's method is not HTTP POST"
	}
	return wire.Registration(n.url, address, missing), nil
}

// overrides ask Twilio for three repeats of a webhook that failed, which it does
// not do otherwise. The fragment is neither sent to us nor signed.
// https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
const overrides = "#rc=3&rp=all"

// Register implements connectors.Registrar. It takes a TwiML app away from the
// number, because the webhook would count for nothing beside it.
func (c *Connector) Register(ctx context.Context, account, address string) error {
	const op = "twilio: set webhook"
	n, err := c.number(ctx, op, account)
	if err != nil {
		return err
	}
	return n.update(c.call(ctx, op), address+overrides)
}

// number is what Twilio has on record for one of our accounts: a phone number,
// or a short code.
type number struct {
	sid         string
	short       bool
	url, method string
	// application tells that a TwiML app answers, whatever url is.
	application bool
}

// numberSID is the form of the ids that become part of an address.
var numberSID = regexp.MustCompile(`^(PN|SC)[0-9a-fA-F]{32}$`)

// number asks Twilio for an account by its number.
func (c *Connector) number(ctx context.Context, op, account string) (number, error) {
	if _, err := wire.Account(op, c.config.Accounts, account); err != nil {
		return number{}, err
	}
	find := findNumber
	if !strings.HasPrefix(account, "+") {
		find = findShortCode
	}
	n, err := find(c.call(ctx, op), account)
	switch own, _ := wire.Failure(err); {
	case own != nil:
		return number{}, err
	case err != nil:
		return number{}, connectors.Errorf(connectors.Malformed, op, "answer is not JSON as documented")
	case !numberSID.MatchString(n.sid):
		return number{}, connectors.Errorf(connectors.Misconfigured, op, "account_sid has no such number")
	}
	return n, nil
}

func findNumber(api *openapi.ApiService, account string) (found number, err error) {
	page, err := api.PageIncomingPhoneNumber(&openapi.ListIncomingPhoneNumberParams{PhoneNumber: &account}, "", "")
	if err != nil {
		return found, err
	}
	for _, n := range page.IncomingPhoneNumbers {
		if deref(n.PhoneNumber) == account {
			found = number{sid: deref(n.Sid), url: deref(n.SmsUrl), method: deref(n.SmsMethod), application: deref(n.SmsApplicationSid) != ""}
		}
	}
	return found, nil
}

func findShortCode(api *openapi.ApiService, account string) (found number, err error) {
	page, err := api.PageShortCode(&openapi.ListShortCodeParams{ShortCode: &account}, "", "")
	if err != nil {
		return found, err
	}
	for _, n := range page.ShortCodes {
		if deref(n.ShortCode) == account {
			found = number{sid: deref(n.Sid), short: true, url: deref(n.SmsUrl), method: deref(n.SmsMethod)}
		}
	}
	return found, nil
}

// update sets the webhook of a number.
func (n number) update(api *openapi.ApiService, address string) error {
	method, none := http.MethodPost, ""
	var err error
	if n.short {
		_, err = api.UpdateShortCode(n.sid, &openapi.UpdateShortCodeParams{SmsUrl: &address, SmsMethod: &method})
	} else {
		_, err = api.UpdateIncomingPhoneNumber(n.sid, &openapi.UpdateIncomingPhoneNumberParams{
			SmsUrl: &address, SmsMethod: &method, SmsApplicationSid: &none,
		})
	}
	if own, _ := wire.Failure(err); own != nil && own.Kind != connectors.Malformed {
		return err
	}
	return nil // it is done, in whatever words Twilio says so
}
