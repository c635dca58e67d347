package identity

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/problem"
	"github.com/lightlock/lightlock/gateway/queue"
)

// handler answers a call, or returns what did not work.
type handler func(w http.ResponseWriter, req *http.Request) error

// Mount adds the routes by which browsers sign in and out.
func (r *Registry) Mount(e *echo.Echo) {
	for path, methods := range map[string]map[string]handler{
		"/v1/session":      {http.MethodPost: r.postSession, http.MethodDelete: r.deleteSession},
		"/v1/session/ways": {http.MethodGet: r.getWays, http.MethodHead: r.getWays},
		"/v1/session/oidc": {http.MethodGet: forPeople(r.getIssuer)},
		config.OIDCReturn:  {http.MethodGet: forPeople(r.getReturn)},
	} {
		e.Any(path, func(c echo.Context) error {
			serve(c.Response(), c.Request(), methods)
			return nil
		})
	}
}

// serve answers a call by the handler of its method.
func serve(w http.ResponseWriter, req *http.Request, methods map[string]handler) {
	problem.Guard(w.Header())
	w.Header().Set("Referrer-Policy", "no-referrer")
	h := methods[req.Method]
	if h == nil {
		w.Header().Set("Allow", strings.Join(slices.Sorted(maps.Keys(methods)), ", "))
		problem.Write(w, problem.Of(problem.MethodNotAllowed, ""))
		return
	}
	if err := h(w, req); err != nil {
		problem.Write(w, asProblem(err))
	}
}

// forPeople sends a browser that shows a page back to the console when something did
// not work, with the kind of problem as sign_in. Programs get the problem itself.
func forPeople(h handler) handler {
	return func(w http.ResponseWriter, req *http.Request) error {
		err := h(w, req)
		if err == nil || !strings.Contains(req.Header.Get("Accept"), "text/html") {
			return err
		}
		p := asProblem(err)
		if p.Kind == problem.NotFound {
			return err
		}
		http.Redirect(w, req, "/?sign_in="+string(p.Kind), http.StatusSeeOther)
		return nil
	}
}

// asProblem says what did not work in words for others.
func asProblem(err error) *problem.Problem {
	var known *problem.Problem
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, ErrUnauthenticated):
		return problem.Of(problem.Unauthenticated, "")
	case errors.Is(err, ErrCrossOrigin):
		return problem.Of(problem.Unauthenticated, "The call comes from another site.")
	}
	return problem.Of(problem.Unavailable, "")
}

// postSession signs an agent in by a token. Whatever is wrong with the token, the
// answer is the same. A right one is good however often others have failed: tokens have
// 256 random bits, so that no number of tries finds one, and it costs no more to see
// that it is right than any call with a bearer does. Whoever fails again and again is
// told to wait, which saves their own pains.
func (r *Registry) postSession(w http.ResponseWriter, req *http.Request) error {
	if r.origins.Check(req) != nil {
		return ErrCrossOrigin
	}
	var body struct {
		Token string `json:"token"`
	}
	if err := problem.ReadBody(w, req, &body, true); err != nil {
		return err
	}
	one, ok := r.local.Load().byToken(body.Token)
	if !ok || one.caller.Kind != queue.ActorAgent {
		impatient := r.patient(req)
		r.refused(req)
		return cmp.Or(impatient, ErrUnauthenticated)
	}
	if err := r.SignIn(w, req, one.caller.Agent.ID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// patient is an error for an address from which too many sign-ins have failed.
func (r *Registry) patient(req *http.Request) error {
	if wait := r.failures.wait(r.address(req), r.now()); wait > 0 {
		return &problem.Problem{Kind: problem.TooManyRequests, Detail: "Too many sign-ins have failed.", After: wait}
	}
	return nil
}

// refused counts a sign-in that has failed, against its address.
func (r *Registry) refused(req *http.Request) {
	r.failures.failed(r.address(req), r.now())
	r.noteRefusal()
}

// noteRefusal tells the operator of a sign-in that has failed.
func (r *Registry) noteRefusal() {
	r.told()
	if r.logged.AllowN(r.now(), 1) {
		r.log.Info("a sign-in was refused")
	}
}

func (r *Registry) deleteSession(w http.ResponseWriter, req *http.Request) error {
	if err := r.end(w, req); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// ways says how one can sign in.
type ways struct {
	Token bool       `json:"token"`
	OIDC  *issuerWay `json:"oidc,omitempty"`
}

type issuerWay struct {
	Title string `json:"title"`
}

func (r *Registry) getWays(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	answer := ways{Token: r.config.Agents.File != ""}
	if r.issuer.signsIn() {
		answer.OIDC = &issuerWay{r.issuer.title()}
	}
	return json.NewEncoder(w).Encode(answer)
}

// loggedEvery is how often a refused sign-in is logged.
const loggedEvery = time.Second
