package meta

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

// GraphError returns err, the failure of a call to the Graph API, with the kind
// that the error code in the answer stands for. The code decides and not the
// status, because Graph reports many limits as 400; where it names no code that
// we know, err stays as it is.
// https://developers.facebook.com/docs/graph-api/guides/error-handling
func GraphError(err error) error {
	var failed *connectors.Error
	var status *wire.StatusFailure
	if !errors.As(err, &failed) || !errors.As(err, &status) {
		return err
	}
	var answer struct {
		Error struct {
			Code    *int `json:"code"` // 0 is one of them
			Subcode int  `json:"error_subcode"`
		} `json:"error"`
	}
	if json.Unmarshal(status.Body, &answer) != nil || answer.Error.Code == nil {
		return err
	}
	code, subcode := *answer.Error.Code, answer.Error.Subcode
	kind, known := graphKind(code, subcode)
	if !known {
		return err
	}
	return &connectors.Error{
		Kind:  kind,
		After: failed.After,
		Op:    failed.Op,
		Err:   fmt.Errorf("%w, Graph error %d/%d", failed.Err, code, subcode),
	}
}

// graphKind is the one table from Graph's error codes to kinds of error.
// https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
func graphKind(code, subcode int) (kind connectors.ErrorKind, known bool) {
	switch {
	case code == 100 && subcode == 33:
		return connectors.Gone, true // the object does not exist
	case code == 4, code == 80007, code == 130429:
		return connectors.Throttled, true // limits of the app, the account, the number
	case code == 1, code == 2, code == 131000, code == 131016:
		return connectors.Unavailable, true
	case code == 0, code == 10, code == 190, code >= 200 && code <= 299:
		return connectors.Misconfigured, true // the token, or what it may do
	case code == 368, code == 131031:
		return connectors.Misconfigured, true // the account is restricted
	}
	return connectors.Other, false
}
