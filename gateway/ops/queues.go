package ops

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lightlock/lightlock/gateway/queue"
)

// Counter counts queues; *queue.Journal is one.
type Counter interface {
	Stats(ctx context.Context, name string) (queue.Stats, error)
	Ping(ctx context.Context) error
}

// PausedCheck is /readyz's line about a gateway that accepts and works on
// nothing; there is none about any other.
func PausedCheck(paused bool) Check {
	return func(context.Context) []Line {
		if !paused {
			return nil
		}
		return []Line{{"work", Warn, "paused by work.paused: what is accepted waits"}}
	}
}

// Above these an agents' queue is worth a warning.
const (
	oldestDelivered = time.Hour
	oldestOverdue   = time.Minute
)

// QueueCheck is /readyz's line per queue: it warns where agents' software does
// not read, unless nobody is to.
func QueueCheck(c Counter, queues []string, unread bool) Check {
	return func(ctx context.Context) []Line {
		lines := make([]Line, 0, len(queues))
		for _, name := range queues {
			lines = append(lines, queueLine(ctx, c, name, unread))
		}
		return lines
	}
}

func queueLine(ctx context.Context, c Counter, name string, unread bool) Line {
	l := Line{Name: "queue " + name, State: OK}
	s, err := c.Stats(ctx, name)
	switch {
	case err != nil:
		l.State, l.Note = Warn, "cannot be counted"
		return l
	case !unread && s.Readers == 0 && s.Delivered > 0:
		// Before 7.2, Redis lists a reader only once it has had an entry.
		l.State, l.Note = Warn, "nobody reads it: no consumer in group agents (where none is to, set conversations.trim_queue); "
	case !unread && s.OldestDelivered > oldestDelivered:
		l.State, l.Note = Warn, "its oldest entry is "+s.OldestDelivered.Round(time.Minute).String()+" old; "
	case s.Overdue > oldestOverdue:
		l.State, l.Note = Warn, "delayed messages are overdue; "
	case s.SendOverdue > oldestOverdue:
		l.State, l.Note = Warn, "messages to consumers are overdue; "
	}
	l.Note += fmt.Sprintf("%d delivered, %d waiting, %d in work, %d delayed, %d dead",
		s.Delivered, s.Waiting, s.InWork, s.Delayed, s.Dead)
	if s.Talks > 0 {
		l.Note += fmt.Sprintf("; messages to %d consumers not sent yet", s.Talks)
	}
	return l
}

// queueCollector asks Redis when it is scraped, so that figures of queues are
// never older than the question.
type queueCollector struct {
	counter                  Counter
	queues                   []string
	messages, oldest, reader *prometheus.Desc
	talks, letters, chats    *prometheus.Desc
	overdue, unaccounted     *prometheus.Desc
	accepted, finished       *prometheus.Desc
}

// NewQueueCollector returns a collector of the queues' figures.
func NewQueueCollector(c Counter, queues []string) prometheus.Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("lightlock_queue_"+name, help, labels, nil)
	}
	return &queueCollector{
		counter: c, queues: queues,
		messages: desc("messages", "Messages by where they are.", "queue", "state"),
		oldest:   desc("oldest_seconds", "Age of the oldest message by where it is.", "queue", "state"),
		letters:  desc("letters_bytes", "What the dead letters take up.", "queue"),
		overdue:  desc("overdue_seconds", "By how long the first delayed message is late to be tried again.", "queue"),
		accepted: desc("accepted_total", "Messages and changes ever put into the journal, by all gateways.", "queue"),
		finished: desc("finished_total", "Those that have left it for good, whatever became of them.", "queue"),

		unaccounted: desc("unaccounted", "Those that were accepted, are not finished, and are not in the journal: zero, or the promise is broken.", "queue"),

		talks:  desc("talks", "Conversations in which something waits to be sent to the consumer.", "queue"),
		chats:  desc("conversations", "Conversations that are open, each of which takes up Redis' memory until it is closed.", "queue"),
		reader: desc("readers", "Consumers of agents' software.", "queue"),
	}
}

// Describe implements prometheus.Collector.
func (q *queueCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- q.messages
	ch <- q.oldest
	ch <- q.reader
	ch <- q.talks
	ch <- q.chats
	ch <- q.letters
	ch <- q.overdue
	ch <- q.unaccounted
	ch <- q.accepted
	ch <- q.finished
}

// Collect implements prometheus.Collector. A queue that cannot be counted is
// left out, which Prometheus shows as stale.
func (q *queueCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), checkTime)
	defer cancel()
	for _, name := range q.queues {
		s, err := q.counter.Stats(ctx, name)
		if err != nil {
			continue
		}
		gauge := func(d *prometheus.Desc, v float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{name}, labels...)...)
		}
		gauge(q.messages, float64(s.Waiting), "waiting")
		gauge(q.messages, float64(s.InWork), "in_work")
		gauge(q.messages, float64(s.Delayed), "delayed")
		gauge(q.messages, float64(s.Dead), "dead")
		gauge(q.messages, float64(s.Delivered), "delivered")
		gauge(q.oldest, s.OldestWaiting.Seconds(), "waiting")
		gauge(q.oldest, s.OldestDelivered.Seconds(), "delivered")
		gauge(q.oldest, s.OldestDead.Seconds(), "dead")
		gauge(q.messages, float64(s.Told), "told")
		gauge(q.letters, float64(s.DeadBytes))
		gauge(q.overdue, s.Overdue.Seconds())
		gauge(q.unaccounted, float64(s.Unaccounted))
		ch <- prometheus.MustNewConstMetric(q.accepted, prometheus.CounterValue, float64(s.Accepted), name)
		ch <- prometheus.MustNewConstMetric(q.finished, prometheus.CounterValue, float64(s.Finished), name)
		gauge(q.reader, float64(s.Readers))
		gauge(q.talks, float64(s.Talks))
		gauge(q.chats, float64(s.OpenChats))
	}
}
