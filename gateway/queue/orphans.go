package queue

import (
	"context"
	"strings"
)

// Orphans looks through a part of the attempts that have begun and were not
// delivered, and returns those whose blobs nobody names any more: no worker that
// is alive has them in hand, and no record names them. Delete their blobs, and
// then tell Swept. Begin with cursor 0; the look is over when next is 0. limit is
// about how many are looked at.
//
// An attempt is no orphan before it is as old as a lease.
func (j *Journal) Orphans(ctx context.Context, queue string, cursor uint64, limit int) (attempts []string, next uint64, err error) {
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
	attempts, err = j.run(ctx, j.scripts.orphans, names, args...).StringSlice()
	return attempts, next, wrap("orphans", err)
}

// Swept takes attempts out of the register whose blobs are deleted.
func (j *Journal) Swept(ctx context.Context, queue string, attempts []string) error {
	k, err := keysOf(queue)
	if err != nil || len(attempts) == 0 {
		return err
	}
	return wrap("swept", j.client.HDel(ctx, k.attempts, attempts...).Err())
}
