package load

import (
	"net/http"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latency is how long something took, in milliseconds, with three digits that
// count.
type Latency struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50_ms"`
	P95   float64 `json:"p95_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
}

// newHistogram counts times from a microsecond to an hour.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, time.Hour.Microseconds(), 3)
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds(), 1), time.Hour.Microseconds())) // which is in its range
}

func latencyOf(h *hdrhistogram.Histogram) Latency {
	ms := func(us int64) float64 { return float64(us) / 1000 }
	return Latency{
		Count: h.TotalCount(), P50: ms(h.ValueAtQuantile(50)), P95: ms(h.ValueAtQuantile(95)),
		P99: ms(h.ValueAtQuantile(99)), Max: ms(h.Max()),
	}
}

// tally is what one connection has measured.
type tally struct {
	accepted, refused *hdrhistogram.Histogram
	answers           map[int]int // by status; 0 is no answer
	repeats           int
}

func newTally() *tally {
	return &tally{accepted: newHistogram(), refused: newHistogram(), answers: map[int]int{}}
}

// answered counts a call by its answer; first tells that nothing was promised
// for its event before.
func (t *tally) answered(c *Call, status int, first bool, took time.Duration) {
	t.answers[status]++
	switch {
	case status >= http.StatusOK && status < http.StatusMultipleChoices:
		record(t.accepted, took)
		if !first {
			t.repeats++
		}
	case c.Forged && status == http.StatusUnauthorized:
		record(t.refused, took)
	}
}

// timing is what was measured in all.
type timing struct {
	mu    sync.Mutex
	calls *tally
	queue *hdrhistogram.Histogram
}

func newTiming() *timing { return &timing{calls: newTally(), queue: newHistogram()} }

func (t *timing) add(own *tally) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls.accepted.Merge(own.accepted)
	t.calls.refused.Merge(own.refused)
	t.calls.repeats += own.repeats
	for status, n := range own.answers {
		t.calls.answers[status] += n
	}
}

// queued counts an event that has reached the queue.
func (t *timing) queued(took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	record(t.queue, took)
}
