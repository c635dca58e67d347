package redisserver_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lightlock/lightlock/gateway/queue/redisserver"
)

// tear ends the server as a crash would that comes while it writes its last
// transaction: the file ends inside a command of it, behind a whole one.
func tear(t *testing.T, s *redisserver.Server, dir string) {
	t.Helper()
	if err := syscall.Kill(s.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	_ = s.Close()
	files, err := filepath.Glob(filepath.Join(dir, "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the files are %v, %v; want one", files, err)
	}
	text, err := os.ReadFile(files[0])
	last := bytes.LastIndex(text, []byte("second"))
	if err != nil || last < 0 {
		t.Fatalf("%v; the file is %q, want a change of second in it", err, text)
	}
	if err := os.Truncate(files[0], int64(last+3)); err != nil {
		t.Fatal(err)
	}
}

// Of a script that the disk has half of nothing is left, at the next start and at
// those after it.
func TestHalfAScriptDoesNotComeBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	script := `"redis.call('SET','first',1) redis.call('SET','second',1)"`
	say(t, s.Address(), "SET before 1")
	say(t, s.Address(), "EVAL "+script+" 0")
	if s.Torn() {
		t.Error("a new file is said to be torn")
	}
	tear(t, s, dir)
	for _, key := range []string{"then", "later"} {
		s = start(t, dir)
		if torn := key == "then"; s.Torn() != torn {
			t.Errorf("at the start before %q it says %v of a torn file", key, s.Torn())
		}
		say(t, s.Address(), "SET "+key+" 1")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s = start(t, dir)
	for key, want := range map[string]string{"before": "1", "then": "1", "later": "1", "first": "$-1", "second": "$-1"} {
		if got := say(t, s.Address(), "GET "+key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}

func TestAFileThatIsWrongOtherwiseIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	say(t, s.Address(), "SET second 1")
	tear(t, s, dir)
	files, _ := filepath.Glob(filepath.Join(dir, "appendonlydir", "*.incr.aof"))
	wrong := []byte("this is no command\r\n*1\r\n$4\r\nPING\r\n")
	if err := os.WriteFile(files[0], wrong, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := redisserver.Start(t.Context(), redisserver.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "Bad file format") {
		t.Errorf("got %v, want the server's own words", err)
	}
	if got, err := os.ReadFile(files[0]); err != nil || !bytes.Equal(got, wrong) {
		t.Errorf("the file is %q, %v", got, err)
	}
}
