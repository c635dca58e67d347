package mediabench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// memoryTable has each photo developed once: by the program as it is, whose child
// tells its peak, by media.Develop in a process of its own, and by vipsthumbnail.
func memoryTable(t *testing.T, all []*contest) *table {
	t.Helper()
	program := filepath.Join(t.TempDir(), "lightlock")
	do(t, "go", "build", "-o", program, "../../gateway")
	made := &table{
		title: "Peak memory of a process that develops one photo once, in MB of 1,048,576 bytes: the gateway's child (`lightlock photo FILE`), and how much of it are pages of the program's file, which all its processes share; " +
			"media.Develop in a small program; vipsthumbnail's preview.",
		head: []string{"photo", "MP", "child", "of it the program", "small program", "goal", "vips", "child by vips"},
	}
	for _, c := range all {
		peak, pages := childPeak(t, program, c.photo.path)
		small, vips := ours(t, c.oursIn, c.photo.path).peak, c.vips.previews(t, c.names[:1]).peak
		made.add(c.photo.name, fmt.Sprintf("%.0f", c.photo.megapixels), mega(peak), mega(pages), mega(float64(small)),
			c.photo.goal(), mega(float64(vips)), fmt.Sprintf("%.2f", peak/float64(vips)))
	}
	return made
}

// goal is how much memory one photo may take, in MB.
func (p photo) goal() string {
	switch {
	case p.progressive:
		return "96"
	case p.megapixels < 18:
		return "48"
	default:
		return "64"
	}
}

// childPeak has the program develop a file, and returns what it says its child held
// at most, and how much of a program's pages its children are seen to hold, in bytes.
func childPeak(t *testing.T, program, path string) (peak, pages float64) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, "photo", "--max-bytes", strconv.FormatInt(info.Size(), 10), path)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- cmd.Wait() }()
	for running := true; running; {
		select {
		case err = <-done:
			running = false
		case <-time.After(5 * time.Millisecond):
			pages = max(pages, filePages(cmd.Process.Pid))
		}
	}
	said := regexp.MustCompile(`1 of 1 ready.*peak memory of a child ([0-9.]+) MB`).FindStringSubmatch(out.String())
	if err != nil || said == nil {
		t.Fatalf("%v: it says no peak: %s", err, out.String())
	}
	mb, err := strconv.ParseFloat(said[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return mb * (1 << 20), pages
}

// filePages is the most that a child of a process holds of files now (RssFile in
// proc_pid_status(5)), or zero where the system does not say.
func filePages(parent int) float64 {
	most := 0.0
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	for _, list := range lists {
		pids, _ := os.ReadFile(list)
		for _, pid := range strings.Fields(string(pids)) {
			status, _ := os.ReadFile("/proc/" + pid + "/status")
			_, behind, _ := strings.Cut(string(status), "RssFile:")
			var kilobytes float64
			_, _ = fmt.Sscan(behind, &kilobytes)
			most = max(most, kilobytes*1024)
		}
	}
	return most
}
