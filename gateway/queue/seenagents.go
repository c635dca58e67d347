package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// seenAgents and seenTimes keep the agents whom an issuer vouches for in one slot
	// of their own.
	seenAgents, seenTimes = "{lightlock:agents}:seen", "{lightlock:agents}:times"
	// mostSeen is how many are kept, and seenFor for how long.
	mostSeen = 1000
	seenFor  = 30 * 24 * time.Hour
	// maxSeen is the largest one as it is kept, in bytes.
	maxSeen = 64 << 10
)

// SeenAgent is an agent who was here lately, and stands in no file of ours.
type SeenAgent struct {
	Agent
	// Queues are those that the agent had then.
	Queues []string `json:"queues,omitempty"`
}

// NoteAgent remembers for 30 days that an agent was here. Of more than 1,000 those
// seen longest ago are forgotten.
func (j *Journal) NoteAgent(ctx context.Context, a SeenAgent) error {
	data, err := json.Marshal(a)
	if err != nil || a.ID == "" || len(data) > maxSeen {
		return fmt.Errorf("%w: an agent of %d bytes", ErrInvalid, len(data))
	}
	return wrap("note agent", j.run(ctx, j.scripts.noteagent, []string{seenAgents, seenTimes}, a.ID, data, millis(seenFor), mostSeen).Err())
}

// SeenAgent finds an agent who was here lately.
func (j *Journal) SeenAgent(ctx context.Context, id string) (a SeenAgent, found bool, err error) {
	data, err := j.client.HGet(ctx, seenAgents, id).Bytes()
	if errors.Is(err, redis.Nil) {
		return a, false, nil
	}
	if err != nil {
		return a, false, wrap("find agent", err)
	}
	return a, json.Unmarshal(data, &a) == nil && a.ID == id, nil
}

// SeenAgents lists the agents who were here lately, in no order.
func (j *Journal) SeenAgents(ctx context.Context) ([]SeenAgent, error) {
	all, err := j.client.HVals(ctx, seenAgents).Result()
	if err != nil {
		return nil, wrap("list agents", err)
	}
	var list []SeenAgent
	for _, data := range all {
		var a SeenAgent
		if json.Unmarshal([]byte(data), &a) == nil && a.ID != "" {
			list = append(list, a)
		}
	}
	return list, nil
}
