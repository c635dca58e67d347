package darkroom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/media"
)

// target is what a child tries to reach: a folder with a file in it, and a
// port on loopback where someone listens.
type target struct {
	Folder string
	Port   int
}

// attempts are the ways out that a child tries.
func (to target) attempts() map[string]func() error {
	file := filepath.Join(to.Folder, "file")
	return map[string]func() error{
		"read":   func() error { _, err := os.ReadFile(file); return err },
		"write":  func() error { return os.WriteFile(file, []byte("x"), 0o600) },
		"create": func() error { return os.WriteFile(file+".new", nil, 0o600) },
		"list":   func() error { _, err := os.ReadDir("/"); return err },
		"remove": func() error { return os.Remove(file) },
		"mkdir":  func() error { return os.Mkdir(file+".dir", 0o700) },
		"chmod":  func() error { return os.Chmod(file, 0o777) },
		"times":  func() error { return os.Chtimes(file, time.Time{}, time.Unix(0, 0)) },
		"exec":   func() error { return syscall.Exec("/bin/true", []string{"true"}, nil) },
		"fork":   fork,
		"signal": func() error { return syscall.Kill(os.Getppid(), 0) },
		"thread": func() error { return unix.Tgkill(1, 1, unix.SIGURG) }, // another process's
		"self":   func() error { return unix.Tgkill(os.Getpid(), unix.Gettid(), 0) },
		"limits": func() error { return unix.Prlimit(os.Getppid(), unix.RLIMIT_CORE, nil, &unix.Rlimit{}) },
		"memory": sharedMemory,
		"space":  func() error { return unix.Unshare(unix.CLONE_NEWUSER) },
		"bare":   func() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) },
		"tcp":    func() error { return to.dial(unix.SOCK_STREAM, 0) },
		"mptcp":  func() error { return to.dial(unix.SOCK_STREAM, unix.IPPROTO_MPTCP) },
		"udp":    func() error { return to.dial(unix.SOCK_DGRAM, 0) },
		"unix":   func() error { _, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0); return err },
	}
}

// sharedMemory makes memory that would outlive the process, and removes it.
func sharedMemory() error {
	id, err := unix.SysvShmGet(unix.IPC_PRIVATE, 4096, 0o600)
	if err != nil {
		return err
	}
	_, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil)
	return nil
}

// fork makes a process that would outlive its parent; it ends at once.
func fork() error {
	pid, _, errno := unix.RawSyscall(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	return nil
}

func (to target) dial(kind, protocol int) error {
	fd, err := unix.Socket(unix.AF_INET, kind, protocol)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return unix.Connect(fd, &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte{127, 0, 0, 1}})
}

// reachFrom is a child that makes the attempts behind lock, and reports the
// error number of each, 0 where it got out.
func reachFrom(args []string, text string, lock func(limits) string) int {
	var to target
	if err := json.Unmarshal([]byte(text), &to); err != nil {
		return 98
	}
	return runChild(args, lock, func(context.Context, []byte, media.Settings, media.Reserve) (*media.Developed, error) {
		said := ""
		for name, attempt := range to.attempts() {
			var errno syscall.Errno
			if err := attempt(); err != nil && !errors.As(err, &errno) {
				errno = 9999
			}
			said += fmt.Sprintf("%s=%d ", name, int(errno))
		}
		return nil, report(said)
	})
}

// lockNamesOnly locks in by Landlock alone. The limit on descriptors answers
// before Landlock is asked, and would hide a hole in it.
func lockNamesOnly(limits) string { return lockFilesAndNetwork() }

// lockCallsOnly locks in by the limit on system calls alone, for the same
// reason. A child of root stays root.
func lockCallsOnly(limits) string { return hideProcess() + limitCalls() }

// reached has a child of that behaviour try, and returns the error numbers.
func reached(t *testing.T, behaviour string) map[string]syscall.Errno {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	to := target{Folder: openFolder(t), Port: listener.Addr().(*net.TCPAddr).Port}
	text, err := json.Marshal(to)
	if err != nil {
		t.Fatal(err)
	}
	d, _ := room(t, behaviour+":"+string(text), Options{Idle: -1})
	got := map[string]syscall.Errno{}
	for word := range strings.FieldsSeq(told(t, d, "")) {
		name, number, _ := strings.Cut(word, "=")
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("the child said %q", word)
		}
		got[name] = syscall.Errno(n)
	}
	if want := len(to.attempts()); len(got) != want {
		t.Fatalf("the child reports %d attempts, want %d: %v", len(got), want, got)
	}
	if _, err := os.Stat(filepath.Join(to.Folder, "file.new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the child's new file: got %v, want none", err)
	}
	return got
}

// openFolder is a folder in which everybody may do everything, so that only
// the sandbox can be what stops a child.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "darkroom-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	file := filepath.Join(dir, "file")
	if err := errors.Join(os.Chmod(dir, 0o777), os.WriteFile(file, nil, 0o600), os.Chmod(file, 0o666)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestChildCannotGetOut(t *testing.T) {
	if !callsAreLimited(t) {
		t.Skip("SKIPPED: this system does not limit system calls")
	}
	for name, errno := range reached(t, "reach") {
		if errno == 0 {
			t.Errorf("%s: the child got out", name)
		}
	}
}

// TestChildCannotGetOutByOtherCalls has all the rest keep a child in, because
// the limit on system calls answers first and would hide a hole in it.
func TestChildCannotGetOutByOtherCalls(t *testing.T) {
	got := reached(t, "reach-by-calls")
	for name, errno := range got {
		t.Logf("%s: %v", name, errno)
	}
	// Descriptors are refused in every kernel. The rest needs Landlock, or a
	// parent that is root.
	for _, name := range []string{"read", "write", "create", "list", "tcp", "mptcp", "udp", "unix"} {
		if got[name] == 0 {
			t.Errorf("%s: the child got out", name)
		}
	}
	for _, name := range []string{"remove", "mkdir", "exec"} {
		if got[name] == 0 && landlockVersion() > 0 {
			t.Errorf("%s: the child got out", name)
		}
	}
	if os.Getuid() == 0 && got["chmod"] == 0 {
		t.Errorf("chmod: the child got out, though it should have left root")
	}
}

// TestCallsAlone has a child that is still root where its parent is.
func TestCallsAlone(t *testing.T) {
	if !callsAreLimited(t) {
		t.Skip("SKIPPED: this system does not limit system calls")
	}
	for name, errno := range reached(t, "reach-by-number") {
		if errno != syscall.EPERM {
			t.Errorf("%s: got %v, want %v", name, errno, syscall.EPERM)
		}
	}
}

// callsAreLimited asks a child.
func callsAreLimited(t *testing.T) bool {
	t.Helper()
	d, _ := room(t, "play", Options{Idle: -1})
	return !strings.Contains(d.Sandbox(), "system calls are not limited")
}

func TestLandlockAlone(t *testing.T) {
	version := landlockVersion()
	if version < 4 {
		t.Skipf("SKIPPED: this kernel's landlock is version %d, files and TCP need 4", version)
	}
	got := reached(t, "reach-by-name")
	for _, name := range []string{"read", "write", "create", "list", "remove", "mkdir", "exec", "tcp"} {
		if got[name] != syscall.EACCES {
			t.Errorf("%s: got %v, want %v", name, got[name], syscall.EACCES)
		}
	}
	// What the log says of UDP is true.
	stopped := got["udp"] != 0
	if said := !strings.Contains(landlockLevel(version), "UDP is not stopped"); stopped != said {
		t.Errorf("UDP is stopped: %v, but the level says %v: %s", stopped, said, landlockLevel(version))
	}
}

func landlockVersion() int {
	version, err := ll.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	return version
}

func TestLevelIsLoggedOnce(t *testing.T) {
	d, log := room(t, "play", Options{})
	if d.Sandbox() == "" || strings.Count(log.String(), d.Sandbox()) != 1 {
		t.Errorf("sandbox %q is not once in the log:\n%s", d.Sandbox(), log)
	}
	for version, want := range map[int]string{
		1:  "landlock 1: files; TCP and UDP are not stopped by landlock",
		7:  "landlock 7: files and TCP; UDP is not stopped by landlock",
		10: "landlock 10: files, TCP and UDP",
	} {
		if got := landlockLevel(version); got != want {
			t.Errorf("landlock %d: got %q, want %q", version, got, want)
		}
	}
}

// A sandbox that the system gives to the first child and not to the next must
// not go unnoticed.
func TestAnotherLevelIsLogged(t *testing.T) {
	d, log := room(t, "moody", Options{Idle: -1})
	mustDevelop(t, d)
	if got := strings.Count(log.String(), "kept in otherwise"); got != 1 {
		t.Errorf("got %d warnings, want 1", got)
	}
}

// TestProcessorTimeIsLimited has the kernel's own limit end a child, long before
// its deadline.
func TestProcessorTimeIsLimited(t *testing.T) {
	d, _ := room(t, "play", Options{Idle: -1, Processor: time.Second, Deadline: 10 * time.Minute})
	_, err := d.Develop(t.Context(), []byte("do spin"), settings())
	if !errors.Is(err, ErrChildDied) || !strings.Contains(err.Error(), "(signal: killed)") {
		t.Errorf("got %v, want ErrChildDied by a signal", err)
	}
}

// TestChildrenDieWithTheirParent kills a process that has children standing
// ready and at work.
func TestChildrenDieWithTheirParent(t *testing.T) {
	const inner = "DARKROOM_TEST_PARENT"
	if os.Getenv(inner) != "" {
		d, _ := room(t, "play", Options{Idle: 2})
		go func() { _, _ = d.Develop(context.Background(), []byte("do hang"), settings()) }()
		gatewaytest.Await(t, "a child at work", func() bool { return d.Held() > 0 && len(children(t)) == 3 })
		_, _ = fmt.Fprintln(os.Stderr, children(t)) // the test's own output would wait for its end
		time.Sleep(time.Minute)
		return
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestChildrenDieWithTheirParent$")
	cmd.Env = append(os.Environ(), inner+"=1")
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pids [3]int
	_, scanErr := fmt.Fscanf(said, "[%d %d %d]", &pids[0], &pids[1], &pids[2])
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if scanErr != nil {
		t.Fatalf("no three children: %v", scanErr)
	}
	for _, pid := range pids {
		gatewaytest.Await(t, "the end of an orphan", func() bool {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			// A zombie is dead too, only nobody has asked how it died.
			return err != nil || strings.Contains(string(text), ") Z ")
		})
	}
}

func TestEnvironmentIsEmpty(t *testing.T) {
	t.Setenv("LIGHTLOCK_CANARY", "secret")
	d, _ := room(t, "play", Options{Idle: -1})
	if got, want := told(t, d, "environ"), strings.Join(environment(), ","); got != want {
		t.Errorf("environment: got %q, want %q", got, want)
	}
}

func TestChildHasThreeDescriptorsAndIsNotRoot(t *testing.T) {
	// A descriptor that children inherit, as a careless supervisor would leave it.
	left, err := unix.Open(t.TempDir(), unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(left) }()
	d, _ := room(t, "unlimited-calls", Options{Idle: -1})
	user := os.Getuid()
	if user == 0 {
		user = nobody
	}
	if got, want := told(t, d, "who"), fmt.Sprint(user, " ", []int{0, 1, 2}); got != want {
		t.Errorf("user and descriptors: got %q, want %q", got, want)
	}
}
