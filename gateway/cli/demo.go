package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/sim"
)

type demoCmd struct {
	Photo []string `placeholder:"FILE" sep:"none" help:"Send FILE in place of the made-up photo. May be repeated."`
	JSON  bool     `name:"json" help:"One JSON object per line."`
	Keep  bool     `help:"Leave the gateway and the simulated platforms running."`
	Out   string   `default:"lightlock-demo" placeholder:"DIR" help:"Where the pictures go."`
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

// patience is how long the demo waits for a photo at the end of the queue.
const patience = 30 * time.Second

// largestDemoFile is far above every channel's limit, and still fits in memory.
const largestDemoFile = 256 << 20

// demo is one run.
type demo struct {
	demoCmd
	Program
	gateway   Gateway
	platforms []simulated
	arrivals  chan document
	token     string
	width     int
}

// original is a photo to send; name is empty for the one that the demo makes.
type original struct {
	name string
	data []byte
}

// Run sends a photo on every channel and waits for each at the end of the queue.
func (c demoCmd) Run(ctx context.Context, p Program) error {
	originals, err := c.originals()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o700); err != nil {
		return err
	}
	data, err := os.MkdirTemp("", "lightlock-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	d := &demo{demoCmd: c, Program: p, arrivals: make(chan document), token: sim.Secret() + sim.Secret()}
	stop, err := d.start(ctx, data)
	if err != nil {
		return err
	}
	defer stop()
	rows, err := d.sendAll(ctx, originals)
	if err != nil {
		return err
	}
	if err := d.report(rows); err != nil || !c.Keep {
		return err
	}
	return d.keep(ctx)
}

// originals reads the files to send. One that cannot be read is an error before
// anything is started.
func (c demoCmd) originals() ([]original, error) {
	if len(c.Photo) == 0 {
		return []original{{}}, nil
	}
	var list []original
	for _, path := range c.Photo {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if info.Size() > largestDemoFile {
			return nil, fmt.Errorf("%s: %s is more than the demo can send", path, bytesText(info.Size()))
		}
		data, err := os.ReadFile(path) //nolint:gosec // the user names the file
		if err != nil {
			return nil, err
		}
		list = append(list, original{name: filepath.Base(path), data: data})
	}
	return list, nil
}

// start brings up platforms and gateway; the returned function takes both down.
func (d *demo) start(ctx context.Context, data string) (func(), error) {
	c := config.Default()
	c.Listen, c.AdminListen, c.Data = "127.0.0.1:0", "127.0.0.1:0", data
	c.Services = []config.Service{{Name: "demo", Token: config.NewSecret(d.token), Queues: []string{simulatedQueue}}}
	loaded, platforms, err := d.simulate(c)
	if err != nil {
		return nil, err
	}
	d.platforms = platforms
	level := slog.LevelError
	if d.Keep {
		level = slog.LevelInfo
	}
	log := slog.New(slog.NewTextHandler(d.Stderr, &slog.HandlerOptions{Level: level}))
	if d.gateway, err = d.NewGateway(loaded, log); err == nil {
		err = d.gateway.Start(ctx)
	}
	if err != nil {
		closeAll(platforms)
		return nil, err
	}
	watch, cancel := context.WithCancel(ctx)
	go d.watch(watch)
	return func() {
		cancel()
		if err := d.gateway.Close(); err != nil {
			log.Error("gateway did not stop cleanly", "err", err)
		}
		closeAll(platforms)
	}, nil
}

// watch reads the queue as agents' software would.
func (d *demo) watch(ctx context.Context) {
	err := d.gateway.Watch(ctx, simulatedQueue, func(raw []byte) bool {
		doc, err := readDocument(raw)
		if err != nil {
			slog.Error("document does not parse", "err", err)
			return true
		}
		select {
		case d.arrivals <- doc:
			return true
		case <-ctx.Done():
			return false
		}
	})
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(d.Stderr, "lightlock: the queue cannot be read:", err)
	}
}

func (d *demo) sendAll(ctx context.Context, originals []original) ([]row, error) {
	for _, p := range d.platforms {
		d.width = max(d.width, len(p.Name))
	}
	progress := newProgress(d.Stderr, len(originals)*len(d.platforms))
	defer progress.done()
	var rows []row
	for _, o := range originals {
		for _, p := range d.platforms {
			r := d.send(ctx, p, o)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if d.JSON {
				if err := r.printJSON(d.Stdout); err != nil {
					return nil, err
				}
			}
			rows = append(rows, r)
			progress.step(p.Title)
		}
	}
	return rows, nil
}

// send takes one photo through one channel.
func (d *demo) send(ctx context.Context, p simulated, o original) row {
	r := row{Channel: &p.Name, Account: &p.name, Status: statusFailed}
	var err error
	if o.data == nil && o.name == "" {
		if o.data, err = demoPhoto(p.Title); err != nil {
			r.Detail = err.Error()
			return r
		}
	}
	start := time.Now()
	id := sim.Secret()
	err = p.say(ctx, d.gateway.Addresses().Public, sim.Said{
		ID: id, Consumer: "Ana", Name: "Ana", Photos: [][]byte{o.data}, At: start,
	})
	if err != nil {
		r.Detail = err.Error()
		return r
	}
	doc, err := d.await(ctx, p.name)
	r.MS = time.Since(start).Milliseconds()
	if err != nil {
		r.Detail = err.Error()
		return r
	}
	d.fill(ctx, &r, doc, p, o)
	return r
}

// await waits for the account's next message.
func (d *demo) await(ctx context.Context, account string) (document, error) {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		select {
		case doc := <-d.arrivals:
			if doc.Source == account && len(doc.Data.Photos) > 0 {
				return doc, nil
			}
		case <-timeout.C:
			return document{}, fmt.Errorf("nothing at the queue after %s", patience)
		case <-ctx.Done():
			return document{}, ctx.Err()
		}
	}
}

// fill completes the row from the queue's document and fetches the pictures.
func (d *demo) fill(ctx context.Context, r *row, doc document, p simulated, o original) {
	photo := doc.Data.Photos[0]
	r.Status, r.Reason, r.Source = photo.Status, photo.Reason, photo.Source
	if photo.Status != statusReady {
		r.Detail = sentence(photo.Reason, photo.Source, p.Title, int64(p.PhotoLimit))
		return
	}
	name := p.Name
	if o.name != "" {
		name += "." + o.name
	}
	name = filepath.Join(d.Out, name)
	var err1, err2 error
	r.Preview, err1 = d.fetch(ctx, photo.Preview, name+".preview.jpg")
	r.Thumbnail, err2 = d.fetch(ctx, photo.Thumbnail, name+".thumbnail.jpg")
	if err := errors.Join(err1, err2); err != nil {
		r.Status, r.Detail = statusFailed, err.Error()
	}
}

// fetch gets a picture as a service does, and keeps it in a file.
func (d *demo) fetch(ctx context.Context, p *remotePicture, path string) (*pictureFile, error) {
	if p == nil {
		return nil, errors.New("a ready photo without its pictures")
	}
	url := "http://" + d.gateway.Addresses().Public + p.Href
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+d.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the picture was answered %d", response.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, p.Bytes+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != p.Bytes {
		return nil, errors.New("the picture is not as long as announced")
	}
	f := &pictureFile{Type: p.Type, Bytes: p.Bytes, Width: p.Width, Height: p.Height}
	return f, f.write(path, data)
}

// report prints the table, and decides the exit code.
func (d *demo) report(rows []row) error {
	var cells [][]string
	ready, failed := 0, 0
	for i, r := range rows {
		switch r.Status {
		case statusReady:
			ready++
		case statusFailed:
			failed++
		}
		name := *r.Channel
		if len(d.Photo) > 0 {
			name += " " + filepath.Base(d.Photo[i/len(d.platforms)])
		}
		line := r.cells()
		cells = append(cells, append([]string{line[0], name}, line[1:]...))
	}
	if !d.JSON {
		table(d.Stdout, []string{" ", "CHANNEL", "VERDICT", "SOURCE", "PREVIEW", "THUMB", "MS"}, cells, colourful(d.Stdout))
		fmt.Fprintf(d.Stdout, "%d of %d ready.", ready, len(rows))
		if ready > 0 {
			fmt.Fprintf(d.Stdout, " Pictures: %s/", strings.TrimRight(d.Out, "/"))
		}
		fmt.Fprintln(d.Stdout)
		if !d.Keep {
			fmt.Fprintln(d.Stdout, "Next: lightlock demo --photo FILE")
		}
	}
	if failed > 0 {
		return failure{exitFailed, fmt.Errorf("%s could not be judged", count(failed, "photo"))}
	}
	return nil
}

// keep leaves everything running until the user has seen enough.
func (d *demo) keep(ctx context.Context) error {
	a := d.gateway.Addresses()
	fmt.Fprintf(d.Stderr, `Running until Ctrl-C.
  pictures   curl -H "Authorization: Bearer %s" http://%s/v1/photos/ID/preview
  readiness  curl http://%s/readyz
  metrics    curl http://%s/metrics
`, d.token, a.Public, a.Admin, a.Admin)
	<-ctx.Done()
	return nil
}
