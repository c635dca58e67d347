package queue

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Orphan is an attempt whose blobs nobody names any more. Age is the time since it
// began, by Redis' clock.
type Orphan struct {
	Attempt string
	Age     time.Duration
}

// Orphans looks through a part of the attempts that have begun and were not
// delivered, and returns those whose blobs nobody names any more: no worker that
// is alive has them in hand, and no record names them. Delete their blobs, and
// then tell Swept. Begin with cursor 0; the look is over when next is 0. limit is
// about how many are looked at.
//
// An attempt is no orphan before it is as old as a lease. It is one until Swept:
// a gateway that was stopped may go on writing its blobs for as long.
func (j *Journal) Orphans(ctx context.Context, queue string, cursor uint64, limit int) (orphans []Orphan, next uint64, err error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, 0, err
	}
	begun, next, err := j.client.HScan(ctx, k.attempts, cursor, "", int64(limit)).Result()
	if err != nil {
		return nil, 0, wrap("orphans", err)
	}
	names, args := []string{k.attempts, k.kept}, []any{millis(j.options.Lease)}
	for i := 0; i+1 < len(begun); i += 2 {
		key, _, _ := strings.Cut(begun[i+1], " ")
		names, args = append(names, k.work+key), append(args, begun[i])
	}
	if len(args) == 1 {
		return nil, next, nil
	}
	found, err := j.run(ctx, j.scripts.orphans, names, args...).StringSlice()
	for i := 0; i+1 < len(found); i += 2 {
		ms, _ := strconv.ParseInt(found[i+1], 10, 64) // else it is young
		orphans = append(orphans, Orphan{found[i], time.Duration(ms) * time.Millisecond})
	}
	return orphans, next, wrap("orphans", err)
}

// Swept takes attempts out of the register whose blobs are deleted.
func (j *Journal) Swept(ctx context.Context, queue string, attempts []string) error {
	k, err := keysOf(queue)
	if err != nil || len(attempts) == 0 {
		return err
	}
	return wrap("swept", j.client.HDel(ctx, k.attempts, attempts...).Err())
}
