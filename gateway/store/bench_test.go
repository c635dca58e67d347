package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
)

func BenchmarkPlain(b *testing.B) { benchmark(b, false) }

func BenchmarkSealed(b *testing.B) { benchmark(b, true) }

// benchmark puts and gets a photo of 412 kB and 14 kB.
func benchmark(b *testing.B, sealed bool) {
	files, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	s, err := New(config.Config{Data: b.TempDir()}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	put, get := files.Put, files.Get
	if sealed {
		put, get = s.Put, func(ctx context.Context, k Key) (io.ReadSeekCloser, error) { return s.Open(ctx, k) }
	}
	pictures := map[Kind][]byte{Preview: make([]byte, 412_000), Thumbnail: make([]byte, 14_000)}
	name := func(i int) string { return strings.Repeat("0", 24) + fmt.Sprintf("%08x", i) }
	b.Run("put", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			for kind, data := range pictures {
				if err := put(b.Context(), Key{Queue: "bench", Attempt: name(i), Kind: kind}, data); err != nil && !errors.Is(err, ErrExists) {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("get", func(b *testing.B) {
		for b.Loop() {
			f, err := get(b.Context(), Key{Queue: "bench", Attempt: name(0), Kind: Preview})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, f); err != nil {
				b.Fatal(err)
			}
			_ = f.Close()
		}
	})
}
