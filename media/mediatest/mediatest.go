// Package mediatest is what the tests of the darkroom's parts share: the sample
// photos, which are not part of the project, and how rows, memory and contexts
// are tried.
package mediatest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// Photos returns the folder of the sample photos: ../shared/photos beside the
// project, or $LIGHTLOCK_PHOTOS. Where it is absent the test is skipped.
func Photos(t testing.TB) string {
	t.Helper()
	dir := folder()
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("SKIPPED, the sample photos are not here: %v. Put them there or set LIGHTLOCK_PHOTOS", err)
	}
	return dir
}

// HavePhotos tells whether the sample photos are there, for seeds and benchmarks
// that go without.
func HavePhotos() bool {
	_, err := os.Stat(folder())
	return err == nil
}

// folder looks for the project's root above the package that is tested.
func folder() string {
	if dir := os.Getenv("LIGHTLOCK_PHOTOS"); dir != "" {
		return dir
	}
	root := "."
	for range 8 {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		root = filepath.Join("..", root)
	}
	return filepath.Join(root, "..", "shared", "photos")
}

// Photo returns a sample photo, such as "jpeg/go-video-001.jpeg".
func Photo(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(Photos(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// PhotosIn returns the names of the pictures in a folder, as folder/name.
func PhotosIn(t testing.TB, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(Photos(t), folder))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && filepath.Ext(e.Name()) != ".json" {
			names = append(names, folder+"/"+e.Name())
		}
	}
	if len(names) == 0 {
		t.Fatalf("no photos in %s", folder)
	}
	return names
}

// Rows is a reader of rows.
type Rows interface {
	Read(ctx context.Context, dst []uint16) error
}

// ReadAll reads all rows that there are, of so many values each, and makes sure
// that there are at most so many and that the error at their end stays.
func ReadAll(t testing.TB, r Rows, values, most int) ([][]uint16, error) {
	t.Helper()
	var rows [][]uint16
	for {
		row := make([]uint16, max(0, values))
		if err := r.Read(t.Context(), row); err != nil {
			if again := r.Read(t.Context(), row); !errors.Is(again, err) {
				t.Errorf("the error was %v, and then %v", err, again)
			}
			return rows, err
		}
		if rows = append(rows, row); len(rows) > most {
			t.Fatalf("more than %d rows", most)
		}
	}
}

// SameRows compares rows with the first of those that were wanted.
func SameRows(t testing.TB, got, want [][]uint16) {
	t.Helper()
	if len(got) > len(want) {
		t.Fatalf("got %d rows, want at most %d", len(got), len(want))
	}
	for y := range got {
		if !slices.Equal(got[y], want[y]) {
			t.Fatalf("row %d: got %v, want %v", y, got[y], want[y])
		}
	}
}

// Allocated returns how many bytes f allocates, freed or not.
func Allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// Countdown is a context that ends when it has been asked Left times.
type Countdown struct {
	context.Context
	Left int
}

// Err implements context.Context.
func (c *Countdown) Err() error {
	if c.Left--; c.Left < 0 {
		return context.DeadlineExceeded
	}
	return nil
}
