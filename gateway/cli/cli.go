// Package cli is the command line: what a person types, and what is printed.
//
// It promises that results go to standard output and talk to standard error,
// that --json prints one object per line as it is known, and that the exit code
// is 0 when it is done, 1 when a check has findings, 2 when something could not
// be done, and 130 when it was interrupted. Arguments are read by
// alecthomas/kong, whose grammar is a struct.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

// The exit codes.
const (
	exitDone        = 0
	exitFindings    = 1
	exitFailed      = 2
	exitInterrupted = 130
)

// Channel is a platform that the program speaks, and its simulated twin.
type Channel struct {
	connectors.Channel
	Simulate func() (sim.Platform, error)
}

// Gateway is the program as the commands see it.
type Gateway interface {
	// Start returns when every listener is bound and the worker works.
	Start(ctx context.Context) error
	// Addresses tells where it listens, after Start.
	Addresses() Addresses
	// Watch calls found with each document that enters a queue, from its
	// beginning, until ctx ends or found returns false.
	Watch(ctx context.Context, queue string, found func(document []byte) bool) error
	// Close stops it: what is in work is finished or put back.
	Close() error
}

// Addresses are host:port.
type Addresses struct{ Public, Admin string }

// Program is what main hands to the command line.
type Program struct {
	Channels   []Channel
	NewGateway func(*config.Loaded, *slog.Logger) (Gateway, error)
	Stdout     io.Writer
	Stderr     io.Writer
}

// commands is the grammar.
type commands struct {
	Serve serveCmd `cmd:"" default:"withargs" help:"Run the gateway."`
	Demo  demoCmd  `cmd:"" help:"Send a photo through every channel, simulated, and show what becomes of it."`
	Photo photoCmd `cmd:"" help:"Develop local pictures and say what became of each."`
	Check checkCmd `cmd:"" help:"Read the configuration and report every problem at once."`
}

const description = `Lightlock takes customers' photos from messaging platforms, develops them anew, and hands clean pictures to agents.

https://github.com/lightlock/lightlock`

// failure is an error with its exit code; a nil err has been reported already.
type failure struct {
	code int
	err  error
}

func (f failure) Error() string {
	if f.err == nil {
		return ""
	}
	return f.err.Error()
}

func (f failure) Unwrap() error { return f.err }

// Run runs the command that args name and returns the exit code.
func Run(args []string, p Program) int {
	var grammar commands
	exited := -1
	parser, err := kong.New(&grammar,
		kong.Name("lightlock"), kong.Description(description),
		kong.Writers(p.Stdout, p.Stderr), kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
	)
	if err != nil {
		fmt.Fprintln(p.Stderr, "lightlock:", err)
		return exitFailed
	}
	command, err := parser.Parse(args)
	if exited >= 0 {
		return exited // --help
	}
	if err != nil {
		fmt.Fprintln(p.Stderr, "lightlock:", err)
		fmt.Fprintln(p.Stderr, "Run lightlock --help for what there is.")
		return exitFailed
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second Ctrl-C ends the program at once.
	context.AfterFunc(ctx, stop)
	command.BindTo(ctx, (*context.Context)(nil))
	command.Bind(p)
	return exitCode(ctx, p.Stderr, command.Run())
}

func exitCode(ctx context.Context, stderr io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "interrupted")
		return exitInterrupted
	}
	var f failure
	if !errors.As(err, &f) {
		f = failure{exitFailed, err}
	}
	if f.err != nil {
		fmt.Fprintln(stderr, "lightlock:", f.err)
	}
	return f.code
}

// prototypes are the channels' settings, for reading connectors' files.
func (p Program) prototypes() config.Prototypes {
	out := config.Prototypes{}
	for _, c := range p.Channels {
		out[c.Name] = c.Settings
	}
	return out
}
