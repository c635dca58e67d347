package storetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lightlock/lightlock/gateway/store"
)

const (
	attemptA = "0123456789abcdef0123456789abcdef"
	attemptB = "0123456789abcdef0123456789abcdee"
	attemptC = "fedcba98765432100123456789abcdef"
	// patience is for calls that must end. It says nothing about speed.
	patience = time.Minute
)

// key is a preview of attempt A.
func key() store.Key {
	return store.Key{Queue: "acme-support", Attempt: attemptA, Kind: store.Preview}
}

// with returns key() with one change.
func with(change func(*store.Key)) store.Key {
	k := key()
	change(&k)
	return k
}

// picture returns size bytes that differ with seed, and from place to place.
func picture(seed, size int) []byte {
	data := bytes.Repeat([]byte("\xff\xd8 a picture \xff\xd9"), size/15+1)[:size]
	for i := 0; i < size; i += 4096 {
		data[i], data[min(i+1, size-1)] = byte(seed), byte(i>>12)
	}
	return data
}

// errNone is how a failure shows that there was no error.
var errNone = errors.New("none")

func orNone(err error) error { return cmp.Or(err, errNone) }

// bench is what the checks work with.
type bench struct{ Place }

func (b *bench) put(k store.Key, data []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := b.Store.Put(ctx, k, data); err != nil {
		return fmt.Errorf("put %s of %d bytes: %w", k.Kind, len(data), err)
	}
	return nil
}

// puts stores the same bytes under several keys.
func (b *bench) puts(data []byte, keys ...store.Key) (err error) {
	for _, k := range keys {
		err = errors.Join(err, b.put(k, data))
	}
	return err
}

// get returns a picture of about that size.
func get(s store.Store, k store.Key, size int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	f, err := s.Open(ctx, k)
	if err != nil {
		return nil, err
	}
	data := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	_, err = data.ReadFrom(f)
	return data.Bytes(), errors.Join(err, f.Close())
}

// there wants a picture to have these bytes.
func (b *bench) there(k store.Key, want []byte) error { return there(b.Store, k, want) }

func there(s store.Store, k store.Key, want []byte) error {
	got, err := get(s, k, len(want))
	if err != nil || !bytes.Equal(got, want) {
		return fmt.Errorf("get %s %s %d: got %d bytes %.40q, error %w, want %d bytes %.40q", k.Queue, k.Kind, k.Photo, len(got), got, orNone(err), len(want), want)
	}
	return nil
}

// gone wants that there is no picture.
func (b *bench) gone(k store.Key) error {
	if got, err := get(b.Store, k, 0); !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("get %s %s %d: got %d bytes, error %w, want ErrNotFound", k.Queue, k.Kind, k.Photo, len(got), orNone(err))
	}
	return nil
}

func (b *bench) delete(queue, attempt string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := b.Store.DeleteAttempt(ctx, queue, attempt); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return nil
}

// list returns the ages of all attempts, and an error if one is listed twice.
func (b *bench) list() (map[string]time.Duration, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	found := map[string]time.Duration{}
	err := b.Store.List(ctx, func(queue, attempt string, age time.Duration) error {
		name := queue + "/" + attempt
		if _, twice := found[name]; twice {
			return fmt.Errorf("%s is listed twice", name)
		}
		found[name] = age
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	return found, nil
}

// repeats tells whether an error shows something of a key.
func repeats(err error, k store.Key) bool {
	for _, part := range []string{k.Queue, k.Attempt, string(k.Kind)} {
		if len(part) > 4 && strings.Contains(err.Error(), part) {
			return true
		}
	}
	return false
}
