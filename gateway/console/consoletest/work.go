package consoletest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// change is one that listeners are told of.
type change struct {
	conversation, item, before string
	gone, reset                bool
}

// heartbeat is how often a listener hears something.
const heartbeat = 15 * time.Second

// do runs a call on a conversation that must be there.
func (g *Gateway) do(c echo.Context, me Agent, act func(one *Conversation) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.conversations[c.Param("id")]
	if one == nil {
		return wrong(c, http.StatusNotFound, "not_found", nil)
	}
	if err := act(one); err != nil || c.Response().Committed {
		return err
	}
	return c.JSON(http.StatusOK, seenBy(*one, me.ID))
}

func has(one *Conversation, me Agent) bool {
	return one.State == "assigned" && one.Agent.ID == me.ID
}

func (g *Gateway) take(c echo.Context, me Agent) error {
	return g.do(c, me, func(one *Conversation) error {
		switch {
		case has(one, me):
		case one.State == "assigned":
			return wrong(c, http.StatusConflict, "taken", one.Agent)
		case one.State == "closed":
			return wrong(c, http.StatusConflict, "closed", nil)
		default:
			g.alter(one.ID, func(one *Conversation) { g.assign(one, me.ID) })
		}
		return nil
	})
}

func (g *Gateway) transfer(c echo.Context, me Agent) error {
	var body struct {
		To *string `json:"to"`
	}
	if err := json.NewDecoder(c.Request().Body).Decode(&body); err != nil {
		return wrong(c, http.StatusBadRequest, "invalid", nil)
	}
	return g.do(c, me, func(one *Conversation) error {
		if !has(one, me) {
			return wrong(c, http.StatusConflict, "not_assigned", one.Agent)
		}
		to := ""
		if body.To != nil {
			to = *body.To
		}
		g.alter(one.ID, func(one *Conversation) { g.assign(one, to) })
		return nil
	})
}

func (g *Gateway) close(c echo.Context, me Agent) error {
	return g.do(c, me, func(one *Conversation) error {
		if !has(one, me) {
			return wrong(c, http.StatusConflict, "not_assigned", one.Agent)
		}
		g.alter(one.ID, closeIt)
		return nil
	})
}

func (g *Gateway) read(c echo.Context, me Agent) error {
	var body struct {
		Arrival int64 `json:"arrival"`
	}
	if err := json.NewDecoder(c.Request().Body).Decode(&body); err != nil {
		return wrong(c, http.StatusBadRequest, "invalid", nil)
	}
	return g.do(c, me, func(one *Conversation) error {
		if has(one, me) && body.Arrival > one.Read {
			g.alter(one.ID, func(one *Conversation) { one.Read = min(body.Arrival, one.Arrived) })
		}
		return c.NoContent(http.StatusNoContent)
	})
}

func (g *Gateway) reply(c echo.Context, me Agent) error {
	var body struct {
		Text string `json:"text"`
	}
	key := c.Request().Header.Get("Idempotency-Key")
	if err := json.NewDecoder(c.Request().Body).Decode(&body); err != nil || key == "" {
		return wrong(c, http.StatusBadRequest, "invalid", nil)
	}
	return g.do(c, me, func(one *Conversation) error {
		m, repeated := g.replies[key]
		switch {
		case repeated && g.texts[key] != body.Text:
			return wrong(c, http.StatusUnprocessableEntity, "idempotency_mismatch", nil)
		case repeated:
		case !has(one, me):
			return wrong(c, http.StatusConflict, "not_assigned", one.Agent)
		default:
			m = g.say(one.ID, Message{From: "agent", Agent: &me, Text: body.Text, Delivery: &Delivery{State: "waiting"}})
			g.replies[key], g.texts[key] = m, body.Text
		}
		return c.JSON(http.StatusAccepted, m)
	})
}

// events tells a listener of every change, as it is now.
func (g *Gateway) events(c echo.Context, me Agent) error {
	w := c.Response()
	g.mu.Lock()
	at, away := len(g.changes), g.away
	g.mu.Unlock()
	if away {
		return wrong(c, http.StatusServiceUnavailable, "unavailable", nil)
	}
	if since := c.QueryParam("since"); since != "" {
		at, _ = strconv.Atoi(strings.TrimPrefix(since, Queue+"="))
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	w.Flush()
	for {
		g.mu.Lock()
		woken := g.woken
		text, end := g.news(at, me.ID)
		at = len(g.changes)
		g.mu.Unlock()
		if _, ok := g.who(c.Request()); end || !ok {
			return nil
		}
		if _, err := w.Write([]byte(text)); err != nil {
			return nil //nolint:nilerr // the listener has gone
		}
		w.Flush()
		select {
		case <-woken:
		case <-time.After(heartbeat):
			fmt.Fprintf(w, "id: %s=%d\nevent: heartbeat\ndata: {\"at\":\"2026-11-22T14:31:00Z\"}\n\n", Queue, at)
		case <-c.Request().Context().Done():
			return nil
		}
	}
}

// news is what came behind a place, for one agent.
func (g *Gateway) news(at int, me string) (text string, end bool) {
	var b strings.Builder
	for i := min(at, len(g.changes)); i < len(g.changes); i++ {
		ch := g.changes[i]
		if ch.gone {
			fmt.Fprintf(&b, "id: %s=%d\nevent: gone\ndata: %s\n\n", Queue, i+1, encode(map[string]string{"conversation": ch.conversation}))
			continue
		}
		if ch.reset {
			fmt.Fprintf(&b, "id: %s=%d\nevent: reset\ndata: {}\n\n", Queue, i+1)
			continue
		}
		one := seenBy(*g.conversations[ch.conversation], me)
		one.Before = ch.before
		fmt.Fprintf(&b, "id: %s=%d\nevent: conversation\ndata: %s\n\n", Queue, i+1, encode(one))
		for _, m := range g.messages[one.ID] {
			if m.ID == ch.item {
				fmt.Fprintf(&b, "id: %s=%d\nevent: message\ndata: %s\n\n", Queue, i+1,
					encode(map[string]any{"conversation": one.ID, "message": messageFor(m, one, me)}))
			}
		}
	}
	return b.String(), g.away
}
