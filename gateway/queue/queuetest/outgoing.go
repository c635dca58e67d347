package queuetest

import (
	"bytes"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
)

// Outgoing is a hold on what waits to be sent to consumers, behind the journal's
// back: tests cannot wait for a lease, nor for a newer release.
type Outgoing struct {
	t      testing.TB
	client *redis.Client
	slot   string
}

// OpenOutgoing connects to the server at a unix socket.
func OpenOutgoing(t testing.TB, address, name string) Outgoing {
	t.Helper()
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: address})
	t.Cleanup(func() { _ = client.Close() })
	return Outgoing{t, client, "{" + queue.Stream(name) + "}:"}
}

// ExpireLeases makes everything due that is in a sender's hands or put off.
func (o Outgoing) ExpireLeases() {
	o.t.Helper()
	key := o.slot + "outgoing"
	for _, talk := range o.client.ZRange(o.t.Context(), key, 0, -1).Val() {
		if err := o.client.ZAdd(o.t.Context(), key, redis.Z{Member: talk}).Err(); err != nil {
			o.t.Fatal(err)
		}
	}
}

// Replace changes a part of the first message that waits in a conversation.
func (o Outgoing) Replace(conversation, from, to string) {
	o.t.Helper()
	key := o.slot + "say:" + conversation
	record, err := o.client.LIndex(o.t.Context(), key, 0).Bytes()
	if err != nil || !bytes.Contains(record, []byte(from)) {
		o.t.Fatalf("got %q, %v, want a record with %s", record, err, from)
	}
	if err := o.client.LSet(o.t.Context(), key, 0, bytes.Replace(record, []byte(from), []byte(to), 1)).Err(); err != nil {
		o.t.Fatal(err)
	}
}

// Misuse puts a text where the queue expects something else, so that scripts
// which need that key refuse to run.
func (o Outgoing) Misuse(key string) {
	o.t.Helper()
	if err := o.client.Set(o.t.Context(), o.slot+key, "a text", 0).Err(); err != nil {
		o.t.Fatal(err)
	}
}

// Free ends a misuse.
func (o Outgoing) Free(key string) {
	o.t.Helper()
	if err := o.client.Del(o.t.Context(), o.slot+key).Err(); err != nil {
		o.t.Fatal(err)
	}
}
