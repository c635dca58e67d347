package budget

import (
	"bufio"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// unlimited is above what any machine has. A first version's group without a
// limit has one near 2^63.
const unlimited = 1 << 60

// ContainerLimit returns the memory limit of the container in which this process
// runs, in bytes, or zero where there is none or none can be found. root is the
// folder under which the system's own are found: "/".
//
// Both versions of control groups are read (cgroups(7)). The limits of all groups
// above hold too, as far as they can be seen: within a container they often
// cannot, and its own group then stands where the topmost is mounted.
func ContainerLimit(root string) int64 {
	file, err := os.Open(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0
	}
	defer file.Close()
	var least int64
	for lines := bufio.NewScanner(file); lines.Scan(); {
		// A line is number:controllers:path.
		fields := strings.SplitN(lines.Text(), ":", 3)
		if len(fields) < 3 {
			continue
		}
		switch {
		case fields[0] == "0" && fields[1] == "":
			least = lower(least, groupLimit(filepath.Join(root, "sys/fs/cgroup"), fields[2], "memory.max"))
		case strings.Contains(","+fields[1]+",", ",memory,"):
			least = lower(least, groupLimit(filepath.Join(root, "sys/fs/cgroup/memory"), fields[2], "memory.limit_in_bytes"))
		}
	}
	return least
}

// groupLimit returns the lowest limit of a group and of those above it, or zero.
func groupLimit(mount, group, file string) int64 {
	var least int64
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		least = lower(least, readLimit(filepath.Join(mount, group, file)))
		if group == "/" {
			return least
		}
	}
}

// readLimit reads one limit; zero is none.
func readLimit(file string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // "max" is none
	if err != nil || n <= 0 || n >= unlimited {
		return 0
	}
	return n
}

// lower returns the lower of two limits, of which zero is none.
func lower(a, b int64) int64 {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}
