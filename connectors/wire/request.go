package wire

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/lightlock/lightlock/connectors"
)

// NewJSON returns a POST of v as JSON, for Call. The text in v goes out as it is,
// without the escapes for HTML that would make it longer than its limit.
func NewJSON(op, address string, v any) (*http.Request, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, connectors.Errorf(connectors.Other, op, "request cannot be written")
	}
	req, err := http.NewRequest(http.MethodPost, address, bytes.NewReader(bytes.TrimSuffix(body.Bytes(), []byte("\n")))) //nolint:noctx // Call adds one
	if err != nil {
		return nil, connectors.Errorf(connectors.Refused, op, "address cannot be read")
	}
	req.Header.Set("Content-Type", "application/json")
	return req, nil
}

// Base returns the address of a platform's API, without a slash at its end: the
// operator's api_base where there is one, else the platform's own. op is the
// channel's name, such as "line".
func Base(op, apiBase, own string) (*url.URL, error) {
	address := own
	if apiBase != "" {
		address = apiBase
	}
	u, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || u.Host == "" {
		return nil, connectors.Errorf(connectors.Misconfigured, op+": api_base", "not a URL")
	}
	return u, nil
}
