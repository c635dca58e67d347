package media

import (
	"errors"
	"fmt"
)

// Reason says why a photo is never shown. The words are public: they stand in
// the agents' queue and do not change.
type Reason string

// The reasons. The first six are found here, by the step that each comment
// names; the gateway finds the others.
const (
	TooLarge        Reason = "too_large"        // read
	UnsupportedType Reason = "unsupported_type" // sniff
	Animated        Reason = "animated"         // inspect
	TooManyPixels   Reason = "too_many_pixels"  // inspect
	TooComplex      Reason = "too_complex"      // inspect
	Corrupt         Reason = "corrupt"          // inspect or decode

	Expired     Reason = "expired"     // the platform no longer had it
	Unreachable Reason = "unreachable" // all tries used up
	Disabled    Reason = "disabled"    // photo sharing is off for this account
)

// Rejection is the verdict on a photo that will not be shown. It is an outcome
// and no failure: the same bytes get it again.
type Rejection struct {
	Reason Reason
	// Detail is for people: the value found and the limit, in plain words. It
	// never holds bytes of the photo.
	Detail string
	// Source is as much as was known when the verdict fell.
	Source Source
	// CutOff is set where a Corrupt file ends too early: another fetch may
	// bring the rest.
	CutOff bool
}

// Error implements error.
func (r *Rejection) Error() string { return fmt.Sprintf("%s: %s", r.Reason, r.Detail) }

func reject(reason Reason, format string, args ...any) error {
	return &Rejection{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// knowing adds to a verdict what the steps before it had learnt.
func knowing(source Source, err error) error {
	if r, ok := errors.AsType[*Rejection](err); ok {
		r.Source = source
	}
	return err
}
