package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lightlock/lightlock/gateway/darkroom"
	"github.com/lightlock/lightlock/media"
)

type photoCmd struct {
	Paths    []string `arg:"" name:"path" help:"Pictures, or folders of them."`
	Out      string   `placeholder:"DIR" help:"Keep previews and thumbnails in DIR, made if missing."`
	JSON     bool     `name:"json" help:"One JSON object per line."`
	MaxBytes int64    `placeholder:"N" help:"Largest original in bytes. Default: 10485760."`
}

// Help implements kong.HelpProvider.
func (photoCmd) Help() string {
	return `The same steps, in the same kind of child process, as in the gateway.
Exit 0 if every file could be judged: a rejection is a judgement.

Examples:
  lightlock photo cat.jpg
  lightlock photo --out developed holiday/
  lightlock photo --json holiday/ | jq -r 'select(.status != "ready") | .path + " " + .reason'`
}

// Run develops each file and says what became of it.
func (c photoCmd) Run(ctx context.Context, p Program) error {
	files, err := expand(c.Paths)
	if err != nil {
		return err
	}
	settings := media.Default()
	if c.MaxBytes > 0 {
		settings.MaxBytes = c.MaxBytes
	}
	if c.Out != "" {
		if err := os.MkdirAll(c.Out, 0o700); err != nil {
			return err
		}
	}
	room, err := darkroom.New(darkroom.Options{Idle: 1, Most: 1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer room.Close()
	rows := make([]row, 0, len(files))
	progress := newProgress(p.Stderr, len(files))
	defer progress.done()
	for _, path := range files {
		r := c.develop(ctx, room, settings, path)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if c.JSON {
			if err := r.printJSON(p.Stdout); err != nil {
				return err
			}
		}
		rows = append(rows, r)
		progress.step(path)
	}
	progress.done()
	return c.report(p, rows)
}

// develop takes one file through the darkroom.
func (c photoCmd) develop(ctx context.Context, room *darkroom.Darkroom, s media.Settings, path string) row {
	start := time.Now()
	r := row{Path: &path, Status: statusReady}
	developed, err := developFile(ctx, room, s, path)
	r.MS = time.Since(start).Milliseconds()
	var verdict *media.Rejection
	switch {
	case errors.As(err, &verdict):
		r.Status, r.Reason, r.Detail = statusRejected, string(verdict.Reason), verdict.Detail
		r.Source = sourceOf(verdict.Source)
		return r
	case errors.Is(err, darkroom.ErrChildDied):
		r.Status, r.Reason, r.Detail = statusRejected, string(media.TooComplex), "the darkroom's process was lost on it"
		return r
	case err != nil:
		r.Status, r.Detail = statusFailed, err.Error()
		return r
	}
	r.Source = sourceOf(developed.Source)
	r.Preview, r.Thumbnail = fileOf(developed.Preview), fileOf(developed.Thumbnail)
	if c.Out == "" {
		return r
	}
	name := filepath.Join(c.Out, flat(path))
	if err := errors.Join(
		r.Preview.write(name+".preview.jpg", developed.Preview.Data),
		r.Thumbnail.write(name+".thumbnail.jpg", developed.Thumbnail.Data),
	); err != nil {
		r.Status, r.Detail = statusFailed, err.Error()
	}
	return r
}

func developFile(ctx context.Context, room *darkroom.Darkroom, s media.Settings, path string) (*media.Developed, error) {
	f, err := os.Open(path) //nolint:gosec // the user names the file
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	original, err := media.Read(f, info.Size(), s.MaxBytes)
	if err != nil {
		return nil, err
	}
	return room.Develop(ctx, original, s)
}

func fileOf(p media.Picture) *pictureFile {
	return &pictureFile{Type: "image/jpeg", Bytes: int64(len(p.Data)), Width: p.Width, Height: p.Height}
}

// write keeps the picture under path.
func (f *pictureFile) write(path string, data []byte) error {
	f.Path = path
	return os.WriteFile(path, data, 0o600)
}

// flat makes one file name of a path.
func flat(path string) string {
	return strings.ReplaceAll(strings.TrimLeft(filepath.ToSlash(path), "/"), "/", "_")
}

// report prints the table and the totals, and decides the exit code.
func (c photoCmd) report(p Program, rows []row) error {
	var cells [][]string
	verdicts := map[string]int{}
	for _, r := range rows {
		verdicts[r.Status]++
		line := r.cells()
		cells = append(cells, append([]string{line[0], *r.Path}, line[1:]...))
	}
	if !c.JSON {
		table(p.Stdout, []string{" ", "FILE", "VERDICT", "SOURCE", "PREVIEW", "THUMB", "MS"}, cells, colourful(p.Stdout))
		fmt.Fprintf(p.Stdout, "%d of %d ready, %d rejected", verdicts[statusReady], len(rows), verdicts[statusRejected])
		if n := verdicts[statusFailed]; n > 0 {
			fmt.Fprintf(p.Stdout, ", %d not judged", n)
		}
		if c.Out != "" {
			fmt.Fprintf(p.Stdout, ". Pictures: %s", strings.TrimRight(c.Out, "/")+"/")
		}
		fmt.Fprintln(p.Stdout)
	}
	if n := verdicts[statusFailed]; n > 0 {
		return failure{exitFailed, fmt.Errorf("%s could not be judged", count(n, "file"))}
	}
	return nil
}

// expand replaces folders by the files in them, in their order by name.
func expand(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		err := filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
			// What cannot be opened is reported with the others.
			if err == nil && d.IsDir() {
				return nil
			}
			files = append(files, file)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, errors.New("no files there")
	}
	return files, nil
}
