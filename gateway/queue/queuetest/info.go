package queuetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Info reads a number from what Redis tells of itself: the one behind the name, as
// in "used_memory:"; zero where there is none.
func Info(t testing.TB, client redis.UniversalClient, section, name string) (value float64) {
	t.Helper()
	for line := range strings.Lines(client.Info(t.Context(), section).Val()) {
		if text, found := strings.CutPrefix(line, name); found {
			_, _ = fmt.Sscan(text, &value)
		}
	}
	return value
}

// Info is Info of the server that is inspected.
func (i *Inspector) Info(section, name string) float64 {
	i.t.Helper()
	return Info(i.t, i.client, section, name)
}

// Has tells whether there is a key of that name.
func (i *Inspector) Has(key string) bool {
	i.t.Helper()
	n, err := i.client.Exists(i.t.Context(), key).Result()
	i.check(err)
	return n > 0
}
