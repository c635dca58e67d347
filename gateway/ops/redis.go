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
// made durable. When it takes nothing in, the line says what fills it.
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
			l.State, l.Note = Fail, now.Fills+nothingDurable
		case len(now.Wrong) > 0:
			l.State, l.Note = Warn, strings.Join(now.Wrong, "; ")
		case now.Durability == queue.Memory:
			l.State = Warn
		}
		return []Line{l}
	}
}

// redisCollector tells how full Redis is, as of the last look at it.
type redisCollector struct {
	condition      func() queue.Condition
	filled, closed *prometheus.Desc
}

// NewRedisCollector returns a collector of how full Redis is.
func NewRedisCollector(condition func() queue.Condition) prometheus.Collector {
	return &redisCollector{
		condition: condition,
		filled:    prometheus.NewDesc("lightlock_redis_memory_ratio", "Part of its maxmemory that Redis uses; in a cluster the fullest primary.", nil, nil),
		closed:    prometheus.NewDesc("lightlock_admission_closed", "1 while nothing is accepted because Redis is nearly full.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (r *redisCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- r.filled
	ch <- r.closed
}

// Collect implements prometheus.Collector.
func (r *redisCollector) Collect(ch chan<- prometheus.Metric) {
	now, closed := r.condition(), 0.0
	if now.Closed {
		closed = 1
	}
	ch <- prometheus.MustNewConstMetric(r.filled, prometheus.GaugeValue, now.Filled)
	ch <- prometheus.MustNewConstMetric(r.closed, prometheus.GaugeValue, closed)
}
