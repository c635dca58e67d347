package load

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// Use is what a process on this machine took, as far as the system tells: Linux
// does.
type Use struct {
	Process string `json:"process"`
	// Microseconds is the processor time per call.
	Microseconds float64 `json:"processor_us_per_call"`
	// Idle and Bytes are its memory before the first call and after the last,
	// of shared pages its share.
	Idle  int64 `json:"idle_bytes"`
	Bytes int64 `json:"bytes"`

	ticks int64
}

// per is the use divided among so many calls.
func (u Use) per(calls int) Use {
	u.Microseconds = float64(u.ticks) * tick / float64(max(calls, 1))
	return u
}

// tick is the unit in which Linux tells processor time to programs, in
// microseconds; it is the same on every machine.
const tick = 10_000

// uses are those of all processes at one moment.
type uses []Use

// usage looks at the target's processes, and at this one.
func (t *Target) usage() uses {
	list := uses{useOf("load", os.Getpid())}
	for _, p := range t.Processes {
		list = append(list, useOf(p.Name, p.PID))
	}
	return list
}

// until is what was used between two moments.
func (u uses) until(end uses) []Use {
	list := make([]Use, len(u))
	for i := range u {
		list[i] = Use{Process: u[i].Process, Idle: u[i].Bytes, Bytes: end[i].Bytes, ticks: end[i].ticks - u[i].ticks}
	}
	return list
}

func useOf(name string, pid int) Use {
	folder := "/proc/" + strconv.Itoa(pid) + "/"
	u := Use{Process: name}
	if stat, err := os.ReadFile(folder + "stat"); err == nil {
		// Behind the name, which may hold anything, stand the state and then
		// numbers: user and system time are the 12th and 13th.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) > 12 {
			u.ticks = number(fields[11]) + number(fields[12])
		}
	}
	if rollup, err := os.ReadFile(folder + "smaps_rollup"); err == nil {
		for line := range strings.Lines(string(rollup)) {
			if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "Pss:" {
				u.Bytes = number(fields[1]) << 10
			}
		}
	}
	return u
}

func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}
