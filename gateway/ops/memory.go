package ops

import "github.com/prometheus/client_golang/prometheus"

// Share is a share of the memory for photos; *budget.Originals and
// *darkroom.Darkroom are ones.
type Share interface {
	// Held is how many bytes are held at this moment, and Waiting how many photos
	// wait for some.
	Held() int64
	Waiting() int
}

// NewMemoryCollector shows what photos hold: originals in the gateway, and the
// children that develop them.
func NewMemoryCollector(originals, children Share) prometheus.Collector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("lightlock_"+name, help, []string{"share"}, nil)
	}
	return memoryCollector{
		shares:  map[string]Share{"originals": originals, "children": children},
		held:    desc("photo_memory_bytes", "Memory that photos hold, by share."),
		waiting: desc("photos_waiting", "Photos that wait for memory, or for a process, by share."),
	}
}

// NewChildrenCollector counts the processes that were started to develop photos.
func NewChildrenCollector(started func() int64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Namespace: "lightlock", Name: "darkroom_children_total", Help: "Processes that were started to develop a photo each.",
	}, func() float64 { return float64(started()) })
}

type memoryCollector struct {
	shares        map[string]Share
	held, waiting *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c memoryCollector) Describe(out chan<- *prometheus.Desc) {
	out <- c.held
	out <- c.waiting
}

// Collect implements prometheus.Collector.
func (c memoryCollector) Collect(out chan<- prometheus.Metric) {
	for name, share := range c.shares {
		out <- prometheus.MustNewConstMetric(c.held, prometheus.GaugeValue, float64(share.Held()), name)
		out <- prometheus.MustNewConstMetric(c.waiting, prometheus.GaugeValue, float64(share.Waiting()), name)
	}
}
