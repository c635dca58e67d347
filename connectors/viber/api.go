package viber

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

const (
	// maxRequest is the smaller meaning of "30 KB", what Viber takes at most.
	// https://developers.viber.com/docs/api/rest-bot-api/#send-message
	maxRequest = 30_000
	// maxAnswer has room for the list of a bot's administrators.
	maxAnswer = 256 << 10
	// patience is how long to leave a user alone who got 100 messages in an hour
	// and wrote none. The user's next word ends it sooner, so it is shorter than
	// that hour.
	patience = 15 * time.Minute
)

// statusInvalidURL is Viber's answer to a webhook that it could not call.
const statusInvalidURL = 1

// call posts v to the API with the token in force. Viber says what went wrong
// in the answer's status, behind an HTTP 200; the answer comes back also with
// an error that this status made.
func (c *Connector) call(ctx context.Context, op, path string, v any) (answer, error) {
	data, err := c.api.Do(ctx, wire.Request{
		Op: op, Path: path, Header: map[string]string{"X-Viber-Auth-Token": wire.First(c.config.AuthToken).Reveal()},
		Body: v, MaxBody: maxRequest, MaxAnswer: maxAnswer,
	})
	if err != nil {
		return answer{}, wire.OwnAddress(err)
	}
	var a answer
	if err := json.Unmarshal(data, &a); err != nil || a.Status == nil {
		// Somebody in between, or Viber in trouble after it had done its part.
		err := connectors.Errorf(connectors.Unavailable, op, "HTTP 200 without a status")
		err.Unsure = true
		return answer{}, err
	}
	return a, sorted(op, *a.Status)
}

// sorted is the error that a status of Viber's stands for. None leaves in doubt
// whether the call had its effect.
func sorted(op string, status int) error {
	if status == 0 {
		return nil
	}
	kind, text := codeKind(status)
	err := &connectors.Error{Kind: kind, Op: op, Err: fmt.Errorf("status %d: %s", status, text)}
	if kind == connectors.Throttled {
		err.After = patience
	}
	return err
}

// codeKind is the one table of Viber's codes.
// https://developers.viber.com/docs/api/rest-bot-api/#error-codes
func codeKind(status int) (connectors.ErrorKind, string) {
	switch status {
	case statusInvalidURL:
		return connectors.Refused, "invalid URL"
	case 2:
		return connectors.Misconfigured, "invalid auth_token"
	case 3, 4:
		return connectors.Refused, "bad or missing data"
	case 5:
		return connectors.Refused, "receiver is not a Viber user"
	case 6:
		return connectors.Refused, "receiver is not subscribed"
	case 7, 8, 9, 15:
		return connectors.Misconfigured, "bot is blocked, unknown, suspended or not authorised"
	case 10:
		return connectors.Misconfigured, "bot has no webhook"
	case 11:
		return connectors.Refused, "receiver has no suitable device"
	case 12:
		return connectors.Throttled, "too many messages without a reply"
	case 13, 14:
		return connectors.Refused, "receiver's Viber is too old"
	case 16, 17, 18, 19, 20, 21, 22:
		return connectors.Refused, "not possible for this bot or this receiver"
	case 23, 24:
		return connectors.Misconfigured, "free messages used up, or no balance"
	}
	return connectors.Unavailable, "general failure"
}
