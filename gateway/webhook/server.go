package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/lightlock/lightlock/config"
)

// NewEcho makes an echo without its banner, which takes addresses from the
// connection itself and answers errors with a bare status. A handler that panics
// is answered 500, and logged without the panic's own text, which may be a
// consumer's.
func NewEcho(log *slog.Logger) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect()
	failed, panicked := newSeldom(log), newSeldom(log)
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if c.Response().Committed {
			return
		}
		status := http.StatusInternalServerError
		if he, ok := err.(*echo.HTTPError); ok { //nolint:errorlint // echo never wraps it
			status = he.Code
		} else {
			failed.log(slog.LevelError, "handler failed", "route", c.Path(), "err", err)
		}
		_ = c.NoContent(status)
	}
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) (err error) {
			defer func() {
				if r := recover(); r != nil {
					panicked.log(slog.LevelError, "handler panicked", "route", c.Path(), "what", panicText(r), "stack", string(debug.Stack()))
					err = echo.ErrInternalServerError
				}
			}()
			return next(c)
		}
	})
	return e
}

// panicText is what may be logged of a panic: the runtime's own words hold no
// data but numbers.
func panicText(r any) string {
	if err, ok := r.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("a value of type %T", r)
}

// Door is what stands before every handler of the public listener. Where a
// configuration names proxies and no certificate, only they may call: whoever
// else reaches the port would be reading and writing in the clear.
func Door(next http.Handler, c config.Config) (http.Handler, error) {
	if c.TLS != nil || len(c.TrustedProxies) == 0 {
		return next, nil
	}
	trusted := make([]netip.Prefix, 0, len(c.TrustedProxies))
	for _, n := range c.TrustedProxies {
		p, err := netip.ParsePrefix(n)
		if err != nil {
			return nil, fmt.Errorf("trusted_proxies: %w", err)
		}
		trusted = append(trusted, p)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if within(trusted, r.RemoteAddr) {
			next.ServeHTTP(w, r)
			return
		}
		refuse(w)
	}), nil
}

func within(networks []netip.Prefix, remote string) bool {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	for _, n := range networks {
		if n.Contains(ap.Addr().Unmap()) {
			return true
		}
	}
	return false
}

const (
	// headTime is how long a call's head may take to arrive, and so may TLS
	// before it.
	headTime = 5 * time.Second
	// readTime is how long a call may take to arrive, head and body.
	readTime = 10 * time.Second
)

// Server is one listener with its deadlines, and with a bound to the connections
// that are open.
type Server struct {
	http        *http.Server
	listener    *crowd
	certificate *config.TLS
	log         *slog.Logger
}

// Listen binds address at once, so that a port that is taken is an error of
// the start and not of a goroutine. certificate is nil for plain HTTP.
func Listen(address string, h http.Handler, certificate *config.TLS, log *slog.Logger) (*Server, error) {
	return listen(address, h, certificate, log, maxOpen)
}

func listen(address string, h http.Handler, certificate *config.TLS, log *slog.Logger, most int) (*Server, error) {
	if certificate != nil {
		if _, err := tls.LoadX509KeyPair(certificate.CertFile, certificate.KeyFile); err != nil {
			return nil, fmt.Errorf("tls: %w", err)
		}
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	c := &crowd{TCPListener: l.(*net.TCPListener), most: most, log: newSeldom(log)}
	return &Server{http: server(h, c, log), listener: c, certificate: certificate, log: log}, nil
}

// server speaks HTTP/1 only. Over HTTP/2 one connection would carry hundreds of
// calls, and the bound to connections would be none to calls; every platform
// speaks HTTP/1.1, too.
func server(h http.Handler, c *crowd, log *slog.Logger) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headTime,
		ReadTimeout:       readTime,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		Protocols:         &protocols,
		ConnState:         c.changed,
		ConnContext:       lifetime,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12},
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// Address is where the server listens: host and port.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Serve answers calls until Shutdown.
func (s *Server) Serve() {
	var err error
	if c := s.certificate; c != nil {
		err = s.http.ServeTLS(s.listener, c.CertFile, c.KeyFile)
	} else {
		err = s.http.Serve(s.listener)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("listener ended", "address", s.Address(), "err", err)
	}
}

// Shutdown stops accepting and waits for the calls under way; those that are
// not over when ctx ends are cut.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}
