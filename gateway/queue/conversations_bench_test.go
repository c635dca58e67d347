package queue_test

import (
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
)

// openChats lets each of so many parties write so many usual messages, which reach
// their conversations, and returns how many microseconds of Redis each end has taken.
func openChats(b *testing.B, j *queue.Journal, client *redis.Client, parties, each int) float64 {
	b.Helper()
	var spent, ends float64
	for m := range each {
		for start := 0; start < parties; start += 500 {
			var items []queue.Item
			for i := start; i < min(parties, start+500); i++ {
				items = append(items, queue.Item{
					Kind: queue.ItemMessage, Key: hash(fmt.Sprint(i, " ", m)), Party: hash(fmt.Sprint("party ", i)), Payload: make([]byte, 600),
				})
			}
			party := map[string]string{}
			for i, a := range acceptItems(b, j, items...) {
				party[a.Conversation] = items[i].Party
			}
			us, n := endAll(b, j, client, party)
			spent, ends = spent+us, ends+n
		}
	}
	return spent / ends
}

// endAll completes whatever waits, of the parties by their conversations, and returns
// what Redis has spent on that.
func endAll(b *testing.B, j *queue.Journal, client *redis.Client, party map[string]string) (us, n float64) {
	b.Helper()
	entries, err := j.Take(b.Context(), q, queue.Words, 500, 0)
	if err != nil {
		b.Fatal(err)
	}
	for i := range entries {
		begin(b, j, &entries[i])
	}
	cpu := redisCPU(b, client)
	for i, e := range entries {
		u := saidIn("party", e)
		u.Party = party[e.Conversation]
		u.Item.Message.Text = "Hello, the package that you sent me last week has arrived, but it is damaged. What can I do?"
		u.Item.Message.MessageID, u.Item.Message.ReceivedAt, u.Item.Message.SentAt = fmt.Sprint("123456789", i), at9, at9
		end := queue.End{Document: make([]byte, 600), Chat: u}
		want(b, "complete", queue.Mine)(j.Complete(b.Context(), e, end))
	}
	return (redisCPU(b, client) - cpu) * 1e6, float64(len(entries))
}

// BenchmarkMemoryOfConversations is what an open conversation takes up in Redis, by
// how many messages of 600 bytes are in it, and what it costs Redis to put one there
// at its end: with and without conversations, whose difference that is. What has been
// sent to the agents' queue is not counted, and neither are marks.
func BenchmarkMemoryOfConversations(b *testing.B) {
	const parties = 5000
	for _, each := range []int{1, 10} {
		for name, without := range map[string]bool{"with": false, "without": true} {
			b.Run(fmt.Sprintf("%s conversations, messages=%d", name, each), func(b *testing.B) {
				address := quickRedis(b)
				client := connect(b, address)
				j := journalOn(b, client, queue.Options{WithoutConversations: without})
				cpu := redisCPU(b, client)
				us := openChats(b, j, client, parties, each)
				b.ReportMetric((redisCPU(b, client)-cpu)*1e6/float64(parties*each), "redis-µs/message")
				all := usedMemory(b, client)
				forgetOpen(b, client)
				b.ReportMetric((all-usedMemory(b, client))/parties, "B/conversation")
				b.ReportMetric(us, "redis-µs/end")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// forgetOpen deletes all that is there of conversations.
func forgetOpen(b *testing.B, client *redis.Client) {
	b.Helper()
	for _, pattern := range []string{"*:chat:*", "*:chats:*"} {
		if keys := client.Keys(b.Context(), pattern).Val(); len(keys) > 0 {
			if err := client.Del(b.Context(), keys...).Err(); err != nil {
				b.Fatal(err)
			}
		}
	}
}
