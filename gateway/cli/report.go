package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/lightlock/lightlock/media"
)

// The verdicts of a row. failed is none: the photo could not be judged, or what
// was made of it could not be kept.
const (
	statusReady    = "ready"
	statusRejected = "rejected"
	statusFailed   = "failed"
)

// The marks at a row's head.
const (
	markReady = "✓"
	markNot   = "✗"
)

// row is what became of one photo, as --json prints it: path for a file, or
// channel and account.
type row struct {
	Path      *string      `json:"path,omitempty"`
	Channel   *string      `json:"channel,omitempty"`
	Account   *string      `json:"account,omitempty"`
	Status    string       `json:"status"`
	Reason    string       `json:"reason"`
	Detail    string       `json:"detail"`
	Source    source       `json:"source"`
	Preview   *pictureFile `json:"preview"`
	Thumbnail *pictureFile `json:"thumbnail"`
	MS        int64        `json:"ms"`
	// Damaged marks a ready photo of which a part is missing.
	Damaged bool `json:"damaged,omitempty"`
}

// source is the original: zero values where nothing is known.
type source struct {
	Type   string `json:"type"`
	Bytes  int64  `json:"bytes"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

// pictureFile is a developed picture; Path is empty where it was not kept.
type pictureFile struct {
	Path   string `json:"path"`
	Type   string `json:"type"`
	Bytes  int64  `json:"bytes"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

func sourceOf(s media.Source) source {
	return source{Type: s.Type, Bytes: s.Bytes, Width: s.Width, Height: s.Height}
}

// fail makes of the row one of a photo that could not be judged or kept.
func (r *row) fail(err error) {
	r.Status, r.Reason, r.Detail = statusFailed, "", because(err)
	r.Preview, r.Thumbnail, r.Damaged = nil, nil, false
}

// because is an error without the path that the row names already.
func because(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) && path.Error() == err.Error() {
		return path.Err.Error()
	}
	return err.Error()
}

// cells are the row as a table shows it, under its name.
func (r row) cells(name string) []string {
	var size []string
	switch n := r.Source.Bytes; {
	case r.Reason == string(media.TooLarge) && (n-1)%(1<<20) == 0:
		size = append(size, "over "+limitText(n-1)) // nobody read on to learn how large it is
	case n > 0:
		size = append(size, bytesText(n))
	}
	if r.Source.Width > 0 {
		size = append(size, fmt.Sprintf("%d×%d", r.Source.Width, r.Source.Height))
	}
	cells := []string{markNot, visible(name), r.Reason}
	switch r.Status {
	case statusReady:
		verdict := r.Status
		if r.Damaged {
			verdict += ", damaged"
		}
		return []string{
			markReady, visible(name), verdict, strings.Join(size, " "),
			bytesText(r.Preview.Bytes), bytesText(r.Thumbnail.Bytes), strconv.FormatInt(r.MS, 10),
		}
	case statusFailed:
		cells[2] = "not judged"
	}
	if len(size) > 0 {
		cells = append(cells, strings.Join(size, " "))
	}
	return append(cells, visible(r.Detail))
}

// summary counts the rows by their verdict: "2 of 3 ready, 1 rejected".
func summary(rows []row, total int) string {
	verdicts := map[string]int{}
	for _, r := range rows {
		verdicts[r.Status]++
	}
	text := fmt.Sprintf("%d of %d ready", verdicts[statusReady], total)
	if n := verdicts[statusRejected]; n > 0 {
		text += fmt.Sprintf(", %d rejected", n)
	}
	if n := verdicts[statusFailed]; n > 0 {
		text += fmt.Sprintf(", %d not judged", n)
	}
	if n := total - len(rows); n > 0 {
		text += fmt.Sprintf(", %d not looked at", n)
	}
	return text
}

// unjudged is the error of a run in which a photo could not be judged.
func unjudged(rows []row, noun string) error {
	failed := 0
	for _, r := range rows {
		if r.Status == statusFailed {
			failed++
		}
	}
	if failed == 0 {
		return nil
	}
	return failure{exitFailed, fmt.Errorf("%s could not be judged", count(failed, noun))}
}

// kept says where the pictures are, if any were kept.
func kept(rows []row, folder string) string {
	for _, r := range rows {
		if r.Preview != nil && r.Preview.Path != "" {
			return ". Pictures: " + visible(strings.TrimRight(folder, "/")) + "/"
		}
	}
	return ""
}

// fileOf describes a picture that is not kept in a file yet.
func fileOf(p media.Picture) *pictureFile {
	return &pictureFile{Type: "image/jpeg", Bytes: int64(len(p.Data)), Width: p.Width, Height: p.Height}
}

// write keeps the picture under path. It is a customer's, and nobody else's to
// see.
func (f *pictureFile) write(path string, data []byte) error {
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return err
	}
	f.Path = path
	return nil
}
