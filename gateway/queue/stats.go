package queue

import (
	"context"
	"strconv"
	"time"
)

// Stats counts a queue in one moment. Every accepted event is in exactly one of
// Waiting, InWork, Delayed, Dead, or was Delivered.
type Stats struct {
	// Waiting entries are in an inbox or in a lane, and no worker has them.
	Waiting int64
	// InWork entries are in a worker's hands, or in a dead worker's.
	InWork int64
	// Delayed entries wait for their next try.
	Delayed int64
	// Dead is the number of dead letters, and DeadBytes what they take up.
	Dead      int64
	DeadBytes int64
	// Delivered entries are in the agents' queue and not yet deleted by its
	// readers.
	Delivered int64
	// Told messages have been forwarded before their photos were settled; they
	// are among those that wait, are in work or delayed too.
	Told int64
	// Accepted is how many events have ever been put into the journal, a retried
	// dead letter's again, and Finished how many have left it for good, whatever
	// became of them. Both count on from wherever they were.
	Accepted, Finished int64
	// Unaccounted is by how many the events in the journal fall short of those that
	// must be in it. It is zero, or the promise is broken.
	Unaccounted int64
	// OldestWaiting is the age of the oldest entry in an inbox or a lane since it
	// was put there, in work or not; zero if there is none.
	OldestWaiting time.Duration
	// OldestDelivered is the age of the oldest entry in the agents' queue.
	OldestDelivered time.Duration
	// OldestDead is the age of the oldest dead letter.
	OldestDead time.Duration
	// Overdue is how long the first delayed entry should have been moved by.
	Overdue time.Duration
	// Readers is the number of consumers in the group of agents' software. Redis
	// before 7.2 knows a reader only from its first entry on.
	Readers int64
	// ReaderSilent is how long the liveliest reader has not asked, or, before
	// Redis 7.2, has been given nothing.
	ReaderSilent time.Duration
	// Talks is the number of conversations in which something waits to be sent
	// to the consumer, or is being sent.
	Talks int64
	// SendOverdue is how long the first of them should have been looked at by.
	SendOverdue time.Duration
	// OpenChats is the number of conversations that are open, waiting or assigned,
	// each of which takes up some kilobytes of Redis until it is closed.
	OpenChats int64
}

// Unfinished is how many accepted events have not had their effect yet.
func (s Stats) Unfinished() int64 { return s.Waiting + s.InWork + s.Delayed }

// Stats counts a queue, all in one moment. A queue that does not exist counts
// as empty.
func (j *Journal) Stats(ctx context.Context, queue string) (Stats, error) {
	k, err := keysOf(queue)
	if err != nil {
		return Stats{}, err
	}
	answer, err := j.run(ctx, j.scripts.stats, []string{
		k.inbox, k.photos, k.delayed, k.photosDelayed, k.dead, k.out, k.outgoing, k.data, k.tellings, k.lanes, k.letters, k.idle,
	}).Slice()
	if err != nil {
		return Stats{}, wrap("stats", err)
	}
	if len(answer) != 19 {
		return Stats{}, unexpected("stats", answer)
	}
	count := func(i int) int64 { n, _ := answer[i].(int64); return n }
	now := number(answer[9])
	since := func(ms int64) time.Duration {
		if ms == 0 {
			return 0
		}
		return max(0, time.Duration(now-ms)*time.Millisecond)
	}
	accepted, finished := number(answer[16]), number(answer[17])
	return Stats{
		Accepted: accepted, Finished: finished, Unaccounted: accepted - finished - count(0) - count(2),
		Waiting: max(0, count(0)-count(1)), InWork: count(1), Delayed: count(2), Dead: count(3), Delivered: count(4),
		OldestWaiting: since(number(answer[5])), OldestDelivered: since(number(answer[6])),
		Overdue: since(number(answer[7])), OldestDead: since(number(answer[8])),
		Readers: count(10), ReaderSilent: max(0, time.Duration(count(11))*time.Millisecond),
		Talks: count(12), SendOverdue: since(number(answer[13])), Told: count(14), DeadBytes: max(0, number(answer[15])), OpenChats: count(18),
	}, nil
}

// number reads a score in milliseconds; 0 if there is none.
func number(reply any) int64 {
	value, err := strconv.ParseFloat(text(reply), 64)
	if err != nil {
		return 0
	}
	return int64(value)
}
