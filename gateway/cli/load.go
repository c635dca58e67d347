package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/load"
	"github.com/lightlock/lightlock/gateway/queue"
)

type loadCmd struct {
	Messages    int           `placeholder:"N" help:"How many different messages; 5000 unless this or --for is set."`
	For         time.Duration `placeholder:"TIME" help:"Make no more calls after this time, such as 30s."`
	Rate        rate          `placeholder:"N/s" help:"Calls in a second; as fast as they are answered unless set."`
	Connections int           `default:"16" placeholder:"N" help:"Calls under way at once; 16 unless set."`
	Channels    []string      `placeholder:"NAME" help:"Channels that call; all unless set."`
	Consumers   int           `default:"1000" placeholder:"N" help:"How many people write on each channel; 1000 unless set."`

	Photos     float64  `default:"0.2" placeholder:"SHARE" help:"Share of messages with a photo, 0 to 1; 0.2 unless set."`
	Photo      []string `placeholder:"FILE" sep:"none" help:"Send FILE in place of a small made-up photo. May be repeated."`
	Duplicates float64  `default:"0.05" placeholder:"SHARE" help:"Share of calls that come twice; 0.05 unless set."`
	Unsends    float64  `default:"0.02" placeholder:"SHARE" help:"Share of messages taken back, where a platform has it; 0.02 unless set."`
	Edits      float64  `default:"0.02" placeholder:"SHARE" help:"Share of messages edited, where a platform has it; 0.02 unless set."`
	Forged     float64  `default:"0.01" placeholder:"SHARE" help:"Calls with a wrong signature, per message; 0.01 unless set."`
	Seed       uint64   `placeholder:"N" help:"Another number makes another order."`

	Paused   bool   `help:"Accept only: the gateways work on nothing."`
	Gateways int    `default:"1" placeholder:"N" help:"Gateways to start, on one Redis; 1 unless set."`
	Data     string `placeholder:"DIR" help:"Folder for what Redis and the gateways keep; a temporary one unless set."`
	Memory   size   `placeholder:"SIZE" help:"What Redis may hold; 4 GB unless set."`

	Config string   `placeholder:"FILE" help:"Call gateways that run with this configuration, and start none. Their own queues are filled with made-up messages."`
	Target []string `placeholder:"URL" help:"Where they listen; listen of FILE unless set. May be repeated."`

	Wait  time.Duration `default:"2m" placeholder:"TIME" help:"How long after the last call the queue may bring nothing, or Redis be away, before what is missing is judged. A lease is a minute, and looked for twice in it; 2m unless set."`
	Acked string        `placeholder:"FILE" help:"Write the id of every event that was answered 2xx to FILE."`
	JSON  bool          `name:"json" help:"One JSON object."`
}

// Help implements kong.HelpProvider.
func (loadCmd) Help() string {
	return `Calls a gateway, which it starts for it, as the platforms do, and compares what was answered 2xx with what the queue brings.
With --config it calls one that runs, and fills its own queues with made-up messages, which agents' software takes for real ones.
Exit 0 if nothing was lost or doubled, 1 if so, 2 if it could not run or the queue could not be compared.

Examples:
  lightlock load
  lightlock load --channels line --photos 1 --messages 100000 --paused
  lightlock load --config lightlock.yaml --rate 500/s --for 30s`
}

// rate is a number of calls in a second: 500/s or 500.
type rate float64

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *rate) UnmarshalText(text []byte) error {
	value, err := strconv.ParseFloat(strings.TrimSuffix(string(text), "/s"), 64)
	if err != nil || !(value > 0 && value <= 1e6) {
		return fmt.Errorf("%q is no rate; write it like 500/s", text)
	}
	*r = rate(value)
	return nil
}

// size is a number of bytes with its unit, as in the configuration.
type size int64

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *size) UnmarshalText(text []byte) error {
	value, err := config.ParseBytes(string(text))
	*s = size(value)
	if err != nil {
		return fmt.Errorf("%q %w; write it like 4 GB", text, err)
	}
	return nil
}

// defaultMessages is for a load of which neither number nor time is set.
const defaultMessages = 5000

// Run carries out the plan and prints what became of it.
func (c loadCmd) Run(ctx context.Context, s *session) (err error) {
	plan, err := c.plan()
	if err != nil {
		return err
	}
	channels, err := c.channels(s.Channels)
	if err != nil {
		return err
	}
	queue.RedirectLog(slog.New(slog.DiscardHandler)) // a Redis that is away is said once, in the report
	progress := newProgress(s.err, 1)
	progress.at(0, "starting")
	defer progress.end()
	target, err := c.open(ctx, s, channels)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if c.Config != "" {
		progress.clear()
		fmt.Fprintln(s.err, "made-up messages go into "+visible(strings.Join(target.Queues(), ", "))+", to the agents' software that reads there")
	}
	report, err := load.Run(ctx, target, load.Options{
		Plan: plan, Rate: float64(c.Rate), For: c.For, Connections: c.Connections, Wait: c.Wait, Acked: c.Acked,
		Progress: progress.phase,
	})
	if report == nil {
		return err
	}
	progress.clear()
	show := printLoad
	if c.JSON {
		show = func(out stream, r *load.Report) error { return printJSON(out, r) }
	}
	if err = errors.Join(err, show(s.out, report)); err != nil {
		return err
	}
	return judged(ctx, report)
}

// judged is what a report makes of the command.
func judged(ctx context.Context, r *load.Report) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case r.Uncompared != "":
		return errors.New("the queue could not be compared: " + r.Uncompared)
	case !r.Balance.Good():
		return failure{code: exitFindings}
	}
	return nil
}

func (c loadCmd) plan() (load.Plan, error) {
	if c.Gateways < 1 || c.Consumers < 1 {
		return load.Plan{}, fmt.Errorf("--gateways is %d and --consumers %d; each is 1 or more", c.Gateways, c.Consumers)
	}
	plan := load.Plan{
		Seed: c.Seed, Name: sim.Secret()[:8], Messages: c.Messages, Consumers: c.Consumers,
		Photos: c.Photos, Duplicates: c.Duplicates, Unsends: c.Unsends, Edits: c.Edits, Forged: c.Forged,
	}
	if c.Messages == 0 && c.For == 0 {
		plan.Messages = defaultMessages
	}
	for _, path := range c.Photo {
		data, err := readOriginal(path)
		if err != nil {
			return plan, fmt.Errorf("%s: %s", path, because(err))
		}
		plan.Originals = append(plan.Originals, data)
	}
	if len(c.Photo) == 0 {
		small, err := smallPhoto()
		if err != nil {
			return plan, err
		}
		plan.Originals = [][]byte{small}
	}
	return plan, plan.Check()
}

// smallPhoto makes a JPEG of some 60 kB, as a photo is that an app has made
// smaller before it sent it.
func smallPhoto() ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, 640, 480))
	sky(img)
	var b bytes.Buffer
	err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 80})
	return b.Bytes(), err
}

// channels are those that call.
func (c loadCmd) channels(known []Channel) ([]load.Channel, error) {
	var list []load.Channel
	var names []string
	for _, channel := range known {
		names = append(names, channel.Name)
		if len(c.Channels) == 0 || slices.Contains(c.Channels, channel.Name) {
			list = append(list, load.Channel(channel))
		}
	}
	for _, name := range c.Channels {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("--channels has %q; it may have %s", name, strings.Join(names, ", "))
		}
	}
	return list, nil
}

// open finds the gateways to call, or starts some.
func (c loadCmd) open(ctx context.Context, s *session, channels []load.Channel) (*load.Target, error) {
	if c.Config == "" {
		if len(c.Target) > 0 {
			return nil, errors.New("--target needs --config, which has the secrets to sign with")
		}
		binary, err := os.Executable()
		if err != nil {
			return nil, err
		}
		return load.House{
			Binary: binary, Channels: channels, Gateways: c.Gateways, Paused: c.Paused, Data: c.Data, RedisMemory: int64(c.Memory),
		}.Open(ctx)
	}
	if c.Paused || c.Data != "" || c.Gateways > 1 || c.Memory != 0 {
		return nil, errors.New("--paused, --gateways, --data and --memory are for gateways that are started here, and --config is for those that run")
	}
	loaded, err := config.Load(c.Config, s.prototypes())
	var problems *config.Problems
	if errors.As(err, &problems) {
		return nil, errors.Join(problems.Write(s.Stderr), errors.New("the configuration is wrong; nothing was sent"))
	}
	if err != nil {
		return nil, err
	}
	targets := c.Target
	if len(targets) == 0 {
		targets = []string{listens(loaded.Config)}
	}
	return load.Connect(ctx, loaded, channels, targets)
}

// listens is where a gateway of this configuration is called on its own machine.
func listens(c config.Config) string {
	if c.TLS != nil {
		return c.PublicURL // its certificate is for that name
	}
	return "http://" + c.Listen
}
