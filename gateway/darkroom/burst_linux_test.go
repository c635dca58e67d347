//go:build !race

package darkroom_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/gatewaytest/platforms"
	"github.com/lightlock/lightlock/gateway/load"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/media/mediatest"
)

var burst = flag.Int("burst", 20, "how many photos of 12 megapixels come at once in TestBurst; the long form has 2000")

// After a burst the gateway and its children have to be back below so many bytes,
// within so long.
const (
	restingMemory = 150 << 20
	restWithin    = time.Minute
)

// TestBurst: photos of 12 megapixels come as fast as they are accepted, to the real
// program, which is a process of its own with a real redis-server. Each is developed
// by a child of its own, and within a minute after the last one the memory is back.
//
// There is no such test with the race detector: the program that is started has
// none, and the minutes would be the load generator's.
func TestBurst(t *testing.T) {
	photo := twelveMegapixels(t)
	target := openHouse(t)
	gateway := target.Processes[slices.IndexFunc(target.Processes, func(p load.Process) bool { return p.Name == "gateway 1" })].PID
	t.Logf("%-24s %v", "before", held(t, gateway))
	begun := time.Now()
	report, err := load.Run(t.Context(), target, load.Options{
		Plan:        load.Plan{Name: "burst", Messages: *burst, Consumers: 100, Photos: 1, Originals: [][]byte{photo}},
		Connections: 16, Wait: 2 * time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	over := time.Now()
	if !report.Balance.Good() || report.Photos["ready"] != *burst {
		t.Fatalf("%v, photos %v; want %d ready", report.Balance, report.Photos, *burst)
	}
	peak, _ := kilobytes(gateway, "status", "VmHWM:")
	t.Logf("%d photos of %d bytes, all ready after %.1f s; the gateway's peak %d MB", *burst, len(photo), over.Sub(begun).Seconds(), peak>>20)
	now := held(t, gateway)
	t.Logf("%-24s %v", "after the last", now)
	for now.share >= restingMemory && time.Since(over) < restWithin {
		time.Sleep(time.Second)
		now = held(t, gateway)
	}
	t.Logf("%-24s %v", fmt.Sprintf("%.0f s later", time.Since(over).Seconds()), now)
	if now.share >= restingMemory {
		t.Errorf("%v after %v; want less than %d MB", now, restWithin, restingMemory>>20)
	}
	// One more was for the photo of its own that the darkroom tries itself with. Those
	// that stand ready have had none.
	waiting := held(t, gateway).processes - 1
	started := childrenStarted(t, target.Admins[0])
	if started-waiting < *burst+1 {
		t.Errorf("%d children were started for %d photos and %d wait for one; want one for each", started, *burst, waiting)
	}
	t.Logf("%d children were started, of which %d wait", started, waiting)
}

// twelveMegapixels is a camera's photo, or one of that size and about as many bytes.
func twelveMegapixels(t *testing.T) []byte {
	t.Helper()
	if mediatest.HavePhotos() {
		return mediatest.Photo(t, "camera/p12-pixel1.jpg")
	}
	img := image.NewYCbCr(image.Rect(0, 0, 4032, 3024), image.YCbCrSubsampleRatio420)
	dice := rand.New(rand.NewPCG(1, 1))
	for i := range img.Y {
		img.Y[i] = uint8(i>>4) + uint8(dice.UintN(16))
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = uint8(i>>5), uint8(i>>7)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// openHouse builds the program and starts it between a simulated LINE and a
// redis-server.
func openHouse(t *testing.T) *load.Target {
	t.Helper()
	queue.RedirectLog(slog.New(slog.DiscardHandler))
	binary := filepath.Join(t.TempDir(), "lightlock")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "github.com/lightlock/lightlock/gateway").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	all := platforms.All()
	line := all[slices.IndexFunc(all, func(p platforms.Platform) bool { return p.Name == "line" })]
	target, err := load.House{Binary: binary, Channels: []load.Channel{{Channel: line.Channel, Simulate: line.Start}}}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := target.Close(); err != nil {
			t.Error(err)
		}
	})
	return target
}

// childrenStarted asks the gateway's metrics.
func childrenStarted(t *testing.T, admin string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, admin+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, behind, _ := strings.Cut(string(text), "\nlightlock_darkroom_children_total ")
	line, _, _ := strings.Cut(behind, "\n")
	n, err := strconv.ParseFloat(line, 64) // large numbers come as 1e+06
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// memory is what a process and all below it hold, in bytes.
type memory struct {
	processes int
	// share counts a page that several processes have by as much to each (Pss);
	// resident counts it to each in full (VmRSS).
	share, resident int64
}

func (m memory) String() string {
	return fmt.Sprintf("%4d MB by shares, %4d MB by VmRSS, %d processes", m.share>>20, m.resident>>20, m.processes)
}

// held looks at a process and all below it, but a redis-server's: what Redis keeps
// is the queue's and not the darkroom's. (The one of this test is nobody's child
// but ours, and would be left out anyway.)
func held(t *testing.T, pid int) memory {
	t.Helper()
	sum, looked := memory{}, []int{pid}
	for len(looked) > 0 {
		one := looked[0]
		looked = append(looked[1:], childrenOf(one)...)
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", one))
		resident, alive := kilobytes(one, "status", "VmRSS:")
		if strings.HasPrefix(string(name), "redis-server") || !alive {
			continue
		}
		share, may := kilobytes(one, "smaps_rollup", "Pss:")
		if !may {
			share = resident // a child in its sandbox is shown to root alone; this is more
		}
		sum.processes++
		sum.share += share
		sum.resident += resident
	}
	if sum.processes == 0 {
		t.Fatal("the gateway is gone, or this system does not tell of its memory")
	}
	return sum
}

// childrenOf are the processes that one has started and that still live.
func childrenOf(pid int) []int {
	var pids []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is good
	for _, list := range lists {
		text, _ := os.ReadFile(list) // a thread may have ended
		for word := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// kilobytes is a line of a process's file, in bytes; there is none where the
// process is gone, or the file is not to be read.
func kilobytes(pid int, file, name string) (int64, bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			return n << 10, err == nil
		}
	}
	return 0, false
}
