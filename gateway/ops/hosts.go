package ops

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// HostTrouble is a media host from which an account's photos are not fetched for
// a while.
type HostTrouble struct {
	Account, Host string
	// Reason is one of few fixed words: fails, where the host has failed several
	// times in a row, and paused, where it has asked for patience.
	Reason string
}

// mostHosts is how many hosts /readyz names.
const mostHosts = 5

// HostsCheck is /readyz's line about media hosts that are left alone, of which
// there is none while all work. Their photos wait, so it is a warning.
func HostsCheck(troubles func() []HostTrouble) Check {
	return func(context.Context) []Line {
		var names []string
		for _, t := range troubles() {
			names = append(names, fmt.Sprintf("%s (%s, %s)", t.Host, t.Account, t.Reason))
		}
		if len(names) == 0 {
			return nil
		}
		slices.Sort(names)
		note := "photos wait for " + strings.Join(names[:min(len(names), mostHosts)], ", ")
		if more := len(names) - mostHosts; more > 0 {
			note += fmt.Sprintf(" and %d more", more)
		}
		return []Line{{"hosts", Warn, note}}
	}
}

// NewHostsCollector shows from how many media hosts each account's photos are not
// fetched for a while. A host's name is the platform's word and no label.
func NewHostsCollector(accounts []string, troubles func() []HostTrouble) prometheus.Collector {
	return hostsCollector{accounts, troubles, prometheus.NewDesc("lightlock_hosts_open",
		"Media hosts that are left alone for a while because they fail, or asked for patience.",
		[]string{"account", "reason"}, nil)}
}

type hostsCollector struct {
	accounts []string
	troubles func() []HostTrouble
	desc     *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c hostsCollector) Describe(out chan<- *prometheus.Desc) { out <- c.desc }

// Collect implements prometheus.Collector. An account without trouble shows a
// zero, so that a rule sees it end.
func (c hostsCollector) Collect(out chan<- prometheus.Metric) {
	count := map[[2]string]float64{}
	for _, account := range c.accounts {
		count[[2]string{account, "fails"}] = 0
	}
	for _, t := range c.troubles() {
		count[[2]string{t.Account, t.Reason}]++
	}
	for labels, n := range count {
		out <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, n, labels[:]...)
	}
}
