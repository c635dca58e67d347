package cli

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lightlock/lightlock/gateway/queue"
)

// openTerminal opens a terminal: what a person types goes into the first file and
// is read from the second.
func openTerminal(t *testing.T) (person, terminal *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminal can be opened here: %v", err)
	}
	t.Cleanup(func() { _ = person.Close() })
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Skipf("no terminal can be opened here: %v", err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return person, terminal
}

// A person at a terminal is asked.
func TestDeadDropAsks(t *testing.T) {
	for answer, code := range map[string]int{"y\n": exitDone, "YES\n": exitDone, "n\n": exitFindings, "\n": exitFindings} {
		t.Run(answer, func(t *testing.T) {
			g := openGraveyard(t)
			g.bury(queue.Letter{Key: keyOf("a")})
			person, terminal := openTerminal(t)
			if _, err := person.WriteString(answer); err != nil {
				t.Fatal(err)
			}
			p := testProgram()
			p.Stdin = terminal
			r := lightlockUntil(t.Context(), p, "dead", "drop", "--all")
			wantExit(t, r, code)
			hasAll(t, r.err, "Drop 1 dead letter for good? [y/N] ")
			g.want(int64(code), 0)
		})
	}
}
