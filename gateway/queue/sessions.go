package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrNoSession means that there is no such session, or that it has ended.
var ErrNoSession = errors.New("there is no such session")

const (
	// sessionPrefix keeps all sessions in one slot of their own: they are few, and
	// belong to no queue.
	sessionPrefix = "{lightlock:sessions}:"
	// mostSessions is how many sessions an agent may have. Who signs in once more
	// ends the oldest.
	mostSessions = 50
	// maxSession is the largest session as it is kept, in bytes.
	maxSession = 64 << 10
)

// Session is an agent's sign-in by a browser.
type Session struct {
	Agent Agent `json:"agent"`
	// Proof is what the sign-in rests on, in words of the caller's: a session ends
	// with it. It is no secret.
	Proof string `json:"proof"`
	// Queues are those that the agent had at the sign-in, where nothing else tells.
	Queues []string `json:"queues,omitempty"`
	// Until is when it ends by itself.
	Until time.Time `json:"until"`
}

// OpenSession keeps a session until its time is over. name is a hash, in lower-case
// hex, of what the browser holds: who reads it in Redis cannot sign in with it. An
// agent has 50 at most; the oldest end for more.
func (j *Journal) OpenSession(ctx context.Context, name string, s Session) error {
	if err := checkHex("session's name", name); err != nil {
		return err
	}
	data, err := json.Marshal(s)
	life := millis(time.Until(s.Until))
	if err != nil || len(data) > maxSession || life == 0 || s.Agent.ID == "" {
		return fmt.Errorf("%w: a session of %d bytes for %d ms", ErrInvalid, len(data), life)
	}
	kept, err := j.run(ctx, j.scripts.opensession, []string{sessionPrefix + name, sessionsOf(s.Agent.ID)},
		name, data, life, mostSessions).Int()
	if err == nil && kept != 1 {
		return fmt.Errorf("queue: open session: %w: the name is another's", ErrInvalid)
	}
	return wrap("open session", err)
}

// Session finds a session by its name. The error is ErrNoSession where there is none.
func (j *Journal) Session(ctx context.Context, name string) (Session, error) {
	if err := checkHex("session's name", name); err != nil {
		return Session{}, err
	}
	data, err := j.client.Get(ctx, sessionPrefix+name).Bytes()
	if errors.Is(err, redis.Nil) {
		return Session{}, ErrNoSession
	}
	if err != nil {
		return Session{}, wrap("find session", err)
	}
	var s Session
	if err := json.Unmarshal(data, &s); err != nil {
		// Of another release, or damaged: signing in again mends it.
		return Session{}, fmt.Errorf("%w: it cannot be read", ErrNoSession)
	}
	return s, nil
}

// CloseSession ends a session; one that is over is no error.
func (j *Journal) CloseSession(ctx context.Context, name string) error {
	if err := checkHex("session's name", name); err != nil {
		return err
	}
	s, err := j.Session(ctx, name)
	if errors.Is(err, ErrNoSession) {
		return wrap("close session", j.client.Del(ctx, sessionPrefix+name).Err()) // it may be there, and not be read
	}
	if err != nil {
		return err
	}
	if err := j.client.Del(ctx, sessionPrefix+name).Err(); err != nil {
		return wrap("close session", err)
	}
	// Or it would count among the agent's, of which the oldest make room for new ones.
	return wrap("close session", j.client.ZRem(ctx, sessionsOf(s.Agent.ID), name).Err())
}

// CloseSessions ends all sessions of an agent, and says how many there were.
func (j *Journal) CloseSessions(ctx context.Context, agentID string) (int64, error) {
	ended, err := j.run(ctx, j.scripts.closesessions, []string{sessionsOf(agentID)}, sessionPrefix).Int64()
	return ended, wrap("close sessions", err)
}

// sessionsOf is the key of an agent's sessions. The ID is somebody else's text.
func sessionsOf(agentID string) string {
	sum := sha256.Sum256([]byte(agentID))
	return sessionPrefix + "of:" + hex.EncodeToString(sum[:])
}
