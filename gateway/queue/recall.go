package queue

import (
	"context"
	"strings"
)

// What Recall tells beside the fates of acceptance.
const (
	FateUnknown Fate = ""       // it was never accepted, or longer than SeenFor ago
	FateDone    Fate = "done"   // it has had its effect
	FateBuried  Fate = "buried" // it was kept as a dead letter, and no more
)

// recallAtOnce is how many events one question is about.
const recallAtOnce = 500

// Recall tells what the journal remembers of events, by their keys and in their
// order. It only looks: for whoever has counted, and wants to know what became
// of the rest.
func (j *Journal) Recall(ctx context.Context, queue string, events []string) ([]Fate, error) {
	k, err := keysOf(queue)
	if err != nil {
		return nil, err
	}
	fates := make([]Fate, 0, len(events))
	for start := 0; start < len(events); start += recallAtOnce {
		some := events[start:min(start+recallAtOnce, len(events))]
		names := make([]string, len(some))
		for i, key := range some {
			if err := checkHex("key", key); err != nil {
				return nil, err
			}
			names[i] = k.seen + key
		}
		marks, err := j.client.MGet(ctx, names...).Result()
		if err != nil {
			return nil, wrap("recall", err)
		}
		for _, mark := range marks {
			fate, _, _ := strings.Cut(text(mark), " ")
			fates = append(fates, Fate(fate))
		}
	}
	return fates, nil
}
