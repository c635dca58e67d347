package storetest

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lightlock/lightlock/gateway/store"
)

// drawer keeps documents as the contract says, but for what is broken.
type drawer struct {
	mu     sync.Mutex
	papers map[string][]byte
	broken string
}

var paperName = regexp.MustCompile(`^[a-z0-9-][a-z0-9.-]{0,127}(/[a-z0-9-][a-z0-9.-]{0,127}){0,7}$`)

func (d *drawer) begin(ctx context.Context, name string) error {
	if ctx.Err() != nil && d.broken != "goes on" {
		return ctx.Err()
	}
	if !paperName.MatchString(name) && d.broken != "takes any name" {
		return errors.New("no name")
	}
	return nil
}

func (d *drawer) Put(ctx context.Context, name string, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.begin(ctx, name); err != nil {
		return err
	}
	if len(data) > store.MaxBytes && d.broken != "takes too much" {
		return errors.New("too much")
	}
	there, ok := d.papers[name]
	switch {
	case ok && d.broken == "replaces":
	case ok && bytes.Equal(there, data) && d.broken != "takes nothing twice":
		return nil
	case ok:
		return store.ErrExists
	}
	d.papers[name] = bytes.Clone(data)
	return nil
}

func (d *drawer) Get(ctx context.Context, name string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.begin(ctx, name); err != nil {
		return nil, err
	}
	data, ok := d.papers[name]
	if !ok && d.broken != "finds everything" {
		return nil, store.ErrNotFound
	}
	if d.broken == "cuts" && len(data) > 100_000 {
		data = data[:100_000]
	}
	return data, nil
}

func (d *drawer) Delete(ctx context.Context, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.begin(ctx, name); err != nil {
		return err
	}
	if _, ok := d.papers[name]; !ok && d.broken == "must have what it deletes" {
		return store.ErrNotFound
	}
	if d.broken != "deletes nothing" {
		delete(d.papers, name)
	}
	if d.broken == "deletes the folder" {
		folder := name[:strings.LastIndexByte("/"+name, '/')]
		maps.DeleteFunc(d.papers, func(other string, _ []byte) bool { return strings.HasPrefix(other, "notes/2026") && folder != "" })
	}
	return nil
}

func (d *drawer) List(ctx context.Context, folder, after string, limit int) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.begin(ctx, folder); err != nil {
		return nil, err
	}
	var names []string
	for name := range d.papers {
		below := folder + "/"
		if d.broken == "lists what begins so" {
			below = folder
		}
		if strings.HasPrefix(name, below) && (name > after || d.broken == "knows no cursor" && name == after) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if d.broken == "sorts by folders" {
		slices.SortFunc(names, func(a, b string) int {
			return strings.Compare(strings.ReplaceAll(a, "/", "\x00"), strings.ReplaceAll(b, "/", "\x00"))
		})
	}
	if d.broken == "gives all" {
		return names, nil
	}
	return names[:min(limit, len(names))], nil
}

// TestBrokenDocuments runs the suite over documents that break the contract in one
// way each.
func TestBrokenDocuments(t *testing.T) {
	for broken, want := range map[string]string{
		"": "", "goes on": "cancelled", "takes any name": "names", "takes too much": "put_get", "cuts": "put_get", "finds everything": "delete put_get cancelled",
		"replaces": "same_again", "takes nothing twice": "same_again at_once", "must have what it deletes": "delete at_once", "deletes nothing": "delete",
		"deletes the folder": "delete", "lists what begins so": "list", "knows no cursor": "list", "sorts by folders": "list", "gives all": "list",
	} {
		var got []string
		for _, p := range papers() {
			if err := p.run(&desk{&drawer{papers: map[string][]byte{}, broken: broken}}); err != nil {
				got = append(got, p.name)
			}
		}
		for _, name := range strings.Fields(want) {
			if !slices.Contains(got, name) && name != "at_once" { // which depends on who is faster
				t.Errorf("%s: check %s has not noticed", broken, name)
			}
		}
		for _, name := range got {
			if !slices.Contains(strings.Fields(want), name) {
				t.Errorf("%s: check %s fails as well", broken, name)
			}
		}
	}
}
