// Package webhook is the public door: echo handlers that read a platform's call
// once, hand it to the line, and turn the outcome into a status.
//
// It promises that a body is kept up to its channel's limit and no further, and
// all bodies together up to a limit of their own; that 2xx leaves only after the
// line has answered, and that every refused call gets the same empty 401,
// whatever was wrong with it: an unknown address, a wrong signature and a body
// too long look alike from outside. A long body for which there is no room is
// answered 503, because nobody knows yet whose it is. No stranger can flood the
// log: of what is refused it gets a line a second, with a count.
package webhook

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/routes"
)

// Deadline is how long the line may take to make a call durable. LINE waits no
// longer than two seconds for its answer.
const Deadline = 1500 * time.Millisecond

// retryAfter is what a platform is asked to wait, in seconds, when nothing can
// be made durable or there is no room for what it sends.
const retryAfter = 5

// Receiver is the line, as far as a webhook sees it.
type Receiver interface {
	Receive(ctx context.Context, route *routes.Route, r *connectors.Request) error
}

// Handlers answer the platforms' calls.
type Handlers struct {
	Line    Receiver
	Metrics *ops.Metrics
	Log     *slog.Logger
	Now     func() time.Time
	// Bodies is the memory for what platforms send; 256 MiB where it is nil.
	Bodies *Bodies
}

// door is one connector's address, with its share of the log.
type door struct {
	*routes.Route
	refused, failed *seldom
}

// Mount adds a route for each connector, and one for all calls to none: those
// to unknown addresses, and those with a method that an address does not take.
func (h *Handlers) Mount(e *echo.Echo, routes []*routes.Route) {
	if h.Bodies == nil {
		h.Bodies = NewBodies(firstParts, restParts, patience)
	}
	for _, route := range routes {
		d := door{route, newSeldom(h.Log), newSeldom(h.Log)}
		path := "/webhooks/" + route.Name + route.Channel.Suffix
		e.POST(path, func(c echo.Context) error { return h.receive(c, d) })
		if challenger, ok := route.Connector.(connectors.Challenger); ok {
			e.GET(path, func(c echo.Context) error { return h.challenge(c, d, challenger) })
		}
	}
	unknown := func(c echo.Context) error {
		h.Metrics.Webhook("none", "unknown")
		refuse(c.Response())
		return nil
	}
	e.RouteNotFound("/webhooks", unknown)
	e.RouteNotFound("/webhooks/*", unknown)
}

// refuse is the one answer to a call that is not a platform's. The connection
// ends with it, because net/http ends it anyway where much of a body is unread,
// and that must tell nobody a connector's limit.
func refuse(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusUnauthorized)
}

// receive answers one call. What the line says decides; why it says so is for
// our log alone.
func (h *Handlers) receive(c echo.Context, route door) error {
	b := &body{in: h.Bodies, limit: route.Channel.BodyLimit, announced: c.Request().ContentLength}
	defer b.giveBack()
	err := h.read(c.Request(), b)
	if err == nil {
		// Without the request's own end: a platform that hangs up early may
		// never repeat what it has sent.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), Deadline)
		defer cancel()
		err = h.Line.Receive(ctx, route.Route, h.request(c, route.Route, b.bytes))
	}
	result := resultOf(err)
	h.Metrics.Webhook(route.Name, result)
	switch result {
	case "accepted":
		return accepted(c, route.Connector)
	case "unavailable", "no_room":
		route.failed.log(slog.LevelError, "webhook not accepted", "connector", route.Name, "result", result, "err", err)
		if result == "no_room" {
			c.Response().Header().Set("Connection", "close") // nobody waits for the rest
		}
		c.Response().Header().Set("Retry-After", strconv.Itoa(retryAfter))
		return c.NoContent(http.StatusServiceUnavailable)
	default:
		route.refused.log(slog.LevelInfo, "webhook refused", "connector", route.Name, "result", result, "err", err)
		refuse(c.Response())
		return nil
	}
}

// challenge answers a platform that proves the ownership of an address.
func (h *Handlers) challenge(c echo.Context, route door, challenger connectors.Challenger) error {
	body, err := challenger.Challenge(h.request(c, route.Route, nil))
	if err != nil {
		h.Metrics.Webhook(route.Name, "challenge_refused")
		route.refused.log(slog.LevelInfo, "challenge refused", "connector", route.Name, "err", err)
		refuse(c.Response())
		return nil
	}
	h.Metrics.Webhook(route.Name, "challenge")
	c.Response().Header().Set("X-Content-Type-Options", "nosniff")
	return c.Blob(http.StatusOK, challenger.ChallengeType(), []byte(body))
}

// read takes the body once, and not at all where it says that it is too long.
func (h *Handlers) read(r *http.Request, b *body) error {
	if r.ContentLength > b.limit {
		return errTooLarge
	}
	return b.read(r.Context(), r.Body)
}

// request takes of the HTTP request what a connector may see. The address is
// the configured one; only the query is this request's own, byte for byte.
func (h *Handlers) request(c echo.Context, route *routes.Route, body []byte) *connectors.Request {
	r := c.Request()
	url := route.URL + route.Channel.Suffix
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		url += "?" + r.URL.RawQuery
	}
	return &connectors.Request{Method: r.Method, URL: url, Header: r.Header, Body: body, ReceivedAt: h.Now()}
}

// accepted answers in the words that the platform wants to hear.
func accepted(c echo.Context, connector connectors.Connector) error {
	responder, ok := connector.(connectors.Responder)
	if !ok {
		return c.NoContent(http.StatusOK)
	}
	contentType, body := responder.Response()
	return c.Blob(http.StatusOK, contentType, []byte(body))
}

// resultOf names the outcome for the metric.
func resultOf(err error) string {
	switch {
	case err == nil:
		return "accepted"
	case errors.Is(err, errTooLarge):
		return "too_large"
	case errors.Is(err, errBody):
		return "incomplete"
	case errors.Is(err, errNoRoom):
		return "no_room"
	case connectors.KindOf(err) == connectors.Unauthentic:
		return "unauthentic"
	default:
		return "unavailable"
	}
}
