package store

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// names lists files below a folder, as kind says.
func (f *Files) names(ctx context.Context, folder, after string, limit int) ([]string, error) {
	w := &walk{f: f, after: after, limit: limit}
	err := w.folder(ctx, folder)
	return w.found, err
}

// walk goes through folders in the order in which a bucket lists its objects.
type walk struct {
	f     *Files
	after string
	limit int
	found []string
}

func (w *walk) folder(ctx context.Context, folder string) error {
	// A folder is sorted as if its name ended in "/": so are the names below it.
	var children []string
	err := w.f.each(ctx, folder, func(name string, info fs.FileInfo) error {
		switch {
		case folder == "." && strings.HasPrefix(name, ".") && name+"/" != documents:
		case info.IsDir():
			children = append(children, name+"/")
		case info.Mode().IsRegular():
			children = append(children, name)
		}
		return nil
	})
	slices.Sort(children)
	for _, name := range children {
		if err != nil || len(w.found) == w.limit {
			break
		}
		full := path.Join(folder, name)
		switch below := full + "/"; {
		case strings.HasSuffix(name, "/") && (below > w.after || strings.HasPrefix(w.after, below)):
			err = w.folder(ctx, full)
		case !strings.HasSuffix(name, "/") && full > w.after:
			w.found = append(w.found, full)
		}
	}
	return err
}

// prune removes the folders above a document that have become empty. A Put that
// finds its folder gone makes it anew.
func (f *Files) prune(folder string) {
	for strings.HasPrefix(folder, documents) && f.root.Remove(folder) == nil {
		folder = path.Dir(folder)
	}
}
