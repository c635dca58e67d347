package ops_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
)

type lanes map[string][]queue.LaneStats

func (l lanes) Lanes(_ context.Context, name string) ([]queue.LaneStats, error) {
	if _, ok := l[name]; !ok {
		return nil, errors.New("away")
	}
	return l[name], nil
}

// A lane's name is made of a platform's id, and no label: those that are not
// configured are counted together.
func TestPhotosByAccount(t *testing.T) {
	a := open(t)
	found := lanes{"support": {
		{Lane: "aa", InWindow: 8, Waiting: 100, Oldest: time.Minute},
		{Lane: "bb", InWindow: 1, Waiting: 1, Oldest: time.Hour}, {Lane: "cc", InWindow: 2},
	}}
	a.metrics.Register(ops.NewLanesCollector(found, []string{"away", "support"}, map[string]string{"aa": "line/acme"}))
	_, text := a.get("/metrics")
	for _, want := range []string{
		`lightlock_account_photos{account="line/acme",queue="support",state="next"} 8`,
		`lightlock_account_photos{account="line/acme",queue="support",state="behind"} 100`,
		`lightlock_account_oldest_seconds{account="line/acme",queue="support"} 60`,
		`lightlock_account_photos{account="other",queue="support",state="next"} 3`,
		`lightlock_account_oldest_seconds{account="other",queue="support"} 3600`,
		`lightlock_queue_unaccounted{queue="support"} 0`,
		`lightlock_queue_accepted_total{queue="support"} 0`,
		`lightlock_queue_overdue_seconds{queue="support"} 0`,
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no line %s", want)
		}
	}
}
