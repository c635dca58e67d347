package meta

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// GraphError returns err, the failure of a call to the Graph API, with the kind
// that the error code in the answer stands for. The code decides and not the
// status, because Graph reports many limits as 400; where it names no code that
// we know, err stays as it is, unless Graph says that it will pass.
// https://developers.facebook.com/docs/graph-api/guides/error-handling
func GraphError(err error) error {
	failed, status := wire.Failure(err)
	if status == nil {
		return err
	}
	var answer struct {
		Error struct {
			Code      *int                `json:"code"` // 0 is one of them
			Subcode   wire.Optional[int]  `json:"error_subcode"`
			Transient wire.Optional[bool] `json:"is_transient"`
		} `json:"error"`
	}
	if json.Unmarshal(status.Body, &answer) != nil {
		return err
	}
	code, subcode := -1, answer.Error.Subcode.Value
	if answer.Error.Code != nil {
		code = *answer.Error.Code
	}
	kind, known := graphKind(code, subcode)
	if !known {
		if answer.Error.Transient.Value && failed.Kind != connectors.Throttled {
			failed.Kind = connectors.Unavailable
		}
		return err
	}
	failed.Kind = kind
	if kind == connectors.Throttled {
		failed.After = max(failed.After, graphPause(code), regainAccess(status.Header))
	}
	failed.Err = fmt.Errorf("%w, Graph error %d/%d", failed.Err, code, subcode)
	return err
}

// OwnError is GraphError for a call whose address names nothing but the
// account itself, such as one that sends: where Graph does not know the object,
// no consumer is gone, but our id or the right to use it is wrong.
func OwnError(err error) error { return wire.OwnAddress(GraphError(err)) }

// graphKind is the one table from Graph's error codes to kinds of error, for
// Messenger and WhatsApp: no code means something else to the other.
// https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
// https://developers.facebook.com/docs/messenger-platform/error-codes
// https://developers.facebook.com/docs/graph-api/overview/rate-limiting
func graphKind(code, subcode int) (kind connectors.ErrorKind, known bool) {
	switch subcode {
	case 2018065, 2018278: // of 10: outside the window in which we may answer
		return connectors.Refused, true
	case 2018108, 1545041: // of 10, 551 and 200: the person takes nothing from us
		return connectors.Refused, true
	}
	switch code {
	case 100: // a parameter, unless the object does not exist
		if subcode == 33 {
			return connectors.Gone, true
		}
		return connectors.Refused, true
	case 4, 17, 32, 341, 613, 130429: // limits of the app, the user, the page, the number
		return connectors.Throttled, true
	case 80001, 80006, 80007, 80008: // and of a business: pages, Messenger, WhatsApp
		return connectors.Throttled, true
	case 131048, 131056: // too many to people who complain, or to this one
		return connectors.Throttled, true
	case 1, 2, 1200, 131000, 131016, 131053, 131057: // Meta's own trouble
		return connectors.Unavailable, true
	case 0, 3, 10, 190, 131005: // the token, or what it may do
		return connectors.Misconfigured, true
	case 33, 131037, 131045, 133010: // the number: deleted, not approved, not registered
		return connectors.Misconfigured, true
	case 368, 131030, 131031, 131042: // the account: restricted, for testers only, unpaid
		return connectors.Misconfigured, true
	case 2200, 2201: // the webhook's address did not answer Meta's handshake
		return connectors.Misconfigured, true
	case 551, 131008, 131009, 131021, 131026, 131047, 131051: // this message, or this person
		return connectors.Refused, true
	}
	if code >= 200 && code <= 299 {
		return connectors.Misconfigured, true // a permission is missing
	}
	return connectors.Other, false
}

// maxPause caps how long a limit may let us wait: beyond it a mistake of Meta's
// would outlast the window in which we may answer at all.
const maxPause = 15 * time.Minute

// graphPause is how long a limit lasts of which Meta tells no end in the answer.
func graphPause(code int) time.Duration {
	switch code {
	case 131048: // over once people complain less
		return maxPause
	case 131056: // one message in 6 s to the same person
		return 6 * time.Second
	}
	return 0
}

// regainAccess reads the header by which Graph tells when a limit ends: lists
// of usage by the object's id, with an estimate in minutes.
// https://developers.facebook.com/docs/graph-api/overview/rate-limiting
func regainAccess(h http.Header) time.Duration {
	var usage map[string][]struct {
		Minutes wire.Optional[int64] `json:"estimated_time_to_regain_access"`
	}
	// What cannot be read asks for nothing.
	_ = json.Unmarshal([]byte(h.Get("X-Business-Use-Case-Usage")), &usage)
	var longest int64
	for _, uses := range usage {
		for _, use := range uses {
			longest = max(longest, use.Minutes.Value)
		}
	}
	return time.Duration(min(longest, int64(maxPause/time.Minute))) * time.Minute
}
