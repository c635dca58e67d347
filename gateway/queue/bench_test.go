package queue_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// BenchmarkAccept is what the door can take: events that arrive one by one, on
// a Redis that writes each to its disk before it answers. Beside the rate, which
// depends on who else uses the machine, it tells what each event costs.
func BenchmarkAccept(b *testing.B) {
	for _, callers := range []int{1, 4, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			address := queuetest.Redis(b)
			client, j := connect(b, address), journal(b, address, queue.Options{})
			cpu, ours, scripts := redisCPU(b, client), ownCPU(b), scriptsRun(b, client)
			b.ResetTimer()
			acceptAtOnce(b, j, callers)
			b.StopTimer()
			n := float64(b.N)
			b.ReportMetric(n/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(n/(scriptsRun(b, client)-scripts), "events/script")
			b.ReportMetric((redisCPU(b, client)-cpu)/n*1e6, "redis-µs/event")
			b.ReportMetric((ownCPU(b)-ours)/n*1e6, "gateway-µs/event")
		})
	}
}

// acceptAtOnce lets callers accept b.N events, each one after the other.
func acceptAtOnce(b *testing.B, j *queue.Journal, callers int) {
	payload := make([]byte, 600)
	var next atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				name := fmt.Sprint(n)
				_, err := j.Accept(b.Context(), q, []queue.Item{{
					Kind: queue.ItemMessage, Key: hash(name), Party: hash("party" + name), Message: hash("message" + name), Payload: payload,
				}})
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

func redisCPU(b *testing.B, client *redis.Client) float64 {
	return queuetest.Info(b, client, "cpu", "used_cpu_user:") + queuetest.Info(b, client, "cpu", "used_cpu_sys:")
}

func scriptsRun(t testing.TB, client *redis.Client) float64 {
	t.Helper()
	return queuetest.Info(t, client, "commandstats", "cmdstat_evalsha:calls=")
}

func ownCPU(b *testing.B) float64 {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return float64(used.Utime.Sec+used.Stime.Sec) + float64(used.Utime.Usec+used.Stime.Usec)/1e6
}
