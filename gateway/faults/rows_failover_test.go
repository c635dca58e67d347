package faults

import (
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// TestRow08: the primary is lost, with Sentinels and in a cluster, and its
// replica takes over, while messages come in. No platform notices, nothing is
// doubled, and what is lost at most is what the primary acknowledged in its last
// second and the replica had not got.
func TestRow08(t *testing.T) {
	t.Run("sentinel", func(t *testing.T) {
		t.Parallel()
		sentinels := queuetest.StartSentinels(t)
		ours := sentinels.Config()
		w := worldOf(newStage(t), *ours, settings{"addresses": ours.Addresses, "master": ours.Master})
		lost := sentinels.Primary()
		w.failover(lost, func() {
			w.await("the replica has taken over", func() bool {
				now := sentinels.Primary()
				return now != nil && now != lost && now.IsPrimary()
			})
			w.inspector = queuetest.Inspect(t, sentinels.Primary().Addr)
		})
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		cluster := queuetest.StartCluster(t)
		ours := cluster.Config()
		w := worldOf(newStage(t), *ours, settings{"addresses": ours.Addresses, "cluster": true})
		w.failover(cluster.Nodes[0], func() {
			replica := cluster.Nodes[len(cluster.Nodes)-1]
			w.await("the replica has taken over", replica.IsPrimary)
			w.inspector = queuetest.Inspect(t, ours.Addresses...)
		})
	})
}

// failover kills a primary under load.
func (w *world) failover(primary *queuetest.Node, over func()) {
	w.t.Helper()
	w.start()
	w.start()
	stop := w.stream(20 * time.Millisecond)
	w.await("it is at work", func() bool { return w.stats().Delivered > 20 })
	w.window[0] = time.Now().Add(-time.Second)
	primary.Kill()
	w.window[1] = time.Now()
	over()
	time.Sleep(time.Second) // messages of the time after it
	n := stop()
	b := w.settle()
	if b.delivered+b.failover < n || w.refused > 0 {
		w.t.Errorf("%v, %d calls refused; want %d messages or more, and none refused", b, w.refused, n)
	}
}
