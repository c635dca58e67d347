package problem

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
)

// Guard sets what every answer of the API has, because whether there is something is
// as much nobody else's concern as what it is: nothing may keep it, guess its type, or
// run it as a page.
func Guard(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
}

// mostBody is the largest body of a call, in bytes.
const mostBody = 64 << 10

// ReadBody reads a call's body into a value: JSON of at most 64 KiB, of which nothing
// may be unknown. If there must be none, none leaves the value as it is. The error is a
// Problem.
func ReadBody(w http.ResponseWriter, r *http.Request, into any, must bool) error {
	if r.ContentLength == 0 && !must {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return Of(UnsupportedMediaType, "send JSON, with Content-Type: application/json")
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, mostBody+1))
	switch {
	case len(text) > mostBody:
		w.Header().Set("Connection", "close") // nobody reads the rest
		return Of(TooLarge, "a body has 64 KiB at most")
	case err != nil:
		return Of(Invalid, "the body is not complete")
	case len(bytes.TrimSpace(text)) == 0 && !must:
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return Of(Invalid, "the body is not the JSON that is described here")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Of(Invalid, "there is something behind the JSON")
	}
	return nil
}
