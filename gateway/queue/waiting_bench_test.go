package queue_test

import (
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// fill accepts messages with photos, of a hundred accounts.
func fill(b *testing.B, j *queue.Journal, n int) {
	b.Helper()
	const atOnce = 500
	for start := 0; start < n; start += atOnce {
		var items []queue.Item
		for i := start; i < min(n, start+atOnce); i++ {
			items = append(items, waiting(fmt.Sprint("fill ", i), 100, fmt.Sprint(i%100)))
		}
		acceptItems(b, j, items...)
	}
}

// waiting is a message with photos, or a text without an account, of so many
// bytes.
func waiting(name string, size int, account string) queue.Item {
	i := queue.Item{Kind: queue.ItemMessage, Key: hash(name), Party: hash("party"), Payload: make([]byte, size), Digest: hash("said")[:16]}
	if account != "" {
		i.Lane = photo("", account).Lane
	}
	return i
}

// BenchmarkWaiting is what each step costs with one and with a million messages
// that wait, which should be the same. What goes through accounts, as stats does,
// costs more with a hundred accounts than with one, and so is measured with one
// message of each too. It takes two minutes and about two gigabytes.
func BenchmarkWaiting(b *testing.B) {
	for _, n := range []int{1, 100, 1_000_000} {
		b.Run(fmt.Sprintf("waiting=%d", n), func(b *testing.B) {
			address := quickRedis(b)
			j := journal(b, address, queue.Options{PromiseFor: 1})
			fill(b, j, n)
			for _, step := range waitingSteps(j) {
				b.Run(step.name, func(b *testing.B) {
					client := connect(b, address)
					cpu := redisCPU(b, client)
					b.ResetTimer()
					for i := range b.N {
						step.do(b, fmt.Sprint(step.name, b.N, " ", i))
					}
					b.StopTimer()
					b.ReportMetric((redisCPU(b, client)-cpu)/float64(b.N)*1e6, "redis-µs/op")
				})
			}
		})
	}
}

type waitingStep struct {
	name string
	do   func(b *testing.B, name string)
}

func waitingSteps(j *queue.Journal) []waitingStep {
	fresh := func(b *testing.B, name string) { acceptItems(b, j, waiting(name, 100, "fresh")) }
	must := func(b *testing.B, err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	taken := func(b *testing.B) (e queue.Entry) {
		e = one(b)(j.Take(b.Context(), q, queue.Photos, 1, 0))
		begin(b, j, &e)
		return e
	}
	return []waitingStep{
		// First those that go through accounts, while all of them have something.
		{"stats", func(b *testing.B, _ string) { _, err := j.Stats(b.Context(), q); must(b, err) }},
		{"lanes", func(b *testing.B, _ string) { _, err := j.Lanes(b.Context(), q); must(b, err) }},
		{"ensure", func(b *testing.B, _ string) { must(b, j.EnsureQueue(b.Context(), q)) }},
		{"accept", fresh},
		{"accept+take+begin+complete", func(b *testing.B, name string) {
			fresh(b, name)
			e := taken(b)
			want(b, "complete", queue.Mine)(j.Complete(b.Context(), e, queue.End{Document: []byte("document"), Told: e.Told}))
		}},
		{"accept+take+begin+retry+due", func(b *testing.B, name string) {
			fresh(b, name)
			want(b, "retry", queue.Mine)(j.Retry(b.Context(), taken(b), queue.Retry{}))
			want(b, "due", 1)(j.Due(b.Context(), q, 1))
		}},
		{"accept+overdue+tell", func(b *testing.B, name string) {
			fresh(b, name)
			e := one(b)(j.Overdue(b.Context(), q, 1))
			want(b, "tell", queue.Mine)(j.Tell(b.Context(), e, queue.Telling{ID: hash(name), Document: []byte("document")}))
		}},
	}
}

// BenchmarkMemory is what a message takes up in Redis while it waits, and what its
// mark does for eight days after it. Its payload has as many bytes as that of a
// usual message. Where each is another consumer's, the marks' difference is what
// a consumer's conversation takes up for its thirty days.
func BenchmarkMemory(b *testing.B) {
	const n, payload = 50_000, 1000
	for name, shape := range map[string]func(i int) queue.Item{
		"photo": func(i int) queue.Item { return waiting(fmt.Sprint(i), payload, fmt.Sprint(i%100)) },
		"text":  func(i int) queue.Item { return waiting(fmt.Sprint(i), payload, "") },
		"photo that can be unsent": func(i int) queue.Item {
			one := waiting(fmt.Sprint(i), payload, fmt.Sprint(i%100))
			one.Message = hash(fmt.Sprint("message ", i))
			return one
		},
		"text of another consumer each": func(i int) queue.Item {
			one := waiting(fmt.Sprint(i), payload, "")
			one.Party = hash(fmt.Sprint("party ", i))
			return one
		},
	} {
		b.Run(name, func(b *testing.B) {
			address := quickRedis(b)
			client, j := connect(b, address), journal(b, address, queue.Options{})
			before := usedMemory(b, client)
			var items []queue.Item
			for i := range n {
				if items = append(items, shape(i)); len(items) == 500 {
					acceptItems(b, j, items...)
					items = items[:0:0]
				}
			}
			held := usedMemory(b, client)
			finishAll(b, j)
			client.Del(b.Context(), queue.Stream(q))
			b.ReportMetric((held-before)/n, "B/waiting")
			b.ReportMetric((usedMemory(b, client)-before)/n, "B/mark")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func usedMemory(b *testing.B, client *redis.Client) float64 {
	b.Helper()
	return queuetest.Info(b, client, "memory", "used_memory:")
}

// finishAll completes whatever waits.
func finishAll(b *testing.B, j *queue.Journal) {
	b.Helper()
	for {
		words, errWords := j.Take(b.Context(), q, queue.Words, 500, 0)
		photos, errPhotos := j.Take(b.Context(), q, queue.Photos, 500, 0)
		if errWords != nil || errPhotos != nil {
			b.Fatal(errWords, errPhotos)
		}
		all := append(words, photos...)
		if len(all) == 0 {
			return
		}
		for _, e := range all {
			begin(b, j, &e)
			want(b, "complete", queue.Mine)(j.Complete(b.Context(), e, queue.End{Document: []byte("document")}))
		}
	}
}
