package redisserver_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue/redisserver"
)

func TestAServerThatIsKilledHasEndedByItself(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := start(t, dir)
	if err := syscall.Kill(server.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-server.Done()
	if err := server.Close(); !errors.Is(err, redisserver.ErrEnded) || !strings.Contains(err.Error(), "killed") {
		t.Errorf("got %v, want ErrEnded with the reason", err)
	}
	if err := start(t, dir).Close(); err != nil {
		t.Errorf("an orderly end: %v", err)
	}
}

// On a full disk the server ends, because it can keep nothing, and says so. It
// starts again when there is room, with exactly what it had acknowledged.
func TestAFullDiskEndsTheServer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(gatewaytest.SmallDisk(t, 1), "redis")
	server := start(t, dir)
	if got := say(t, server.Address(), "SET first 1"); got != "+OK" {
		t.Fatalf("got %q", got)
	}
	filler := filepath.Join(dir, "filler")
	_ = os.WriteFile(filler, make([]byte, 2<<20), 0o600) // as much as fits
	conn, err := net.Dial("unix", server.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte("SET second " + strings.Repeat("x", 32<<10) + "\r\n"))
	if answer, _ := io.ReadAll(conn); len(answer) > 0 {
		t.Errorf("got %q for what cannot be kept, want no answer", answer)
	}
	<-server.Done()
	err = server.Close()
	if !errors.Is(err, redisserver.ErrEnded) || !strings.Contains(err.Error(), "Short write while writing to the AOF file") {
		t.Errorf("got %v, want ErrEnded with what Redis says of a full disk", err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	again := start(t, dir)
	if got := say(t, again.Address(), "GET first"); got != "1" {
		t.Errorf("got %q of what was acknowledged, want 1", got)
	}
	if got := say(t, again.Address(), "GET second"); got != "$-1" {
		t.Errorf("got %.20q of what was not acknowledged", got)
	}
}
