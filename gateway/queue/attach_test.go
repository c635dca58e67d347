package queue_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// A second process looks into the private server of a running gateway, and leaves
// it running.
func TestAttach(t *testing.T) {
	t.Parallel()
	short := t.TempDir()
	for name, data := range map[string]string{"usual": short, "a path too long for a socket": filepath.Join(short, strings.Repeat("deep/", 30))} {
		o := queue.OpenOptions{Data: data}
		if _, err := queue.Attach(t.Context(), o); !errors.Is(err, queue.ErrNotRunning) {
			t.Errorf("%s: got %v before the gateway runs, want ErrNotRunning", name, err)
		}
		gateway, err := queue.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		accept(t, gateway.Journal, "a")
		for range 2 {
			b, err := queue.Attach(t.Context(), o)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			wantCounts(t, b.Journal, counts{waiting: 1})
			if err := b.Close(context.Background()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := gateway.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, err := queue.Attach(t.Context(), o); !errors.Is(err, queue.ErrNotRunning) {
			t.Errorf("%s: got %v after the gateway, want ErrNotRunning", name, err)
		}
	}
}

func TestAttachToTheConfiguredRedis(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	accept(t, journal(t, address, queue.Options{}), "a")
	b, err := queue.Attach(t.Context(), queue.OpenOptions{Redis: &config.Redis{Address: address}, Data: "/nowhere"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close(context.Background()) }()
	wantCounts(t, b.Journal, counts{waiting: 1})
}
