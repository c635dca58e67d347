package webhook

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/store"
)

// Pictures serves previews and thumbnails to the services that the operator has
// named, each for its own queues. Whoever may not see a picture is told that
// there is none.
type Pictures struct {
	Store    PictureStore
	Services []config.Service
	Log      *slog.Logger
}

// PictureStore opens a stored picture.
type PictureStore interface {
	Get(ctx context.Context, k store.Key) (io.ReadSeekCloser, error)
}

// Mount adds the two routes.
func (p *Pictures) Mount(e *echo.Echo) {
	for _, kind := range []store.Kind{store.Preview, store.Thumbnail} {
		serve := func(c echo.Context) error { return p.serve(c, kind) }
		e.Match([]string{http.MethodGet, http.MethodHead}, "/v1/photos/:id/"+string(kind), serve)
	}
}

func (p *Pictures) serve(c echo.Context, kind store.Kind) error {
	header(c.Response().Header())
	service, ok := p.caller(c.Request())
	if !ok {
		c.Response().Header().Set("WWW-Authenticate", `Bearer realm="lightlock"`)
		return c.NoContent(http.StatusUnauthorized)
	}
	key, err := store.ParsePhotoID(c.Param("id"))
	if err != nil || !slices.Contains(service.Queues, key.Queue) {
		return c.NoContent(http.StatusNotFound)
	}
	key.Kind = kind
	f, err := p.Store.Get(c.Request().Context(), key)
	if errors.Is(err, store.ErrNotFound) {
		return c.NoContent(http.StatusNotFound)
	}
	if err != nil && c.Request().Context().Err() != nil {
		return nil // nobody waits for an answer any more
	}
	if err != nil {
		p.Log.Error("picture cannot be read", "photo", key.PhotoID(), "err", err)
		return c.NoContent(http.StatusServiceUnavailable)
	}
	defer f.Close()
	picture(c.Response().Header())
	// Several ranges would make an answer of another type.
	if r := c.Request(); strings.Contains(r.Header.Get("Range"), ",") {
		r.Header.Del("Range")
	}
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, f)
	return nil
}

// header is for every answer, because whether there is a picture is as much
// nobody else's concern as the picture.
func header(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
}

// picture says that this is a picture and nothing else, whatever a browser may
// make of its bytes.
func picture(h http.Header) {
	h.Set("Content-Type", "image/jpeg")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Disposition", "inline")
}

// caller finds the service whose token the request bears. All tokens are
// compared, by their digests, so that time tells nothing about any of them.
func (p *Pictures) caller(r *http.Request) (config.Service, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return config.Service{}, false
	}
	got := sha256.Sum256([]byte(token))
	var found config.Service
	var ok bool
	for _, s := range p.Services {
		want := sha256.Sum256([]byte(s.Token.Reveal()))
		if subtle.ConstantTimeCompare(got[:], want[:]) == 1 && !s.Token.IsZero() {
			found, ok = s, true
		}
	}
	return found, ok
}
