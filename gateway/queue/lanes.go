package queue

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// LaneStats counts one account's messages with photos.
type LaneStats struct {
	// Lane is the Items' of that name.
	Lane string
	// InWindow are in the inbox of photos, in work, or put off with their place
	// held.
	InWindow int64
	// Waiting are behind them in line. A message that was unsent meanwhile is
	// counted until its turn would have come.
	Waiting int64
	// Oldest is the age of the first that waits, since its acceptance; zero if
	// there is none.
	Oldest time.Duration
	// Accepted is how many were ever put into the journal, a retried dead letter's
	// again, and Finished how many have left it for good. Both count on from wherever
	// they were, and not what a release did that did not count them.
	Accepted, Finished int64
}

// Lanes counts each lane of a queue that has anything in it, or had, by name.
func (j *Journal) Lanes(ctx context.Context, queue string) ([]LaneStats, error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, err
	}
	answer, err := j.run(ctx, j.scripts.lanes, []string{k.lanes}).Slice()
	if err != nil {
		return nil, wrap("lanes", err)
	}
	if len(answer) == 0 {
		return nil, unexpected("lanes", answer)
	}
	now := number(answer[len(answer)-1])
	lanes := make([]LaneStats, 0, len(answer)-1)
	for _, one := range answer[:len(answer)-1] {
		fields, ok := one.([]any)
		if !ok || len(fields) != 6 {
			return nil, unexpected("lanes", one)
		}
		l := LaneStats{Lane: text(fields[0]), Accepted: number(fields[4]), Finished: number(fields[5])}
		l.InWindow, _ = fields[1].(int64)
		l.Waiting, _ = fields[2].(int64)
		if at := number(fields[3]); at > 0 {
			l.Oldest = max(0, time.Duration(now-at)*time.Millisecond)
		}
		lanes = append(lanes, l)
	}
	slices.SortFunc(lanes, func(a, b LaneStats) int { return cmp.Compare(a.Lane, b.Lane) })
	return lanes, nil
}
