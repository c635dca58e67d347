// Package retry says how long to wait between two tries, the same for photos and
// for messages to consumers. It is our own because a library's curve keeps its
// state in memory, and the tries of one message may be made by different
// gateways.
package retry

import (
	"math/rand/v2"
	"time"
)

// Pause is full jitter over a bound that grows fourfold with each try, from
// bound up to most, and never zero.
func Pause(bound, most time.Duration, tries int) time.Duration {
	for ; tries > 0 && bound < most; tries-- {
		bound *= 4
	}
	return rand.N(min(bound, most)) + 1 //nolint:gosec // jitter needs no secrecy
}
