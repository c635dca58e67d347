package media

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// photos returns the folder of sample photos, which is not part of the project:
// ../shared/photos beside it, or $LIGHTLOCK_PHOTOS.
func photos(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("LIGHTLOCK_PHOTOS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "photos")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("SKIPPED, the sample photos are not here: %v. Put them there or set LIGHTLOCK_PHOTOS", err)
	}
	return dir
}

func readPhoto(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(photos(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// photosIn returns the pictures of a folder, as folder/name.
func photosIn(t *testing.T, folder string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(photos(t)), folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasSuffix(path, ".json") {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Fatalf("no photos in %s", folder)
	}
	return names
}

// verdict returns "ready" or the reason, and checks what holds for both.
func verdict(t *testing.T, data []byte, s Settings) (string, *Developed) {
	t.Helper()
	got, err := Develop(t.Context(), data, s)
	if r, ok := errors.AsType[*Rejection](err); ok {
		if r.Detail == "" || r.Source.Bytes != int64(len(data)) {
			t.Errorf("rejection %q with detail %q and %d bytes, want a detail and %d bytes", r.Reason, r.Detail, r.Source.Bytes, len(data))
		}
		t.Logf("%v", r)
		return string(r.Reason), nil
	}
	if err != nil {
		t.Fatalf("a fault, not a verdict: %v", err)
	}
	checkDeveloped(t, got, s)
	return "ready", got
}

func TestExpectedVerdicts(t *testing.T) {
	var expected map[string][]string
	if err := json.Unmarshal(readPhoto(t, "expected.json"), &expected); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(photosIn(t, "hostile"), photosIn(t, "png")) {
		t.Run(name, func(t *testing.T) {
			want := expected[name]
			if got, _ := verdict(t, readPhoto(t, name), Default()); !slices.Contains(want, got) {
				t.Errorf("got %s, want one of %v", got, want)
			}
		})
	}
}

func TestFolderVerdicts(t *testing.T) {
	large := Default()
	large.MaxBytes = 25 * mega
	rows := map[string]string{
		"camera": "ready", "orientation": "ready", "icc": "ready",
		"heic": "unsupported_type", "webp": "unsupported_type",
		"jpeg": "", "gif": "",
	}
	for folder, want := range rows {
		for _, name := range photosIn(t, folder) {
			t.Run(name, func(t *testing.T) {
				got, _ := verdict(t, readPhoto(t, name), large)
				if want != "" && got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				t.Log(got)
			})
		}
	}
}
