package queue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// The lease of these tests: what a lost reply leaves in nobody's hands is soon
// taken over.
const shortLease = 300 * time.Millisecond

// soon is when a sender gives up, as one whose primary is away does.
const soon = 500 * time.Millisecond

func openOn(t *testing.T, redis *config.Redis, queues ...string) *queue.Backend {
	t.Helper()
	b := open(t, queue.OpenOptions{Redis: redis, Journal: queue.Options{Lease: shortLease}})
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	checkup, err := b.Doctor(t.Context())
	if err != nil || len(checkup.Findings) != 0 || checkup.Durability != queue.Fsync {
		t.Fatalf("the doctor says %+v, %v", checkup, err)
	}
	for _, name := range queues {
		if err := b.EnsureQueue(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// traffic accepts and works on a queue without a pause, as a platform that
// repeats what was not answered 2xx, and a worker that goes on.
type traffic struct {
	t *testing.T
	b *queue.Backend
	q string
	// within is what each accept may take.
	within time.Duration

	stop     chan struct{}
	running  sync.WaitGroup
	accepted sync.Map // name to its answered
	total    atomic.Int64
	refused  atomic.Int64
}

// answered is between when an event was acknowledged.
type answered struct{ asked, done time.Time }

func startTraffic(t *testing.T, b *queue.Backend, name string, within time.Duration) *traffic {
	r := &traffic{t: t, b: b, q: name, within: within, stop: make(chan struct{})}
	for sender := range 3 {
		r.running.Go(func() {
			for n := 0; !r.stopped(); n++ {
				time.Sleep(10 * time.Millisecond) // others use this machine, too
				r.send(fmt.Sprintf("%d-%d", sender, n))
			}
		})
	}
	r.running.Go(func() {
		for !r.stopped() {
			r.work()
		}
	})
	t.Cleanup(r.end)
	return r
}

func (r *traffic) stopped() bool {
	select {
	case <-r.stop:
		return true
	default:
		return false
	}
}

func (r *traffic) end() {
	if !r.stopped() {
		close(r.stop)
	}
	r.running.Wait()
}

// send repeats one event until it is accepted.
func (r *traffic) send(name string) {
	for !r.stopped() {
		ctx, cancel := context.WithTimeout(r.t.Context(), r.within)
		asked := time.Now()
		_, err := r.b.Accept(ctx, r.q, []queue.Item{item(name)})
		cancel()
		if err == nil {
			r.accepted.Store(name, answered{asked, time.Now()})
			r.total.Add(1)
			return
		}
		r.refused.Add(1)
		if !errors.Is(err, queue.ErrAway) {
			r.t.Errorf("accept: %v; want ErrAway", err)
			return
		}
	}
}

// work finishes what it is given; what goes wrong comes back.
func (r *traffic) work() {
	entries, err := r.b.Take(r.t.Context(), r.q, queue.Words, 20, 50*time.Millisecond)
	over, errOver := r.b.TakeOver(r.t.Context(), r.q, queue.Words, 20)
	for _, err := range []error{err, errOver} {
		if err != nil && !errors.Is(err, queue.ErrAway) {
			r.t.Errorf("take: %v; want ErrAway", err)
		}
	}
	for _, e := range append(entries, over...) {
		err := r.b.Begin(r.t.Context(), &e, "")
		if err == nil {
			_, err = r.b.Complete(r.t.Context(), e, queue.End{Document: []byte(e.Key)})
		}
		if err != nil && !errors.Is(err, queue.ErrAway) && !errors.Is(err, queue.ErrFenced) {
			r.t.Errorf("work: %v; want ErrAway", err)
		}
	}
}

// more waits until another n events are accepted.
func (r *traffic) more(n int64) {
	r.t.Helper()
	want := r.total.Load() + n
	gatewaytest.Await(r.t, "more is accepted", func() bool { return r.total.Load() >= want || r.t.Failed() })
}

// balance ends the traffic, finishes all work, and compares what was acknowledged
// with what is in the agents' queue. Lost are only those of the window, in which the
// primary may have answered before its replica had a copy.
func (r *traffic) balance(w window) {
	r.t.Helper()
	r.end()
	gatewaytest.Await(r.t, "all is worked on", func() bool {
		r.work()
		s, err := r.b.Stats(r.t.Context(), r.q)
		return err == nil && s.Unfinished() == 0
	})
	seen := map[string]int{}
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	stats, err := r.b.Stats(ctx, r.q)
	if err != nil {
		r.t.Fatal(err)
	}
	for left := stats.Delivered; left > 0; left = 0 {
		if err := r.b.Watch(ctx, r.q, func(document []byte) bool {
			seen[string(document)]++
			left--
			return left > 0
		}); err != nil {
			r.t.Fatal(err)
		}
	}
	for key, n := range seen {
		if n > 1 {
			r.t.Errorf("event %.12s is %d times in the agents' queue", key, n)
		}
	}
	lost := 0
	r.accepted.Range(func(name, at any) bool {
		if seen[hash(name.(string))] == 0 {
			lost++
			if a := at.(answered); a.done.Before(w.copied) || a.asked.After(w.killed) {
				r.t.Errorf("event %v is lost, of %+v; the window is %+v", name, a, w)
			}
		}
		return true
	})
	r.t.Logf("%d acknowledged, %d refused meanwhile, %d in the agents' queue, %d lost in the window before the kill",
		r.total.Load(), r.refused.Load(), len(seen), lost)
}

// window begins when a replica had a copy of everything until then, and ends when
// its primary was dead. What is asked for after that is answered by another.
type window struct{ copied, killed time.Time }

// kill kills the primary of a queue when its replica has a copy of what it had.
func (r *traffic) kill(n *queuetest.Node) (w window) {
	r.t.Helper()
	w.copied = time.Now()
	client := connect(r.t, n.Address()).Conn() // a connection waits for its own writes
	defer func() { _ = client.Close() }()
	if err := client.Set(r.t.Context(), "{"+queue.Stream(r.q)+"}:mark", 1, time.Minute).Err(); err != nil {
		r.t.Fatal(err)
	}
	if got, err := client.Wait(r.t.Context(), 1, 0).Result(); err != nil || got != 1 {
		r.t.Fatalf("%d replicas have a copy, %v", got, err)
	}
	n.Kill()
	w.killed = time.Now()
	return w
}

func TestAClusterIsServedByConfigurationAlone(t *testing.T) {
	t.Parallel()
	c := queuetest.StartCluster(t)
	lost, others := c.Queue(0, 0), []string{c.Queue(1, 0), c.Queue(2, 0)}
	b := openOn(t, c.Config(), append(others, lost)...)
	for _, name := range append(others, lost) {
		r := startTraffic(t, b, name, soon)
		r.more(50)
		r.balance(window{})
	}

	everyKindOfCall(t, b, c.Queue(2, 0))
	misplaced(t, at(c.Nodes[0].Addr), "set redis.cluster: true")
	doctorNames(t, b, c.Nodes[2])
	fullAlone(t, b, c)

	struck, spared := startTraffic(t, b, c.Queue(0, 1), soon), startTraffic(t, b, c.Queue(1, 1), time.Minute)
	struck.more(100)
	w := struck.kill(c.Nodes[0])
	spared.more(50)
	struck.more(100)
	t.Logf("accepted again %v after the kill", time.Since(w.killed).Round(time.Millisecond))
	struck.balance(w)
	if spared.refused.Load() > spared.total.Load()/10 {
		t.Errorf("a queue on another primary was refused %d times", spared.refused.Load())
	}

	c.Nodes[0].Restart() // as the replica of the one that has taken over
	gatewaytest.Await(t, "the killed node follows", func() bool { return !c.Nodes[0].IsPrimary() })
	for _, n := range c.Nodes[1:] { // a rolling restart of the others
		spared.more(20)
		c.Restart(n)
	}
	spared.more(20)
	spared.balance(window{}) // what was acknowledged is on each one's disk
}

func TestSentinelsAreServedByConfigurationAlone(t *testing.T) {
	t.Parallel()
	s := queuetest.StartSentinels(t)
	r := startTraffic(t, openOn(t, s.Config(), q), q, soon)
	r.more(100)
	w := r.kill(s.Nodes[0])
	r.more(100)
	t.Logf("accepted again %v after the kill", time.Since(w.killed).Round(time.Millisecond))
	r.balance(w)
	doctorNames(t, r.b, s.Nodes[1])
	misplaced(t, at(s.Sentinels[0].Addr), "set redis.master")
	misplaced(t, &config.Redis{Address: s.Sentinels[0].Addr, Master: "somebody"}, "no Sentinel knows")
	misplaced(t, &config.Redis{Address: s.Nodes[1].Addr, Master: "somebody"}, "leave out redis.master")
	misplaced(t, &config.Redis{Address: s.Nodes[1].Addr, Cluster: true}, "cluster support disabled")
}

// misplaced wants the doctor to say what is wrong with a configuration that
// reaches something else than it says.
func misplaced(t *testing.T, redis *config.Redis, want string) {
	t.Helper()
	b := open(t, queue.OpenOptions{Redis: redis})
	defer func() { _ = b.Close(context.Background()) }()
	err := b.Prepare(t.Context(), []string{q})
	if err == nil || errors.Is(err, queue.ErrAway) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want it to say %q", err, want)
	}
}

// everyKindOfCall makes the calls that are no scripts, of which each has to find
// its server by itself.
func everyKindOfCall(t *testing.T, b *queue.Backend, name string) {
	t.Helper()
	if _, err := b.Bury(t.Context(), name, []queue.Letter{{Key: hash("broken")}, {Key: hash("another")}}); err != nil {
		t.Errorf("bury: %v", err)
	}
	if got, err := b.Letters(t.Context(), name, 5); err != nil || len(got) != 2 {
		t.Errorf("got %d letters, %v", len(got), err)
	}
	conversation := hash("conversation")
	if _, err := b.Post(t.Context(), name, queue.Outgoing{Key: hash("words"), Conversation: conversation, Party: hash("party")}); err != nil {
		t.Errorf("post: %v", err)
	}
	talks, err := b.Talks(t.Context(), name, 5)
	if err != nil || len(talks) != 1 {
		t.Fatalf("got talks %v, %v", talks, err)
	}
	if s, err := b.Claim(t.Context(), name, talks[0]); err != nil || s == nil {
		t.Errorf("claim: %v", err)
	}
	if err := b.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
}

// doctorNames spoils one server and wants the doctor to say which.
func doctorNames(t *testing.T, b *queue.Backend, n *queuetest.Node) {
	t.Helper()
	client := connect(t, n.Address())
	client.ConfigSet(t.Context(), "appendfsync", "everysec")
	checkup, err := b.Doctor(t.Context())
	if err != nil || len(checkup.Findings) != 1 || !strings.HasPrefix(checkup.Findings[0], n.Addr+": appendfsync is \"everysec\"") {
		t.Errorf("the doctor says %+v, %v; want one finding about %s", checkup, err, n.Addr)
	}
	client.ConfigSet(t.Context(), "appendfsync", "always")
}

// fullAlone fills one primary: its queues are closed, the others' are not.
func fullAlone(t *testing.T, b *queue.Backend, c *queuetest.Cluster) {
	t.Helper()
	client := connect(t, c.Nodes[1].Address())
	client.ConfigSet(t.Context(), "maxmemory", fmt.Sprint(int64(queuetest.Info(t, client, "memory", "used_memory:")*1.03)))
	gatewaytest.Await(t, "it is closed", func() bool { return b.Condition().Closed })
	for primary, want := range []error{nil, queue.ErrFull, nil} {
		if _, err := b.Accept(t.Context(), c.Queue(primary, 0), []queue.Item{item("more")}); !errors.Is(err, want) {
			t.Errorf("a queue on primary %d: got %v, want %v", primary, err, want)
		}
	}
	if got := b.Condition().Fills; !strings.HasPrefix(got, c.Nodes[1].Addr+": ") {
		t.Errorf("got %q, want it to name %s", got, c.Nodes[1].Addr)
	}
	client.ConfigSet(t.Context(), "maxmemory", "1gb")
	gatewaytest.Await(t, "it is open", func() bool { return !b.Condition().Closed })
}
