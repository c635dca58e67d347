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
	l, err := parseLimits(args)
	if err == nil {
		err = serve(os.Stdin, os.Stdout, lock(l), develop)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "darkroom child:", err)
		return 1
	}
	return 0
}

// serve says hello, develops one photo and answers.
func serve(in io.Reader, out io.Writer, level string, develop developFunc) error {
	if err := writeFrame(out, hello{Level: level}); err != nil {
		return err
	}
	var r request
	switch err := readFrame(in, maxRequest, &r); {
	case errors.Is(err, io.EOF):
		return nil // the parent is gone, or needs us no more
	case err != nil:
		return err
	}
	original, err := readOriginal(in, r.Bytes)
	if err != nil {
		return err
	}
	developed, err := develop(context.Background(), original, r.Settings, nil)
	return reply(out, developed, err)
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

// limits are what a child may use at most. They travel as arguments, because
// the environment is empty and they have to hold before anything is read.
type limits struct {
	memory int64 // bytes of address space, beyond what Go starts with
	cpu    int64 // seconds of processor time
	// reserved is what Go started with; the child finds it out itself.
	reserved int64
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

// limitRuntime keeps Go itself within l. It collects garbage harder from three
// quarters on, because the holes between what is left take address space too.
func limitRuntime(l limits) {
	runtime.GOMAXPROCS(childProcessors)
	debug.SetMemoryLimit(l.memory / 4 * 3)
}

// environment is a child's whole environment.
func environment() []string {
	if raceDetector {
		return []string{"GORACE=atexit_sleep_ms=0"} // it would sleep for 1 s
	}
	return []string{}
}
