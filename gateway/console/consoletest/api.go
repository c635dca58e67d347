package consoletest

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

const cookieName = "lightlock"

// handler answers a call of a signed-in agent.
type handler func(c echo.Context, me Agent) error

func (g *Gateway) mount(e *echo.Echo) {
	e.Pre(g.fault)
	e.GET("/v1/session/ways", func(c echo.Context) error {
		return c.JSON(http.StatusOK, map[string]any{"token": true, "oidc": map[string]string{"title": "login.example.com"}})
	})
	e.POST("/v1/session", g.signIn)
	e.DELETE("/v1/session", g.signOut)
	e.GET("/v1/me", g.known(func(c echo.Context, me Agent) error {
		return c.JSON(http.StatusOK, map[string]any{"kind": "agent", "id": me.ID, "name": me.Name, "queues": []any{map[string]any{"name": Queue, "waiting": 0}}})
	}))
	e.GET("/v1/agents", g.known(func(c echo.Context, _ Agent) error { return c.JSON(http.StatusOK, map[string]any{"agents": g.agents}) }))
	e.GET("/v1/conversations", g.known(g.list))
	e.GET("/v1/conversations/:id", g.known(g.one))
	e.GET("/v1/conversations/:id/messages", g.known(g.page))
	e.POST("/v1/conversations/:id/take", g.known(g.take))
	e.POST("/v1/conversations/:id/transfer", g.known(g.transfer))
	e.POST("/v1/conversations/:id/close", g.known(g.close))
	e.POST("/v1/conversations/:id/read", g.known(g.read))
	e.POST("/v1/conversations/:id/replies", g.known(g.reply))
	e.GET("/v1/photos/:id/:kind", g.known(g.photo))
	e.GET("/v1/events", g.known(g.events))
}

// fault notes every call, and lets those fail that are to.
func (g *Gateway) fault(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		call := c.Request().Method + " " + c.Request().URL.RequestURI()
		g.mu.Lock()
		g.requests = append(g.requests, call)
		var found Fault
		for prefix, f := range g.faults {
			if !strings.HasPrefix(call, prefix) {
				continue
			}
			found = f
			if f.Times--; f.Times == 0 {
				delete(g.faults, prefix)
			} else if f.Times > 0 {
				g.faults[prefix] = f
			}
		}
		g.mu.Unlock()
		if found.Until != nil {
			select {
			case <-found.Until:
			case <-c.Request().Context().Done():
			case <-g.over:
			}
		}
		if found.Status != 0 {
			return wrong(c, found.Status, "unavailable", nil)
		}
		return next(c)
	}
}

func wrong(c echo.Context, status int, name string, agent *Agent) error {
	p := map[string]any{"type": "urn:lightlock:problem:" + name, "title": strings.ReplaceAll(name, "_", " "), "status": status}
	if agent != nil {
		p["agent"] = agent
	}
	return c.Blob(status, "application/problem+json", encode(p))
}

func (g *Gateway) who(r *http.Request) (Agent, bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return Agent{}, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	id, ok := g.sessions[cookie.Value]
	return g.agent(id), ok
}

func (g *Gateway) agent(id string) Agent {
	at := slices.IndexFunc(g.agents, func(a Agent) bool { return a.ID == id })
	if at < 0 {
		return Agent{}
	}
	return g.agents[at]
}

func (g *Gateway) known(h handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "no-store")
		me, ok := g.who(c.Request())
		if !ok {
			return wrong(c, http.StatusUnauthorized, "unauthenticated", nil)
		}
		return h(c, me)
	}
}

// Session signs an agent in and returns the cookie.
func (g *Gateway) Session(agent string) *http.Cookie {
	value := rand.Text()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sessions[value] = agent
	return &http.Cookie{Name: cookieName, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode} //nolint:gosec // over plain HTTP, on loopback
}

func (g *Gateway) signIn(c echo.Context) error {
	var body struct {
		Token string `json:"token"`
	}
	if json.NewDecoder(c.Request().Body).Decode(&body) != nil || g.agent(body.Token).ID == "" {
		return wrong(c, http.StatusUnauthorized, "unauthenticated", nil)
	}
	c.SetCookie(g.Session(body.Token))
	return c.NoContent(http.StatusNoContent)
}

func (g *Gateway) signOut(c echo.Context) error {
	if cookie, err := c.Cookie(cookieName); err == nil {
		g.mu.Lock()
		delete(g.sessions, cookie.Value)
		g.mu.Unlock()
	}
	return c.NoContent(http.StatusNoContent)
}

// seenBy is a conversation as one agent is shown it.
func seenBy(c Conversation, me string) Conversation {
	c.Mine = c.Agent != nil && c.Agent.ID == me
	c.Unread = max(c.Arrived-c.Read, 0)
	switch {
	case c.State == "closed":
		c.Can = Can{Reason: "closed"}
	case c.State == "waiting":
		c.Can = Can{Reason: "not_taken"}
	case !c.Mine:
		c.Can = Can{Reason: "not_yours"}
	case !c.ReplyUntil.IsZero() && time.Now().After(c.ReplyUntil):
		c.Can = Can{Reason: "window_over"}
	default:
		c.Can = Can{Reply: true}
	}
	return c
}

// messageFor is a message as one agent is shown it: the photos of what the agent
// does not have bear no address.
func messageFor(m Message, c Conversation, me string) Message {
	m.Photos = slices.Clone(m.Photos)
	for i := range m.Photos {
		p := &m.Photos[i]
		p.Visible = p.Status == "ready" && c.Agent != nil && c.Agent.ID == me
		if !p.Visible {
			p.Preview, p.Thumbnail = nil, nil
		}
	}
	return m
}

func (g *Gateway) place() string { return fmt.Sprintf("%s=%d", Queue, len(g.changes)) }

func (g *Gateway) list(c echo.Context, me Agent) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	q, view := c.QueryParams(), c.QueryParam("view")
	if strings.HasSuffix(q.Get("account"), Unknown) {
		return wrong(c, http.StatusBadRequest, "invalid", nil)
	}
	var found []Conversation
	for _, one := range g.conversations {
		if in(*one, view, me.ID) && wanted(*one, q.Get("q"), q.Get("consumer")) {
			found = append(found, seenBy(*one, me.ID))
		}
	}
	slices.SortFunc(found, func(a, b Conversation) int { return order(view, a, b) })
	limit, _ := strconv.Atoi(q.Get("limit"))
	after, _ := strconv.Atoi(q.Get("after"))
	answer := map[string]any{"event": g.place()}
	if view != "closed" {
		answer["total"] = len(found)
	}
	found = found[min(after, len(found)):]
	if limit > 0 && len(found) > limit {
		found = found[:limit]
		answer["next"] = strconv.Itoa(after + limit)
	}
	if found == nil {
		found = []Conversation{}
	}
	answer["conversations"] = found
	return c.JSON(http.StatusOK, answer)
}

func in(c Conversation, view, me string) bool {
	if view == "mine" {
		return c.State == "assigned" && c.Agent.ID == me
	}
	return c.State == view
}

func wanted(c Conversation, q, consumer string) bool {
	text := c.Consumer.Name + " " + c.Consumer.ID
	if c.Last != nil {
		text += " " + c.Last.Text
	}
	return (consumer == "" || c.Consumer.ID == consumer) && strings.Contains(strings.ToLower(text), strings.ToLower(q))
}

func order(view string, a, b Conversation) int {
	switch view {
	case "waiting":
		return a.WaitingSince.Compare(b.WaitingSince)
	case "mine":
		return b.LastMessageAt.Compare(a.LastMessageAt)
	}
	return b.ClosedAt.Compare(a.ClosedAt)
}

func (g *Gateway) one(c echo.Context, me Agent) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.conversations[c.Param("id")]
	if one == nil {
		return wrong(c, http.StatusNotFound, "not_found", nil)
	}
	return c.JSON(http.StatusOK, seenBy(*one, me.ID))
}

func (g *Gateway) page(c echo.Context, me Agent) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.conversations[c.Param("id")]
	if one == nil {
		return wrong(c, http.StatusNotFound, "not_found", nil)
	}
	limit, _ := strconv.Atoi(c.QueryParam("limit"))
	before, _ := strconv.ParseInt(c.QueryParam("before"), 10, 64)
	list := []Message{}
	for _, m := range g.messages[one.ID] {
		if before == 0 || m.Position < before {
			list = append(list, messageFor(m, *one, me.ID))
		}
	}
	more := len(list) > limit
	if more {
		list = list[len(list)-limit:]
	}
	return c.JSON(http.StatusOK, map[string]any{"messages": list, "more": more, "event": g.place()})
}
