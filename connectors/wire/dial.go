package wire

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// errPrivate is the cause of a refused connection to an address that is not
// public.
var errPrivate = errors.New("private address")

// newDialer returns a dialer that judges the address really dialled, after DNS
// and for each address anew: a name that resolves differently the second time
// gains nothing.
func newDialer(timeout time.Duration, allowPrivate bool) *net.Dialer {
	d := &net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second}
	if !allowPrivate {
		d.Control = publicOnly(ssrf.New(ssrf.WithAnyPort()))
	}
	return d
}

// publicOnly returns a net.Dialer.Control function that refuses all addresses
// but public ones. Ports are judged with the URL, where the host is known.
func publicOnly(guard *ssrf.Guardian) func(network, address string, _ syscall.RawConn) error {
	return func(network, address string, conn syscall.RawConn) error {
		if err := guard.Safe(network, address, conn); err != nil {
			return errPrivate
		}
		if target, err := netip.ParseAddrPort(address); err != nil || isISATAP(target.Addr()) {
			return errPrivate
		}
		return nil
	}
}

// isISATAP tells whether addr carries an IPv4 address in its interface
// identifier (RFC 5214, section 6.1). It may do so under any public prefix, so
// no list of prefixes finds it.
func isISATAP(addr netip.Addr) bool {
	if !addr.Is6() {
		return false
	}
	b := addr.As16()
	return b[8]&^0x02 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}
