package redisserver

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/lightlock/lightlock/gateway/subprocess"
)

// spawn starts the process and watches it.
func (s *Server) spawn(binary string, arguments []string) error {
	cmd := exec.Command(binary, arguments...) //nolint:gosec,noctx // the operator's program, found on PATH; Close ends it, not a context
	cmd.Dir = s.dir
	cmd.Env = []string{}
	cmd.Stdout, cmd.Stderr = s.log, s.log
	err := subprocess.Start(cmd, func() {
		s.failure = cmd.Wait()
		close(s.done)
	})
	if err != nil {
		return fmt.Errorf("redisserver: %w", err)
	}
	s.process = cmd.Process
	return nil
}

// tail keeps the end of what the server writes, for the error that says why it
// would not start.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 2048

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-tailBytes):]
	return len(p), nil
}

// holds tells whether the server has said something lately.
func (t *tail) holds(words string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Contains(string(t.text), words)
}

// tailLines is how many lines Redis needs to say what is wrong with a setting.
const tailLines = 4

// String returns the last lines of the output in one, without advice that Redis
// gives at every start.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var lines []string
	for line := range strings.Lines(string(t.text)) {
		if line = strings.Join(strings.Fields(line), " "); line != "" && !strings.Contains(line, "# WARNING ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-tailLines):], "; ")
}

// processOf returns a handle on a process that has not ended. On Linux it stays
// with this very process even if the number is given to another.
func processOf(pid int) (*os.Process, bool) {
	process, err := os.FindProcess(pid)
	if err != nil || process.Signal(probe) != nil {
		return nil, false
	}
	return process, true
}
