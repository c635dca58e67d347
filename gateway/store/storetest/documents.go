package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lightlock/lightlock/gateway/store"
)

// paper is one sentence of store.Documents.
type paper struct {
	name, promise string
	run           func(*desk) error
}

// desk is what a check of documents works with: the same place, seen from two
// gateways.
type desk struct{ store.Documents }

func papers() []paper {
	return []paper{
		{"put_get", "Get returns the bytes that were put, of any size up to MaxBytes, and of none", checkPapers},
		{"same_again", "the same bytes may be put again, others are ErrExists and change nothing", checkPapersAgain},
		{"delete", "what is deleted is ErrNotFound, may be deleted again, and may be put again", checkPapersDelete},
		{"list", "List has every name below the folder, in the order of their bytes, page by page", checkPapersList},
		{"names", "what is no name is refused, and not repeated", checkPapersNames},
		{"cancelled", "a call whose context has ended does nothing and says so", checkPapersCancelled},
		{"at_once", "many may put and delete at once, in folders that come and go", checkPapersAtOnce},
	}
}

// RunDocuments checks documents against every sentence of store.Documents, each as
// a subtest with an empty place of its own.
func RunDocuments(t *testing.T, open func() (store.Documents, error)) {
	t.Helper()
	for _, p := range papers() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			d, err := open()
			if err == nil {
				err = p.run(&desk{d})
			}
			if err != nil {
				t.Errorf("%v\nthe contract says: %s", err, p.promise)
			}
		})
	}
}

func within(do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return do(ctx)
}

func (d *desk) put(name string, data []byte) error {
	return within(func(ctx context.Context) error { return d.Put(ctx, name, data) })
}

func (d *desk) delete(name string) error {
	return within(func(ctx context.Context) error { return d.Delete(ctx, name) })
}

// there wants a document to have these bytes, and with nil that there is none.
func (d *desk) there(name string, want []byte) error {
	return within(func(ctx context.Context) error {
		got, err := d.Get(ctx, name)
		if want == nil && !errors.Is(err, store.ErrNotFound) || want != nil && (err != nil || !bytes.Equal(got, want)) {
			return fmt.Errorf("get %s: got %d bytes, %w, want %d", name, len(got), orNone(err), len(want))
		}
		return nil
	})
}

func checkPapers(d *desk) error {
	for i, size := range []int{0, 1, 4096, 300_000, store.MaxBytes} {
		name, data := fmt.Sprintf("notes/size-%d", i), picture(i+1, max(size, 2))[:size]
		if err := errors.Join(d.there(name, nil), d.put(name, data), d.there(name, data)); err != nil {
			return err
		}
	}
	if d.put("notes/huge", make([]byte, store.MaxBytes+1)) == nil {
		return errors.New("a document of more than MaxBytes was taken")
	}
	return d.there("notes/huge", nil)
}

func checkPapersAgain(d *desk) error {
	first := []byte("the first")
	if err := errors.Join(d.put("notes/a", first), d.put("notes/a", first)); err != nil {
		return err
	}
	for _, other := range []string{"another", "the firs", "the first!", ""} {
		if err := d.put("notes/a", []byte(other)); !errors.Is(err, store.ErrExists) {
			return fmt.Errorf("put of %q: got %w, want ErrExists", other, orNone(err))
		}
	}
	return d.there("notes/a", first)
}

func checkPapersDelete(d *desk) error {
	const name = "notes/2026/deep/down"
	return errors.Join(d.delete(name), d.put(name, []byte("a")), d.put("notes/2026/b", []byte("b")), d.delete(name), d.delete(name), d.there(name, nil),
		d.there("notes/2026/b", []byte("b")), d.put(name, []byte("c")), d.there(name, []byte("c")))
}

func checkPapersList(d *desk) error {
	var want []string
	// Names of which one is the beginning of another, and sort otherwise with a slash
	// behind them than without.
	for _, name := range []string{"x", "a.b", "a-b", "a/1", "a/0/z", "a.b.c", "ab/1", "a0/1", "a-/1"} {
		want = append(want, "list/"+name)
	}
	for i := range 30 {
		want = append(want, fmt.Sprintf("list/many/%02d", i))
	}
	slices.Sort(want)
	others := []string{"list-2/x", "lis/x", "lists", "before/x"}
	for _, name := range slices.Concat(others, want) {
		if err := d.put(name, []byte(name)); err != nil {
			return err
		}
	}
	for _, limit := range []int{1, 7, len(want), 2000} {
		if err := d.listed("list", want, limit); err != nil {
			return err
		}
	}
	return errors.Join(d.listed("nothing", nil, 10), d.listed("list/a", []string{"list/a/0/z", "list/a/1"}, 10))
}

// listed wants these names below a folder, asked for so many at a time.
func (d *desk) listed(folder string, want []string, limit int) error {
	return within(func(ctx context.Context) error {
		var got []string
		for after := ""; ; {
			page, err := d.List(ctx, folder, after, limit)
			if err != nil || len(page) > limit {
				return fmt.Errorf("list: got %d, %w, want %d at most", len(page), orNone(err), limit)
			}
			got = append(got, page...)
			if len(page) < limit || len(got) > len(want) {
				break
			}
			after = page[limit-1]
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("list of %s, %d at a time: got %q\nwant %q", folder, limit, got, want)
		}
		return nil
	})
}

func checkPapersNames(d *desk) error {
	for _, name := range []string{
		"", "/", "a/", "/a", "a//b", "..", "../a", "a/../b", "a/.b", ".a", "A", "a b", "a\x00", "a\n", "a_b", "a\\b", "a?b", "a%2fb", "é",
		strings.Repeat("a", 129), strings.Repeat("a/", 8) + "a",
	} {
		errs := map[string]error{"put": d.put(name, []byte("x")), "delete": d.delete(name)}
		_, errs["get"] = d.Get(context.Background(), name)
		_, errs["list"] = d.List(context.Background(), name, "", 10)
		for call, err := range errs {
			if err == nil || errors.Is(err, store.ErrNotFound) || len(name) > 3 && strings.Contains(err.Error(), name) {
				return fmt.Errorf("%s of %q: got %w, want it refused", call, name, orNone(err))
			}
		}
	}
	return nil
}

func checkPapersCancelled(d *desk) error {
	if err := d.put("notes/a", []byte("a")); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, get := d.Get(ctx, "notes/a")
	_, list := d.List(ctx, "notes", "", 10)
	for call, err := range map[string]error{"get": get, "list": list, "put": d.Put(ctx, "notes/b", []byte("b")), "delete": d.Delete(ctx, "notes/a")} {
		if !errors.Is(err, context.Canceled) {
			return fmt.Errorf("%s: got %w, want that it is cancelled", call, orNone(err))
		}
	}
	return errors.Join(d.there("notes/a", []byte("a")), d.there("notes/b", nil))
}

func checkPapersAtOnce(d *desk) error {
	errs := make([]error, 8)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			for round := range 10 {
				name := fmt.Sprintf("busy/folder/%d", (i+round)%len(errs))
				err := d.put(name, []byte(name))
				if i%2 == 0 {
					err = errors.Join(err, d.delete(name))
				}
				errs[i] = errors.Join(errs[i], err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
