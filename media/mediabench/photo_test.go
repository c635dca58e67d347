package mediabench

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // for DecodeConfig
	_ "image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/media/jpeg"
	"github.com/lightlock/lightlock/media/mediatest"
)

// photo is an original.
type photo struct {
	name, path string
	megapixels float64
	// progressive tells the kind of JPEG; other is set where the colour profile is
	// another one than sRGB; full where our preview has all colours.
	progressive, other, full bool
}

// photos returns the sample photos of a camera whose names have one of the endings, and
// skips the test where -photos leaves none.
func photos(t *testing.T, endings ...string) []photo {
	t.Helper()
	var all []photo
	for _, name := range mediatest.PhotosIn(t, "camera") {
		if slices.Contains(endings, filepath.Ext(name)) && strings.Contains(name, *only) {
			path, err := filepath.Abs(filepath.Join(mediatest.Photos(t), filepath.FromSlash(name)))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, look(t, path))
		}
	}
	if len(all) == 0 {
		t.Skipf("SKIPPED: no photo's name has %q in it and ends in one of %v", *only, endings)
	}
	return all
}

// look reads a photo's header and no more, so that this process stays small.
func look(t *testing.T, path string) photo {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 256<<10))
	if err != nil {
		t.Fatal(err)
	}
	p := photo{name: bare(path), path: path, full: filepath.Ext(path) == ".png"}
	size, _, err := image.DecodeConfig(bytes.NewReader(head))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	p.megapixels = float64(size.Width*size.Height) / 1e6
	s := jpeg.Segments{Data: head, Pos: 2}
	for !p.full && s.Next() && !jpeg.IsFrame(s.Marker) {
		if profile, ok := bytes.CutPrefix(s.Body, []byte("ICC_PROFILE\x00")); ok {
			// Version 4 has the name in UTF-16.
			p.other = !bytes.Contains(bytes.ReplaceAll(profile, []byte{0}, nil), []byte("sRGB"))
		}
	}
	p.progressive = s.Marker == jpeg.SOF2
	return p
}

// class is what photos are counted together as.
func (p photo) class() string {
	switch {
	case p.progressive:
		return "progressive"
	case p.megapixels < 18:
		return "8 to 16 MP, baseline"
	case p.megapixels < 36:
		return "24 MP, baseline"
	default:
		return "48 MP, baseline"
	}
}

// names links a photo by so many names in a folder, and returns them.
func (p photo) names(t *testing.T, folder string, n int) []string {
	t.Helper()
	names := make([]string, n)
	for i := range names {
		names[i] = filepath.Join(folder, fmt.Sprintf("%s-%d%s", p.name, i, filepath.Ext(p.path)))
		if err := os.Symlink(p.path, names[i]); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// picture is a file that was made of a photo.
type picture struct {
	path          string
	width, height int
	bytes         int64
}

func pictureAt(t *testing.T, path string) picture {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size, _, err := image.DecodeConfig(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return picture{path, size.Width, size.Height, info.Size()}
}
