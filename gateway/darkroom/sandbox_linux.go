package darkroom

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"github.com/lightlock/lightlock/gateway/budget"
)

// nobody is the user and group that a child of root becomes.
const nobody = 65534

// lockIn gives up whatever the system lets it give up, best effort, and says in
// plain words what it came to. The order matters: each step needs what a later
// one takes away.
func lockIn(l limits) string { return giveUpRights(l) + "; " + limitCalls() }

// giveUpRights is everything but the limit on system calls, which these need.
func giveUpRights(l limits) string {
	offerToOOM()
	closeInherited()
	return strings.Join([]string{
		leaveRoot(),
		lockFilesAndNetwork(),
		hideProcess(),
		setLimits(l),
	}, "; ")
}

// offerToOOM has the kernel end a child, rather than the gateway, when the
// machine runs out of memory.
func offerToOOM() {
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
}

// closeInherited closes descriptors that whoever started the gateway left open
// for all its descendants: nobody knows what they lead to. Go's own two, by
// which it waits for pipes, stay.
func closeInherited() {
	const folder = "/proc/self/fd/"
	open, _ := os.ReadDir(folder)
	for _, entry := range open {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil || fd <= 2 {
			continue
		}
		// The descriptor that read the folder has no link any more.
		link, err := os.Readlink(folder + entry.Name())
		if err == nil && link != "anon_inode:[eventpoll]" && link != "anon_inode:[eventfd]" {
			_ = unix.Close(fd)
		}
	}
}

// leaveRoot makes a child of root a nobody without capabilities: none of what
// follows stops everything that root may do.
func leaveRoot() string {
	if os.Geteuid() != 0 {
		return "the gateway's user"
	}
	// In this order, because only root may change groups.
	err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody))
	switch {
	case os.Geteuid() == 0:
		return "still root, which the system does not let it leave"
	case err != nil:
		return "user nobody in the gateway's groups"
	}
	return "user nobody"
}

// lockFilesAndNetwork asks Landlock for everything that it can refuse.
func lockFilesAndNetwork() string {
	version, err := ll.LandlockGetABIVersion()
	if err != nil || version < 1 {
		return "no landlock in this kernel: files and TCP are not stopped by it"
	}
	if err := landlock.V11.BestEffort().Restrict(); err != nil {
		return "landlock refused by the system: files and TCP are not stopped by it"
	}
	return landlockLevel(version)
}

// landlockLevel says what a version of Landlock's interface stops.
func landlockLevel(version int) string {
	switch {
	case version < 4:
		return fmt.Sprintf("landlock %d: files; TCP and UDP are not stopped by landlock", version)
	case version < 10:
		return fmt.Sprintf("landlock %d: files and TCP; UDP is not stopped by landlock", version)
	default:
		return fmt.Sprintf("landlock %d: files, TCP and UDP", version)
	}
}

// hideProcess keeps the child from gaining rights by exec and from being read
// through /proc, and has it die with its parent: leaving root forgot that.
func hideProcess() string {
	privileges := ll.AllThreadsPrctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	if privileges != nil {
		return "new privileges are not stopped"
	}
	return "no new privileges"
}

// setLimits sets the limits of the process. No further descriptors is the
// strongest of them: it stops files and sockets of every kind in any kernel,
// those that Landlock does not know (UDP, Multipath TCP) too. The number of
// processes is not limited, because Go's threads count as such, and all
// processes of the same user with them.
func setLimits(l limits) string {
	wanted := []struct {
		resource int
		most     int64
	}{
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_FSIZE, 0},
		{unix.RLIMIT_CPU, l.cpu},
		{unix.RLIMIT_AS, l.space(budget.Child + l.memory)},
		{unix.RLIMIT_NOFILE, 0},
	}
	for _, w := range wanted {
		if w.resource == unix.RLIMIT_AS && raceDetector {
			continue
		}
		if unix.Setrlimit(w.resource, &unix.Rlimit{Cur: uint64(w.most), Max: uint64(w.most)}) != nil {
			return "limits are not all in force"
		}
	}
	level := fmt.Sprintf("no further descriptors, hence no sockets; %d s of processor time", l.cpu)
	if raceDetector {
		return level + "; memory is not limited, for the race detector"
	}
	return fmt.Sprintf("%s; at most %d MiB of memory", level, l.memory>>20)
}

// space is the address space for a process that may hold so many bytes: half of
// it for what is waiting to be collected and for the holes between what is left,
// and a little for what Go takes in advance, 64 MiB at a time.
func (l limits) space(bytes int64) int64 { return l.began + 2*bytes + 128<<20 }

// limitSpace lowers or raises the limit of address space to what a process needs
// that may hold so many bytes. It never exceeds the one that setLimits has set.
func (l limits) limitSpace(bytes int64) {
	var limit unix.Rlimit
	if raceDetector || unix.Getrlimit(unix.RLIMIT_AS, &limit) != nil {
		return
	}
	limit.Cur = min(uint64(l.space(bytes)), limit.Max)
	_ = unix.Setrlimit(unix.RLIMIT_AS, &limit)
}

// addressSpace returns how much address space this process takes, in bytes:
// the first number of statm, in pages (proc_pid_statm(5)). It is far more than
// the memory in use, and depends on Go's version and on cgo.
func addressSpace() int64 {
	const guess = 2 << 30
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return guess
	}
	first, _, _ := strings.Cut(string(text), " ")
	pages, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return guess
	}
	return pages * int64(os.Getpagesize())
}
