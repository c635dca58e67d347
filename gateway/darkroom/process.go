package darkroom

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/subprocess"
	"github.com/lightlock/lightlock/media"
)

// child is the parent's side of one child process. It is used by one goroutine
// at a time, and has to be ended.
type child struct {
	cmd   *exec.Cmd
	in    *os.File // the child's standard input
	out   *os.File // the child's standard output
	said  *trace   // the child's standard error
	level string   // what keeps it in, by its own words
	gone  chan struct{}
	// processor and deadline are the time that it may use, and take.
	processor, deadline time.Duration
	peak                *peak
	// killed is set where we ended it ourselves.
	killed atomic.Bool
}

// ending says how a child ended.
type ending struct {
	how, said string // in words; and what it said on standard error
	// outside is set where neither we nor the child's own doing ended it.
	outside bool
}

// start starts a child and waits until it has locked itself in, startTime at most.
func (d *Darkroom) start(ctx context.Context) (*child, error) {
	c, err := d.spawn()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	defer context.AfterFunc(ctx, c.kill)()
	var hello hello
	if err := readFrame(c.out, maxHello, &hello); err != nil {
		ending := c.end()
		return nil, fmt.Errorf("the child did not get ready: %w (%s) %s", err, ending.how, ending.said)
	}
	c.level = plain(hello.Level, maxHello)
	if d.level != "" && c.level != d.level {
		d.options.Log.Warn("darkroom: a child is kept in otherwise than the first one", "sandbox", c.level)
	}
	return c, nil
}

// spawn starts a child. Its pipes are the only descriptors that it inherits.
func (d *Darkroom) spawn() (*child, error) {
	path, err := executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, d.args...) //nolint:gosec,noctx // this program itself, with numbers; it outlives the call that started it
	cmd.Env = environment()
	cmd.Dir = "/"
	cmd.SysProcAttr = subprocess.Attributes()
	pipes, err := newPipes(3)
	if err != nil {
		return nil, err
	}
	// Ours are the far ends: 0 is read by the child, 1 and 2 are written.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = pipes[0].r, pipes[1].w, pipes[2].w
	err = d.starter.start(cmd)
	closeAll(pipes[0].r, pipes[1].w, pipes[2].w)
	if err != nil {
		closeAll(pipes[0].w, pipes[1].r, pipes[2].r)
		return nil, err
	}
	d.started.Add(1)
	c := &child{
		cmd: cmd, in: pipes[0].w, out: pipes[1].r, said: newTrace(pipes[2].r), gone: make(chan struct{}), peak: &d.peak,
		processor: d.options.Processor, deadline: d.options.Deadline,
	}
	go func() {
		_ = cmd.Wait() // how it ended is read from ProcessState
		close(c.gone)
	}()
	return c, nil
}

// photo is what a child is to develop.
type photo struct {
	original []byte
	settings media.Settings
	// grant returns how much memory a child may take that asks for so many bytes.
	// Its error ends the child.
	grant func(need int64) (int64, error)
}

// develop sends the photo, gives the child its memory and judges its answer.
func (c *child) develop(ctx context.Context, p photo) (*media.Developed, error) {
	defer context.AfterFunc(ctx, c.kill)()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		// An error here shows as a missing answer.
		_ = writeFrame(c.in, request{Settings: p.settings, Bytes: len(p.original), Milliseconds: milliseconds(c.deadline)})
		_, _ = c.in.Write(p.original)
	}()
	failpoint.Hit(failpoint.MidDevelop)
	developed, err := c.answer(p, sent)
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			c.await(lastBreath)
		}
		c.kill() // a child that reads no further would block the writer
	}
	<-sent
	return developed, sourced(developed, err, len(p.original))
}

// answer returns a child's verdict, if need be after it has had its memory.
func (c *child) answer(p photo, sent <-chan struct{}) (*media.Developed, error) {
	developed, need, err := readAnswer(c.peak.watch(c.out, c.cmd.Process.Pid), p.settings)
	if err != nil || need == 0 {
		return developed, err
	}
	bytes, err := p.grant(need)
	if err != nil {
		return nil, err
	}
	<-sent
	// An error here shows as a missing answer, too.
	_ = writeFrame(c.in, grant{Bytes: bytes})
	return readVerdict(c.peak.watch(c.out, c.cmd.Process.Pid), p.settings)
}

// milliseconds is what a child is told to have of its time. What is left is for
// it to notice and to say so, before it is killed.
func milliseconds(deadline time.Duration) int64 {
	return (deadline - min(deadline/10, time.Second)).Milliseconds()
}

// sourced sets the one thing about the original that the parent knows better.
func sourced(developed *media.Developed, err error, size int) error {
	if developed != nil {
		developed.Source.Bytes = int64(size)
	}
	var verdict *media.Rejection
	if errors.As(err, &verdict) {
		verdict.Source.Bytes = int64(size)
	}
	return err
}

// lastBreath is how long a child that closed its end may take to be gone. A
// dying process is gone in a few milliseconds; what killed it decides whether
// the photo is to blame.
const lastBreath = time.Second

// await returns when the process is gone, or after that long.
func (c *child) await(most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-c.gone:
	case <-timer.C:
	}
}

// alive tells whether the process is still there.
func (c *child) alive() bool {
	select {
	case <-c.gone:
		return false
	default:
		return true
	}
}

// kill ends the process and whatever waits for its pipes. A descendant that it
// might have left cannot hold up the parent: the parent's ends are closed.
func (c *child) kill() {
	if c.alive() {
		c.killed.Store(true)
		_ = c.cmd.Process.Kill()
	}
	closeAll(c.in, c.out)
}

// end kills the child if it still runs, reaps it and closes all that it used.
func (c *child) end() ending {
	c.kill()
	<-c.gone
	state := c.cmd.ProcessState
	c.peak.ended(state)
	outside := !c.killed.Load() && endedFromOutside(state) && state.UserTime()+state.SystemTime() < c.processor/2
	return ending{how: state.String(), said: c.said.stop(), outside: outside}
}

// endedFromOutside tells whether a process was killed: by an operator, or by the
// kernel when the machine has no memory left. The kernel's kill for processor
// time used up looks the same.
func endedFromOutside(state *os.ProcessState) bool {
	status, ok := state.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// pipe is both ends of a pipe. Go opens them with O_CLOEXEC.
type pipe struct{ r, w *os.File }

// newPipes opens n pipes, or none.
func newPipes(n int) ([]pipe, error) {
	pipes := make([]pipe, 0, n)
	for range n {
		r, w, err := os.Pipe()
		if err != nil {
			for _, p := range pipes {
				closeAll(p.r, p.w)
			}
			return nil, err
		}
		pipes = append(pipes, pipe{r, w})
	}
	return pipes, nil
}

func closeAll(files ...io.Closer) {
	for _, f := range files {
		_ = f.Close()
	}
}

// starter starts all children from one system thread. The kernel kills a child
// when the thread that started it ends, not when the process does, and Go ends
// threads now and then: a child killed so would be counted against its photo.
type starter struct {
	jobs chan func()
	done chan struct{}
}

func newStarter() *starter {
	s := &starter{jobs: make(chan func()), done: make(chan struct{})}
	go func() {
		runtime.LockOSThread()
		defer close(s.done)
		defer runtime.UnlockOSThread()
		for job := range s.jobs {
			job()
		}
	}()
	return s
}

// start is cmd.Start on the starter's thread.
func (s *starter) start(cmd *exec.Cmd) error {
	result := make(chan error)
	s.jobs <- func() { result <- cmd.Start() }
	return <-result
}

// stop ends the thread's duty; nothing may be started afterwards.
func (s *starter) stop() {
	close(s.jobs)
	<-s.done
}
