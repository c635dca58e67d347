// Package gatewaytest is what the tests of several packages need: a log that is
// read while it is written, a wait for what others bring about, and a disk that is
// full.
//
// It promises that a test which lacks something of its system says so, and fails
// where CI runs: what it would prove stays unproven there. Redis is in
// queue/queuetest, the bucket in store/s3test, and the platforms in platforms. Only
// tests import it.
package gatewaytest

import (
	"bytes"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"
)

// Log is a log in memory that may be written and read at once.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns what was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Logger returns one that writes here, as text.
func (l *Log) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// within is far more than anything takes. It says nothing about speed: a crowded
// machine may stand still for long.
const within = 2 * time.Minute

// Await returns when a condition holds that others bring about, and fails the test
// if it never does. What is the condition in words.
func Await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain until %s", within, what)
		}
	}
}

// Missing ends a test for which this system lacks something: it is skipped, and
// fails where CI runs.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("CI cannot do without: " + what)
	}
	t.Skip("SKIPPED: " + what)
}
