package wire

import (
	"encoding/json"
	"regexp"
	"slices"

	"github.com/lightlock/lightlock/connectors"
)

// NewEvent returns an event without a kind, which has no readable ID so far.
func NewEvent(account string, raw json.RawMessage) connectors.Event {
	return connectors.Event{Account: account, ID: connectors.DigestID(raw), Raw: raw}
}

// Label returns kind where it is one of those known, and unknown where it is not,
// so that no stranger can make new labels of a metric.
func Label(kind, unknown string, known ...string) string {
	if slices.Contains(known, kind) {
		return kind
	}
	return unknown
}

// Optional is a part of a webhook that only adds to the rest, such as what a
// message answers. As far as it has another shape than documented it counts as
// absent, because no message is lost for what stands beside it.
type Optional[T any] struct{ Value T }

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (o *Optional[T]) UnmarshalJSON(raw []byte) error {
	if value, ok := any(&o.Value).(*string); ok && plain(raw) {
		*value = string(raw[1 : len(raw)-1]) // most are, and every webhook has some
		return nil
	}
	_ = json.Unmarshal(raw, &o.Value) // which keeps what could be read
	return nil
}

// plain tells whether a JSON value is a text that stands for itself: ASCII
// without an escape.
func plain(raw []byte) bool {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return false
	}
	for _, c := range raw[1 : len(raw)-1] {
		if c < ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	return true
}

// Word is a text, or a whole number in its own digits, which may be beyond what
// a float64 holds. A value of another shape counts as absent.
type Word string

var digits = regexp.MustCompile(`^-?[0-9]+$`)

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (w *Word) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) != nil && digits.Match(raw) {
		text = string(raw)
	}
	*w = Word(text)
	return nil
}
