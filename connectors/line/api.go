package line

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// call makes one call that sends a message, and returns the message's id.
func (c *Connector) call(ctx context.Context, r wire.Request) (string, error) {
	body, err := c.api.Do(ctx, r)
	if connectors.KindOf(err) == connectors.Malformed {
		return "", nil // LINE has said yes, at greater length than we read
	}
	return sentID(body), sorted(err)
}

// sorted gives a failed call the kind that follows from LINE's words, where they
// say more than the status. LINE answers 400 for a consumer.
func sorted(err error) error {
	e, answer := wire.Failure(wire.OwnAddress(err))
	if answer == nil {
		return err
	}
	if answer.Status == http.StatusTooManyRequests && strings.Contains(errorMessage(answer), "monthly limit") {
		// LINE says so also while another message is on its way to many, so it
		// may pass; if not, somebody has to buy more.
		// https://developers.line.biz/en/faq/
		e.Kind, e.After = connectors.Misconfigured, 0
	}
	if id := requestID(answer); id != "" {
		e.Err = fmt.Errorf("%w, x-line-request-id %s", e.Err, id)
	}
	return err
}

// sentID returns the id of the message that was sent, or nothing if it cannot
// be read, which changes nothing about its having been sent.
func sentID(body []byte) string {
	var answer struct {
		SentMessages []struct {
			ID string `json:"id"`
		} `json:"sentMessages"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.SentMessages) == 0 {
		return ""
	}
	return answer.SentMessages[0].ID
}

// errorMessage returns LINE's own words about a failed call, in lower case. They
// decide where LINE has no codes, and are never shown.
// https://developers.line.biz/en/reference/messaging-api/#error-responses
func errorMessage(f *wire.StatusFailure) string {
	var answer struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(f.Body, &answer)
	return strings.ToLower(answer.Message)
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// requestID returns what LINE's support asks for, if it has LINE's form.
// https://developers.line.biz/en/reference/messaging-api/#response-headers
func requestID(f *wire.StatusFailure) string {
	if f == nil || !uuid.MatchString(f.Header.Get("X-Line-Request-Id")) {
		return ""
	}
	return f.Header.Get("X-Line-Request-Id")
}

// isInvalidToken tells that LINE refused a reply token, which has expired or
// has been used.
func isInvalidToken(err error) bool {
	_, f := wire.Failure(err)
	return f != nil && f.Status == http.StatusBadRequest && strings.Contains(errorMessage(f), "invalid reply token")
}
