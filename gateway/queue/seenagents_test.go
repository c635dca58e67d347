package queue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

func seen(id string) queue.SeenAgent {
	return queue.SeenAgent{Agent: queue.Agent{ID: id, Name: "Ada"}, Queues: []string{q}}
}

func note(t testing.TB, j *queue.Journal, id string) {
	t.Helper()
	if err := j.NoteAgent(t.Context(), seen(id)); err != nil {
		t.Fatal(err)
	}
}

func seenScenarios() []scenario {
	return []scenario{{name: "noteagent", prepare: nothing, apart: true, touches: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
		return nil, j.NoteAgent(t.Context(), seen("ada"))
	}}}
}

func TestSeenAgents(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		for range 2 {
			note(t, j, "ada")
		}
		note(t, j, "eva")
		got, found, err := j.SeenAgent(t.Context(), "ada")
		if want := seen("ada"); err != nil || !found || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, %v, %v; want %v", got, found, err, want)
		}
		if _, found, err := j.SeenAgent(t.Context(), "ben"); err != nil || found {
			t.Errorf("nobody: got %v, %v", found, err)
		}
		if list, err := j.SeenAgents(t.Context()); err != nil || len(list) != 2 {
			t.Errorf("got %v, %v", list, err)
		}
		for _, bad := range []queue.SeenAgent{{}, {Agent: queue.Agent{ID: "x", Name: strings.Repeat("x", 64<<10)}}} {
			if err := j.NoteAgent(t.Context(), bad); !errors.Is(err, queue.ErrInvalid) {
				t.Errorf("got %v", err)
			}
		}
	})
}

func TestSeenAgentsAreBounded(t *testing.T) {
	t.Parallel()
	address := quickRedis(t)
	j, client := journal(t, address, queue.Options{}), connect(t, address)
	for i := range 1003 {
		note(t, j, fmt.Sprintf("agent-%d", i))
		// Each a second later than the one before; times are Redis' own.
		client.ZIncrBy(t.Context(), "{lightlock:agents}:times", float64(i-2000)*1000, fmt.Sprintf("agent-%d", i))
	}
	if list, err := j.SeenAgents(t.Context()); err != nil || len(list) != 1000 {
		t.Errorf("%d are kept, %v", len(list), err)
	}
	for i, want := range map[int]bool{0: false, 2: false, 3: true, 1002: true} {
		if _, found, err := j.SeenAgent(t.Context(), fmt.Sprintf("agent-%d", i)); err != nil || found != want {
			t.Errorf("agent %d: got %v, %v; want %v", i, found, err, want)
		}
	}
	client.ZIncrBy(t.Context(), "{lightlock:agents}:times", -31*24*float64(time.Hour.Milliseconds()), "agent-7")
	note(t, j, "agent-1002")
	if _, found, err := j.SeenAgent(t.Context(), "agent-7"); err != nil || found {
		t.Errorf("who was not seen for a month: got %v, %v", found, err)
	}
}
