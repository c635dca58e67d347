package queue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
)

// sessionUntil is one moment for all runs of a scenario.
var sessionUntil = time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)

func session(agent string) queue.Session {
	return queue.Session{Agent: queue.Agent{ID: agent, Name: "Ben"}, Proof: "a hash", Queues: []string{q}, Until: sessionUntil}
}

func openSession(t testing.TB, j *queue.Journal, name, agent string) {
	t.Helper()
	if err := j.OpenSession(t.Context(), hash(name), session(agent)); err != nil {
		t.Fatal(err)
	}
}

func sessionScenarios() []scenario {
	return append(seenScenarios(), []scenario{
		{name: "opensession", prepare: nothing, apart: true, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return nil, j.OpenSession(t.Context(), hash("a"), session("ben"))
		}},
		{name: "closesessions", apart: true, moves: true, prepare: func(t testing.TB, j *queue.Journal, _ redis.Cmdable) queue.Entry {
			openSession(t, j, "a", "ben")
			return queue.Entry{}
		}, act: func(t testing.TB, j *queue.Journal, _ queue.Entry) (any, error) {
			return j.CloseSessions(t.Context(), "ben")
		}},
	}...)
}

func TestSessions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		for _, name := range []string{"a", "b"} {
			openSession(t, j, name, "ben")
		}
		openSession(t, j, "c", "eva")
		got, err := j.Session(t.Context(), hash("a"))
		if want := session("ben"); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got %v, %v; want %v", got, err, want)
		}
		for range 2 {
			if err := j.CloseSession(t.Context(), hash("a")); err != nil {
				t.Fatal(err)
			}
		}
		want(t, "sessions of ben that end", int64(1))(j.CloseSessions(t.Context(), "ben"))
		for name, there := range map[string]bool{"a": false, "b": false, "c": true, "d": false} {
			if _, err := j.Session(t.Context(), hash(name)); errors.Is(err, queue.ErrNoSession) == there || there && err != nil {
				t.Errorf("%s: got %v, want it there: %v", name, err, there)
			}
		}
	})
}

func TestASessionEnds(t *testing.T) {
	t.Parallel()
	address := quickRedis(t)
	j, client := journal(t, address, queue.Options{}), connect(t, address)
	s := session("ben")
	gatewaytest.Await(t, "a session is opened before it is over", func() bool {
		s.Until = time.Now().Add(30 * time.Millisecond)
		err := j.OpenSession(t.Context(), hash("a"), s)
		if err != nil && !errors.Is(err, queue.ErrInvalid) {
			t.Fatal(err)
		}
		return err == nil
	})
	gatewaytest.Await(t, "the session has ended, and nothing of it is left", func() bool {
		_, err := j.Session(t.Context(), hash("a"))
		left := client.Keys(t.Context(), "*sessions*").Val()
		return errors.Is(err, queue.ErrNoSession) && len(left) == 0
	})
	if err := j.OpenSession(t.Context(), hash("b"), s); !errors.Is(err, queue.ErrInvalid) {
		t.Errorf("a session of the past: got %v", err)
	}
}

func TestAnAgentHasFewSessions(t *testing.T) {
	t.Parallel()
	j := journal(t, quickRedis(t), queue.Options{})
	for i := range 52 {
		s := session("ben")
		s.Until = s.Until.Add(time.Duration(i) * time.Second)
		if err := j.OpenSession(t.Context(), hash(fmt.Sprint(i)), s); err != nil {
			t.Fatal(err)
		}
	}
	for i, there := range map[int]bool{0: false, 1: false, 2: true, 51: true} {
		if _, err := j.Session(t.Context(), hash(fmt.Sprint(i))); (err == nil) != there {
			t.Errorf("%d: got %v, want it there: %v", i, err, there)
		}
	}
	want(t, "sessions that end", int64(50))(j.CloseSessions(t.Context(), "ben"))
}

// Who signs in and out many times does not end the session of another browser.
func TestSigningOutMakesRoom(t *testing.T) {
	t.Parallel()
	j := journal(t, quickRedis(t), queue.Options{})
	kept := session("ben")
	if err := j.OpenSession(t.Context(), hash("kept"), kept); err != nil {
		t.Fatal(err)
	}
	for i := range 52 {
		s := session("ben")
		s.Until = s.Until.Add(time.Minute)
		if err := j.OpenSession(t.Context(), hash(fmt.Sprint(i)), s); err != nil {
			t.Fatal(err)
		}
		if err := j.CloseSession(t.Context(), hash(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.Session(t.Context(), hash("kept")); err != nil {
		t.Errorf("got %v, want it there", err)
	}
}

func TestHostileSessions(t *testing.T) {
	t.Parallel()
	address := quickRedis(t)
	j, client := journal(t, address, queue.Options{}), connect(t, address)
	for _, name := range []string{"", "of:" + hash("a"), "../" + hash("a"), strings.Repeat("a", 1000), "ABCDEF0123456789"} {
		if err := j.OpenSession(t.Context(), name, session("ben")); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("open %.40q: got %v", name, err)
		}
		if _, err := j.Session(t.Context(), name); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("find %.40q: got %v", name, err)
		}
		if err := j.CloseSession(t.Context(), name); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("close %.40q: got %v", name, err)
		}
	}
	openSession(t, j, "a", "ben")
	if err := j.OpenSession(t.Context(), hash("a"), session("eva")); !errors.Is(err, queue.ErrInvalid) {
		t.Errorf("a name that is taken: got %v", err)
	}
	for key := range strings.SplitSeq(strings.Join(client.Keys(t.Context(), "*sessions*").Val(), "\n"), "\n") {
		if strings.Contains(key, "ben") {
			t.Errorf("the key %s names an agent", key)
		}
	}
	client.Set(t.Context(), "{lightlock:sessions}:"+hash("a"), "no JSON", time.Hour)
	if _, err := j.Session(t.Context(), hash("a")); !errors.Is(err, queue.ErrNoSession) {
		t.Errorf("damaged: got %v", err)
	}
}
