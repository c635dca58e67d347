package queue

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// triesRead is of how many messages the tries are read at once: a record holds the
// whole of what a worker needs, up to MaxPayload bytes.
const triesRead = 50

// countTries sets Tried of those items whose photos are pending, the newest of them:
// what the journal has no record of is settled just now, or was taken back.
func (j *Journal) countTries(ctx context.Context, k keys, items []ConversationItem) error {
	var at []int
	var names []string
	for i := len(items) - 1; i >= 0 && len(at) < triesRead; i-- {
		if said := items[i].Message; said != nil && slices.ContainsFunc(said.Photos, func(p Photo) bool { return p.Status == Pending }) {
			at, names = append(at, i), append(names, items[i].ID)
		}
	}
	if len(at) == 0 {
		return nil
	}
	records, err := j.client.HMGet(ctx, k.data, names...).Result()
	if err != nil {
		return wrap("read tries", err)
	}
	for n, i := range at {
		items[i].Tried = triesOf(text(records[n]))
	}
	return nil
}

// triesOf reads the tries from the first line of a record, or nil if they do not
// stand there.
func triesOf(record string) *int {
	line, _, found := strings.Cut(record, "\n")
	fields := strings.Fields(line)
	if !found || len(fields) < 5 || fields[0] != entryVersion {
		return nil
	}
	tries, err := strconv.Atoi(fields[4])
	if err != nil || tries < 0 {
		return nil
	}
	return &tries
}
