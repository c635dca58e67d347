//go:build amd64 || arm64

package darkroom

import (
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// harmless are the system calls that Go's runtime, and libc's threads below it,
// make while code computes, and those that read and write what is open. None of
// them names a file, another process or another machine.
func harmless() []uint32 {
	return []uint32{
		unix.SYS_READ, unix.SYS_WRITE, unix.SYS_CLOSE, unix.SYS_FCNTL,
		unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MREMAP, unix.SYS_MPROTECT, unix.SYS_MADVISE, unix.SYS_MINCORE, unix.SYS_BRK,
		unix.SYS_FUTEX, unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_CTL,
		unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_RESTART_SYSCALL,
		unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK,
		unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_GETRANDOM,
		unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
	}
}

// Where struct seccomp_data has the number of a call, its architecture and its
// arguments (linux/seccomp.h). Both processors have the lower half first.
const (
	atNumber       = 0
	atArchitecture = 4
	atArguments    = 16
)

// limitCalls has the kernel refuse, in all threads and for ever, every system
// call that a decoder has no use for: what works by path and needs no
// descriptor (chmod, chown), new processes and programs, signals to others,
// shared memory, and most of the kernel's own weak spots. It says what it came
// to.
func limitCalls() string {
	program, err := bpf.Assemble(callFilter(uint32(os.Getpid())))
	if err != nil {
		return "system calls are not limited: " + err.Error()
	}
	filter := make([]unix.SockFilter, 0, len(program))
	for _, i := range program {
		filter = append(filter, unix.SockFilter{Code: i.Op, Jt: i.Jt, Jf: i.Jf, K: i.K})
	}
	loaded := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	failed, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&loaded))) //nolint:gosec // the kernel wants an address
	if errno != 0 || failed != 0 {
		return "system calls are not limited: the system does not let it"
	}
	return "no system calls but a decoder's"
}

// callFilter is the filter as a program for the kernel. What is refused fails
// with EPERM and does not kill, so that a Go of tomorrow that tries something
// new goes on without it.
func callFilter(pid uint32) []bpf.Instruction {
	refuse := bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)}
	unknown := bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)}
	allow := bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: atArchitecture, Size: 4}, // the numbers mean something else in another
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: architecture(), SkipTrue: 1},
		refuse,
		bpf.LoadAbsolute{Off: atNumber, Size: 4},
	}
	for _, number := range harmless() {
		program = append(program, onCall(number, allow)...)
	}
	// Threads only. The arguments of clone3 cannot be seen from here; libc then
	// uses clone.
	program = append(program, onCall(unix.SYS_CLONE3, unknown)...)
	program = append(program, onCall(unix.SYS_CLONE, argument(0),
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: unix.CLONE_THREAD, SkipTrue: 1}, refuse, allow)...)
	// Its own limits only, 0 being oneself, and none beyond those that it began
	// with: they follow the memory that it is granted.
	program = append(program, onCall(unix.SYS_PRLIMIT64, argument(0),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1}, refuse, allow)...)
	// Go interrupts its own threads by this signal.
	program = append(program, onCall(unix.SYS_TGKILL, argument(0),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: pid, SkipTrue: 1}, refuse, argument(2),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(unix.SIGURG), SkipTrue: 1}, refuse, allow)...)
	return append(program, refuse)
}

// onCall puts before then, which has to end with a verdict, that it is for the
// call of that number alone.
func onCall(number uint32, then ...bpf.Instruction) []bpf.Instruction {
	return append([]bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpEqual, Val: number, SkipFalse: uint8(len(then))}}, then...)
}

// argument loads the lower half of a call's n-th argument.
func argument(n uint32) bpf.Instruction {
	return bpf.LoadAbsolute{Off: atArguments + 8*n, Size: 4}
}

func architecture() uint32 {
	if runtime.GOARCH == "arm64" {
		return unix.AUDIT_ARCH_AARCH64
	}
	return unix.AUDIT_ARCH_X86_64
}
