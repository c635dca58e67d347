package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/budget"
	"github.com/lightlock/lightlock/gateway/darkroom"
	"github.com/lightlock/lightlock/media"
)

type photoCmd struct {
	Paths    []string `arg:"" name:"path" sep:"none" help:"Pictures, or folders of them."`
	Out      string   `placeholder:"DIR" help:"Keep previews and thumbnails in DIR, made if missing."`
	JSON     bool     `name:"json" help:"One JSON object per line."`
	MaxBytes int64    `default:"${max_bytes}" placeholder:"N" help:"Largest original in bytes; ${max_bytes} unless set."`
	Formats  []string `default:"${formats}" placeholder:"LIST" help:"Accepted formats; ${formats} unless set, webp can be added."`
	Damaged  string   `enum:"reject,show" default:"reject" placeholder:"WHAT" help:"Files that break off: reject them, which holds unless set, or show what is there if it is at least half."`
}

// Help implements kong.HelpProvider.
func (photoCmd) Help() string {
	return `The same steps, in the same kind of child process, as in the gateway.
Exit 0 if every file could be judged: a rejection is a judgement. Exit 2 if one could not.

Examples:
  lightlock photo cat.jpg
  lightlock photo --formats jpeg,webp --damaged show --out developed holiday/
  lightlock photo --json holiday/ | jq -r 'select(.status != "ready") | .path + " " + .reason'`
}

// mostBytes is far above every platform's limit and still fits a darkroom's
// child.
const mostBytes = 256 << 20

// mostChildren is how many ordinary photos the memory holds at once; more would
// wait for it.
const mostChildren = 4

// Validate implements kong's check of a command line.
func (c photoCmd) Validate() error {
	if c.MaxBytes < 1 || c.MaxBytes > mostBytes {
		return fmt.Errorf("--max-bytes is %d; from 1 to %d can be had", c.MaxBytes, mostBytes)
	}
	if err := c.settings().Validate(); err != nil {
		return fmt.Errorf("--%w", err) // it begins with the setting's name
	}
	return nil
}

// settings are the gateway's own where the command line says nothing else.
func (c photoCmd) settings() media.Settings {
	s := media.Default()
	s.MaxBytes, s.Formats, s.ShowDamaged = c.MaxBytes, c.Formats, c.Damaged == "show"
	return s
}

// studio develops local files.
type studio struct {
	room     *darkroom.Darkroom
	memory   *budget.Originals
	settings media.Settings
	out      string // a folder for the pictures, or none
}

// task is one file, the name for its pictures, and where its row goes.
type task struct {
	found
	name   string
	result chan row
}

// Run develops each file and says what became of it.
func (c photoCmd) Run(ctx context.Context, s *session) error {
	files, err := expand(c.Paths)
	if err != nil {
		return err
	}
	start := time.Now()
	st := &studio{settings: c.settings(), out: c.Out}
	if c.Out != "" {
		if err := makeFolder(c.Out); err != nil {
			return fmt.Errorf("the pictures cannot be kept: %w", err)
		}
	}
	plan := budget.Enough(config.Bytes(c.MaxBytes), budget.ContainerLimit("/"))
	plan.Start(slog.New(slog.DiscardHandler))
	st.memory = budget.NewOriginals(plan, 0)
	st.room, err = darkroom.New(darkroom.Options{Most: children(len(files)), Memory: plan.Children, Log: slog.New(slog.DiscardHandler)}) //nolint:contextcheck // it lives as long as this command
	if err != nil {
		return err
	}
	defer st.room.Close()
	rows, err := c.develop(ctx, s, st, files)
	if err := errors.Join(c.report(s, rows, len(files), effort(time.Since(start), st.room.PeakMemory())), err); err != nil {
		return err
	}
	return unjudged(rows, "file")
}

// develop has all files developed, several at once, and takes the results in
// the files' order. It returns those that it has when ctx ends.
func (c photoCmd) develop(ctx context.Context, s *session, st *studio, files []found) ([]row, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := st.start(ctx, files)
	progress := newProgress(s.err, len(files))
	defer progress.end()
	rows := make([]row, 0, len(files))
	for i, result := range results {
		progress.at(i, files[i].path)
		r := <-result
		if ctx.Err() != nil {
			return rows, ctx.Err()
		}
		if c.JSON {
			progress.clear()
			if err := printJSON(s.out, r); err != nil {
				return rows, err
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// start sets as many goroutines to work as the darkroom may have children. Each
// file has a channel on which its row will come, also if ctx ends.
func (st *studio) start(ctx context.Context, files []found) []chan row {
	tasks := make(chan task, len(files))
	results := make([]chan row, len(files))
	given := names{}
	for i, f := range files {
		results[i] = make(chan row, 1)
		tasks <- task{f, given.of(flat(f.path), f.path), results[i]}
	}
	close(tasks)
	for range children(len(files)) {
		go func() {
			for t := range tasks {
				t.result <- st.develop(ctx, t)
			}
		}()
	}
	return results
}

// children is how many files are developed at once.
func children(files int) int { return min(runtime.GOMAXPROCS(0), mostChildren, files) }

// develop takes one file through the darkroom.
func (st *studio) develop(ctx context.Context, t task) row {
	start := time.Now()
	r := row{Path: &t.path, Status: statusReady}
	developed, err := st.developFile(ctx, t)
	r.MS = time.Since(start).Milliseconds()
	var verdict *media.Rejection
	switch {
	case errors.As(err, &verdict):
		r.Status, r.Reason, r.Detail = statusRejected, string(verdict.Reason), verdict.Detail
		r.Source = sourceOf(verdict.Source)
		return r
	case err != nil:
		r.fail(err)
		return r
	}
	r.Source, r.Damaged, r.Detail = sourceOf(developed.Source), developed.Damage != "", developed.Damage
	r.Preview, r.Thumbnail = fileOf(developed.Preview), fileOf(developed.Thumbnail)
	if st.out == "" {
		return r
	}
	name := filepath.Join(st.out, t.name)
	if err := errors.Join(
		r.Preview.write(name+".preview.jpg", developed.Preview.Data),
		r.Thumbnail.write(name+".thumbnail.jpg", developed.Thumbnail.Data),
	); err != nil {
		r.fail(fmt.Errorf("the pictures could not be kept: %w", err))
	}
	return r
}

func (st *studio) developFile(ctx context.Context, t task) (*media.Developed, error) {
	if t.err != nil || ctx.Err() != nil {
		return nil, errors.Join(t.err, ctx.Err())
	}
	f, size, err := openRegular(t.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	memory, err := st.memory.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer memory.End()
	original, err := media.Read(f, size, st.settings.MaxBytes, memory.Room(ctx))
	if err != nil {
		return nil, err
	}
	// As in the gateway: one death may be the machine's fault, two are the
	// photo's.
	developed, err := st.room.Develop(ctx, original, st.settings)
	if errors.Is(err, darkroom.ErrChildDied) {
		developed, err = st.room.Develop(ctx, original, st.settings)
	}
	if errors.Is(err, darkroom.ErrChildDied) {
		return nil, &media.Rejection{
			Reason: media.TooComplex, Detail: "two darkroom processes were lost on it",
			Source: media.Source{Bytes: int64(len(original))},
		}
	}
	return developed, err
}

// report prints the table and the totals. With --json, whose lines are for
// programs, the totals of a run that came to its end are for whoever looks on.
func (c photoCmd) report(s *session, rows []row, total int, effort string) error {
	switch {
	case len(rows) == 0:
		return nil
	case c.JSON && len(rows) == total:
		fmt.Fprintf(s.err, "%s; %s\n", summary(rows, total), effort)
		return nil
	case c.JSON:
		return nil
	}
	t := table{head: []string{" ", "FILE", "VERDICT", "SOURCE", "PREVIEW", "THUMB", "MS"}}
	for _, r := range rows {
		t.rows = append(t.rows, r.cells(*r.Path))
	}
	if err := t.print(s.out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, "%s; %s%s\n", summary(rows, total), effort, kept(rows, c.Out))
	return err
}

// effort says what it took: "12.3 s, peak memory of a child 41.0 MB", the memory
// where the system tells it.
func effort(took time.Duration, memory int64) string {
	text := fmt.Sprintf("%.1f s", took.Seconds())
	if memory > 0 {
		text += fmt.Sprintf(", peak memory of a child %s", bytesText(memory))
	}
	return text
}
