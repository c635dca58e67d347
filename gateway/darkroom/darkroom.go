// Package darkroom develops every photo in a child process of its own, so that
// a photo that breaks a decoder costs one child and nothing else.
//
// The child is this same program, started again with a hidden argument, an
// empty environment and three pipes. Before it reads the first byte of a photo
// it has given up what the system lets it give up: files, sockets, new file
// descriptors, its user if that was root, time and memory beyond a limit, and
// all system calls but some thirty that computing takes. It develops one photo,
// answers, and ends: a child that a photo took over never sees the next
// customer's. A few children stand ready, because that saves the milliseconds
// that a start takes.
//
// A child that has judged a photo says what memory decoding it takes, before it
// does so, and waits for a grant; the parent, which never parses a photo, takes
// it from what all children may hold together. Where there is not enough at the
// moment the child is ended, and another begins when there is: so none waits
// with the photo in its hands, and as many are alive as stand ready or work. The
// small ones go by a giant that waits (budget.Gate). A child keeps to its grant
// by Go's own limit, which has it collect its garbage in time, and by a limit of
// address space, at which it dies if its photo was reckoned wrongly.
//
// A child has a time of its own, a little less than the parent gives it: one that
// is slow says so and ends in good order, and one that does not even notice the
// time is killed.
//
// Parent and child take each other for hostile. Every length is compared with
// its cap before memory is given for it, and the parent believes nothing of an
// answer that it can check: reasons, texts, sizes, and the pictures themselves,
// whose markers it walks.
//
// Each of these is best effort, and the log says what it came to. Landlock alone
// would leave a child of a gateway that is not root chmod, chown and times of
// the user's files, signals, new processes and, before version 10, UDP: the
// limits on descriptors and on system calls close these. What nothing here stops
// is that a child wastes its own time, lies in its answer, tries the thirty calls
// for a weak spot of the kernel's, and, if it was taken over, raises its limit of
// memory again to that of all children.
//
// The filter of system calls is our own fifty lines: elastic/go-seccomp-bpf
// v1.6.0 forgets the number of a call once it has looked at an argument, and
// compares the argument with the numbers that follow. A user namespace was
// considered and left out: it needs a permission that containers often lack, and
// gives the child more of the kernel to attack.
package darkroom

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lightlock/lightlock/gateway/budget"
	"github.com/lightlock/lightlock/media"
)

// ErrChildDied says that the child was lost over this photo: it broke, was
// killed at the deadline or by a limit, or answered nonsense. Whoever called
// counts the deaths of a photo. A child that something else killed is not one of
// them: a supervisor that stops all processes, or the kernel out of memory.
var ErrChildDied = errors.New("darkroom: the child died over this photo")

// ErrClosed says that the darkroom was closed before the photo was developed.
// It says nothing about the photo.
var ErrClosed = errors.New("darkroom: closed")

// maxOriginal is the largest original that is sent to a child. It stands far
// above every platform's limit, so that the verdict too_large stays media's.
const maxOriginal = 512 << 20

// Options say how many children there are and what each may use. The zero
// value is what a gateway wants.
type Options struct {
	// Idle is how many children stand ready; zero means 2, less means none.
	Idle int
	// Most is how many children work at once; zero means one per processor.
	Most int
	// Processor is how much processor time a child may use, rounded up to
	// seconds; zero means 30 s. A phone's photo takes less than 2 s; the worst
	// that media lets through, a hundred megapixels of noise with a preview of
	// 8192 pixels, takes 13 s. It is what stops a hostile photo, and it does not
	// run on while others compete for the machine.
	Processor time.Duration
	// Deadline is how long a child may take over its photo by the clock before
	// it is killed; zero means 2 minutes, so that a crowded machine alone gives
	// no photo a wrong verdict.
	Deadline time.Duration
	// Memory is what all children together may hold, in resident bytes, those that
	// stand ready included. Zero means what budget has for them where nobody says
	// otherwise. It is kept by reservation: a child says what a photo needs before
	// it decodes it.
	Memory int64
	// Log gets the level of the sandbox, once, and what dying children said;
	// nil means slog.Default.
	Log *slog.Logger
}

// Darkroom develops photos in children. Its methods may be called at once.
type Darkroom struct {
	options Options
	args    []string // what makes this program a child
	level   string
	peak    peak
	started atomic.Int64 // children, ever

	starter *starter
	ready   chan *child  // children standing ready; unbuffered
	gate    *budget.Gate // who works, and with how much memory

	closing context.Context
	close   context.CancelFunc
	mu      sync.Mutex // guards closed, so that no work begins after Wait
	closed  bool
	busy    sync.WaitGroup
}

// New starts the first child, learns from it how much of a sandbox the system
// gives, and logs that once. It fails where no child can be started, or where
// children cannot develop an ordinary photo: else every photo would be found
// too complex.
func New(o Options) (*Darkroom, error) { return tried(open(o, childArg)) }

// tried has a new darkroom develop a photo of our own, large enough for garbage
// to be collected and threads to be started, and closes it where that fails.
func tried(d *Darkroom, err error) (*Darkroom, error) {
	if err != nil {
		return nil, err
	}
	var photo bytes.Buffer
	err = jpeg.Encode(&photo, image.NewRGBA(image.Rect(0, 0, 1024, 768)), nil)
	if err == nil {
		_, err = d.Develop(context.Background(), photo.Bytes(), media.Default())
	}
	if err != nil {
		_ = d.Close()
		return nil, fmt.Errorf("darkroom: a photo of our own was not developed: %w", err)
	}
	return d, nil
}

// open is New without the trial and with the hidden argument to choose, for tests.
func open(o Options, arg string) (*Darkroom, error) {
	o = o.withDefaults()
	d := &Darkroom{
		options: o,
		args:    limits{memory: o.Memory, cpu: seconds(o.Processor)}.args(arg),
		starter: newStarter(),
		ready:   make(chan *child),
		gate:    budget.NewGate(o.forWork(), o.Most),
	}
	d.closing, d.close = context.WithCancel(context.Background())
	first, err := d.startAhead()
	if err != nil {
		d.close()
		d.starter.stop()
		return nil, err
	}
	d.level = first.level
	o.Log.Info("darkroom: every photo is developed in a child process", "sandbox", d.level,
		"at_once", o.Most, "idle", max(o.Idle, 0), "memory_mb", o.Memory>>20)
	d.keep(first)
	return d, nil
}

func (o Options) withDefaults() Options {
	if o.Idle == 0 {
		o.Idle = 2
	}
	if o.Most <= 0 {
		o.Most = runtime.GOMAXPROCS(0)
	}
	if o.Deadline <= 0 {
		o.Deadline = 2 * time.Minute
	}
	if o.Processor <= 0 {
		o.Processor = 30 * time.Second
	}
	if o.Memory <= 0 {
		o.Memory = budget.Default().Children
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// forWork is what children may hold together that have a photo.
func (o Options) forWork() int64 { return o.Memory - int64(max(o.Idle, 0))*budget.Child }

// Sandbox says in plain words what keeps a child in.
func (d *Darkroom) Sandbox() string { return d.level }

// Held is how many bytes the children at work may hold at this moment.
func (d *Darkroom) Held() int64 { return d.gate.Held() }

// Waiting is how many photos wait for a place or for memory.
func (d *Darkroom) Waiting() int { return d.gate.Waiting() }

// Started is how many children were started, those among them that stand ready.
func (d *Darkroom) Started() int64 { return d.started.Load() }

// Develop has one child develop original. A *media.Rejection is the verdict on
// the photo. ErrChildDied is a death that counts against it. ErrClosed, ctx's
// own error, and any other error say nothing about it: try again later.
//
// Waiting for a place and for memory is bounded by ctx alone; the deadline counts
// from when there is a child.
func (d *Darkroom) Develop(ctx context.Context, original []byte, s media.Settings) (*media.Developed, error) {
	if len(original) > maxOriginal {
		return nil, fmt.Errorf("darkroom: an original of %d bytes is more than the %d that a child is given", len(original), maxOriginal)
	}
	if !d.begin() {
		return nil, ErrClosed
	}
	defer d.busy.Done()
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(d.closing, stop)() //nolint:contextcheck // closing ends all work, whoever asked for it
	developed, err := d.developInTurn(waiting, original, s)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		err = cmp.Or(d.gaveUp(ctx), err)
	}
	return developed, err
}

// developNow works with room in hand.
func (d *Darkroom) developNow(ctx context.Context, p photo) (*media.Developed, error) {
	c, err := d.take(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("darkroom: no child could be started: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, d.options.Deadline)
	defer cancel()
	developed, err := c.develop(limited, p)
	ending := c.end()
	var verdict *media.Rejection
	var later errNotAtOnce
	if err == nil || errors.As(err, &verdict) || errors.As(err, &later) {
		return developed, err
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	switch {
	case errors.Is(err, errLate):
		err = fmt.Errorf("not done within %v, by its own word", d.options.Deadline)
	case limited.Err() != nil:
		err = fmt.Errorf("not done within %v", d.options.Deadline)
	case ending.outside:
		return nil, fmt.Errorf("darkroom: the child was killed from outside, perhaps because the machine has no memory left (%s)", ending.how)
	}
	d.options.Log.Warn("darkroom: a child died over a photo", "why", err, "ended", ending.how, "said", ending.said)
	return nil, fmt.Errorf("%w: %w (%s)", ErrChildDied, err, ending.how)
}

// gaveUp returns why nobody waits for an answer any more, or nil.
func (d *Darkroom) gaveUp(ctx context.Context) error {
	if d.closing.Err() != nil {
		return ErrClosed
	}
	return ctx.Err()
}

// begin tells whether work may begin; it then has to end with busy.Done.
func (d *Darkroom) begin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.busy.Add(1)
	return true
}

// Close kills all children, those at work too, and returns when none is left.
// Photos that were in work end with ErrClosed.
func (d *Darkroom) Close() error {
	d.mu.Lock()
	already := d.closed
	d.closed = true
	d.mu.Unlock()
	d.close()
	d.busy.Wait()
	if !already {
		d.starter.stop()
	}
	return nil
}

// executable is this program, even if its file was replaced or removed since it
// was started.
func executable() (string, error) {
	const self = "/proc/self/exe"
	if _, err := os.Stat(self); err == nil {
		return self, nil
	}
	return os.Executable()
}
