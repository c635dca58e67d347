package queue_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
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
		return info(t, s, "aof_rewrite_in_progress:0", "aof_last_bgrewrite_status:ok") && !info(t, s, "aof_last_rewrite_time_sec:-1")
	}
}

// info tells whether a server says all of this of its file.
func info(t *testing.T, s *queuetest.Server, lines ...string) bool {
	t.Helper()
	said, err := connect(t, s.Address()).Info(t.Context(), "persistence").Result()
	return err == nil && !slices.ContainsFunc(lines, func(line string) bool { return !strings.Contains(said, line) })
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

// renewing opens a backend, and returns its look at the files, and what it says.
func renewing(t *testing.T, r *config.Redis) (b *queue.Backend, look func(), log *gatewaytest.Log) {
	t.Helper()
	log = new(gatewaytest.Log)
	b = open(t, queue.OpenOptions{Redis: r, Log: log.Logger()})
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	renew := queue.Renewer(b)
	return b, func() {
		t.Helper()
		if err := renew(t.Context()); err != nil {
			t.Error(err)
		}
	}, log
}

func wantWrong(t *testing.T, b *queue.Backend, parts ...string) {
	t.Helper()
	wrong := b.Condition().Wrong
	if len(wrong) != len(parts) {
		t.Fatalf("got %v, want %d", wrong, len(parts))
	}
	for i, part := range parts {
		if !strings.Contains(wrong[i], part) {
			t.Errorf("got %q, want %q", wrong[i], part)
		}
	}
}

func TestARedisThatMayNotBeAskedToWriteItsFileAnewIsNamed(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t, "--aof-load-truncated", "yes", "--user", "gateway", "on", ">opensesame", "~*", "&*", "+@all", "-bgrewriteaof")
	r := config.Redis{Address: s.Address(), Username: "gateway", Password: config.NewSecret("opensesame")}
	b, look, log := renewing(t, &r)
	for range 3 {
		look()
		wantWrong(t, b, "allow BGREWRITEAOF")
	}
	if got := strings.Count(log.String(), "allow BGREWRITEAOF"); got != 1 {
		t.Errorf("it was said %d times", got)
	}
	r.Durability = string(queue.Trusted)
	b, look, log = renewing(t, &r)
	look()
	wantWrong(t, b)
	if got := log.String(); got != "" {
		t.Errorf("of a trusted one it is said %s", got)
	}
}

// A try that fails is named, and the next that does not ends that.
func TestARedisThatFailsToWriteItsFileAnewIsNamed(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t, "--aof-load-truncated", "yes")
	j, client := journal(t, s.Address(), queue.Options{}), connect(t, s.Address())
	accept(t, j, "a")
	for _, delay := range []string{"100000000", "0"} { // of the one who writes, for each key
		if err := client.ConfigSet(t.Context(), "rdb-key-save-delay", delay).Err(); err != nil {
			t.Fatal(err)
		}
		b, look, log := renewing(t, at(s.Address()))
		look()
		if delay == "0" {
			wantWrong(t, b, "has failed, and its log says why") // so far
			gatewaytest.Await(t, "it is written", renewed(t, s))
			look()
			wantWrong(t, b)
			continue
		}
		gatewaytest.Await(t, "it is being written", func() bool { return info(t, s, "aof_rewrite_in_progress:1") })
		s.KillChildren()
		gatewaytest.Await(t, "that has failed", func() bool { return info(t, s, "aof_last_bgrewrite_status:err") })
		if got := log.String(); !strings.Contains(got, "writes its file anew") {
			t.Errorf("it said %q", got)
		}
	}
}

// Two gateways ask each primary of a cluster once, but for one that refuses a file
// with a torn end.
func TestEachPrimaryIsAskedOnceToWriteItsFileAnew(t *testing.T) {
	t.Parallel()
	c := queuetest.StartCluster(t)
	for _, n := range c.Nodes[:2] {
		if err := connect(t, n.Addr).ConfigSet(t.Context(), "aof-load-truncated", "yes").Err(); err != nil {
			t.Fatal(err)
		}
	}
	said := ""
	for range 2 {
		b, look, log := renewing(t, c.Config())
		look()
		gatewaytest.Await(t, "they are written", func() bool { return renewed(t, c.Nodes[0].Server)() && renewed(t, c.Nodes[1].Server)() })
		look()
		wantWrong(t, b)
		said += log.String()
	}
	if renewed(t, c.Nodes[2].Server)() {
		t.Error("the one that need not has written its file anew")
	}
	if got := strings.Count(said, "writes its file anew"); got != 2 {
		t.Errorf("two were asked %d times", got)
	}
}

// A Redis that was started again is asked again, however soon that was.
func TestEachStartIsFollowedByANewFile(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t, "--aof-load-truncated", "yes")
	b := openOn(t, at(s.Address()), q)
	look := queue.Looker(b)
	for range 3 {
		look(t.Context())
		gatewaytest.Await(t, "it is written", func() bool { return renewed(t, s)() || info(t, s, "aof_rewrite_in_progress:1") })
		s.Kill()
		s.Restart()
	}
	wantWrong(t, b)
}
