package queue_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// tear kills a server as a crash would that comes while it writes its last
// transaction: the file ends inside a command of it, behind whole ones.
func tear(t *testing.T, s *queuetest.Server, dir string) {
	t.Helper()
	s.Kill()
	files, err := filepath.Glob(filepath.Join(dir, "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the files are %v, %v; want one", files, err)
	}
	text, err := os.ReadFile(files[0])
	last := bytes.LastIndex(text, []byte("\r\nHINCRBY\r\n"))
	if err != nil || bytes.LastIndex(text, []byte("MULTI")) > last {
		t.Fatalf("%v; the last transaction does not count", err)
	}
	if err := os.Truncate(files[0], int64(last+5)); err != nil {
		t.Fatal(err)
	}
}

func renewed(t *testing.T, s *queuetest.Server) func() bool {
	return func() bool {
		info, err := connect(t, s.Address()).Info(t.Context(), "persistence").Result()
		return err == nil && strings.Contains(info, "aof_rewrite_in_progress:0") && !strings.Contains(info, "aof_last_rewrite_time_sec:-1")
	}
}

// A Redis that is not ours takes its file as it finds it. What a crash has left of a
// script there does nothing after the next one either, and what was accepted in
// between is kept.
func TestHalfAScriptInAnothersRedisDoesNotComeBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := queuetest.StartIn(t, dir, "--aof-load-truncated", "yes")
	j := journal(t, s.Address(), queue.Options{})
	acceptItems(t, j, photo("before", "shop"))
	acceptItems(t, j, photo("half", "shop"))
	tear(t, s, dir)
	s.Restart()
	b := openOn(t, at(s.Address()), q)
	wantCounts(t, b.Journal, counts{waiting: 1})
	acceptItems(t, b.Journal, photo("between", "shop"))
	gatewaytest.Await(t, "the file is written anew", renewed(t, s))
	s.Kill()
	s.Restart()
	wantCounts(t, b.Journal, counts{waiting: 2})
	for name, isNew := range map[string]bool{"before": false, "between": false, "half": true} {
		if got := acceptItems(t, b.Journal, photo(name, "shop")); got[0].New != isNew {
			t.Errorf("%s is new: %v, want %v", name, got[0].New, isNew)
		}
	}
	wantCounts(t, b.Journal, counts{waiting: 3})
}

func TestARedisThatMayNotBeAskedToWriteItsFileAnewIsNamed(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t, "--aof-load-truncated", "yes", "--user", "gateway", "on", ">opensesame", "~*", "&*", "+@all", "-bgrewriteaof")
	var log gatewaytest.Log
	b := open(t, queue.OpenOptions{
		Redis: &config.Redis{Address: s.Address(), Username: "gateway", Password: config.NewSecret("opensesame")}, Log: log.Logger(),
	})
	defer shut(t, b)
	gatewaytest.Await(t, "it is said", func() bool { return strings.Contains(log.String(), "allow BGREWRITEAOF") })
}
