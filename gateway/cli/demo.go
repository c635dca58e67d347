package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/phones"
	"github.com/lightlock/lightlock/gateway/queue"
)

type demoCmd struct {
	Photo []string `placeholder:"FILE" sep:"none" help:"Send FILE in place of the made-up photo. May be repeated."`
	JSON  bool     `name:"json" help:"One JSON object per line."`
	Keep  bool     `help:"Leave the gateway and the simulated platforms running."`
	Out   string   `default:"lightlock-demo" placeholder:"DIR" help:"Where the pictures go; lightlock-demo unless set."`
}

// Help implements kong.HelpProvider.
func (demoCmd) Help() string {
	return `Starts the gateway and every platform, simulated, in one process, and deletes its data afterwards.
Exit 0 if every photo was judged: a rejection is a judgement.

Examples:
  lightlock demo
  lightlock demo --photo cat.jpg --photo moving.gif
  lightlock demo --json | jq .status`
}

// largestDemoFile is far above every channel's limit, and still fits in memory.
const largestDemoFile = 256 << 20

// demo is one run.
type demo struct {
	demoCmd
	*session
	gateway   Gateway
	client    *client
	platforms []simulated
	sent      map[string]int64 // photos that an account's webhook has accepted
	arrivals  chan document
	broken    chan error // the queue cannot be read
	token     string
	names     names
	href      string // the first preview, to show how it is fetched
	guests    []guest
	phones    map[string][]phones.Item // what consumers have sent, by channel
	level     slog.LevelVar
}

// original is a photo to send; the one that the demo makes has no path.
type original struct {
	path string
	data []byte
}

// Run sends a photo on every channel and waits for each at the end of the queue.
func (c demoCmd) Run(ctx context.Context, s *session) (err error) {
	originals, err := c.originals()
	if err != nil {
		return err
	}
	if err := makeFolder(c.Out); err != nil {
		return fmt.Errorf("the pictures cannot be kept: %w", err)
	}
	data, err := os.MkdirTemp("", "lightlock-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	d := &demo{
		demoCmd: c, session: s, token: sim.Secret() + sim.Secret(), names: names{}, sent: map[string]int64{}, phones: map[string][]phones.Item{},
		arrivals: make(chan document), broken: make(chan error, 1),
	}
	stop, err := d.start(ctx, data)
	if err != nil {
		return err
	}
	defer stop()
	rows, err := d.sendAll(ctx, originals)
	if err := errors.Join(d.report(rows, originals), err); err != nil {
		return err
	}
	if c.Keep {
		if err := d.keep(ctx); err != nil {
			return err
		}
	}
	return unjudged(rows, "photo")
}

// originals reads the files to send. One that cannot be read is an error before
// anything is started.
func (c demoCmd) originals() ([]original, error) {
	if len(c.Photo) == 0 {
		return []original{{}}, nil
	}
	var list []original
	for _, path := range c.Photo {
		data, err := readOriginal(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %s", path, because(err))
		}
		list = append(list, original{path, data})
	}
	return list, nil
}

func readOriginal(path string) ([]byte, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > largestDemoFile {
		return nil, fmt.Errorf("larger than %s, the most that the demo sends", limitText(largestDemoFile))
	}
	return io.ReadAll(io.LimitReader(f, largestDemoFile))
}

// start brings up platforms and gateway; the returned function takes both down.
func (d *demo) start(ctx context.Context, data string) (func(), error) {
	c := config.Default()
	c.Listen, c.AdminListen, c.Data = "127.0.0.1:0", "127.0.0.1:0", data
	c.Services = []config.Service{{Name: "demo", Token: config.NewSecret(d.token), Queues: []string{simulatedQueue}}}
	var err error
	if c.Agents.File, d.guests, err = guests(data); err != nil {
		return nil, err
	}
	loaded, platforms, err := d.simulate(c)
	if err != nil {
		return nil, err
	}
	d.platforms = platforms
	d.level.Set(slog.LevelError)
	log := slog.New(slog.NewTextHandler(d.Stderr, &slog.HandlerOptions{Level: &d.level}))
	queue.RedirectLog(log)
	if d.gateway, err = d.NewGateway(loaded, log); err == nil {
		err = d.gateway.Start(ctx)
	}
	if err != nil {
		closeAll(platforms)
		return nil, err
	}
	d.client = newClient(d.gateway.Addresses().Public)
	watch, cancel := context.WithCancel(ctx)
	go d.watch(watch)
	return func() {
		cancel()
		d.client.http.CloseIdleConnections()
		if err := d.gateway.Close(); err != nil {
			log.Error("gateway did not stop cleanly", "err", err)
		}
		closeAll(platforms)
	}, nil
}

// watch reads the queue as agents' software would.
func (d *demo) watch(ctx context.Context) {
	var unread error
	err := d.gateway.Journal().Watch(ctx, simulatedQueue, func(raw []byte) bool {
		doc, err := readDocument(raw)
		if err != nil {
			unread = fmt.Errorf("a document does not parse: %w", err)
			return false
		}
		select {
		case d.arrivals <- doc:
			return true
		case <-ctx.Done():
			return false
		}
	})
	if ctx.Err() == nil {
		d.broken <- fmt.Errorf("%w: the queue cannot be read: %w", errBroken, errors.Join(err, unread))
	}
}

// sendAll sends each photo on each channel, one after the other, so that each
// has the machine for itself. It returns what it has when it has to end early.
func (d *demo) sendAll(ctx context.Context, originals []original) ([]row, error) {
	progress := newProgress(d.err, len(originals)*len(d.platforms))
	defer progress.end()
	var rows []row
	for _, o := range originals {
		for _, p := range d.platforms {
			progress.at(len(rows), p.Title)
			r, err := d.send(ctx, p, o)
			if err != nil {
				return rows, err
			}
			if d.JSON {
				progress.clear()
				if err := printJSON(d.out, r); err != nil {
					return rows, err
				}
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// report prints the table, the totals and what to try next.
func (d *demo) report(rows []row, originals []original) error {
	if d.JSON || len(rows) == 0 {
		return nil
	}
	t := table{head: []string{" ", "CHANNEL", "VERDICT", "SOURCE", "PREVIEW", "THUMB", "MS"}}
	for i, r := range rows {
		name := *r.Channel
		if o := originals[i/len(d.platforms)]; o.path != "" {
			name += " " + filepath.Base(o.path)
		}
		t.rows = append(t.rows, r.cells(name))
	}
	if err := t.print(d.out); err != nil {
		return err
	}
	total := len(originals) * len(d.platforms)
	_, err := fmt.Fprintf(d.out, "%s%s\n", summary(rows, total), kept(rows, d.Out))
	if err == nil && !d.Keep && len(rows) == total {
		_, err = fmt.Fprintf(d.out, "Next: %s demo --keep\n", d.name)
	}
	return err
}

// keep leaves everything running until the user has seen enough. What the
// gateway logs is shown from here on: it would have stood in the progress's line.
func (d *demo) keep(ctx context.Context) error {
	if err := d.ask(ctx); err != nil {
		return err
	}
	a := d.gateway.Addresses()
	stage, err := openStage(ctx, d.platforms, d.client, "http://"+a.Public+"/", d.phones)
	if err != nil {
		return err
	}
	defer stage.close()
	d.level.Set(slog.LevelInfo)
	fmt.Fprintln(d.err, "Running until Ctrl-C.")
	if err := d.hint(a, stage.Address); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-d.broken:
		return err
	case <-d.gateway.Journal().Ended():
		return fmt.Errorf("%w: %w", errBroken, d.gateway.Journal().Err())
	}
}

// hint says where to look. It is a result and no talk, because it holds what signs in:
// whoever keeps what the gateway logs keeps no token with it.
func (d *demo) hint(a Addresses, stage string) error {
	href := cmp.Or(d.href, "/v1/photos/ID/preview")
	if d.JSON {
		links := map[string]string{}
		for _, g := range d.guests {
			links[g.id] = g.link(a.Public)
		}
		return printJSON(d.out, struct {
			Status  string            `json:"status"`
			Console map[string]string `json:"console"` // by agent
			Phones  string            `json:"phones"`
			Token   string            `json:"token"`
			Picture string            `json:"picture"`
			Ready   string            `json:"readyz"`
			Metrics string            `json:"metrics"`
		}{"running", links, "http://" + stage + "/", d.token, "http://" + a.Public + href, "http://" + a.Admin + "/readyz", "http://" + a.Admin + "/metrics"})
	}
	_, err := fmt.Fprintf(d.out, `%s  a picture  curl -o preview.jpg -H "Authorization: Bearer %s" http://%s%s
  readiness  curl http://%s/readyz
  metrics    curl http://%s/metrics
`, places(d.guests, a.Public, stage), d.token, a.Public, href, a.Admin, a.Admin)
	return err
}
