package queue_test

import (
	"testing"

	"github.com/lightlock/lightlock/gateway/queue"
)

// TestALateRepeatKeepsWhatIsNamed: a retry whose reply was lost is repeated after
// other attempts have gone on from what it kept. Told that it lost, its worker
// would delete pictures that agents know of.
func TestALateRepeatKeepsWhatIsNamed(t *testing.T) {
	for name, goOn := range map[string]func(t *testing.T, j *queue.Journal, e queue.Entry){
		"put off again": func(t *testing.T, j *queue.Journal, e queue.Entry) {
			want(t, "retry", queue.Mine)(j.Retry(t.Context(), e, queue.Retry{}))
		},
		"given back": func(t *testing.T, j *queue.Journal, e queue.Entry) {
			if err := j.Release(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		},
		"completed": func(t *testing.T, j *queue.Journal, e queue.Entry) {
			want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, queue.End{Document: []byte("received")}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, address string) {
				j, other := journal(t, address, queue.Options{}), journal(t, address, queue.Options{})
				photos(t, j, "shop", "a")
				kept := beginPhoto(t, j, "a")
				want(t, "retry", queue.Mine)(j.Retry(t.Context(), kept, queue.Retry{Keep: true}))
				want(t, "due", 1)(j.Due(t.Context(), q, 1))
				goOn(t, other, beginPhoto(t, other, "a"))
				want(t, "the repeat", queue.Mine)(j.Retry(t.Context(), kept, queue.Retry{Keep: true}))
			})
		})
	}
}

// TestARevivedLetterGivesNoSecondNotice: the consumer has been told of this event.
func TestARevivedLetterGivesNoSecondNotice(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		photos(t, j, "shop", "a")
		end := queue.End{
			Document: []byte("received"), Cause: "given up", Party: item("a").Party,
			Notice: &queue.Notice{Key: hash("notice a"), Payload: []byte("sorry")},
		}
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), beginPhoto(t, j, "a"), end))
		client := connect(t, address)
		waiting := func() int64 {
			var n int64
			for _, key := range client.Keys(t.Context(), keyOf("say:*")).Val() {
				n += client.LLen(t.Context(), key).Val()
			}
			return n
		}
		if n := waiting(); n != 1 {
			t.Fatalf("%d notices wait, want one", n)
		}
		// The pause between two notices is over.
		for _, key := range client.Keys(t.Context(), keyOf("noticed:*")).Val() {
			client.Del(t.Context(), key)
		}
		want(t, "revive", queue.Mine)(j.Revive(t.Context(), q, letter(t, j)))
		again := beginPhoto(t, j, "a")
		end.Told = again.Told
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), again, end))
		if n := waiting(); n != 1 {
			t.Errorf("%d notices wait after the second end, want still one", n)
		}
	})
}
