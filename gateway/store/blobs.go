package store

import (
	"context"
	"fmt"
	"io"
)

// blobs keeps bytes under names: Files and S3 do. A name is a path that is made of
// checked parts, and an error never repeats it.
type blobs interface {
	// put keeps bytes, as Pictures.Put says.
	put(ctx context.Context, name string, data []byte) error
	// get opens what is there, or returns ErrNotFound. The caller closes it; ctx must
	// live as long.
	get(ctx context.Context, name string) (io.ReadSeekCloser, error)
	// swap puts other bytes in the place of those that are there, whole, whatever
	// happens meanwhile. Where there are none it is ErrNotFound, where there are others
	// ErrExists; neither changes anything.
	swap(ctx context.Context, name string, was, data []byte) error
	// remove removes what is there, for good when it returns nil; there need not be
	// anything.
	remove(ctx context.Context, name string) error
}

// kind is a kind of store, beneath what seals.
type kind interface {
	blobs
	Upkeep
	// DeleteAttempt is as Pictures has it. Keys go before pictures.
	DeleteAttempt(ctx context.Context, queue, attempt string) error
	// names lists all below a folder, "." being the whole store, that come behind
	// after, in the order of their bytes, and at most limit. Fewer are all.
	names(ctx context.Context, folder, after string, limit int) ([]string, error)
}

// maxObject is the most bytes that are kept under a name: a picture, or a document,
// with what sealing adds.
const maxObject = MaxBytes + 4<<10

func checkSize(data []byte) error {
	if len(data) == 0 || len(data) > maxObject {
		return fmt.Errorf("store: %d bytes", len(data))
	}
	return nil
}

// whole reads all that is under a name.
func whole(ctx context.Context, b blobs, name string) ([]byte, error) {
	return wholeIf(ctx, b, name, func(int64) error { return nil })
}

// wholeIf is whole, once there is room for so many bytes.
func wholeIf(ctx context.Context, b blobs, name string, room func(size int64) error) ([]byte, error) {
	f, err := b.get(ctx, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, err
	}
	if size > maxObject {
		return nil, ErrDamaged
	}
	if err := room(size); err != nil {
		return nil, err
	}
	data := make([]byte, size)
	_, err = io.ReadFull(f, data)
	return data, err
}
