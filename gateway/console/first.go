package console

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"
)

const (
	// patience is how long the page waits for what it shows first. Without Redis
	// the shell comes all the same, and says so.
	patience = time.Second
	// mostFirst is more than 50 conversations are, with names as long as they may be.
	mostFirst = 512 << 10
)

// ask makes a call to the API in the name of who opens the page, and returns the
// answer if it is one.
func (p *page) ask(ctx context.Context, shown *http.Request, path string) json.RawMessage {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, path, http.NoBody)
	if err != nil {
		return nil
	}
	r.Host, r.RemoteAddr, r.TLS = shown.Host, shown.RemoteAddr, shown.TLS
	r.RequestURI = path
	// What says who calls, and how: a proxy's headers, too. Not Authorization, which
	// no browser sends with a page.
	for _, name := range []string{"Cookie", "X-Forwarded-For", "X-Forwarded-Proto", "Sec-Fetch-Site"} {
		if v := shown.Header.Values(name); v != nil {
			r.Header[name] = v
		}
	}
	answer := &answer{header: http.Header{}}
	p.options.API.ServeHTTP(answer, r)
	if answer.status != http.StatusOK || answer.over || !json.Valid(answer.body.Bytes()) {
		return nil
	}
	return answer.body.Bytes()
}

// answer keeps what a handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
	over   bool
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.over = a.over || a.body.Len()+len(p) > mostFirst; a.over {
		return 0, http.ErrContentLength
	}
	return a.body.Write(p)
}
