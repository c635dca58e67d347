package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
)

// piece is how much of a picture is read with one step.
const piece = 64 << 10

// get opens a file, as blobs says. Each read of it ends in time as well.
func (f *Files) get(ctx context.Context, name string) (io.ReadSeekCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, err := result(ctx, f, "get", func() (*os.File, error) { return f.open(name) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	info, err := result(ctx, f, "get", file.Stat)
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return struct {
		io.ReadSeeker
		io.Closer
	}{io.NewSectionReader(pieces{ctx, f, file}, 0, info.Size()), file}, nil
}

// pieces reads a file step by step. Each piece has memory of its own, because a
// read that hangs may still write there when its caller has gone.
type pieces struct {
	ctx   context.Context
	files *Files
	file  *os.File
}

// ReadAt implements io.ReaderAt.
func (p pieces) ReadAt(b []byte, at int64) (n int, err error) {
	for n < len(b) && err == nil {
		var part []byte
		from, size := at+int64(n), min(len(b)-n, piece)
		part, err = result(p.ctx, p.files, "get", func() ([]byte, error) {
			part := make([]byte, size)
			got, err := p.file.ReadAt(part, from)
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return part[:got], err
		})
		if err == nil && len(part) == 0 {
			err = io.EOF
		}
		n += copy(b[n:], part)
	}
	return n, err
}

// errReplaced says that there was another file a moment ago.
var errReplaced = errors.New("the file was replaced while it was opened")

// open opens a file. A link, or anything else that is no file, was not put there
// by a store. Who wraps keys anew replaces theirs.
func (f *Files) open(name string) (file *os.File, err error) {
	for range 10 {
		if file, err = f.openOnce(name); !errors.Is(err, errReplaced) {
			break
		}
	}
	return file, err
}

func (f *Files) openOnce(name string) (*os.File, error) {
	if err := f.plain(path.Dir(name)); err != nil {
		return nil, err
	}
	expected, err := f.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !expected.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	file, err := f.root.Open(name)
	if err != nil {
		return nil, err
	}
	if got, err := file.Stat(); err != nil || !os.SameFile(expected, got) {
		_ = file.Close()
		return nil, errors.Join(err, errReplaced)
	}
	return file, nil
}
