package darkroom

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/media"
	"go.uber.org/goleak"
)

// testArg makes the test binary a child that misbehaves; what follows it names
// the behaviour. It is known to this binary alone.
const testArg = "darkroom-test-child/"

func TestMain(m *testing.M) {
	RunIfChild()
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], testArg) {
		os.Exit(misbehave(strings.TrimPrefix(os.Args[1], testArg), os.Args[2:]))
	}
	goleak.VerifyTestMain(m)
}

// misbehave runs one of the behaviours. What follows a colon is for it.
func misbehave(name string, args []string) int {
	name, more, _ := strings.Cut(name, ":")
	if code, ok := starters()[name]; ok {
		return code(args, more)
	}
	return 99
}

// settings are what the tests ask for.
func settings() media.Settings {
	return media.Settings{
		MaxBytes: 10 << 20, MaxPixels: 100e6, MaxMemory: 512 << 20, Formats: []string{"jpeg", "png", "gif"},
		Preview:   media.Target{MaxBytes: 3_000_000, Side: 2048},
		Thumbnail: media.Target{MaxBytes: 30_000, Side: 240},
	}
}

// goodPhoto is an original that the children of these tests develop.
const goodPhoto = "a good photo"

func encode(width, height int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8(x ^ y), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// room opens a darkroom whose children begin with that behaviour. When the test ends it makes sure that none of them is left.
func room(t *testing.T, behaviour string, o Options) (*Darkroom, *gatewaytest.Log) {
	t.Helper()
	log := new(gatewaytest.Log)
	o.Log = slog.New(slog.NewTextHandler(io.MultiWriter(log, t.Output()), nil))
	d, err := open(o, testArg+behaviour)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if left := children(t); len(left) > 0 {
			t.Errorf("children left after Close: %v", left)
		}
	})
	return d, log
}

// children returns the process ids of this process's children, zombies too.
func children(t *testing.T) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Skip("SKIPPED: this system has no /proc to count children in")
	}
	var pids []int
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // gone meanwhile
		}
		// The name may hold spaces: count from the parenthesis that ends it.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if fields[1] == strconv.Itoa(os.Getpid()) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// mustDevelop develops a good photo with d.
func mustDevelop(t *testing.T, d *Darkroom) {
	t.Helper()
	_, err := d.Develop(context.Background(), []byte(goodPhoto), settings())
	if err != nil {
		t.Fatalf("a good photo: %v", err)
	}
}

// told has a child of d do something that it reports on, and returns the
// report.
func told(t *testing.T, d *Darkroom, deed string) string {
	t.Helper()
	_, err := d.Develop(context.Background(), []byte("do "+deed), settings())
	var verdict *media.Rejection
	if !errors.As(err, &verdict) {
		t.Fatalf("got %v, want the child's report as a rejection", err)
	}
	return verdict.Detail
}
