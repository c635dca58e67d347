package connectors

import (
	"errors"
	"fmt"
	"time"
)

// ErrorKind says what to do after a failure. Programs act on the kind, people
// read the text, and strangers get neither.
type ErrorKind int

// The kinds of error; Next holds what follows from each.
const (
	// Other is any failure that has no kind of its own.
	Other ErrorKind = iota
	// Unauthentic: the request is not proven to be the platform's.
	Unauthentic
	// Malformed: the platform's own message cannot be read.
	Malformed
	// Gone: the platform no longer has what was asked for.
	Gone
	// Throttled: the platform asks for patience, often for a stated time.
	Throttled
	// Unavailable: the platform, or the way to it, does not work right now.
	Unavailable
	// Refused: the platform understood and says no; the same again is no use.
	Refused
	// Misconfigured: the operator must act, on a token for example.
	Misconfigured
)

// Next is what to do after an error of some kind.
type Next struct {
	Name string
	// Retry tells whether the same call may succeed later.
	Retry bool
	// Alarm tells whether an operator should hear of it.
	Alarm bool
}

// Next returns what to do after an error of this kind. It is the one table.
func (k ErrorKind) Next() Next {
	switch k {
	case Unauthentic:
		return Next{Name: "unauthentic"}
	case Malformed:
		return Next{Name: "malformed"}
	case Gone:
		return Next{Name: "gone"}
	case Throttled:
		return Next{Name: "throttled", Retry: true}
	case Unavailable:
		return Next{Name: "unavailable", Retry: true}
	case Refused:
		return Next{Name: "refused"}
	case Misconfigured:
		return Next{Name: "misconfigured", Retry: true, Alarm: true}
	default:
		return Next{Name: "other", Retry: true}
	}
}

// String returns the kind's name as it appears in logs and metrics.
func (k ErrorKind) String() string { return k.Next().Name }

// Error is a failure with its kind. Its text is for the operator's log: it
// names the step and the host, and never holds a secret, a query string or a
// consumer's words.
type Error struct {
	Kind ErrorKind
	// After is how long to wait at least, for Throttled and Unavailable; zero
	// where the platform does not say.
	After time.Duration
	// Unsure tells that the platform may have done what it was asked for in
	// spite of the error, because the answer was lost. It matters to what has
	// an effect, such as sending.
	Unsure bool
	// Down tells that the host itself failed, whatever it was asked for: it could
	// not be reached, did not answer in time, broke off or answered 5xx. So the
	// next one who asks may well fare the same.
	Down bool
	// Op is what was being done, such as "line: fetch content".
	Op  string
	Err error
}

// Errorf makes an Error; format and args are as in fmt.Errorf, %w included.
func Errorf(kind ErrorKind, op, format string, args ...any) *Error {
	return &Error{Kind: kind, Op: op, Err: fmt.Errorf(format, args...)}
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s", e.Op, e.Kind)
	}
	return fmt.Sprintf("%s: %s: %v", e.Op, e.Kind, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first *Error in err's chain, or Other.
func KindOf(err error) ErrorKind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Other
}

// UnsureOf tells whether what failed with err may have happened all the same.
func UnsureOf(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Unsure
}

// DownOf tells whether err says that a host itself failed.
func DownOf(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Down
}

// AfterOf returns how long err asks to wait, or zero.
func AfterOf(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.After
	}
	return 0
}
