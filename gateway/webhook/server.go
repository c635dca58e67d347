package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// NewEcho makes an echo without its banner, which takes addresses from the
// connection itself and answers errors with a bare status.
func NewEcho(log *slog.Logger) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if c.Response().Committed {
			return
		}
		status := http.StatusInternalServerError
		if he, ok := err.(*echo.HTTPError); ok { //nolint:errorlint // echo never wraps it
			status = he.Code
		} else {
			log.Error("handler failed", "route", c.Path(), "err", err)
		}
		_ = c.NoContent(status)
	}
	e.Use(middleware.RecoverWithConfig(middleware.RecoverConfig{
		LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			log.Error("handler panicked", "route", c.Path(), "err", err, "stack", string(stack))
			return err
		},
	}))
	return e
}

// OnlyFrom refuses callers outside the given networks: behind a proxy that ends
// TLS, whoever else reaches this port would be reading and writing in the clear.
func OnlyFrom(networks []string) (func(http.Handler) http.Handler, error) {
	prefixes := make([]netip.Prefix, 0, len(networks))
	for _, n := range networks {
		p, err := netip.ParsePrefix(n)
		if err != nil {
			return nil, fmt.Errorf("trusted_proxies: %w", err)
		}
		prefixes = append(prefixes, p)
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if trusted(prefixes, r.RemoteAddr) {
				next.ServeHTTP(w, r)
				return
			}
			w.WriteHeader(http.StatusUnauthorized)
		})
	}, nil
}

func trusted(prefixes []netip.Prefix, remote string) bool {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	for _, p := range prefixes {
		if p.Contains(ap.Addr().Unmap()) {
			return true
		}
	}
	return false
}

// Server is one listener with its deadlines.
type Server struct {
	http     *http.Server
	listener net.Listener
	log      *slog.Logger
}

// Listen binds address at once, so that a port that is taken is an error of
// the start and not of a goroutine.
func Listen(address string, h http.Handler, log *slog.Logger) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return &Server{
		listener: l,
		log:      log,
		http: &http.Server{
			Handler:           h,
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       10 * time.Second,
			WriteTimeout:      30 * time.Second,
			IdleTimeout:       60 * time.Second,
			MaxHeaderBytes:    16 << 10,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
	}, nil
}

// Address is where the server listens: host and port.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Serve answers calls until Shutdown, over TLS if there is a certificate.
func (s *Server) Serve(certFile, keyFile string) {
	var err error
	if certFile != "" {
		err = s.http.ServeTLS(s.listener, certFile, keyFile)
	} else {
		err = s.http.Serve(s.listener)
	}
	if err != nil && err != http.ErrServerClosed { //nolint:errorlint // documented to be returned bare
		s.log.Error("listener ended", "address", s.Address(), "err", err)
	}
}

// Shutdown stops accepting and waits for the calls under way.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.Shutdown(ctx) }
