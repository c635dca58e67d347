package ops

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lightlock/lightlock/gateway/queue"
)

// nothingDurable ends the note about a journal that fails and has no spool.
const nothingDurable = "; nothing can be made durable"

// RedisCheck is /readyz's line about the journal: without it nothing can be
// made durable. When it takes nothing in, the line says what fills it; when it may
// lose what it takes in, what is wrong with it.
func RedisCheck(c Counter, condition func() queue.Condition) Check {
	return func(ctx context.Context) []Line {
		start := time.Now()
		if err := c.Ping(ctx); err != nil {
			return []Line{{"redis", Fail, "does not answer" + nothingDurable}}
		}
		took := float64(time.Since(start).Microseconds()) / 1000
		now := condition()
		l := Line{"redis", OK, fmt.Sprintf("%.1f ms, %s", took, now.Durability)}
		if now.Filled > 0 {
			l.Note += fmt.Sprintf(", %.0f %% full", 100*now.Filled)
		}
		switch {
		case now.Closed:
			l.State, l.Note = Fail, strings.Join(append([]string{now.Fills + nothingDurable}, now.Wrong...), "; ")
		case len(now.Wrong) > 0:
			l.State, l.Note = Warn, strings.Join(now.Wrong, "; ")
		case now.Durability == queue.Memory:
			l.State = Warn
		}
		return []Line{l}
	}
}

// redisCollector tells how Redis does, as of the last look at it.
type redisCollector struct {
	condition                         func() queue.Condition
	filled, closed, wrong, durability *prometheus.Desc
}

// NewRedisCollector returns a collector of how Redis does: how full it is, and
// whether it keeps what it acknowledges.
func NewRedisCollector(condition func() queue.Condition) prometheus.Collector {
	return &redisCollector{
		condition:  condition,
		filled:     prometheus.NewDesc("lightlock_redis_memory_ratio", "Part of its maxmemory that Redis uses; in a cluster the fullest primary.", nil, nil),
		closed:     prometheus.NewDesc("lightlock_admission_closed", "1 while nothing is accepted because Redis is nearly full.", nil, nil),
		wrong:      prometheus.NewDesc("lightlock_redis_wrong", "What is wrong with a Redis that serves: zero, or it may lose what it acknowledges.", nil, nil),
		durability: prometheus.NewDesc("lightlock_redis_durability", "1 for how Redis keeps what it acknowledges: fsync, trusted, memory.", []string{"level"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (r *redisCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- r.filled
	ch <- r.closed
	ch <- r.wrong
	ch <- r.durability
}

// Collect implements prometheus.Collector.
func (r *redisCollector) Collect(ch chan<- prometheus.Metric) {
	now, closed := r.condition(), 0.0
	if now.Closed {
		closed = 1
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(r.filled, now.Filled)
	gauge(r.closed, closed)
	gauge(r.wrong, float64(len(now.Wrong)))
	gauge(r.durability, 1, string(now.Durability))
}
