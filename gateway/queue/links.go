package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrNoLink means that there is no such link, or none any more.
var ErrNoLink = errors.New("there is no such link")

// Link is the permission of an agent's to look at one photo, for whoever knows it.
type Link struct {
	Photo string `json:"photo"`
	// Agent is the ID of the agent for whom it stands, who must still have the
	// photo's conversation when it is used.
	Agent string `json:"agent"`
}

// OpenLink keeps a link for a time. name is a hash of what its holder has, so that
// who reads it in Redis cannot use it.
func (j *Journal) OpenLink(ctx context.Context, queue, name string, l Link, life time.Duration) error {
	k, err := keysOf(queue)
	if err == nil {
		err = checkHex("link's name", name)
	}
	if err == nil && (l.Photo == "" || l.Agent == "" || millis(life) == 0) {
		err = fmt.Errorf("%w: it is not whole", ErrInvalid)
	}
	if err != nil {
		return fmt.Errorf("queue: open link: %w", err)
	}
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	// A plain SET: the name is random, and the repeat of a call whose answer was lost
	// sets the same.
	return wrap("open link", j.client.Set(ctx, k.link+name, data, life).Err())
}

// Link finds a link by its name, or returns ErrNoLink.
func (j *Journal) Link(ctx context.Context, queue, name string) (l Link, err error) {
	k, err := keysOf(queue)
	if err == nil {
		err = checkHex("link's name", name)
	}
	if err != nil {
		return l, fmt.Errorf("queue: link: %w", err)
	}
	data, err := j.client.Get(ctx, k.link+name).Bytes()
	if errors.Is(err, redis.Nil) || err == nil && json.Unmarshal(data, &l) != nil {
		return Link{}, ErrNoLink
	}
	return l, wrap("find link", err)
}
