package identity

import (
	"net/netip"
	"testing"
	"time"
)

func prefix(i int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
}

// TestTheLimiterIsBounded: a crowd of addresses takes no more memory than is meant,
// shares one limit, and room comes back.
func TestTheLimiterIsBounded(t *testing.T) {
	l, now := newLimiter(), time.Now()
	for i := range mostAddresses + 5000 {
		l.failed(prefix(i), now)
	}
	if got := len(l.known); got != mostAddresses {
		t.Errorf("%d addresses are known, want %d", got, mostAddresses)
	}
	if l.wait(prefix(mostAddresses+1), now) == 0 {
		t.Error("those who find no room have no limit")
	}
	if l.wait(prefix(1), now) != 0 {
		t.Error("who has failed once must wait")
	}
	now = now.Add(failuresAtOnce * failureEvery)
	l.failed(prefix(mostAddresses+7), now)
	if got := len(l.known); got != 1 {
		t.Errorf("%d addresses are known after a while, want 1", got)
	}
}
