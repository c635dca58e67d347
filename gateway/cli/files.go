package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

var (
	errFolder     = errors.New("a folder, not a file")
	errNotRegular = errors.New("not a regular file; save it as one first")
	errLinkFolder = errors.New("a link to a folder, which is not followed")
)

// found is a file to look at, or what is in its way.
type found struct {
	path string
	err  error
}

// expand replaces folders by the files in them, in their order by name. What
// cannot be opened stands among the others, so that nothing is passed over in
// silence.
func expand(paths []string) ([]found, error) {
	var files []found
	for _, path := range paths {
		root := path
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			root = filepath.Clean(path) + string(filepath.Separator) // a link to a folder that was named is followed
		}
		err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				files = append(files, found{file, err})
			case d.Type()&fs.ModeSymlink != 0 && isFolder(file):
				files = append(files, found{file, errLinkFolder})
			case !d.IsDir():
				files = append(files, found{path: file})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no files in %s", strings.Join(paths, ", "))
	}
	return files, nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// openRegular opens a regular file and tells its size. Anything else, such as a
// pipe, could keep us waiting for ever, and opening a device may set it going;
// so it is looked at before, and, as it may have been exchanged, after.
func openRegular(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err == nil {
		err = regular(info)
	}
	if err != nil {
		return nil, 0, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	if info, err = f.Stat(); err == nil {
		err = regular(info)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

func regular(info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return errFolder
	case !info.Mode().IsRegular():
		return errNotRegular
	}
	return nil
}

// makeFolder makes a folder for pictures, and finds out whether it can be
// written to before any work is done for it.
func makeFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(path, ".lightlock-")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// names give each file a name for its pictures that no other file has.
type names map[string]string // a name, and the file that has it

// of returns the wished name, or, if another file has it, one with a number
// behind it.
func (n names) of(wish, file string) string {
	name := wish
	for i := 2; ; i++ {
		if owner, taken := n[name]; !taken || owner == file {
			n[name] = file
			return name
		}
		name = fmt.Sprintf("%s~%d", wish, i)
	}
}

// flat makes one name of a path.
func flat(path string) string { return strings.ReplaceAll(filepath.ToSlash(path), "/", "_") }
