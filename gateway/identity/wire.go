package identity

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxAnswer is the largest answer of an issuer that is read, in bytes.
	maxAnswer = 1 << 20
	// The issuer's keys are asked for when a token names one that is not known, which
	// anybody can do: so often at once, and then again after each pause.
	keysAtOnce = 5
	keysEvery  = 10 * time.Second
)

var (
	errLarge = errors.New("the issuer's answer is larger than 1 MB")
	errOften = errors.New("the issuer's keys were asked for a moment ago")
)

// wire is the way to an issuer: nothing is followed elsewhere, no answer is read
// without end, and nobody makes us ask for its keys all the time.
type wire struct {
	next *http.Transport

	mu   sync.Mutex
	keys string // where they are
	tame *rate.Limiter
	// failed says why the keys could not be read the last time, since when.
	failed string
	since  time.Time
}

// client is an HTTP client by this way.
func (w *wire) client() *http.Client {
	return &http.Client{
		Transport: w, Timeout: issuerTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// keysAt says where the keys are.
func (w *wire) keysAt(address string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys, w.tame, w.failed = address, rate.NewLimiter(rate.Every(keysEvery), keysAtOnce), ""
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	keys := w.areKeys(req)
	if keys && !w.mayAsk() {
		return nil, errOften
	}
	answer, err := w.next.RoundTrip(req)
	if err == nil {
		answer.Body = &capped{ReadCloser: answer.Body, left: maxAnswer}
	}
	if keys {
		w.note(answer, err)
	}
	return answer, err
}

func (w *wire) areKeys(req *http.Request) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.keys != "" && req.URL.String() == w.keys
}

func (w *wire) mayAsk() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tame.Allow()
}

// note remembers whether the keys could be had.
func (w *wire) note(answer *http.Response, err error) {
	failed := ""
	switch {
	case err != nil:
		failed = short(err)
	case answer.StatusCode != http.StatusOK:
		failed = fmt.Sprintf("its keys are answered with status %d", answer.StatusCode)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if failed != "" && w.failed == "" {
		w.since = time.Now()
	}
	w.failed = failed
}

// trouble says why the keys cannot be had, or nothing, and since when.
func (w *wire) trouble() (string, time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed, w.since
}

// capped is a body that fails when it is larger than it may be.
type capped struct {
	io.ReadCloser
	left int
}

// Read implements io.Reader.
func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errLarge
	}
	n, err := c.ReadCloser.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
