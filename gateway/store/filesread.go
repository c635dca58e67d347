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

// Get opens a picture, as Pictures says. Each read of it ends in time as well.
func (f *Files) Get(ctx context.Context, k Key) (io.ReadSeekCloser, error) {
	if err := errors.Join(ctx.Err(), k.check()); err != nil {
		return nil, err
	}
	file, err := result(ctx, f, "get", func() (*os.File, error) { return f.open(k) })
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

// open opens the file of k. A link, or anything else that is no file, was not
// put there by a store.
func (f *Files) open(k Key) (*os.File, error) {
	where := folder(k.Queue, k.Attempt)
	if err := f.plain(where); err != nil {
		return nil, err
	}
	name := path.Join(where, k.file())
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
		return nil, errors.Join(err, errors.New("the file was replaced while it was opened"))
	}
	return file, nil
}
