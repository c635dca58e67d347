package darkroom

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"github.com/lightlock/lightlock/gateway/budget"
	"github.com/lightlock/lightlock/media"
)

// childArg is the hidden first argument that makes this program a child.
const childArg = "lightlock-darkroom-child"

// developFunc is what a child does with a photo; in production media.Develop.
type developFunc func(context.Context, []byte, media.Settings, media.Reserve) (*media.Developed, error)

// RunIfChild does a child's work and exits, if this process was started as one;
// otherwise it returns at once. It has to be the first statement of main, and of
// TestMain in every package that develops photos.
func RunIfChild() {
	if len(os.Args) < 2 || os.Args[1] != childArg {
		return
	}
	os.Exit(runChild(os.Args[2:], lockIn, media.Develop))
}

// runChild is a child's whole life, and returns its exit code. Lock says what
// it gives up before it reads.
func runChild(args []string, lock func(limits) string, develop developFunc) int {
	// A supervisor sends these to all processes at once. The gateway stops in
	// good order, and ends its children when their photos are done.
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	runtime.GOMAXPROCS(childProcessors)
	l, err := parseLimits(args)
	if err == nil {
		l.began = addressSpace()
		w := worker{in: os.Stdin, out: os.Stdout, develop: develop, allow: l.allow}
		err = w.serve(lock(l))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "darkroom child:", err)
		return 1
	}
	linger()
	return 0
}

// linger tells the parent that nothing follows, and waits for it to end this
// process: how much memory a process has held can be asked only while it lives.
func linger() {
	_ = os.Stdout.Close()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// worker is a child at its one photo.
type worker struct {
	in      io.Reader
	out     io.Writer
	develop developFunc
	// allow has the process keep to so many bytes, beyond what it is itself.
	allow func(bytes int64)

	judging int64 // what it was allowed before it asked for more
	asked   bool
}

// serve says hello, develops one photo and answers.
func (w *worker) serve(level string) error {
	if err := writeFrame(w.out, hello{Level: level}); err != nil {
		return err
	}
	var r request
	switch err := readFrame(w.in, maxRequest, &r); {
	case errors.Is(err, io.EOF):
		return nil // the parent is gone, or needs us no more
	case err != nil:
		return err
	}
	// From here on, because the parent's clock runs while it sends the photo.
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.Milliseconds)*time.Millisecond)
	defer cancel()
	w.judging = budget.Judged(int64(r.Bytes))
	w.allow(w.judging)
	original, err := readOriginal(w.in, r.Bytes)
	if err != nil {
		return err
	}
	developed, err := w.develop(ctx, original, r.Settings, w.reserve)
	if err != nil && errors.Is(err, ctx.Err()) {
		return writeFrame(w.out, answer{Late: true})
	}
	return reply(w.out, developed, err)
}

// reserve asks the parent for memory, once. A parent that has none at once does
// not answer but ends this process.
func (w *worker) reserve(_ context.Context, bytes int64) error {
	if w.asked || bytes < 1 {
		return fmt.Errorf("memory is asked for a second time, or %d bytes of it", bytes)
	}
	w.asked = true
	if err := writeFrame(w.out, answer{Need: bytes}); err != nil {
		return err
	}
	var g grant
	if err := readFrame(w.in, maxGrant, &g); err != nil {
		return fmt.Errorf("no memory: %w", err)
	}
	w.allow(w.judging + g.Bytes)
	return nil
}

// readOriginal reads a photo, which may have no bytes at all.
func readOriginal(in io.Reader, n int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	return readBytes(in, n, maxOriginal)
}

// reply sends what became of the photo.
func reply(out io.Writer, developed *media.Developed, err error) error {
	var verdict *media.Rejection
	if errors.As(err, &verdict) {
		return writeFrame(out, answer{Reason: verdict.Reason, Detail: plain(verdict.Detail, maxDetail), CutOff: verdict.CutOff, Source: verdict.Source})
	}
	if err != nil {
		return err
	}
	p, t := developed.Preview, developed.Thumbnail
	err = writeFrame(out, answer{
		Source:    developed.Source,
		Damage:    plain(developed.Damage, maxDetail),
		CutOff:    developed.CutOff,
		Profile:   developed.Profile,
		Preview:   size{Bytes: len(p.Data), Width: p.Width, Height: p.Height},
		Thumbnail: size{Bytes: len(t.Data), Width: t.Width, Height: t.Height},
	})
	for _, data := range [][]byte{p.Data, t.Data} {
		if err == nil {
			_, err = out.Write(data)
		}
	}
	return err
}

// limits are what a child may use at most, whatever it asks for. They travel as
// arguments, because the environment is empty and they have to hold before
// anything is read.
type limits struct {
	memory int64 // bytes, beyond what a child is itself
	cpu    int64 // seconds of processor time
	// began is the address space that Go started with; the child finds it out.
	began int64
}

// seconds rounds up: the kernel counts processor time in whole seconds.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// childProcessors is a child's GOMAXPROCS: one to decode, one to collect
// garbage.
const childProcessors = 2

// args returns the arguments of a child, first the one that makes it one.
func (l limits) args(first string) []string {
	return []string{first, strconv.FormatInt(l.memory, 10), strconv.FormatInt(l.cpu, 10)}
}

func parseLimits(args []string) (limits, error) {
	if len(args) != 2 {
		return limits{}, errors.New("want two arguments")
	}
	memory, err := strconv.ParseInt(args[0], 10, 64)
	cpu, err2 := strconv.ParseInt(args[1], 10, 64)
	if errors.Join(err, err2) != nil || memory <= 0 || cpu <= 0 {
		return limits{}, errors.New("want two positive numbers")
	}
	return limits{memory: memory, cpu: cpu}, nil
}

// allow has the process keep to so many bytes in all. Go collects its garbage in
// time for it; what is really in use beyond it, which means that it was reckoned
// wrongly, is stopped by the system at about twice as much.
func (l limits) allow(bytes int64) {
	bytes = min(bytes, budget.Child+l.memory)
	debug.SetMemoryLimit(bytes)
	l.limitSpace(bytes)
}

// environment is a child's whole environment.
func environment() []string {
	if raceDetector {
		return []string{"GORACE=atexit_sleep_ms=0"} // it would sleep for 1 s
	}
	return []string{}
}
