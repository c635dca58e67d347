package mediabench

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/media"
)

var (
	compare = flag.Bool("compare", false, "run the comparison with vipsthumbnail")
	rounds  = flag.Int("rounds", 5, "rounds of the comparison")
	only    = flag.String("photos", "", "compare only photos whose name has this in it")
	kernel  = flag.String("kernel", "lanczos3", "filter that makes the reference for quality: what vips resize knows")
)

// childArg makes this binary a child that develops photos.
const childArg = "mediabench-child"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == childArg {
		if err := developAll(os.Args[2], os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Where the pictures of a photo end up in a folder, behind the photo's name
// without its extension. vipsthumbnail writes to the same names in another folder.
const (
	previewEnd   = ".preview.jpg"
	thumbnailEnd = ".thumbnail.jpg"
)

// bare is a file's name without folder and extension, as vipsthumbnail's %s is.
func bare(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

// developAll is what a child does: it develops one photo after the other.
func developAll(folder string, files []string) error {
	runtime.GOMAXPROCS(2) // as gateway/darkroom's children have
	for _, file := range files {
		if err := develop(folder, file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	fmt.Printf("%s%d\n", peakWord, highWater())
	return nil
}

// peakWord is before what a child of ours says that it held at most, in bytes.
const peakWord = "peak="

// highWater is what this process has held at most, in bytes (VmHWM in
// proc_pid_status(5)), or zero where the system does not say.
func highWater() int64 {
	status, _ := os.ReadFile("/proc/self/status")
	_, behind, _ := strings.Cut(string(status), "\nVmHWM:")
	number, _, _ := strings.Cut(behind, " kB")
	kilobytes, _ := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	return kilobytes << 10
}

// develop limits the memory as gateway/darkroom's children do: 12 MB and the
// original while it is judged, a fourth more than what it asks for beside
// (gateway/budget, Judged and Developed).
func develop(folder, file string) error {
	original, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	s := media.Default()
	s.MaxBytes = int64(len(original))
	judged := 12<<20 + s.MaxBytes
	debug.SetMemoryLimit(judged)
	d, err := media.Develop(context.Background(), original, s, func(_ context.Context, need int64) error {
		debug.SetMemoryLimit(judged + need + need/4)
		return nil
	})
	if err != nil {
		return err
	}
	name := filepath.Join(folder, bare(file))
	if err := os.WriteFile(name+previewEnd, d.Preview.Data, 0o600); err != nil {
		return err
	}
	return os.WriteFile(name+thumbnailEnd, d.Thumbnail.Data, 0o600)
}

// asked skips a comparison that nobody asked for, and keeps this process small for
// one: see measure.
func asked(t *testing.T) {
	t.Helper()
	if !*compare {
		t.Skip("SKIPPED: it takes minutes. Run: go test -count=1 -run TestCompare -v -timeout 30m ./media/mediabench -compare")
	}
	if *rounds < 1 {
		t.Fatalf("-rounds is %d; it must be at least 1", *rounds)
	}
	debug.SetGCPercent(10)
}
