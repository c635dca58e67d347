package gif

import (
	"bytes"
	"context"
	"errors"
	stdgif "image/gif"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lightlock/lightlock/media/mediatest"
)

// photos returns the GIFs among the sample photos.
func photos(t testing.TB) map[string][]byte {
	t.Helper()
	dir := mediatest.Photos(t)
	files := map[string][]byte{}
	for _, folder := range []string{"gif", "hostile"} {
		names, err := filepath.Glob(filepath.Join(dir, folder, "*.gif"))
		if err != nil || len(names) == 0 {
			t.Fatalf("no GIFs in %s: %v", folder, err)
		}
		for _, name := range names {
			if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	return files
}

func TestPhotos(t *testing.T) {
	// These have no frame, or one outside the screen or without pixels, which is
	// judged before.
	odd := []string{"pil-no_palette.gif", "pil-zero_width.gif", "gif-zero-frames.gif", "gif-zero-size.gif", "gif-frame-outside.gif", "gif-frame-65535-empty.gif", "gif-html-polyglot.gif", "gif-screen-65535.gif"}
	for name, file := range photos(t) {
		if slices.Contains(odd, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			f := parse(file)
			want, err := stdgif.Decode(bytes.NewReader(f.file()))
			if err != nil {
				t.Fatal(err)
			}
			mediatest.SameRows(t, whole(t, f), wanted(want, f.Channels()))
		})
	}
}

func TestEverySize(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {3, 2}, {2, 3}, {4, 4}, {5, 5}, {7, 8}, {9, 9}, {40, 33}} {
		for bits := 1; bits <= 8; bits++ {
			for _, interlaced := range []bool{false, true} {
				for _, transparent := range []int{-1, 0, 1, 255} {
					f := frame(size[0], size[1], bits)
					f.Interlaced, f.Transparent = interlaced, transparent
					want, err := stdgif.Decode(bytes.NewReader(f.file()))
					if err != nil {
						t.Fatal(err)
					}
					mediatest.SameRows(t, whole(t, f), wanted(want, f.Channels()))
				}
			}
		}
	}
}

func TestColours(t *testing.T) {
	f := Frame{Width: 5, Height: 1, Palette: []byte{1, 2, 3, 4, 5, 6}, Transparent: -1, Data: pack([]byte{1, 0, 1, 1, 0}, 2, 9)}
	opaque := []uint16{0x404, 0x505, 0x606, 0x101, 0x202, 0x303, 0x404, 0x505, 0x606, 0x404, 0x505, 0x606, 0x101, 0x202, 0x303}
	if got := whole(t, f)[0]; !slices.Equal(got, opaque) {
		t.Errorf("got %x, want %x", got, opaque)
	}
	f.Transparent = 3
	f.Data = pack([]byte{1, 0, 2, 3, 0}, 2, 9)
	some := []uint16{0x404, 0x505, 0x606, 0xffff, 0x101, 0x202, 0x303, 0xffff, 0, 0, 0, 0, 0, 0, 0, 0, 0x101, 0x202, 0x303, 0xffff}
	if got := whole(t, f)[0]; !slices.Equal(got, some) {
		t.Errorf("got %x, want %x", got, some)
	}
}

func TestMemoryIsWhatIsAllocated(t *testing.T) {
	const slack = 12 << 10
	for _, interlaced := range []bool{false, true} {
		f := frame(3000, 50, 3)
		f.Interlaced = interlaced
		rows := f.Open()
		dst := make([]uint16, f.Width*f.Channels())
		got := mediatest.Allocated(func() {
			for range f.Height {
				if err := rows.Read(t.Context(), dst); err != nil {
					t.Fatal(err)
				}
			}
		})
		if want := f.Memory(); got > want || got < want-slack {
			t.Errorf("interlaced %v: %d bytes allocated, and Memory says %d", interlaced, got, want)
		}
	}
	largest := Frame{Width: 65535, Height: 65535, Interlaced: true}
	if got := largest.Memory(); got < 65535*65535 {
		t.Errorf("the largest frame takes %d bytes, want %d and a little", got, 65535*65535)
	}
}

// The context ends reading before any row, and within the passes of an
// interlaced frame, of which no part is given then.
func TestContextEnds(t *testing.T) {
	for name, test := range map[string]struct {
		interlaced  bool
		asked, rows int
	}{
		"before the first row": {false, 0, 0},
		"between rows":         {false, 4, 4},
		"between passes":       {true, 30, 0},
		"behind the passes":    {true, 44, 4}, // asked for 40 rows as they are read, too
	} {
		f := frame(20, 40, 4)
		f.Interlaced = test.interlaced
		ctx := &mediatest.Countdown{Context: t.Context(), Left: test.asked}
		rows := f.Open()
		row := make([]uint16, f.Width*3)
		n := 0
		var err error
		for ; err == nil; n++ {
			err = rows.Read(ctx, row)
		}
		if n--; n != test.rows || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %d rows and %v, want %d and that the deadline is over", name, n, err, test.rows)
		}
		if err := rows.Read(t.Context(), row); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: then got %v, want the same error", name, err)
		}
	}
}

func TestTooLittleRoom(t *testing.T) {
	f := frame(20, 1, 4)
	rows := f.Open()
	if err := rows.Read(t.Context(), make([]uint16, 59)); err == nil {
		t.Error("got no error, want one: a row has 60 values")
	}
	if err := rows.Read(t.Context(), make([]uint16, 60)); err != nil {
		t.Errorf("got %v, want the row", err)
	}
}

func TestFramesThatMakeNoSense(t *testing.T) {
	good := frame(4, 4, 2)
	for name, spoil := range map[string]func(f *Frame){
		"no width":            func(f *Frame) { f.Width = 0 },
		"no height":           func(f *Frame) { f.Height = -1 },
		"no colours":          func(f *Frame) { f.Palette = nil },
		"half a colour":       func(f *Frame) { f.Palette = f.Palette[:4] },
		"too many colours":    func(f *Frame) { f.Palette = make([]byte, 3*257) },
		"transparent is far":  func(f *Frame) { f.Transparent = 256 },
		"no data":             func(f *Frame) { f.Data = nil },
		"code size too small": func(f *Frame) { f.Data = append([]byte{1}, f.Data[1:]...) },
		"code size too large": func(f *Frame) { f.Data = append([]byte{9}, f.Data[1:]...) },
	} {
		f := good
		spoil(&f)
		rows, err := read(t, f)
		if len(rows) > 0 || err == nil || err.Error() == "EOF" {
			t.Errorf("%s: got %d rows and %v, want none and an error", name, len(rows), err)
		}
		if cut := errors.Is(err, ErrCutOff); cut != (name == "no data") {
			t.Errorf("%s: got %v, want that the data is cut off: %v", name, err, !cut)
		}
	}
}
