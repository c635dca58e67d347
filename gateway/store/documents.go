package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Documents keeps documents under names. Its methods may be called at once, and
// several gateways may use the same folder or bucket.
//
// A name is a path of 1 to 8 parts with "/" between; a part is 1 to 128 of a-z,
// 0-9, "-" and ".", and does not begin with ".". The name of one is never the folder
// of another. Names are stored as they are, so nothing of a consumer's may stand in
// one.
type Documents interface {
	// Put keeps a document of at most MaxBytes bytes, which may be none, as
	// Pictures.Put does.
	Put(ctx context.Context, name string, data []byte) error
	// Get returns a document, or ErrNotFound.
	Get(ctx context.Context, name string) ([]byte, error)
	// Delete removes a document, for good when it returns nil; there need not be one.
	Delete(ctx context.Context, name string) error
	// List returns the names below a folder that come behind after, which need not be
	// there, in the order of their bytes and at most limit of them. If there are fewer,
	// these are all.
	List(ctx context.Context, folder, after string, limit int) ([]string, error)
}

// documents is where documents are, below the folder or the prefix. No queue can be
// called so.
const documents = ".documents/"

var documentName = regexp.MustCompile(`^[a-z0-9-][a-z0-9.-]{0,127}(/[a-z0-9-][a-z0-9.-]{0,127}){0,7}$`)

// errName says that a name is none. It is not repeated.
var errName = errors.New("store: not the name of a document")

// Documents returns the documents of the store, sealed with a key of its own each.
func (s *Sealed) Documents() Documents { return shelf{s} }

type shelf struct{ s *Sealed }

// Put keeps a document, as Documents says.
func (d shelf) Put(ctx context.Context, name string, data []byte) error {
	if err := errors.Join(ctx.Err(), checkName(name)); err != nil {
		return err
	}
	if len(data) > MaxBytes {
		return fmt.Errorf("store: a document of %d bytes", len(data))
	}
	key, err := d.s.keys.newKey("", "document", name)
	if err != nil {
		return err
	}
	sealed, err := key.seal(data, "document", name)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	stored, err := joined(key.wrapped, sealed)
	if err != nil {
		return err
	}
	for range 10 {
		if err = d.s.put(ctx, documents+name, stored); !errors.Is(err, ErrExists) {
			return err
		}
		// One that is the same has other bytes all the same, because no two keys are.
		there, getErr := d.Get(ctx, name)
		switch {
		case errors.Is(getErr, ErrNotFound): // it was deleted meanwhile
		case getErr == nil && !bytes.Equal(there, data):
			return ErrExists
		default:
			return getErr
		}
	}
	return err
}

// Get returns a document, as Documents says.
func (d shelf) Get(ctx context.Context, name string) ([]byte, error) {
	if err := errors.Join(ctx.Err(), checkName(name)); err != nil {
		return nil, err
	}
	stored, err := whole(ctx, d.s, documents+name)
	if err != nil {
		return nil, err
	}
	w, sealed, err := parted(stored)
	if err != nil {
		return nil, err
	}
	key, err := d.s.keys.unwrap(w, "document", name)
	if err != nil {
		return nil, err
	}
	return key.open(sealed, "document", name)
}

// Delete removes a document, as Documents says.
func (d shelf) Delete(ctx context.Context, name string) error {
	if err := errors.Join(ctx.Err(), checkName(name)); err != nil {
		return err
	}
	return d.s.remove(ctx, documents+name)
}

// List lists documents, as Documents says.
func (d shelf) List(ctx context.Context, folder, after string, limit int) ([]string, error) {
	if err := errors.Join(ctx.Err(), checkName(folder)); err != nil {
		return nil, err
	}
	if after != "" && checkName(after) != nil || limit < 1 {
		return nil, errName
	}
	if after != "" {
		after = documents + after
	}
	names, err := d.s.names(ctx, documents+folder, after, limit)
	for i := range names {
		names[i] = strings.TrimPrefix(names[i], documents)
	}
	return names, err
}

func checkName(name string) error {
	if !documentName.MatchString(name) {
		return errName
	}
	return nil
}

// joined puts a document's wrapped key before it, in a line of its own: one object
// for each, so that a document costs one request.
func joined(w wrapped, sealed []byte) ([]byte, error) {
	head, err := w.marshal()
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return append(append(head, '\n'), sealed...), nil
}

func parted(stored []byte) (wrapped, []byte, error) {
	head, sealed, ok := bytes.Cut(stored, []byte("\n"))
	if !ok {
		return wrapped{}, nil, ErrDamaged
	}
	w, err := parseWrapped(head)
	return w, sealed, err
}
