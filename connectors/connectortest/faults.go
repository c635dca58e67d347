package connectortest

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/lightlock/lightlock/connectors"
)

// step is one request of something that went well. A platform may need several,
// such as a look-up and a download.
type step struct {
	place      string // method, host and path
	status     int
	authorized bool
}

// steps does act once and returns the requests that it took.
func (b *bench) steps(act func() error) ([]step, error) {
	var mu sync.Mutex
	var steps []step
	b.platform.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen := &answer{ResponseWriter: w}
			h.ServeHTTP(seen, r)
			mu.Lock()
			defer mu.Unlock()
			// A handler that writes nothing has answered with 200 as well.
			steps = append(steps, step{place(r), cmp.Or(seen.status, http.StatusOK), r.Header.Get("Authorization") != ""})
		})
	})
	defer b.platform.Wrap(nil)
	if err := act(); err != nil {
		return nil, fmt.Errorf("a try without any fault: %w", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(steps) == 0 {
		return nil, fmt.Errorf("it made no call that the platform's Wrap sees")
	}
	return steps, nil
}

// photoAndSteps sends one photo and returns its reference and the requests that
// a healthy fetch of it takes.
func (b *bench) photoAndSteps() (connectors.Photo, []step, error) {
	p, err := b.onePhoto()
	if err != nil {
		return p, nil, err
	}
	steps, err := b.steps(func() error {
		_, err := fetch(b.ctx, b.connector, p)
		return err
	})
	return p, steps, err
}

func place(r *http.Request) string { return r.Method + " " + r.Host + r.URL.Path }

// fault makes step k, and whatever follows it, go wrong. Steps are told apart by
// their addresses, because a connector may begin anew.
func (b *bench) fault(steps []step, k int, fault func(w http.ResponseWriter, r *http.Request, h http.Handler)) {
	healthy := map[string]bool{}
	for _, s := range steps[:k] {
		healthy[s.place] = true
	}
	b.platform.Wrap(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if healthy[place(r)] {
				h.ServeHTTP(w, r)
				return
			}
			fault(w, r, h)
		})
	})
}

// answer notes the status that goes through it, or changes 200 to another one.
type answer struct {
	http.ResponseWriter
	status  int
	instead int
}

func (a *answer) WriteHeader(status int) {
	if status == http.StatusOK && a.instead != 0 {
		status = a.instead
	}
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	return a.ResponseWriter.Write(p)
}

// firstDrop is how many bytes a drip gives before it waits.
const firstDrop = 97

// drip passes on what is written in small pieces. The second one waits until
// more is closed or the caller is gone.
type drip struct {
	http.ResponseWriter
	more, gone <-chan struct{}
}

func (d *drip) Write(p []byte) (int, error) {
	for n := 0; n < len(p); {
		m, err := d.ResponseWriter.Write(p[n:min(n+firstDrop, len(p))])
		n += m
		if err != nil {
			return n, err
		}
		_ = http.NewResponseController(d.ResponseWriter).Flush()
		select {
		case <-d.more:
		case <-d.gone:
		}
	}
	return len(p), nil
}

// raw answers with these bytes as they are and ends the connection; reset ends
// it the rude way.
func raw(w http.ResponseWriter, bytes string, reset bool) {
	conn, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = conn.Close() }()
	_, _ = buf.WriteString(bytes)
	_ = buf.Flush()
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
}
