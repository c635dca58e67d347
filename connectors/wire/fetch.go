package wire

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/lightlock/lightlock/connectors"
)

// maxRedirects is the most that Fetch.MaxRedirects can ask for.
const maxRedirects = 3

// Fetch says which media to open and how.
type Fetch struct {
	// Op names the step in errors, such as "twilio: fetch media".
	Op  string
	URL string
	// Hosts tells which hosts may be called, port included; it is asked again
	// on every hop. Nil stands for a URL from a stranger: any public host, on
	// port 443.
	Hosts func(u *url.URL) bool
	// Authorize returns the Authorization header for exactly this address. It
	// is asked anew on every hop, so credentials never travel; nil for none. It
	// wants Hosts: nobody has credentials for a stranger.
	Authorize func(u *url.URL) (header string, ok bool)
	// MaxRedirects is how many redirects are followed: none by default, and
	// never more than three.
	MaxRedirects int
}

// Fetch opens a media URL for reading; the caller closes it. The stream ends
// with io.EOF only when it is complete, as far as the server announced a
// length, and how much of it is read is up to the caller. Errors, those of Read
// included, have a kind; a caller that cancels ctx gets kind Other with
// context.Canceled under it.
//
// Each hop is judged like the first: https and never back to http, no user
// info, an allowed host, a public address. No header goes from one hop to the
// next.
func (c *Client) Fetch(ctx context.Context, f Fetch) (io.ReadCloser, error) {
	u, err := url.Parse(f.URL)
	if err != nil {
		return nil, connectors.Errorf(connectors.Refused, f.Op, "address cannot be read")
	}
	call := c.newCall(ctx, f.Op)
	for hop := 0; ; hop++ {
		res, err := c.hop(call, f, u)
		if err != nil {
			call.end()
			return nil, err
		}
		next, err := c.next(f, u, res, hop)
		if err == nil && next == nil {
			return res.Body, nil
		}
		if err != nil {
			_ = res.Body.Close()
			return nil, err
		}
		// The body's own Close would end the call, which goes on.
		if b, ok := res.Body.(*body); ok {
			_ = b.rc.Close()
		}
		u = next
	}
}

// hop asks one host.
func (c *Client) hop(call *call, f Fetch, u *url.URL) (*http.Response, error) {
	if reason := c.judge(u); reason != "" {
		return nil, refuse(f.Op, u, reason)
	}
	if !c.allows(f, u) {
		return nil, refuse(f.Op, u, "host is not allowed")
	}
	if f.Authorize != nil && f.Hosts == nil {
		return nil, refuse(f.Op, u, "credentials for any host")
	}
	req := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{}}
	if f.Authorize != nil {
		if header, ok := f.Authorize(u); ok {
			req.Header.Set("Authorization", header)
		}
	}
	return c.send(call, req)
}

func (c *Client) allows(f Fetch, u *url.URL) bool {
	if f.Hosts != nil {
		return f.Hosts(u)
	}
	return c.options.AllowPrivate || portOf(u) == "443"
}

// next returns where an answer leads: to an address, to an error, or nowhere
// because it is the media.
func (c *Client) next(f Fetch, u *url.URL, res *http.Response, hop int) (*url.URL, error) {
	location := res.Header.Get("Location")
	if f.MaxRedirects <= 0 || location == "" || !isRedirect(res.StatusCode) {
		return nil, anonymous(statusError(f.Op, res, c.options.Now()), res)
	}
	if hop >= min(f.MaxRedirects, maxRedirects) {
		return nil, refuse(f.Op, u, "too many redirects")
	}
	next, err := u.Parse(location)
	if err != nil {
		return nil, refuse(f.Op, u, "redirect cannot be read")
	}
	if u.Scheme == "https" && next.Scheme != "https" {
		return nil, refuse(f.Op, u, "redirect to another scheme than https")
	}
	return next, nil
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// anonymous corrects the kind of an answer to a request without credentials:
// where we showed none, no setting of the operator's is wrong. The right to
// read was in the address itself, and it is over.
func anonymous(err error, res *http.Response) error {
	var e *connectors.Error
	if res.Request.Header.Get("Authorization") == "" && errors.As(err, &e) && e.Kind == connectors.Misconfigured {
		e.Kind = connectors.Gone
	}
	return err
}
