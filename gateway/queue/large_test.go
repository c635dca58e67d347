package queue_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// bytesOf is a payload with every byte there is, and no two alike.
func bytesOf(size int, name string) []byte {
	payload := make([]byte, size)
	for i := range payload {
		payload[i] = byte(i)
	}
	copy(payload, name)
	return payload
}

func TestAThousandEventsOfOneRequest(t *testing.T) {
	t.Parallel()
	const many = 1000
	address := queuetest.Redis(t)
	j := journal(t, address, queue.Options{})
	items := make([]queue.Item, many)
	for i := range items {
		name := fmt.Sprint(i)
		items[i] = queue.Item{Kind: queue.ItemMessage, Key: hash(name), Party: hash(fmt.Sprint(i % 3)), Payload: bytesOf(4<<10, name)}
	}
	accepted, err := j.Accept(t.Context(), q, items)
	if err != nil {
		t.Fatal(err)
	}
	for i, one := range accepted {
		if !one.New || one.Seq != int64(i/3+1) {
			t.Fatalf("event %d: got %+v", i, one)
		}
	}
	entries, err := j.Take(t.Context(), q, queue.Words, many+1, 0)
	if err != nil || len(entries) != many {
		t.Fatalf("got %d entries, error %v", len(entries), err)
	}
	for i, e := range entries {
		if e.Key != items[i].Key || !bytes.Equal(e.Payload, items[i].Payload) || e.Conversation != accepted[i].Conversation {
			t.Fatalf("entry %d is not the event that was accepted: %s", i, e.Key)
		}
	}
}

// The largest payload passes every way back to the inbox unchanged.
func TestTheLargestPayloadStaysAsItIs(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{Lease: atOnce})
		payload := bytesOf(queue.MaxPayload, "\x00\n2 ff 1 1 1\n\r\n$-1\r\n")
		if _, err := j.Accept(t.Context(), q, []queue.Item{{Kind: queue.ItemMessage, Key: hash("a"), Party: hash("party"), Payload: payload}}); err != nil {
			t.Fatal(err)
		}
		check := func(how string, e queue.Entry) queue.Entry {
			t.Helper()
			if !bytes.Equal(e.Payload, payload) || e.Seq != 1 {
				t.Fatalf("%s: got %d bytes, seq %d; want the payload unchanged", how, len(e.Payload), e.Seq)
			}
			return e
		}
		e := check("taken", begun(t, j))
		want(t, "retry", queue.Mine)(j.Retry(t.Context(), e, queue.Retry{Cause: "slow"}))
		want(t, "due", 1)(j.Due(t.Context(), q, 1))
		e = check("put off", begun(t, j))
		if err := j.Release(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		check("given back", take(t, j))
		e = check("taken over", takeOver(t, j))
		begin(t, j, &e)
		want(t, "dead", queue.Mine)(j.Complete(t.Context(), e, queue.End{Cause: "hopeless"}))
		letters, err := j.Letters(t.Context(), q, 1)
		if err != nil || len(letters) != 1 || !bytes.Equal(letters[0].Raw, payload) {
			t.Errorf("got %d letters, error %v; want the payload unchanged", len(letters), err)
		}
	})
}
