// Package wire is what all channels share when they check a signature, read a
// webhook or call a platform.
//
// It promises that a call goes to the host it was meant for and to a public
// address, that credentials go to no other host, that every call ends, and
// that no error prints more than the step, the host and the status. What a
// failure means is decided in one table, statusKind. Private addresses are
// recognised by code.dny.dev/ssrf, because it follows IANA's registries and
// looks at the address really dialled.
package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

const (
	defaultTimeout     = 60 * time.Second
	defaultIdleTimeout = 10 * time.Second
	defaultUserAgent   = "Lightlock"
	maxHeaderBytes     = 64 << 10
)

// Options are the settings of a Client. The zero value is right for platforms
// on the internet.
type Options struct {
	// AllowPrivate lets the client call http, IP addresses, any port and
	// private addresses: for simulated platforms, by an explicit setting.
	AllowPrivate bool
	// Timeout bounds a call from its first hop to the last byte; 60 s if zero.
	Timeout time.Duration
	// IdleTimeout bounds each wait for the next byte, and for a connection; 10
	// s if zero.
	IdleTimeout time.Duration
	// UserAgent is sent with every call that does not set its own.
	UserAgent string
	// Now is the clock by which Retry-After dates are read; time.Now if nil.
	Now func() time.Time
}

// Client calls platforms. It never retries, because retries belong to the
// durable queue, keeps no cookies and uses no proxy. It may be used by many
// goroutines at once.
type Client struct {
	options   Options
	dialer    *net.Dialer
	transport *http.Transport
}

// NewClient returns a Client with options o.
func NewClient(o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = defaultIdleTimeout
	}
	if o.UserAgent == "" {
		o.UserAgent = defaultUserAgent
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	dialer := newDialer(o.IdleTimeout, o.AllowPrivate)
	return &Client{options: o, dialer: dialer, transport: newTransport(o, dialer)}
}

// newTransport returns a transport without a proxy, and without compression: a
// photo gains nothing by it, and a few bytes could unfold into gigabytes.
func newTransport(o Options, dialer *net.Dialer) *http.Transport {
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    o.IdleTimeout,
		ResponseHeaderTimeout:  o.IdleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		// Without pings a connection that died silently would fail call after
		// call until somebody restarts us.
		HTTP2:               &http.HTTP2Config{SendPingTimeout: o.IdleTimeout, PingTimeout: o.IdleTimeout},
		MaxIdleConns:        32,
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     30 * time.Second,
	}
}

// CloseIdleConnections closes the connections that wait for another call.
func (c *Client) CloseIdleConnections() { c.transport.CloseIdleConnections() }

// Call sends one API request and returns the answer's body, of which there may
// be maxBody bytes. op names the step in errors, such as "line: get profile".
// An error is Unsure where the request may have had its effect: it had begun to
// leave, and no answer came back, or only a proxy's that it had none either.
//
// The request goes to exactly the host of its URL, which comes from the
// connector's own configuration, with the header that the caller has set; a
// redirect is an error. An answer other than a success gives the kind that
// follows from its status, with a *StatusFailure under it; one that is too long
// gives kind Malformed.
func (c *Client) Call(ctx context.Context, op string, req *http.Request, maxBody int64) ([]byte, error) {
	if reason := c.judge(req.URL); reason != "" {
		return nil, refuse(op, req.URL, reason)
	}
	if req.Host != "" && req.Host != req.URL.Host {
		return nil, refuse(op, req.URL, "Host header for another host")
	}
	var wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// Asked for a second time, nothing had left by the first connection: the
		// transport sends no message twice.
		GetConn:      func(string) { wrote.Store(false) },
		WroteHeaders: func() { wrote.Store(true) },
	})
	call := c.newCall(ctx, op)
	res, err := c.send(call, req)
	if err != nil {
		return nil, unsure(err, wrote.Load())
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusAccepted || req.Method == http.MethodGet {
		if err := statusError(op, res, c.options.Now()); err != nil {
			return nil, unsure(err, res.StatusCode == http.StatusGatewayTimeout)
		}
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if err != nil {
		return nil, unsure(err, true)
	}
	if int64(len(data)) > maxBody {
		err := connectors.Errorf(connectors.Malformed, op, "%s: answer longer than %d bytes", call.host, maxBody)
		return nil, unsure(err, true)
	}
	return data, nil
}

// unsure notes in err that the request may have had its effect.
func unsure(err error, may bool) error {
	var e *connectors.Error
	if errors.As(err, &e) {
		e.Unsure = may
	}
	return err
}

// newCall starts the clock of one call.
func (c *Client) newCall(ctx context.Context, op string) *call {
	timed, stop := context.WithTimeout(ctx, c.options.Timeout)
	inner, cancel := context.WithCancelCause(timed)
	return &call{op: op, outer: ctx, ctx: inner, cancel: cancel, stop: stop}
}

// send makes one request, without following anything or changing req, if the host
// may be called now. On success the call ends when the response's body is closed,
// otherwise it has ended.
func (c *Client) send(call *call, req *http.Request) (*http.Response, error) {
	call.host = hostOf(req.URL)
	if err := connectors.AskHost(call.ctx, call.host); err != nil {
		call.end()
		return nil, err
	}
	req = req.Clone(call.ctx)
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", c.options.UserAgent)
	}
	res, err := c.transport.RoundTrip(req)
	if err != nil {
		err = call.fail(err)
		call.end()
		return nil, err
	}
	res.Body = &body{call: call, rc: res.Body, idle: c.options.IdleTimeout}
	return res, nil
}

// judge says why u must not be called, or nothing. Which hosts and ports are
// right is the caller's part.
func (c *Client) judge(u *url.URL) string {
	name := canonical(u.Hostname())
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !c.options.AllowPrivate):
		return "scheme is not https"
	case u.User != nil:
		return "user info in the address"
	case isAddress(name):
		if !c.options.AllowPrivate {
			return "IP address instead of a name"
		}
	case !isName(name):
		return "not a host name"
	}
	return ""
}
