package wire

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
)

// API is a platform's own HTTP API.
type API struct {
	*Client
	// Base is its address, without a slash at its end.
	Base string
}

// NewAPI returns a platform's API, called by a Client with the options o: at the
// connector's api_base where there is one, else at own, the platform's own
// address.
func NewAPI(c config.Connector, own string, o Options) (API, error) {
	base, err := Base(c.Channel, c.APIBase, own)
	if err != nil {
		return API{}, err
	}
	o.AllowPrivate = c.AllowPrivateAddresses
	return API{Client: NewClient(o), Base: base.String()}, nil
}

// Host tells whether u is on the API's own host, called as the API is: what may
// see the API's credentials.
func (a API) Host(u *url.URL) bool {
	base, err := url.Parse(a.Base)
	return err == nil && u.Scheme == base.Scheme && HostList(base.Host)(u)
}

// maxAnswer is how long an answer may be unless a Request says otherwise: most
// have a few hundred bytes.
const maxAnswer = 64 << 10

// Request is one call of an API.
type Request struct {
	// Op names the step in errors, such as "line: push".
	Op string
	// Method is GET if empty, or POST where there is a body.
	Method string
	// Path is what follows the API's base, with the query; it is made of what
	// has been checked.
	Path string
	// Authorization is the header of that name, and Header are others.
	Authorization string
	Header        map[string]string
	// Body is nil for none, url.Values for a form, or else sent as JSON: the
	// text in it goes out as it is, without the escapes for HTML that would make
	// it longer than its limit.
	Body any
	// MaxBody is how long the body may be, if not zero: what is longer is Refused
	// without a call.
	MaxBody int
	// MaxAnswer is how long the answer may be; 64 KB if zero.
	MaxAnswer int64
}

// Do makes one call and returns the answer's body. Errors are those of
// Client.Call.
func (a API) Do(ctx context.Context, r Request) ([]byte, error) {
	body, contentType, err := encode(r.Op, r.Body)
	if err != nil {
		return nil, err
	}
	if r.MaxBody > 0 && len(body) > r.MaxBody {
		return nil, connectors.Errorf(connectors.Refused, r.Op, "request longer than %d bytes", r.MaxBody)
	}
	method := cmp.Or(r.Method, http.MethodGet)
	if r.Method == "" && r.Body != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, a.Base+r.Path, bytes.NewReader(body))
	if err != nil {
		return nil, connectors.Errorf(connectors.Misconfigured, r.Op, "no address can be made of api_base")
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if r.Authorization != "" {
		req.Header.Set("Authorization", r.Authorization)
	}
	for name, value := range r.Header {
		req.Header.Set(name, value)
	}
	return a.Call(ctx, r.Op, req, cmp.Or(r.MaxAnswer, maxAnswer))
}

func encode(op string, v any) (body []byte, contentType string, err error) {
	switch v := v.(type) {
	case nil:
		return nil, "", nil
	case url.Values:
		return []byte(v.Encode()), "application/x-www-form-urlencoded", nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, "", connectors.Errorf(connectors.Other, op, "request cannot be written")
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), "application/json", nil
}

// Base returns the address of a platform's API, without a slash at its end: the
// operator's api_base where there is one, else the platform's own. op is the
// channel's name, such as "line".
func Base(op, apiBase, own string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(cmp.Or(apiBase, own), "/"))
	if err != nil || u.Host == "" {
		return nil, connectors.Errorf(connectors.Misconfigured, op+": api_base", "not a URL")
	}
	return u, nil
}
