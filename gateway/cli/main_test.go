package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/darkroom"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
)

// What needs a whole gateway, or a signal, is tried on the real program; the
// rest in this process.

func TestMain(m *testing.M) {
	darkroom.RunIfChild()
	code := m.Run()
	if programFolder != "" {
		_ = os.RemoveAll(programFolder)
	}
	os.Exit(code)
}

// programFolder is where the real program lies, once it was asked for.
var programFolder string

// theProgram builds the real program, for the first test that wants it.
var theProgram = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "cli-test-")
	if err != nil {
		return "", err
	}
	programFolder = dir
	path := filepath.Join(dir, "lightlock")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/lightlock/lightlock/gateway").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// command is the real program, not started yet.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := theProgram()
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(path, args...)
}

// process is the real program at work.
type process struct {
	*exec.Cmd
	out, err gatewaytest.Log
	ended    chan struct{}
}

// start starts the program in an empty folder, with a folder of its own for
// temporary files, and kills it at the end of the test if nothing else has.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startIn(t, t.TempDir(), args...)
}

func startIn(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: command(t, args...), ended: make(chan struct{})}
	p.Dir, p.Stdout, p.Stderr = dir, &p.out, &p.err
	if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	p.Env = append(os.Environ(), "TMPDIR="+filepath.Join(dir, "tmp"))
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.Wait()
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.ended
	})
	return p
}

// hangs is when a program is taken for one that never ends. A demo ends itself,
// but gives each of its photos patience, and a crowded machine needs it.
const hangs = 10 * patience

// exit waits for the end and returns the exit code.
func (p *process) exit(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
		return p.ProcessState.ExitCode()
	case <-time.After(hangs):
		t.Fatalf("it does not end; stdout:\n%s\nstderr:\n%s", &p.out, &p.err)
		return -1
	}
}

// await waits until found returns something.
func (p *process) await(t *testing.T, what string, found func() bool) {
	t.Helper()
	for deadline := time.Now().Add(hangs); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if found() {
			return
		}
		select {
		case <-p.ended:
			t.Fatalf("ended before %s; stderr:\n%s", what, &p.err)
		default:
		}
	}
	t.Fatalf("no %s; stderr:\n%s", what, &p.err)
}

// result is what a command in this process has done.
type result struct {
	code     int
	out, err string
}

// lightlock runs a command in this process.
func lightlock(t *testing.T, args ...string) result {
	t.Helper()
	return lightlockUntil(t.Context(), testProgram(), args...)
}

func lightlockUntil(ctx context.Context, p Program, args ...string) result {
	var out, err gatewaytest.Log
	p.Stdout, p.Stderr = &out, &err
	return result{run(ctx, args, p), out.String(), err.String()}
}

// testProgram speaks LINE, and has gateways that do nothing.
func testProgram() Program {
	return Program{
		Channels: []Channel{{
			Channel:  line.Channel(),
			Simulate: func() (sim.Platform, error) { return linesim.Start() },
		}},
		NewGateway: func(*config.Loaded, *slog.Logger) (Gateway, error) { return &fakeGateway{}, nil },
	}
}

// fakeGateway is a gateway that does what a test says; without a word, nothing.
type fakeGateway struct {
	start  func(context.Context) error
	watch  func(context.Context, func([]byte) bool) error
	ended  chan struct{}
	closed error
}

func (f *fakeGateway) Start(ctx context.Context) error {
	if f.start == nil {
		return nil
	}
	return f.start(ctx)
}

func (f *fakeGateway) Addresses() Addresses { return Addresses{"127.0.0.1:1", "127.0.0.1:2"} }

func (f *fakeGateway) Watch(ctx context.Context, _ string, found func([]byte) bool) error {
	if f.watch == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	return f.watch(ctx, found)
}

func (f *fakeGateway) Journal() Journal       { return f }
func (f *fakeGateway) Ended() <-chan struct{} { return f.ended }
func (f *fakeGateway) Err() error             { return errors.New("the private redis-server has ended") }
func (f *fakeGateway) Close() error           { return f.closed }

var errTest = errors.New("what the test broke")

// put writes a file and returns its path.
func put(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// jpegOf is a small photo.
func jpegOf(t *testing.T, width, height int) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = uint8(i)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// gifOf is a GIF of so many frames.
func gifOf(t *testing.T, frames int) []byte {
	t.Helper()
	g := &gif.GIF{}
	for range frames {
		g.Image = append(g.Image, image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{color.White, color.Black}))
		g.Delay = append(g.Delay, 10)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// padded is a photo's head with so many bytes in all.
func padded(t *testing.T, size int) []byte {
	t.Helper()
	return append(jpegOf(t, 8, 8), make([]byte, size)...)[:size]
}

// hasAll complains about each text that is not in got.
func hasAll(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("no %q in:\n%s", w, got)
		}
	}
}
