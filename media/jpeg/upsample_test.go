package jpeg

import (
	"slices"
	"testing"
)

// The numbers are those of a triangle filter: weights of 3 to 1 in each
// direction, halves rounded in turn down and up.
func TestSmoothing(t *testing.T) {
	near, far := []byte{0, 100, 6, 7}, []byte{200, 4, 4, 255}
	rows := []struct {
		name string
		f    func(dst []byte)
		want []byte
	}{
		{"across", func(dst []byte) { smoothAcross(dst, 1, near) }, []byte{0, 25, 75, 77, 29, 6, 7, 7}},
		{"down, above", func(dst []byte) { smoothDown(dst, 1, near, far, 0) }, []byte{50, 76, 5, 69}},
		{"down, below", func(dst []byte) { smoothDown(dst, 1, near, far, 1) }, []byte{50, 76, 6, 69}},
		{"both", func(dst []byte) { smoothBoth(dst, 1, near, far) }, []byte{50, 56, 70, 58, 23, 21, 53, 69}},
	}
	for _, row := range rows {
		got := make([]byte, len(row.want))
		row.f(got)
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: got %v, want %v", row.name, got, row.want)
		}
	}
}

// Halves go down and up as often, so that no picture becomes brighter.
func TestSmoothingKeepsBrightness(t *testing.T) {
	near, far := make([]byte, 4096), make([]byte, 4096)
	state, before := uint32(1), 0
	for i := range near {
		state = state*1664525 + 1013904223
		near[i], far[i] = byte(state>>24), byte(state>>16)
		before += int(near[i])*12 + int(far[i])*4 // sixteenths
	}
	got := make([]byte, 2*len(near))
	smoothBoth(got, 1, near, far)
	after := 0
	for _, v := range got {
		after += int(v) * 8
	}
	if d := after - before; max(d, -d) > 16*len(near)/20 {
		t.Errorf("got a mean of %.3f, want %.3f", float64(after)/16/4096, float64(before)/16/4096)
	}
}
