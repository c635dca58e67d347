package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/store"
)

// failing returns the names of those of the given checks that s fails, and what
// they say.
func failing(s Subject, list []check) (names, texts []string) {
	for _, c := range list {
		if err := c.do(s); err != nil {
			names, texts = append(names, c.name), append(texts, fmt.Sprintf("%s: %v", c.name, err))
		}
	}
	slices.Sort(names)
	return names, texts
}

// TestMutants runs the suite over stores that break the contract in one way each.
// The check that is meant to notice must fail, and no other.
func TestMutants(t *testing.T) {
	used := methodsUsed(t)
	var noticed sync.Map
	t.Run("each", func(t *testing.T) {
		for name, m := range mutants() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				got, texts := failing(subject(m.mutant), concerned(m.mutant, used))
				want := slices.Sorted(slices.Values(strings.Fields(m.breaks)))
				if !slices.Equal(got, want) {
					t.Errorf("got failing checks %q\nwant %q\n%s", got, want, strings.Join(texts, "\n"))
				}
				for _, name := range got {
					noticed.Store(name, true)
				}
			})
		}
	})
	for _, c := range checks() {
		if _, ok := noticed.Load(c.name); !ok {
			t.Errorf("no mutant makes check %s fail, so nobody knows whether it can", c.name)
		}
	}
}

// methodsUsed runs every check over a store that is not broken, and returns which
// of the methods that a mutant can replace each calls.
func methodsUsed(t *testing.T) map[string]map[string]bool {
	t.Helper()
	used := map[string]map[string]bool{}
	for _, c := range checks() {
		methods := map[string]bool{}
		var mu sync.Mutex
		note := func(name string) { mu.Lock(); defer mu.Unlock(); methods[name] = true }
		err := c.do(subject(mutant{
			put: func(m *memory, ctx context.Context, k store.Key, data []byte) error {
				note("put")
				return m.putRight(ctx, k, data)
			},
			get: func(m *memory, ctx context.Context, k store.Key) (io.ReadSeekCloser, error) {
				note("get")
				return m.getRight(ctx, k)
			},
			delete: func(m *memory, ctx context.Context, queue, attempt string) error {
				note("delete")
				return m.deleteRight(ctx, queue, attempt)
			},
			list:  func(m *memory, ctx context.Context, v visit) error { note("list"); return m.listRight(ctx, v) },
			check: func(_ *memory, ctx context.Context) error { note("check"); return ctx.Err() },
			again: func(m *memory) *memory { note("again"); return m },
			whose: func(m *memory, ctx context.Context, k store.Key) (string, error) {
				note("whose")
				return m.whoseRight(ctx, k)
			},
		}))
		if err != nil {
			t.Errorf("%s, of a store that keeps the contract: %v", c.name, err)
		}
		used[c.name] = methods
	}
	return used
}

// concerned returns the checks that can tell m from a store that is not broken.
func concerned(m mutant, used map[string]map[string]bool) []check {
	replaced := map[string]bool{
		"put": m.put != nil, "get": m.get != nil, "delete": m.delete != nil,
		"list": m.list != nil, "check": m.check != nil, "again": m.again != nil, "whose": m.whose != nil,
	}
	return slices.DeleteFunc(checks(), func(c check) bool {
		for method := range used[c.name] {
			if replaced[method] {
				return false
			}
		}
		return true
	})
}

// broken is a mutant and the checks that must notice. Several checks notice where
// others rest on the sentence that is broken.
type broken struct {
	breaks string
	mutant mutant
}

func mutants() map[string]broken {
	all := map[string]broken{}
	for _, some := range []map[string]broken{putMutants(), getMutants(), deleteMutants(), whoseMutants(), upkeepMutants()} {
		for name, m := range some {
			all[name] = m
		}
	}
	return all
}

// puts makes a mutant of another Put.
func puts(breaks string, put func(m *memory, ctx context.Context, k store.Key, data []byte) error) broken {
	return broken{breaks, mutant{put: put}}
}

func putMutants() map[string]broken {
	return map[string]broken{
		"drops the last byte": puts("put_get stays seek same_again exists at_once delete delete_alone cancelled broken_off check", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			if len(data) > 2 && len(data) <= store.MaxBytes {
				data = data[:len(data)-1]
			}
			return m.putRight(ctx, k, data)
		}),
		"keeps 4,000,000 bytes": puts("put_get refused_sizes", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			return m.putRight(ctx, k, data[:min(4_000_000, len(data))])
		}),
		"takes nothing": puts("refused_sizes", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			if len(data) == 0 {
				return nil
			}
			return m.putRight(ctx, k, data)
		}),
		"takes any size": puts("refused_sizes", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			if len(data) > store.MaxBytes {
				m.set(k, data)
				return nil
			}
			return m.putRight(ctx, k, data)
		}),
		"puts once only": puts("same_again at_once broken_off", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			if m.has(k) {
				return store.ErrExists
			}
			return m.putRight(ctx, k, data)
		}),
		"replaces": puts("exists at_once conversation", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			err := m.putRight(ctx, k, data)
			if errors.Is(err, store.ErrExists) {
				m.set(k, data)
				return nil
			}
			return err
		}),
		"keeps the first and says that it is the second": puts("exists at_once conversation", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			err := m.putRight(ctx, k, data)
			if errors.Is(err, store.ErrExists) {
				return nil
			}
			return err
		}),
		"replaces, and says that it did not": puts("exists at_once conversation", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			err := m.putRight(ctx, k, data)
			if errors.Is(err, store.ErrExists) {
				m.set(k, data)
			}
			return err
		}),
		"compares beginnings": puts("exists conversation", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			err := m.putRight(ctx, k, data)
			if errors.Is(err, store.ErrExists) && bytes.HasPrefix(m.pictures[k].data, data) {
				return nil
			}
			return err
		}),
		"looks, then writes": puts("at_once", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			if !m.has(k) && checkKey(ctx, k) == nil && len(data) == 1<<16 {
				time.Sleep(time.Millisecond)
				m.set(k, data)
				return nil
			}
			return m.putRight(ctx, k, data)
		}),
		"leaves half of what is broken off": puts("broken_off", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			if len(data) == 1<<19 && !m.failed {
				m.failed = true
				m.set(k, data[:len(data)/2])
				return context.DeadlineExceeded
			}
			return m.putRight(ctx, k, data)
		}),
		"puts under any name": puts("hostile_keys conversation", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			if checkKey(ctx, k) != nil && ctx.Err() == nil {
				m.set(k, data)
				return nil
			}
			return m.putRight(ctx, k, data)
		}),
		"repeats the name": puts("hostile_keys", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			if err := checkKey(ctx, k); err != nil && ctx.Err() == nil {
				return fmt.Errorf("not a key: %s", k.Queue)
			}
			return m.putRight(ctx, k, data)
		}),
		"puts although nobody waits": puts("cancelled", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			if ctx.Err() == nil {
				return m.putRight(ctx, k, data)
			}
			_ = m.putRight(context.WithoutCancel(ctx), k, data)
			return ctx.Err()
		}),
		"has a word of its own for what is cancelled": puts("cancelled", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			if ctx.Err() != nil {
				return errors.New("cancelled")
			}
			return m.putRight(ctx, k, data)
		}),
		"forgets the conversation": puts("conversation", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			k.Conversation = ""
			return m.putRight(ctx, k, data)
		}),
		"lets a photo into another conversation": puts("conversation", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			err := m.putRight(ctx, k, data)
			if errors.Is(err, store.ErrExists) {
				k.Conversation = attemptC
				err = m.putRight(ctx, k, data)
			}
			return err
		}),
		"panics": puts("put_get", func(m *memory, ctx context.Context, k store.Key, data []byte) error {
			if len(data) == 4097 {
				panic("4097")
			}
			return m.putRight(ctx, k, data)
		}),
	}
}

// gets makes a mutant of another Get.
func gets(breaks string, get func(m *memory, ctx context.Context, k store.Key) (io.ReadSeekCloser, error)) broken {
	return broken{breaks, mutant{get: get}}
}

// stiff can be read once, from its beginning.
type stiff struct{ io.ReadSeekCloser }

func (s stiff) Seek(offset int64, whence int) (int64, error) {
	if offset > 1000 {
		return offset, nil
	}
	return s.ReadSeekCloser.Seek(offset, whence)
}

func getMutants() map[string]broken {
	return map[string]broken{
		"forgets": {"stays at_once", mutant{again: func(*memory) *memory { return newMemory(mutant{}) }}},
		"finds the preview for the thumbnail": gets("missing", func(m *memory, ctx context.Context, k store.Key) (io.ReadSeekCloser, error) {
			f, err := m.getRight(ctx, k)
			if errors.Is(err, store.ErrNotFound) && k.Queue == key().Queue {
				k.Kind = store.Preview
				return m.getRight(ctx, k)
			}
			return f, err
		}),
		"has another word for what is missing": gets("missing delete cancelled broken_off refused_sizes hostile_keys", func(m *memory, ctx context.Context, k store.Key) (io.ReadSeekCloser, error) {
			f, err := m.getRight(ctx, k)
			if errors.Is(err, store.ErrNotFound) {
				return nil, errors.New("missing")
			}
			return f, err
		}),
		"cannot seek": gets("seek", func(m *memory, ctx context.Context, k store.Key) (io.ReadSeekCloser, error) {
			f, err := m.getRight(ctx, k)
			return stiff{f}, err
		}),
		"says that a name which is none is missing": gets("hostile_keys", func(m *memory, ctx context.Context, k store.Key) (io.ReadSeekCloser, error) {
			if checkKey(ctx, k) != nil && ctx.Err() == nil {
				return nil, store.ErrNotFound
			}
			return m.getRight(ctx, k)
		}),
	}
}

// deletes makes a mutant of another DeleteAttempt.
func deletes(breaks string, del func(m *memory, ctx context.Context, queue, attempt string) error) broken {
	return broken{breaks, mutant{delete: del}}
}

func deleteMutants() map[string]broken {
	return map[string]broken{
		"deletes nothing": deletes("delete list_delete", func(_ *memory, ctx context.Context, queue, attempt string) error {
			return checkKey(ctx, store.Key{Queue: queue, Attempt: attempt, Kind: store.Preview})
		}),
		"deletes previews only": deletes("delete list_delete", func(m *memory, ctx context.Context, queue, attempt string) error {
			if err := ctx.Err(); err != nil || checkKey(ctx, store.Key{Queue: queue, Attempt: attempt, Kind: store.Preview}) != nil {
				return errors.Join(err, errKey)
			}
			m.deleteWhere(func(k store.Key) bool {
				return k.Queue == queue && k.Attempt == attempt && k.Kind == store.Preview
			})
			return nil
		}),
		"deletes the attempt in every queue": deletes("delete_alone", func(m *memory, ctx context.Context, queue, attempt string) error {
			m.deleteWhere(func(k store.Key) bool { return k.Attempt == attempt && ctx.Err() == nil })
			return m.deleteRight(ctx, queue, attempt)
		}),
		"deletes what begins like it": deletes("delete_alone", func(m *memory, ctx context.Context, queue, attempt string) error {
			if err := m.deleteRight(ctx, queue, attempt); err != nil {
				return err
			}
			m.deleteWhere(func(k store.Key) bool { return k.Queue == queue && k.Attempt[:8] == attempt[:8] })
			return nil
		}),
		"cannot delete what is not there": deletes("delete", func(m *memory, ctx context.Context, queue, attempt string) error {
			if m.deleteWhere(func(k store.Key) bool { return ctx.Err() == nil && k.Queue == queue && k.Attempt == attempt }) == 0 {
				return errors.Join(ctx.Err(), errors.New("none"))
			}
			return nil
		}),
	}
}

// lists makes a mutant of another List.
func lists(breaks string, list func(m *memory, ctx context.Context, visit visit) error) broken {
	return broken{breaks, mutant{list: list}}
}

// tells makes a mutant of another Conversation.
func tells(breaks string, whose func(m *memory, ctx context.Context, k store.Key) (string, error)) broken {
	return broken{breaks, mutant{whose: whose}}
}

func whoseMutants() map[string]broken {
	return map[string]broken{
		"tells another conversation": tells("conversation", func(m *memory, ctx context.Context, k store.Key) (string, error) {
			whose, err := m.whoseRight(ctx, k)
			return strings.Replace(whose, "0", "1", 1), err
		}),
		"knows whose what is not there is": tells("conversation hostile_keys", func(_ *memory, ctx context.Context, _ store.Key) (string, error) {
			return attemptC, ctx.Err()
		}),
		"tells although nobody waits": tells("cancelled", func(m *memory, ctx context.Context, k store.Key) (string, error) {
			return m.whoseRight(context.WithoutCancel(ctx), k)
		}),
	}
}

func upkeepMutants() map[string]broken {
	return map[string]broken{
		"lists one page": lists("list", func(m *memory, ctx context.Context, v visit) error {
			n := 0
			return m.listRight(ctx, func(queue, attempt string, age time.Duration) error {
				if n++; n > 500 {
					return nil
				}
				return v(queue, attempt, age)
			})
		}),
		"lists twice": lists("list check list_age list_ends", func(m *memory, ctx context.Context, v visit) error {
			return errors.Join(m.listRight(ctx, v), m.listRight(ctx, v))
		}),
		"lists one queue": lists("list list_delete", func(m *memory, ctx context.Context, v visit) error {
			return m.listRight(ctx, func(queue, attempt string, age time.Duration) error {
				if queue != key().Queue {
					return nil
				}
				return v(queue, attempt, age)
			})
		}),
		"knows no age": lists("list_age", func(m *memory, ctx context.Context, v visit) error {
			return m.listRight(ctx, func(queue, attempt string, _ time.Duration) error { return v(queue, attempt, 0) })
		}),
		"takes the oldest picture's age": lists("list_age", func(m *memory, ctx context.Context, v visit) error {
			return m.listRight(ctx, func(queue, attempt string, age time.Duration) error {
				for k, there := range m.pictures {
					if k.Attempt == attempt {
						age = max(age, time.Since(there.at))
					}
				}
				return v(queue, attempt, age)
			})
		}),
		"lists what is not there": lists("list_empty list_ends list list_delete check hostile_keys", func(m *memory, ctx context.Context, v visit) error {
			return errors.Join(m.listRight(ctx, v), v("nothing", attemptB, 0))
		}),
		"goes on after an error": lists("list_ends", func(m *memory, ctx context.Context, v visit) error {
			var all error
			err := m.listRight(ctx, func(queue, attempt string, age time.Duration) error {
				all = errors.Join(all, v(queue, attempt, age))
				return nil
			})
			return errors.Join(err, all)
		}),
		"keeps the visitor's error to itself": lists("list_ends", func(m *memory, ctx context.Context, v visit) error {
			_ = m.listRight(ctx, v)
			return ctx.Err()
		}),
		"finds fault with what works": {"check", mutant{check: func(_ *memory, ctx context.Context) error {
			return errors.Join(ctx.Err(), errors.New("fault"))
		}}},
		"leaves what it has checked with": {"check", mutant{check: func(m *memory, ctx context.Context) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			m.set(store.Key{Queue: "check", Attempt: attemptC, Kind: store.Preview}, []byte("x"))
			return nil
		}}},
	}
}
