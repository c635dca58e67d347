package meta

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

// firstMillisecond divides seconds from milliseconds: as milliseconds it is the
// year 2001, and as seconds no year that a message has.
const firstMillisecond = 1_000_000_000_000

// maxTime is more than a number of 64 bits takes, with its quotes and with all
// its digits escaped. The time of an entry is read again for each of its items:
// if it could have megabytes, that would take hours.
const maxTime = 128

// Time reads a timestamp of a webhook. WhatsApp sends seconds as a string and
// Messenger milliseconds as a number, but each has been seen in the other's
// form, so any is read. One that makes no sense is the zero time, because no
// message is lost for its time.
func Time(raw json.RawMessage) time.Time {
	if len(raw) > maxTime {
		return time.Time{}
	}
	text := string(raw)
	_ = json.Unmarshal(raw, &text) // unless it is a string, it stays as it is
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}
	}
	if n > 0 && n < firstMillisecond {
		n *= 1000
	}
	return connectors.UnixMillis(n)
}
