package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/lightlock/lightlock/gateway/store"
)

// pictureChecks are about what is put, found and deleted.
func pictureChecks() []check {
	return []check{
		{"put_get", "Open returns the bytes that were put, of any size up to MaxBytes", checkSizes},
		{"refused_sizes", "a picture without bytes, or of more than MaxBytes, is refused", checkRefusedSizes},
		{"stays", "what was put is there for whoever opens the store again", checkStays},
		{"missing", "what was never put is ErrNotFound, whatever lies beside it", checkMissing},
		{"seek", "an open picture can be read from any place, again and again", checkSeek},
		{"same_again", "the same bytes may be put again", checkSameAgain},
		{"exists", "other bytes under the same key are ErrExists and change nothing", checkExists},
		{"at_once", "of many who put one key at once, one content wins, whole, and only those who brought it are told that it is there", checkAtOnce},
		{"conversation", "Open and Conversation tell the conversation that Put was told, of both pictures, and nobody can change it", checkConversation},
		{"delete", "DeleteAttempt removes all pictures of an attempt, may be repeated, and need not find any", checkDelete},
		{"delete_alone", "DeleteAttempt leaves every other attempt and queue alone", checkDeleteAlone},
	}
}

func checkSizes(b *bench) error {
	for i, size := range []int{1, 2, 4095, 4096, 4097, 30_000, 3_000_000, store.MaxBytes} {
		k, want := with(func(k *store.Key) { k.Photo = i }), picture(i, size)
		if err := b.put(k, want); err != nil {
			return err
		}
		if err := b.there(k, want); err != nil {
			return err
		}
	}
	return nil
}

func checkRefusedSizes(b *bench) error {
	for _, size := range []int{0, store.MaxBytes + 1} {
		if b.put(key(), picture(1, size)) == nil {
			return fmt.Errorf("%d bytes were taken", size)
		}
	}
	return b.gone(key())
}

func checkStays(b *bench) error {
	thumbnail := with(func(k *store.Key) { k.Kind = store.Thumbnail })
	if err := errors.Join(b.put(key(), picture(1, 1000)), b.put(thumbnail, picture(2, 100))); err != nil {
		return err
	}
	again, err := b.Again()
	if err != nil {
		return err
	}
	defer func() { _ = again.Close() }()
	return errors.Join(there(again, key(), picture(1, 1000)), there(again, thumbnail, picture(2, 100)))
}

// neighbours are keys that differ from key() in one thing each.
func neighbours() []store.Key {
	return []store.Key{
		with(func(k *store.Key) { k.Kind = store.Thumbnail }),
		with(func(k *store.Key) { k.Photo = 1 }),
		with(func(k *store.Key) { k.Photo = 10 }),
		with(func(k *store.Key) { k.Attempt = attemptB }),
		with(func(k *store.Key) { k.Attempt = attemptC }),
		with(func(k *store.Key) { k.Queue = "acme" }),
		with(func(k *store.Key) { k.Queue = "acme-support-2" }),
	}
}

func checkMissing(b *bench) error {
	err := b.gone(key())
	if err := b.put(key(), picture(1, 100)); err != nil {
		return err
	}
	for _, k := range neighbours() {
		err = errors.Join(err, b.gone(k))
	}
	return err
}

func checkSeek(b *bench) error {
	want := picture(1, 200_000)
	if err := b.put(key(), want); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	f, err := b.Store.Open(ctx, key())
	if err != nil {
		return err
	}
	defer f.Close()
	// The first two are what an HTTP server does to learn the size.
	for _, step := range []struct {
		offset      int64
		whence, was int
	}{{0, io.SeekEnd, len(want)}, {0, io.SeekStart, 0}, {150_000, io.SeekStart, 150_000}, {10, io.SeekStart, 10}, {5, io.SeekCurrent, 1015}, {-1, io.SeekEnd, len(want) - 1}, {9, io.SeekEnd, len(want) + 9}, {0, io.SeekStart, 0}} {
		at, err := f.Seek(step.offset, step.whence)
		if err != nil || at != int64(step.was) {
			return fmt.Errorf("seek to %d from %d: got %d, %w, want %d", step.offset, step.whence, at, orNone(err), step.was)
		}
		rest := want[min(step.was, len(want)):]
		got, err := io.ReadAll(io.LimitReader(f, 1000))
		if err != nil || !bytes.Equal(got, rest[:min(1000, len(rest))]) {
			return fmt.Errorf("read at %d: got %d bytes %.20q, %w, want %.20q", step.was, len(got), got, orNone(err), rest)
		}
	}
	if _, err := f.Seek(-1, io.SeekStart); err == nil {
		return errors.New("a place before the beginning was taken")
	}
	return nil
}

func checkSameAgain(b *bench) error {
	// What is large may be on its way still when a server knows that it has it.
	for i, size := range []int{5000, 3_000_000} {
		k, want := with(func(k *store.Key) { k.Photo = i }), picture(1, size)
		for range 3 {
			if err := b.put(k, want); err != nil {
				return err
			}
		}
		if err := b.there(k, want); err != nil {
			return err
		}
	}
	return nil
}

func checkExists(b *bench) error {
	first := picture(1, 5000)
	if err := b.put(key(), first); err != nil {
		return err
	}
	last := bytes.Clone(first)
	last[len(last)-1] ^= 1
	for name, other := range map[string][]byte{
		"other bytes": picture(2, 5000), "its beginning": first[:4999], "more of it": append(bytes.Clone(first), 0), "its last bit": last, "one byte": first[:1],
		"much more": picture(2, 3_000_000),
	} {
		if err := b.put(key(), other); !errors.Is(err, store.ErrExists) {
			return fmt.Errorf("put of %s: got %w, want ErrExists", name, orNone(err))
		}
		if err := b.there(key(), first); err != nil {
			return fmt.Errorf("after a put of %s: %w", name, err)
		}
	}
	return nil
}

func checkAtOnce(b *bench) error {
	again, err := b.Again()
	if err != nil {
		return err
	}
	defer func() { _ = again.Close() }()
	for round := range 5 {
		k := with(func(k *store.Key) { k.Photo = round })
		if err := race(k, b.Store, again); err != nil {
			return err
		}
	}
	// Two that know nothing of each other may have had the same winner each time.
	k := with(func(k *store.Key) { k.Photo = 5 })
	if err := b.put(k, picture(1, 100)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := again.Put(ctx, k, picture(2, 100)); !errors.Is(err, store.ErrExists) {
		return fmt.Errorf("another content, put from another side later, is answered %w", orNone(err))
	}
	return nil
}

func checkConversation(b *bench) error {
	preview := with(func(k *store.Key) { k.Conversation = attemptC })
	thumbnail, other := preview, preview
	thumbnail.Kind, other.Conversation = store.Thumbnail, attemptB
	if err := b.puts(picture(1, 100), preview, thumbnail, preview); err != nil {
		return err
	}
	for _, k := range []store.Key{other, key()} {
		if err := b.put(k, picture(1, 100)); !errors.Is(err, store.ErrExists) {
			return fmt.Errorf("put into conversation %q, and it is another's: got %w, want ErrExists", k.Conversation, orNone(err))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, k := range []store.Key{key(), thumbnail, other} {
		f, err := b.Store.Open(ctx, k)
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil || f.Conversation != attemptC {
			return fmt.Errorf("the conversation of the %s: got %q, %w, want %q", k.Kind, f.Conversation, orNone(err), attemptC)
		}
		if got, err := b.Store.Conversation(ctx, k); err != nil || got != attemptC {
			return fmt.Errorf("the conversation of the photo, of its %s: got %q, %w, want %q", k.Kind, got, orNone(err), attemptC)
		}
	}
	for _, k := range neighbours()[1:] {
		if got, err := b.Store.Conversation(ctx, k); !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("the conversation of what was never put: got %q, %w, want ErrNotFound", got, orNone(err))
		}
	}
	if b.put(with(func(k *store.Key) { k.Photo, k.Conversation = 1, "../x" }), picture(1, 100)) == nil {
		return errors.New("what is no conversation was taken")
	}
	return nil
}

// race puts one key from many sides with two contents.
func race(k store.Key, gateways ...store.Store) error {
	contents := [2][]byte{picture(1, 1<<16), picture(2, 1<<16)}
	const each = 8
	var answers [2 * each]error
	var all sync.WaitGroup
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for i := range answers {
		all.Go(func() { answers[i] = gateways[i/2%len(gateways)].Put(ctx, k, contents[i%2]) })
	}
	all.Wait()
	got, err := get(gateways[0], k, 1<<16)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, contents[0]) && !bytes.Equal(got, contents[1]) {
		return fmt.Errorf("got %d bytes, which nobody put", len(got))
	}
	for i, err := range answers {
		won := bytes.Equal(got, contents[i%2])
		if won && err != nil || !won && !errors.Is(err, store.ErrExists) {
			return fmt.Errorf("content %d, there: %t: its Put answered %w", i%2, won, orNone(err))
		}
	}
	return nil
}

func checkDelete(b *bench) error {
	keys := []store.Key{key()}
	for i := range 12 {
		keys = append(keys, with(func(k *store.Key) { k.Photo, k.Kind = i, store.Thumbnail }))
	}
	if err := errors.Join(b.delete(key().Queue, attemptA), b.puts(picture(1, 100), keys...)); err != nil {
		return err
	}
	var err error
	for range 2 {
		err = errors.Join(err, b.delete(key().Queue, attemptA))
		for _, k := range keys {
			err = errors.Join(err, b.gone(k))
		}
	}
	// What is deleted leaves nothing behind that would be in the way.
	return errors.Join(err, b.put(key(), picture(2, 50)), b.there(key(), picture(2, 50)))
}

func checkDeleteAlone(b *bench) error {
	var others []store.Key
	for _, k := range neighbours() {
		if k.Attempt != attemptA || k.Queue != key().Queue {
			others = append(others, k)
		}
	}
	if err := errors.Join(b.put(key(), picture(1, 100)), b.puts(picture(1, 100), others...)); err != nil {
		return err
	}
	err := b.delete(key().Queue, attemptA)
	for _, k := range others {
		err = errors.Join(err, b.there(k, picture(1, 100)))
	}
	return err
}
