package faults

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/queue"
)

// scratch is the folder of what all tests share: the program, and the files in
// which its processes note the hits of their points.
var scratch string

func TestMain(m *testing.M) {
	flag.Parse()
	queue.RedirectLog(slog.New(slog.DiscardHandler))
	var err error
	if scratch, err = os.MkdirTemp("", "faults-"); err != nil {
		panic(err)
	}
	if flag.Lookup("test.parallel").Value.String() == fmt.Sprint(runtime.GOMAXPROCS(0)) {
		_ = flag.Set("test.parallel", "4") // they wait more than they work
	}
	code := m.Run()
	if err := report(); err != nil && code == 0 {
		fmt.Println("FAIL:", err)
		code = 1
	}
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

// program is the gateway with its points.
var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "lightlock")
	out, err := exec.Command("go", "build", "-tags", "failpoints", "-o", path, "github.com/lightlock/lightlock/gateway").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// hits counts the hits of each point by the processes that have written to these
// files.
func hits(files ...string) map[failpoint.Point]int {
	counted := map[failpoint.Point]int{}
	for _, file := range files {
		text, _ := os.ReadFile(file) // none if nothing was hit
		for line := range strings.Lines(string(text)) {
			counted[failpoint.Point(strings.TrimSpace(line))]++
		}
	}
	return counted
}

// report prints the hits. Where all tests have run, or the long form of the chaos,
// a point that was never hit is an error: a fault there would go unseen.
func report() error {
	files, _ := filepath.Glob(filepath.Join(scratch, "hits *")) // the pattern is good
	counted := hits(files...)
	if len(counted) == 0 {
		return nil
	}
	fmt.Println("points hit:")
	var never []string
	for _, p := range failpoint.Points() {
		fmt.Printf("  %-16s %d\n", p, counted[p])
		if counted[p] == 0 {
			never = append(never, string(p))
		}
	}
	all := flag.Lookup("test.run").Value.String() == "" || *chaosPoints
	if all && len(never) > 0 {
		return errors.New("points that were never hit: " + strings.Join(never, ", "))
	}
	return nil
}
