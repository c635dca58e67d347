package ops_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/spool"
)

// spooling is a spool in any state.
type spooling struct {
	stats []spool.Stats
	err   error
}

func (s spooling) Stats() []spool.Stats          { return s.stats }
func (s spooling) Bytes() (used, limit int64)    { return 1 << 20, 4 << 20 }
func (s spooling) Check(_ context.Context) error { return s.err }

// Only what has neither place left is out of service.
func TestEitherPlaceIsEnough(t *testing.T) {
	waiting := []spool.Stats{{Queue: "support", Records: 3, Oldest: time.Minute}, {Queue: "sales", Records: 2, Oldest: time.Hour}}
	for what, test := range map[string]struct {
		redis ops.State
		spool spooling
		want  string
	}{
		"both there": {ops.OK, spooling{}, "ready\nredis  ok    note\nspool  ok    0 waiting\n"},
		"draining":   {ops.OK, spooling{stats: waiting}, "ready, 1 warning\nredis  ok    note\nspool  warn  5 waiting, the oldest for 1h0m0s; 1 MB of 4 MB\n"},
		"redis away": {ops.Fail, spooling{stats: waiting}, "ready, 2 warnings\nredis  warn  note; webhooks are spooled\nspool  warn  5 waiting, the oldest for 1h0m0s; 1 MB of 4 MB\n"},
		"spool full": {ops.OK, spooling{err: spool.ErrFull}, "ready, 1 warning\nredis  ok    note\nspool  warn  0 waiting; the spool is full\n"},
		"neither":    {ops.Fail, spooling{err: spool.ErrFull}, "unready\nredis  fail  note\nspool  fail  0 waiting; the spool is full\n"},
		"spool off":  {ops.OK, spooling{err: spool.ErrOff}, "ready\nredis  ok    note\n"},
		"off, away":  {ops.Fail, spooling{err: spool.ErrOff}, "unready\nredis  fail  note\n"},
		"set aside": {
			ops.OK, spooling{stats: []spool.Stats{{Aside: 2}}},
			"ready, 1 warning\nredis  ok    note\nspool  warn  0 waiting; 2 files with something that could not be handed in, see the log\n",
		},
	} {
		redis := func(context.Context) []ops.Line { return []ops.Line{{Name: "redis", State: test.redis, Note: "note"}} }
		recorder := httptest.NewRecorder()
		health := ops.NewHealth(ops.DurableCheck(redis, test.spool))
		ops.Admin(health, ops.NewMetrics()).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		if got := recorder.Body.String(); got != test.want {
			t.Errorf("%s: got\n%swant\n%s", what, got, test.want)
		}
		status := 200
		if strings.HasPrefix(test.want, "unready") {
			status = 503
		}
		if recorder.Code != status {
			t.Errorf("%s: answered %d, want %d", what, recorder.Code, status)
		}
	}
}

func TestTheSpoolsFigures(t *testing.T) {
	metrics := ops.NewMetrics()
	told := ops.Told{Metrics: metrics}
	told.Spooled("support")
	told.Broken("support")
	metrics.Register(ops.NewSpoolCollector(spooling{stats: []spool.Stats{{Queue: "support", Records: 3, Oldest: time.Minute, Aside: 1}}}))
	var want strings.Builder
	for name, value := range map[string]float64{
		`spooled_total{queue="support"}`: 1, `trouble_total{kind="broken",step="spool"}`: 1,
		`spool_records{queue="support"}`: 3, `spool_oldest_seconds{queue="support"}`: 60, `spool_aside{queue="support"}`: 1,
		"spool_bytes": 1 << 20, "spool_limit_bytes": 4 << 20,
	} {
		fmt.Fprintf(&want, "lightlock_%s %v\n", name, value)
	}
	recorder := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(want.String()) {
		if !strings.Contains(recorder.Body.String(), line) {
			t.Errorf("/metrics has no line %s", line)
		}
	}
}
