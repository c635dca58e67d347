package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lightlock/lightlock/gateway/store"
)

// callChecks are about calls that go wrong.
func callChecks() []check {
	return []check{
		{"hostile_keys", "what is no key is refused by every call, is not repeated in the error, and leaves nothing", checkHostileKeys},
		{"cancelled", "a call whose context has ended does nothing and says so", checkCancelled},
		{"broken_off", "a Put that is broken off leaves the whole picture or none, and is not in the way of the next", checkBrokenOff},
	}
}

// hostileKeys are no keys. Those that say so name an attempt that is none either.
func hostileKeys() map[string]store.Key {
	return map[string]store.Key{
		"no queue":            with(func(k *store.Key) { k.Queue = "" }),
		"queue upwards":       with(func(k *store.Key) { k.Queue = ".." }),
		"queue with slash":    with(func(k *store.Key) { k.Queue = "acme/support" }),
		"queue with dot":      with(func(k *store.Key) { k.Queue = ".unfinished" }),
		"queue absolute":      with(func(k *store.Key) { k.Queue = "/etc/passwd" }),
		"queue with NUL":      with(func(k *store.Key) { k.Queue = "acme\x00support" }),
		"queue with newline":  with(func(k *store.Key) { k.Queue = "acme\nsupport" }),
		"queue with query":    with(func(k *store.Key) { k.Queue = "acme?list-type=2" }),
		"queue with percent":  with(func(k *store.Key) { k.Queue = "acme%2fsupport" }),
		"queue endless":       with(func(k *store.Key) { k.Queue = strings.Repeat("a", 65) }),
		"queue in capitals":   with(func(k *store.Key) { k.Queue = "ACME-SUPPORT" }),
		"no attempt":          with(func(k *store.Key) { k.Attempt = "" }),
		"attempt upwards":     with(func(k *store.Key) { k.Attempt = "../" + attemptA[3:] }),
		"attempt one short":   with(func(k *store.Key) { k.Attempt = attemptA[1:] }),
		"attempt one long":    with(func(k *store.Key) { k.Attempt = attemptA + "0" }),
		"attempt in capitals": with(func(k *store.Key) { k.Attempt = strings.ToUpper(attemptA) }),
		"photo negative":      with(func(k *store.Key) { k.Photo = -1 }),
		"photo 100":           with(func(k *store.Key) { k.Photo = 100 }),
		"no kind":             with(func(k *store.Key) { k.Kind = "" }),
		"kind original":       with(func(k *store.Key) { k.Kind = "original" }),
		"kind upwards":        with(func(k *store.Key) { k.Kind = "/../../../../x" }),
	}
}

func checkHostileKeys(b *bench) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for name, k := range hostileKeys() {
		calls := map[string]error{"Put": b.Store.Put(ctx, k, picture(1, 10))}
		f, err := b.Store.Open(ctx, k)
		if err == nil {
			_ = f.Close()
		}
		calls["Open"] = err
		if unkind := key(); k.Queue != unkind.Queue || k.Attempt != unkind.Attempt || k.Photo != unkind.Photo {
			_, calls["Conversation"] = b.Store.Conversation(ctx, k)
		}
		if k.Queue != key().Queue || k.Attempt != key().Attempt {
			calls["DeleteAttempt"] = b.Store.DeleteAttempt(ctx, k.Queue, k.Attempt)
		}
		for call, err := range calls {
			switch {
			case err == nil || errors.Is(err, store.ErrNotFound):
				return fmt.Errorf("%s: %s: got %w, want it refused", name, call, orNone(err))
			case repeats(err, k):
				return fmt.Errorf("%s: %s repeats the key: %w", name, call, err)
			}
		}
	}
	found, err := b.list()
	if err != nil || len(found) > 0 {
		return fmt.Errorf("in the store: got %v, %w, want nothing", found, orNone(err))
	}
	return b.gone(key())
}

func checkCancelled(b *bench) error {
	if err := b.put(key(), picture(1, 100)); err != nil {
		return err
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	late, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer cancel()
	other := with(func(k *store.Key) { k.Photo = 1 })
	for ctx, want := range map[context.Context]error{ended: context.Canceled, late: context.DeadlineExceeded} {
		f, err := b.Store.Open(ctx, key())
		if err == nil {
			_ = f.Close()
		}
		_, whose := b.Store.Conversation(ctx, key())
		for call, err := range map[string]error{
			"Conversation":  whose,
			"Put":           b.Store.Put(ctx, other, picture(1, 100)),
			"Open":          err,
			"DeleteAttempt": b.Store.DeleteAttempt(ctx, key().Queue, attemptA),
			"Check":         b.Store.Check(ctx),
			"List":          b.Store.List(ctx, func(string, string, time.Duration) error { return nil }),
		} {
			if !errors.Is(err, want) {
				return fmt.Errorf("%s: got %w, want %w", call, orNone(err), want)
			}
		}
	}
	return errors.Join(b.there(key(), picture(1, 100)), b.gone(other))
}

func checkBrokenOff(b *bench) error {
	const size = 1 << 19
	for i := range 30 {
		k, data := with(func(k *store.Key) { k.Photo = i }), picture(i, size)
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*300*time.Microsecond)
		err := b.Store.Put(ctx, k, data)
		cancel()
		got, getErr := get(b.Store, k, size)
		switch {
		case err == nil || getErr == nil:
			if wrong := b.there(k, data); wrong != nil {
				return fmt.Errorf("put answered %w: %w", orNone(err), wrong)
			}
		case !errors.Is(getErr, store.ErrNotFound):
			return fmt.Errorf("get after a put that was broken off: got %d bytes, %w", len(got), getErr)
		}
		if err := errors.Join(b.put(k, data), b.there(k, data)); err != nil {
			return fmt.Errorf("after a put that was broken off: %w", err)
		}
	}
	return b.delete(key().Queue, attemptA)
}
