package ops

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lightlock/lightlock/gateway/queue"
)

// Lanes counts each account's messages with photos; *queue.Journal does.
type Lanes interface {
	Lanes(ctx context.Context, queue string) ([]queue.LaneStats, error)
}

// NewLanesCollector returns a collector of what waits of each account. accounts
// are the configured accounts' names by their lanes; lanes of others count
// together as account "other".
func NewLanesCollector(l Lanes, queues []string, accounts map[string]string) prometheus.Collector {
	return lanesCollector{
		lanes: l, queues: queues, accounts: accounts,
		photos: prometheus.NewDesc("lightlock_account_photos",
			"Messages with photos: next, that are or may be in work, and behind, that wait for them.", []string{"queue", "account", "state"}, nil),
		oldest: prometheus.NewDesc("lightlock_account_oldest_seconds", "Age of the first that waits behind.", []string{"queue", "account"}, nil),
	}
}

type lanesCollector struct {
	lanes          Lanes
	queues         []string
	accounts       map[string]string
	photos, oldest *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c lanesCollector) Describe(out chan<- *prometheus.Desc) {
	out <- c.photos
	out <- c.oldest
}

// Collect implements prometheus.Collector. An account that has never had photos has
// no figures.
func (c lanesCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), checkTime)
	defer cancel()
	for _, name := range c.queues {
		lanes, err := c.lanes.Lanes(ctx, name)
		if err != nil {
			continue
		}
		for account, l := range c.named(lanes) {
			gauge := func(d *prometheus.Desc, v float64, labels ...string) {
				out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{name, account}, labels...)...)
			}
			gauge(c.photos, float64(l.InWindow), "next")
			gauge(c.photos, float64(l.Waiting), "behind")
			gauge(c.oldest, l.Oldest.Seconds())
		}
	}
}

// named adds lanes up by their accounts' names.
func (c lanesCollector) named(lanes []queue.LaneStats) map[string]queue.LaneStats {
	sums := map[string]queue.LaneStats{}
	for _, l := range lanes {
		name := c.accounts[l.Lane]
		if name == "" {
			name = "other"
		}
		sum := sums[name]
		sum.InWindow += l.InWindow
		sum.Waiting += l.Waiting
		sum.Oldest = max(sum.Oldest, l.Oldest)
		sums[name] = sum
	}
	return sums
}
