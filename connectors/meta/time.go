package meta

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

const (
	// firstMillisecond divides seconds from milliseconds: as seconds it is the
	// year 5138, as milliseconds 1973.
	firstMillisecond = 100_000_000_000
	// lastMillisecond is the end of the year 9999, the last that JSON can say.
	lastMillisecond = 253_402_300_799_999
)

// Time reads a timestamp of a webhook. WhatsApp sends seconds as a string and
// Messenger milliseconds as a number, but each has been seen in the other's
// form, so any is read. One that makes no sense is the zero time, because no
// message is lost for its time.
func Time(raw json.RawMessage) time.Time {
	n, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64)
	switch {
	case err != nil || n <= 0 || n > lastMillisecond:
		return time.Time{}
	case n < firstMillisecond:
		return time.Unix(n, 0).UTC()
	}
	return time.UnixMilli(n).UTC()
}
