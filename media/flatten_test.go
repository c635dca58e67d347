package media

import (
	"context"
	"errors"
	"image"
	"io"
	"slices"
	"testing"

	"github.com/lightlock/lightlock/media/icc"
)

// given reads rows that are there already.
func given(all ...[]uint16) rows {
	return func(_ context.Context, dst []uint16) error {
		if len(all) == 0 {
			return io.EOF
		}
		copy(dst, all[0])
		all = all[1:]
		return nil
	}
}

func readAll(t *testing.T, s sheet) [][]uint16 {
	t.Helper()
	var all [][]uint16
	for range s.height {
		row := make([]uint16, s.channels*s.width)
		if err := s.next(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := s.next(t.Context(), make([]uint16, s.channels*s.width)); !errors.Is(err, io.EOF) {
		t.Errorf("behind the last row: got %v, want io.EOF", err)
	}
	return all
}

func TestFlatten(t *testing.T) {
	rows := []struct {
		name     string
		channels int // without alpha
		px, want []uint16
	}{
		{"opaque", 3, []uint16{1, 2, 3, 65535}, []uint16{1, 2, 3}},
		{"half red", 3, []uint16{65535, 0, 0, 128 * 257}, []uint16{65535, 32639, 32639}},
		{"nothing", 3, []uint16{9, 9, 9, 0}, []uint16{65535, 65535, 65535}},
		{"half black, 16 bits", 3, []uint16{0, 0, 0, 0x8000}, []uint16{32767, 32767, 32767}},
		{"a fifth of black", 1, []uint16{0, 51 * 257}, []uint16{52428}},
		{"opaque gray", 1, []uint16{258, 65535}, []uint16{258}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			head := &header{channels: row.channels, decoder: &decoder{channels: row.channels + 1, alpha: true}}
			head.setSize(1, 1)
			s, _ := flatten(given(row.px), head, plainColours(row.channels))
			if got := readAll(t, s)[0]; !slices.Equal(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

// A GIF's frame may be smaller than its screen.
func TestFrameOnPaper(t *testing.T) {
	const w = 65535
	for name, row := range map[string]struct {
		frame image.Rectangle
		want  [][]uint16
	}{
		"inside":               {image.Rect(1, 1, 2, 2), [][]uint16{{w, w, w}, {w, 1, w}, {w, w, w}}},
		"at the right edge":    {image.Rect(2, 0, 3, 1), [][]uint16{{w, w, 1}, {w, w, w}, {w, w, w}}},
		"at the lower edge":    {image.Rect(0, 2, 1, 3), [][]uint16{{w, w, w}, {w, w, w}, {1, w, w}}},
		"as wide as the paper": {image.Rect(0, 1, 3, 3), [][]uint16{{w, w, w}, {1, 1, 1}, {2, 2, 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			head := &header{width: 3, height: 3, frame: row.frame, channels: 1, decoder: &decoder{channels: 1}}
			var stored [][]uint16
			for y := range row.frame.Dy() {
				stored = append(stored, slices.Repeat([]uint16{uint16(y + 1)}, row.frame.Dx()))
			}
			s, _ := flatten(given(stored...), head, icc.Gray())
			if got := readAll(t, s); !slices.EqualFunc(got, row.want, slices.Equal) {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func TestLumaToRGB(t *testing.T) {
	for _, row := range []struct{ in, want [3]uint8 }{
		{[3]uint8{255, 128, 128}, [3]uint8{255, 255, 255}},
		{[3]uint8{0, 128, 128}, [3]uint8{0, 0, 0}},
		{[3]uint8{76, 85, 255}, [3]uint8{254, 0, 0}},
		{[3]uint8{255, 255, 255}, [3]uint8{255, 121, 255}},
	} {
		r, g, b := lumaToRGB(row.in[0], row.in[1], row.in[2])
		if got := [3]uint8{r, g, b}; got != row.want {
			t.Errorf("%v: got %v, want %v", row.in, got, row.want)
		}
	}
}

// White and black of video, and half a pixel's colours.
func TestStudioRow(t *testing.T) {
	m := &image.YCbCr{
		Y: []byte{235, 16, 126}, Cb: []byte{128, 128}, Cr: []byte{128, 128}, YStride: 3, CStride: 2,
		SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: image.Rect(0, 0, 3, 1),
	}
	row := make([]uint16, 9)
	studioRow(row, m, 0, 3)
	if want := []uint16{65535, 65535, 65535, 0, 0, 0, 128 * 257, 128 * 257, 128 * 257}; !slices.Equal(row, want) {
		t.Errorf("got %v, want %v", row, want)
	}
}
