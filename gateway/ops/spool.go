package ops

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/spool"
)

// Spool takes webhooks while the journal does not; *spool.Spool is one.
type Spool interface {
	Stats() []spool.Stats
	Bytes() (used, limit int64)
	Check(ctx context.Context) error
}

// DurableCheck asks about the two places where a webhook can be made durable.
// What fails of the one is a warning as long as the other works.
func DurableCheck(redis Check, s Spool) Check {
	return func(ctx context.Context) []Line {
		spooling := make(chan error, 1)
		go func() { spooling <- s.Check(ctx) }()
		lines := redis(ctx)
		err := <-spooling
		if errors.Is(err, spool.ErrOff) {
			return lines
		}
		line := spoolLine(s, err)
		failed := false
		for i := range lines {
			failed = failed || lines[i].State == Fail
			if lines[i].State == Fail && line.State != Fail {
				lines[i].State = Warn
				lines[i].Note = strings.TrimSuffix(lines[i].Note, nothingDurable) + "; webhooks are spooled"
			}
		}
		if line.State == Fail && !failed {
			line.State = Warn
		}
		return append(lines, line)
	}
}

// spoolLine is /readyz's line about the spool.
func spoolLine(s Spool, err error) Line {
	l := Line{Name: "spool", State: OK}
	var oldest time.Duration
	records, aside := 0, 0
	for _, q := range s.Stats() {
		records += q.Records
		aside += q.Aside
		oldest = max(oldest, q.Oldest)
	}
	used, limit := s.Bytes()
	l.Note = fmt.Sprintf("%d waiting", records)
	if records > 0 {
		l.State = Warn
		l.Note += fmt.Sprintf(", the oldest for %s; %s of %s", oldest.Round(time.Second), config.Bytes(used), config.Bytes(limit))
	}
	if aside > 0 {
		l.State = Warn
		l.Note += fmt.Sprintf("; %d files with something that could not be handed in, see the log", aside)
	}
	if err != nil {
		l.State = Fail
		l.Note += "; " + err.Error()
	}
	return l
}

// NewSpoolCollector shows what waits in the spool.
func NewSpoolCollector(s Spool) prometheus.Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("lightlock_spool_"+name, help, labels, nil)
	}
	return spoolCollector{
		spool:   s,
		records: desc("records", "Webhooks that wait in the spool.", "queue"),
		oldest:  desc("oldest_seconds", "Age of the oldest webhook in the spool.", "queue"),
		aside:   desc("aside", "Files of the spool with something that could not be handed in.", "queue"),
		bytes:   desc("bytes", "What all files of the spool take up."),
		limit:   desc("limit_bytes", "What the files of the spool may take up."),
	}
}

type spoolCollector struct {
	spool                                Spool
	records, oldest, aside, bytes, limit *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c spoolCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.records, c.oldest, c.aside, c.bytes, c.limit} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c spoolCollector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, s := range c.spool.Stats() {
		gauge(c.records, float64(s.Records), s.Queue)
		gauge(c.oldest, s.Oldest.Seconds(), s.Queue)
		gauge(c.aside, float64(s.Aside), s.Queue)
	}
	used, limit := c.spool.Bytes()
	gauge(c.bytes, float64(used))
	gauge(c.limit, float64(limit))
}
