package queue

import (
	"testing"

	"github.com/lightlock/lightlock/config"
)

// By default a context does not bound the I/O of go-redis, which matters only on
// the day when Redis hangs.
func TestDeadlinesBoundEveryCall(t *testing.T) {
	b, err := Open(t.Context(), OpenOptions{Redis: &config.Redis{Address: "/nobody.sock"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close(t.Context()) }()
	got := b.client.Options()
	if !got.ContextTimeoutEnabled || got.ReadTimeout != ioTimeout || got.WriteTimeout != ioTimeout || got.MaxRetries < 1 {
		t.Errorf("got context timeout %v, read %v, write %v, %d repeats",
			got.ContextTimeoutEnabled, got.ReadTimeout, got.WriteTimeout, got.MaxRetries)
	}
}
