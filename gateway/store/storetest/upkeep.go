package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/lightlock/lightlock/gateway/store"
)

// upkeepChecks are about List and Check.
func upkeepChecks() []check {
	return []check{
		{"list", "List visits every attempt once, however many there are", checkList},
		{"list_age", "an attempt is as old as the newest picture in it", checkListAge},
		{"list_empty", "List of an empty store visits nothing", checkListEmpty},
		{"list_ends", "an error of visit ends List and is returned", checkListEnds},
		{"list_delete", "visit may delete the attempt", checkListDelete},
		{"check", "Check is nil where Put works, as often and as many at once as anybody asks, and leaves nothing", checkCheck},
	}
}

// many is more than any store lists in one step.
const many = 510

// fill puts two pictures for each of n attempts of three queues.
func (b *bench) fill(n int) (map[string]bool, error) {
	names := map[string]bool{}
	errs := make([]error, 8)
	var all sync.WaitGroup
	for worker := range errs {
		all.Go(func() {
			for i := worker; i < n; i += len(errs) {
				k := attempt(i)
				errs[worker] = errors.Join(errs[worker], b.put(k, []byte("preview")))
				k.Kind = store.Thumbnail
				errs[worker] = errors.Join(errs[worker], b.put(k, []byte("thumbnail")))
			}
		})
	}
	all.Wait()
	for i := range n {
		names[attempt(i).Queue+"/"+attempt(i).Attempt] = true
	}
	return names, errors.Join(errs...)
}

// attempt is the key of the i-th attempt. The queues' names sort otherwise with
// a slash behind them than without.
func attempt(i int) store.Key {
	queues := []string{"acme", "acme-support", "acme0"}
	return store.Key{Queue: queues[i%3], Attempt: fmt.Sprintf("%016x%016x", uint64(i)*0x9e3779b97f4a7c15, i), Kind: store.Preview}
}

func checkList(b *bench) error {
	want, err := b.fill(many)
	if err != nil {
		return err
	}
	got, err := b.list()
	if err != nil {
		return err
	}
	for name, age := range got {
		if !want[name] || age < 0 || age > time.Hour {
			return fmt.Errorf("%s, %v old, was listed; what was put is newer", name, age)
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d attempts were listed, want %d", len(got), len(want))
	}
	return nil
}

func checkListAge(b *bench) error {
	young, old := key(), with(func(k *store.Key) { k.Attempt = attemptC })
	if err := b.puts(picture(1, 100), young, old); err != nil {
		return err
	}
	const days = 400 * 24 * time.Hour
	for _, k := range []store.Key{young, old} {
		if err := b.Age(k.Queue, k.Attempt, days); err != nil {
			return err
		}
	}
	// One more picture makes its attempt young again.
	if err := b.put(with(func(k *store.Key) { k.Photo = 1 }), picture(1, 100)); err != nil {
		return err
	}
	got, err := b.list()
	if err != nil {
		return err
	}
	if age := got[old.Queue+"/"+old.Attempt]; (age - days).Abs() > time.Hour {
		return fmt.Errorf("pictures put %v ago are listed as %v old", days, age)
	}
	if age := got[young.Queue+"/"+young.Attempt]; age > time.Hour {
		return fmt.Errorf("an attempt with a picture put just now is listed as %v old", age)
	}
	return nil
}

func checkListEmpty(b *bench) error {
	if found, err := b.list(); err != nil || len(found) > 0 {
		return fmt.Errorf("got %v, %w, want nothing", found, orNone(err))
	}
	return nil
}

func checkListEnds(b *bench) error {
	if _, err := b.fill(3); err != nil {
		return err
	}
	enough, visits := errors.New("enough"), 0
	err := b.Store.List(context.Background(), func(string, string, time.Duration) error { visits++; return enough })
	if !errors.Is(err, enough) || visits != 1 {
		return fmt.Errorf("got %w after %d visits, want the visitor's error after one", orNone(err), visits)
	}
	return nil
}

func checkListDelete(b *bench) error {
	names, err := b.fill(20)
	if err != nil {
		return err
	}
	visited := map[string]bool{}
	err = b.Store.List(context.Background(), func(queue, attempt string, _ time.Duration) error {
		visited[queue+"/"+attempt] = true
		return b.delete(queue, attempt)
	})
	if err != nil || !maps.Equal(visited, names) {
		return fmt.Errorf("%d of %d attempts were visited, error %w", len(visited), len(names), orNone(err))
	}
	return checkListEmpty(b)
}

func checkCheck(b *bench) error {
	if err := b.put(key(), picture(1, 100)); err != nil {
		return err
	}
	errs := make([]error, 8)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = b.Store.Check(context.Background()) })
	}
	all.Wait()
	found, err := b.list()
	if err = errors.Join(append(errs, err)...); err != nil || len(found) != 1 {
		return fmt.Errorf("got %w, and %d attempts, want one", orNone(err), len(found))
	}
	return b.there(key(), picture(1, 100))
}
