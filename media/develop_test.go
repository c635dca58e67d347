package media

import (
	"bytes"
	"image/jpeg"
	"testing"
)

// checkDeveloped checks what is promised of every pair of pictures.
func checkDeveloped(t *testing.T, d *Developed, s Settings) {
	t.Helper()
	if err := d.Preview.Check(s.Preview); err != nil {
		t.Errorf("preview: %v", err)
	}
	if err := d.Thumbnail.Check(s.Thumbnail); err != nil {
		t.Errorf("thumbnail: %v", err)
	}
	if d.Thumbnail.Width != d.Thumbnail.Height {
		t.Errorf("thumbnail is %d x %d, want a square", d.Thumbnail.Width, d.Thumbnail.Height)
	}
	for _, p := range []Picture{d.Preview, d.Thumbnail} {
		img, err := jpeg.Decode(bytes.NewReader(p.Data))
		if err != nil {
			t.Fatalf("the picture does not decode: %v", err)
		}
		if b := img.Bounds(); b.Dx() != p.Width || b.Dy() != p.Height {
			t.Errorf("the picture is %v, want %d x %d", b, p.Width, p.Height)
		}
	}
	if d.Preview.Width > d.Source.Width || d.Preview.Height > d.Source.Height {
		t.Errorf("preview of %d x %d enlarged to %d x %d", d.Source.Width, d.Source.Height, d.Preview.Width, d.Preview.Height)
	}
}
