package mediabench

import (
	"path/filepath"
	"testing"

	"github.com/lightlock/lightlock/media"
	"github.com/lightlock/lightlock/media/mediatest"
)

// BenchmarkDevelop is the whole: what the gateway does to a photo, without the process
// around it.
func BenchmarkDevelop(b *testing.B) {
	for _, name := range mediatest.PhotosIn(b, "camera") {
		b.Run(filepath.Base(name), func(b *testing.B) {
			original := mediatest.Photo(b, name)
			s := media.Default()
			s.MaxBytes = int64(len(original))
			b.SetBytes(s.MaxBytes)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := media.Develop(b.Context(), original, s, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
