package wire

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

const (
	// failureBody is how much of a failed call's body is kept. The error
	// objects of all platforms fit; an HTML page from a proxy need not.
	failureBody = 4 << 10

	// maxRetryAfter caps what a platform may ask for. It is the longest pause
	// of our own retries: beyond it a mistake in a header would park a photo
	// until the platform has deleted it.
	maxRetryAfter = 15 * time.Minute
)

// StatusFailure is an answer that is not a success. Connectors find it with
// errors.As to sort failures by the platform's own codes. Its text is the
// status alone, because bodies and headers hold what must not be logged.
type StatusFailure struct {
	Status int
	// Body is the beginning of the answer's body, at most 4 KB.
	Body   []byte
	Header http.Header
}

// Error implements error.
func (f *StatusFailure) Error() string { return fmt.Sprintf("HTTP %d", f.Status) }

// Format implements fmt.Formatter, so that no verb reaches the body.
func (f *StatusFailure) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, f.Error()) }

// MarshalText implements encoding.TextMarshaler, so that no encoder does either.
func (f *StatusFailure) MarshalText() ([]byte, error) { return []byte(f.Error()), nil }

// Failure returns the parts of a failed call: our own error, and the platform's
// answer, each nil where there is none. A connector that knows better what an
// answer means changes our error itself, which belongs to that one call.
func Failure(err error) (*connectors.Error, *StatusFailure) {
	var own *connectors.Error
	var answer *StatusFailure
	if errors.As(err, &own) {
		errors.As(own, &answer)
	}
	return own, answer
}

// OwnAddress corrects the kind of a failed call whose address names neither a
// consumer nor a photo: where nothing is there, nothing of theirs is gone, but
// an id of ours is wrong, or api_base. It returns err.
func OwnAddress(err error) error {
	if own, _ := Failure(err); own != nil && own.Kind == connectors.Gone {
		own.Kind = connectors.Misconfigured
	}
	return err
}

// statusError returns nil for an answer that is a complete success, and
// otherwise a *connectors.Error of the kind that follows from the status, with
// a *StatusFailure under it. It reads a little of the body and leaves closing
// it to the caller.
func statusError(op string, res *http.Response, now time.Time) error {
	kind, failed := statusKind(res.StatusCode)
	if !failed {
		return nil
	}
	failure := &StatusFailure{Status: res.StatusCode, Header: res.Header}
	if res.Body != nil {
		// What cannot be read is missing from the failure, no more: the status
		// has already decided.
		failure.Body, _ = io.ReadAll(io.LimitReader(res.Body, failureBody))
	}
	err := &connectors.Error{Kind: kind, Down: res.StatusCode >= http.StatusInternalServerError, Op: op, Err: failure}
	if res.Request != nil {
		err.Err = fmt.Errorf("%s: %w", hostOf(res.Request.URL), failure)
	}
	if kind == connectors.Throttled || kind == connectors.Unavailable {
		err.After = retryAfter(res.Header, now)
	}
	return err
}

// statusKind is the one table from HTTP statuses to kinds of error.
func statusKind(status int) (kind connectors.ErrorKind, failed bool) {
	switch status {
	case http.StatusAccepted, http.StatusPartialContent:
		// Accepted means that the content is still being prepared; a part that
		// nobody asked for is not the whole.
		return connectors.Unavailable, true
	case http.StatusNotFound, http.StatusGone:
		return connectors.Gone, true
	case http.StatusTooManyRequests:
		return connectors.Throttled, true
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return connectors.Misconfigured, true
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return connectors.Unavailable, true
	}
	switch {
	case status >= 200 && status < 300:
		return connectors.Other, false
	case status >= 300 && status < 400:
		// No platform documents a redirect here; the ones seen in the wild
		// lead to a page about maintenance, and that passes.
		return connectors.Unavailable, true
	case status >= 500:
		return connectors.Unavailable, true
	}
	return connectors.Refused, true
}

// retryAfter returns the time that a Retry-After header asks to wait, in either
// of its forms (RFC 9110, section 10.2.3): at least zero, at most 15 minutes,
// and zero for a header that is missing or makes no sense.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.Atoi(value)
		if err != nil || seconds > int(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
