package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"

	"github.com/lightlock/lightlock/connectors"
)

// errIdle is the cause of a call that ended because no byte came for too long.
var errIdle = errors.New("no byte for too long")

// errClosed is what reading a closed body gives.
var errClosed = errors.New("body is closed")

// failure is a failed call in our own words. The cause can be asked for with
// errors.Is and errors.As but is never printed: the texts of net/http quote
// addresses with their queries and whatever bytes a server sent.
type failure struct {
	host, text string
	cause      error
}

func (f *failure) Error() string { return f.host + ": " + f.text }

func (f *failure) Unwrap() error { return f.cause }

// refuse returns an error for an address that must not be called.
func refuse(op string, u *url.URL, text string) error {
	return &connectors.Error{Kind: connectors.Refused, Op: op, Err: &failure{host: hostOf(u), text: text}}
}

// call is one use of the client: what its errors say and what ends it.
type call struct {
	op   string
	host string
	// outer is the caller's context; ctx is ours, with the total deadline.
	outer  context.Context
	ctx    context.Context
	cancel context.CancelCauseFunc
	stop   context.CancelFunc
}

// fail turns the error of a transport into one with a kind and a text that may
// be logged.
func (c *call) fail(err error) error {
	kind := connectors.Unavailable
	var text string
	switch {
	case errors.Is(context.Cause(c.ctx), errIdle):
		text, err = errIdle.Error(), errIdle
	case errors.Is(c.outer.Err(), context.Canceled):
		kind, text, err = connectors.Other, "canceled", context.Canceled
	case errors.Is(c.ctx.Err(), context.DeadlineExceeded):
		text, err = "deadline exceeded", context.DeadlineExceeded
	case errors.Is(err, errPrivate):
		kind, text = connectors.Refused, "private address"
	default:
		if text = describe(err); text == broken {
			err = nil // its text may quote what a server sent in place of an answer
		}
	}
	if kind != connectors.Other && errors.Is(err, context.Canceled) {
		err = nil // not the caller's own cancellation, so it must not look like it
	}
	return &connectors.Error{Kind: kind, Down: kind == connectors.Unavailable, Op: c.op, Err: &failure{c.host, text, err}}
}

// broken is what is said of a connection about which no more can be said.
const broken = "connection broken"

// describe says in fixed words what happened on the network.
func describe(err error) string {
	var (
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       *net.OpError
		network     net.Error
	)
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such host"
	case errors.As(err, &dns):
		return "DNS failure"
	case errors.As(err, &certificate):
		return "TLS failure: certificate"
	case errors.As(err, &record), errors.As(err, &alert) && strings.HasSuffix(alert.Op, " error"):
		// crypto/tls marks alerts with the Op "remote error" or "local error".
		return "TLS failure"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET):
		return "connection reset"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "body shorter than announced"
	case errors.As(err, &network) && network.Timeout():
		return "timeout"
	}
	return broken
}
