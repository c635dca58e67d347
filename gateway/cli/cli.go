// Package cli is the command line: what a person types, and what is printed.
//
// It promises that results go to standard output and talk to standard error,
// that --json prints one object per line as it is known, and that the exit code
// is 0 when it is done, 1 when a check has findings, 2 when something could not
// be done or judged, and 130 when it was interrupted. Nothing from a file's name
// or a platform's answer reaches a terminal as a command to it. Arguments are
// read by alecthomas/kong, whose grammar is a struct.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/media"
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

// Known returns the channels without their twins.
func Known(list []Channel) []connectors.Channel {
	known := make([]connectors.Channel, len(list))
	for i, c := range list {
		known[i] = c.Channel
	}
	return known
}

// Gateway is the program as the commands see it.
type Gateway interface {
	// Start returns when every listener is bound and the worker works.
	Start(ctx context.Context) error
	// Addresses tells where it listens, after Start.
	Addresses() Addresses
	// Journal is its journal, after Start.
	Journal() Journal
	// Close stops it: what is in work is finished or put back.
	Close() error
}

// Journal is a gateway's journal as the commands see it.
type Journal interface {
	// Watch calls found with each document that enters a queue, from its
	// beginning, until ctx ends or found returns false.
	Watch(ctx context.Context, queue string, found func(document []byte) bool) error
	// Ended is closed when nothing can be made durable any more, and the gateway
	// has to be closed. It may be nil.
	Ended() <-chan struct{}
	// Err is why it has ended, and what to do.
	Err() error
}

// Addresses are host:port.
type Addresses struct{ Public, Admin string }

// Program is what main hands to the command line.
type Program struct {
	Channels   []Channel
	NewGateway func(*config.Loaded, *slog.Logger) (Gateway, error)
	// Stdin is where a person answers.
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
}

// commands is the grammar.
type commands struct {
	Color string `enum:"auto,always,never" default:"auto" placeholder:"WHEN" help:"Colours: auto, always or never."`

	Serve serveCmd `cmd:"" default:"withargs" help:"Run the gateway."`
	Demo  demoCmd  `cmd:"" help:"Send a photo through every channel, simulated, and show what becomes of it."`
	Photo photoCmd `cmd:"" help:"Develop local pictures and say what became of each."`
	Check checkCmd `cmd:"" help:"Read the configuration and report every problem at once."`

	Load loadCmd `cmd:"" help:"Put a gateway under load, and hold it to its promise."`

	Queue   queueCmd   `cmd:"" help:"Show what waits, for how long, and how fast it moves."`
	Dead    deadCmd    `cmd:"" help:"List, show, retry and drop dead letters."`
	Agent   agentCmd   `cmd:"" help:"Make a token for an agent, or put back what one has."`
	Rewrap  rewrapCmd  `cmd:"" help:"Wrap the keys of all that is stored by a new operator's key."`
	Forget  forgetCmd  `cmd:"" help:"Destroy all that there is of one consumer."`
	Connect connectCmd `cmd:"" help:"Make the platforms send their webhooks to this gateway."`
}

const homepage = "https://github.com/lightlock/lightlock"

const description = `Lightlock takes customers' photos from messaging platforms, develops them anew, and hands clean pictures to agents. Without a command it is serve.

Examples:
  lightlock demo
  lightlock photo --out developed holiday/
  lightlock serve --config lightlock.yaml`

// session is what a command works with.
type session struct {
	Program
	out, err stream
	name     string // the program as it was typed
}

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

// Run runs the command that args name and returns the exit code. SIGINT and
// SIGTERM stop it in order; a second one ends the process at once.
func Run(args []string, p Program) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	// A reader that went away, as in `| head`, shall be an error like others,
	// and not the end of the process in the middle of things.
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE)
	defer signal.Stop(pipe)
	return run(ctx, args, p)
}

func run(ctx context.Context, args []string, p Program) int {
	s := &session{Program: p, name: invoked(os.Args[0])}
	var grammar commands
	exited := -1
	parser, err := kong.New(&grammar,
		kong.Name("lightlock"), kong.Description(description), kong.Help(printHelp),
		grammarVars(),
		kong.Writers(p.Stdout, p.Stderr), kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
	)
	if err != nil {
		return s.exitCode(ctx, err)
	}
	if len(args) > 0 && args[0] == "help" {
		args = append(args[1:len(args):len(args)], "--help")
	}
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		parser.Model.DefaultCmd = nil // a mistyped command is not serve's argument
	}
	command, err := parser.Parse(args)
	if exited >= 0 {
		return exited // --help
	}
	if err != nil {
		return s.exitCode(ctx, s.usage(err))
	}
	s.out, s.err = newStream(p.Stdout, grammar.Color), newStream(p.Stderr, grammar.Color)
	command.BindTo(ctx, (*context.Context)(nil))
	return s.exitCode(ctx, command.Run(s))
}

// grammarVars are the defaults that the grammar takes from elsewhere.
func grammarVars() kong.Vars {
	photos := media.Default()
	return kong.Vars{
		"config": defaultConfig, "max_bytes": strconv.FormatInt(photos.MaxBytes, 10), "formats": strings.Join(photos.Formats, ","),
	}
}

// printHelp is kong's help with the address of the project below.
func printHelp(o kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(o, ctx); err != nil {
		return err
	}
	_, err := fmt.Fprintf(ctx.Stdout, "\n%s\n", homepage)
	return err
}

// usage adds to a wrong command line where the right one is described.
func (s *session) usage(err error) error {
	help := s.name
	var parse *kong.ParseError
	if errors.As(err, &parse) {
		for _, path := range parse.Context.Path {
			if path.Command != nil {
				help += " " + path.Command.Name
			}
		}
	}
	return fmt.Errorf("%w\nSee: %s --help", err, help)
}

// exitCode reports err, if it is one, and says with which code to exit.
func (s *session) exitCode(ctx context.Context, err error) int {
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(s.Stderr, "interrupted")
		return exitInterrupted
	}
	var f failure
	if !errors.As(err, &f) {
		f = failure{exitFailed, err}
	}
	if f.err != nil && !errors.Is(err, syscall.EPIPE) {
		fmt.Fprintln(s.Stderr, "lightlock:", visibleLines(f.err.Error()))
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
