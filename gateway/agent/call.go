package agent

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/lightlock/lightlock/gateway/identity"
	"github.com/lightlock/lightlock/gateway/problem"
	"github.com/lightlock/lightlock/gateway/queue"
)

// callTime bounds what a call waits for Redis or the store. A stream is none.
const callTime = 10 * time.Second

// call is one call of a caller who is known.
type call struct {
	echo.Context
	caller identity.Caller
	// ctx is the call's, and ends in time.
	ctx context.Context
}

// known makes a handler of one that wants to know who is calling. Whatever a handler
// returns as an error is answered as a problem.
func (a *API) known(handle func(*call) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		problem.Guard(c.Response().Header())
		ctx, cancel := context.WithTimeout(c.Request().Context(), callTime)
		defer cancel()
		caller, err := a.People.Caller(c.Request())
		if err == nil {
			err = handle(&call{c, caller, ctx})
		}
		a.fail(c, err)
		return nil
	}
}

// fail answers a call that did not work.
func (a *API) fail(c echo.Context, err error) {
	if err == nil || c.Response().Committed || c.Request().Context().Err() != nil {
		return // nobody waits for an answer any more
	}
	p := problemOf(err)
	if p.Kind == problem.Unavailable || p.Kind == problem.Broken {
		a.failed.log(c.Request().Context(), slogLevel(p.Kind), "call of the agents' API failed", "route", c.Path(), "err", err)
	}
	problem.Write(c.Response(), p)
}

// answerErrors answers as a problem what the router itself refuses below /v1.
func (a *API) answerErrors(e *echo.Echo) {
	before := e.HTTPErrorHandler
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		var refused *echo.HTTPError
		if !strings.HasPrefix(c.Request().URL.Path, "/v1/") || !errors.As(err, &refused) || c.Response().Committed {
			before(err, c)
			return
		}
		problem.Guard(c.Response().Header())
		switch refused.Code {
		case http.StatusNotFound:
			problem.Write(c.Response(), problem.Of(problem.NotFound, ""))
		case http.StatusMethodNotAllowed:
			problem.Write(c.Response(), problem.Of(problem.MethodNotAllowed, ""))
		default:
			before(err, c)
		}
	}
}

// answer sends a value as JSON.
func (c *call) answer(status int, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return c.Blob(status, "application/json", text)
}

func wrong(detail string) error { return problem.Of(problem.Invalid, detail) }

func notFound() error { return problem.Of(problem.NotFound, "") }

// body reads the call's body into a value. Without a body the value stays as it is if
// it need not be there.
func (c *call) body(into any, must bool) error {
	return problem.ReadBody(c.Response(), c.Request(), into, must)
}

// conversationID is what the API calls a conversation: with its queue, so that it
// is found.
var conversationID = regexp.MustCompile(`^([a-z0-9-]{1,64})\.([0-9a-f]{16,128})$`)

func publicID(queue, id string) string { return queue + "." + id }

// conversation reads which conversation the call is about. One outside the caller's
// queues is not there.
func (a *API) conversation(c *call) (queue, id string, err error) {
	m := conversationID.FindStringSubmatch(c.Param("conversation"))
	if m == nil || a.Without || !c.caller.May(m[1]) {
		return "", "", notFound()
	}
	return m[1], m[2], nil
}

// queues are those that a list is about: all of the caller's, or the one that is
// asked for.
func (c *call) queues() ([]string, error) {
	name := c.QueryParam("queue")
	switch {
	case name == "":
		return c.caller.Queues, nil
	case !c.caller.May(name):
		return nil, notFound()
	}
	return []string{name}, nil
}

// number reads a number from the address, or returns what holds where it is silent.
func (c *call) number(name string, silent, least, most int64) (int64, error) {
	text := c.QueryParam(name)
	if text == "" {
		return silent, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, wrong(name + " is a number from " + strconv.FormatInt(least, 10) + " to " + strconv.FormatInt(most, 10))
	}
	return n, nil
}

// agent is for whom the call is made: the agent who calls, or of a service the one
// whom it names, who must be one of the queue. must says that there has to be one.
func (a *API) agent(c *call, queueName, named string, must bool) (queue.Agent, error) {
	if c.caller.Kind == queue.ActorAgent {
		if named != "" && named != c.caller.Agent.ID {
			return queue.Agent{}, wrong("an agent calls for nobody else")
		}
		return c.caller.Agent, nil
	}
	if named == "" && !must {
		return queue.Agent{}, nil
	}
	found, ok := a.People.Lookup(c.ctx, named, queueName)
	if !ok {
		return queue.Agent{}, wrong("agent is the id of an agent of this queue")
	}
	return found, nil
}

// actor is who does it: the agent for whom it is done, or the service itself.
func (c *call) actor(on queue.Agent) queue.Actor {
	if on.ID == "" {
		return queue.Actor{Kind: c.caller.Kind, Agent: c.caller.Agent}
	}
	return queue.Actor{Kind: queue.ActorAgent, Agent: on}
}

// holder is who must have a conversation for it to be done: the agent for whom it
// is done, or whoever, where a service does it in its own name.
func holder(on queue.Agent) string {
	if on.ID == "" {
		return queue.AnyAgent
	}
	return on.ID
}
