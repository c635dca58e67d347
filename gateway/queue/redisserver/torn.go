package redisserver

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/lightlock/lightlock/gateway/subprocess"
)

// A server that dies while it writes may leave an end of its file that is cut off.
// None of it was acknowledged, and Redis would take it off by itself. But what a
// script changes is one transaction there, and of one that is cut inside a command
// Redis leaves the whole commands before the cut: they do nothing at that start, and
// are carried out at the next, half a script among all that came since. That is so
// in all releases of Redis that were tried, up to 7.0.15, and was mended in Valkey in
// August 2026 (github.com/valkey-io/valkey/pull/4342). So the server is told to refuse
// such a file, and redis-check-aof, which takes off the whole transaction, mends it.
const (
	refuseTorn = "--aof-load-truncated"
	// saidTorn is what a server says that refuses its file for that.
	saidTorn = "Unexpected end of file reading the append only file"
	// checker is the name under which the server's program is that other one.
	checker = "redis-check-aof"
	// checkWithin bounds its work, which is to read the file once.
	checkWithin = 5 * time.Minute
)

// takeOffTornEnd mends the file of a server that is not running.
func takeOffTornEnd(ctx context.Context, binary, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	manifest := filepath.Join(dir, "appendonlydir", "appendonly.aof.manifest")
	cmd := exec.CommandContext(ctx, binary)
	cmd.Args = []string{checker, "--fix", manifest}
	cmd.Dir, cmd.Env = dir, []string{}
	cmd.Stdin = strings.NewReader("y\n") // it asks before it cuts
	said := new(tail)
	cmd.Stdout, cmd.Stderr = said, said
	ended := make(chan error, 1)
	if err := subprocess.Start(cmd, func() { ended <- cmd.Wait() }); err != nil {
		return fmt.Errorf("redisserver: %s: %w", checker, err)
	}
	if err := <-ended; err != nil {
		return fmt.Errorf("redisserver: the end of the file in %s is cut off, and %s could not mend it: %w; its last words: %s",
			dir, checker, err, said)
	}
	return nil
}
