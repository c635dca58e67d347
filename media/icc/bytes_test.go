package icc

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// matrices are profiles of a matrix: those of cameras and screens, one whose numbers
// are too large to be packed, and one that is at the edge of it.
func matrices() map[string][]byte {
	with := func(to [3][3]float64, curves ...[]byte) []byte {
		return device("RGB ", "XYZ ").colorants(to).tone(curves...).bytes()
	}
	large := func(v float64) [3][3]float64 {
		return product(srgbPrimaries(), [3][3]float64{{1 + v, -v, 0}, {0, 1, 0}, {0, -v / 2, 1 + v/2}})
	}
	screen := para(3, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045)
	return map[string][]byte{
		"Display P3":  with(p3Primaries(), screen),
		"Adobe RGB":   with(primaries(0.64, 0.33, 0.21, 0.71, 0.15, 0.06), curv(563)),
		"ProPhoto":    with([3][3]float64{{0.7976749, 0.1351917, 0.0313534}, {0.2880402, 0.7118741, 0.0000857}, {0, 0, 0.82521}}, para(0, 1.8)),
		"Rec 2020":    with(primaries(0.708, 0.292, 0.170, 0.797, 0.131, 0.046), para(3, 1/0.45, 1/1.0993, 0.0993/1.0993, 1/4.5, 0.08145)),
		"linear":      with(p3Primaries(), curv()),
		"each":        with(p3Primaries(), para(0, 1.8), para(0, 2.2), para(0, 2.6)),
		"at the edge": with(large(1.45), screen),
		"too large":   with(large(1.5), screen),
		"far too":     with(large(900), screen),
	}
}

// convertBytes takes the faster way, where there is one.
func convertBytes(tr *Transform, dst, src []uint8) {
	t := tr.Table()
	if t == nil {
		tr.ConvertBytes(dst, src)
		return
	}
	for i := 0; i < len(src); i += 3 {
		dst[i], dst[i+1], dst[i+2] = t.At(int32(src[i]), int32(src[i+1]), int32(src[i+2]))
	}
}

// Values of 8 bits become what they do in 16, within one code where they are packed,
// and the same everywhere else.
func TestBytes(t *testing.T) {
	all := map[string]*Transform{"sRGB": SRGB(), "plain gray": Gray(), "plain inks": Inks()}
	for name, data := range samples() {
		all[name] = mustParse(t, data)
	}
	for name, data := range matrices() {
		all[name] = mustParse(t, data)
		m := all[name].engine.(*matrix)
		if large := name == "too large" || name == "far too"; large != (m.table == nil) {
			t.Errorf("%s: packed %v, want it packed: %v", name, m.table != nil, !large)
		}
	}
	for name, tr := range all {
		m, _ := tr.engine.(*matrix)
		most := 0
		if m != nil && m.table != nil {
			most = 1
		}
		src, wide := someBytes(tr.Channels())
		want, got := make([]uint8, 3*len(src)/tr.Channels()), make([]uint8, 3*len(src)/tr.Channels())
		tr.Convert(want, wide)
		convertBytes(tr, got, src)
		others := 0
		for i := range want {
			switch off := apart(got[i], int(want[i])); {
			case off > most:
				t.Fatalf("%s: byte %d is %d, want %d", name, i, got[i], want[i])
			case off > 0:
				others++
			}
		}
		if others > len(want)/50 {
			t.Errorf("%s: %d of %d are off by one, want less than one in fifty", name, others, len(want))
		}
		if tr.Channels() == 3 {
			if convertBytes(tr, src, src); !bytes.Equal(src, got) {
				t.Errorf("%s: other numbers where source and destination are the same", name)
			}
		}
	}
}

// someBytes are all grays, all corners and random pixels, in 8 and in 16 bits.
func someBytes(channels int) ([]uint8, []uint16) {
	var src []uint8
	for v := range 256 {
		for range channels {
			src = append(src, uint8(v))
		}
	}
	for i := range 1 << channels {
		for j := range channels {
			src = append(src, uint8(255*(i>>j&1)))
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range channels * 20_000 {
		src = append(src, uint8(rng.IntN(256)))
	}
	wide := make([]uint16, len(src))
	for i, v := range src {
		wide[i] = uint16(v) * 257
	}
	return src, wide
}

// Gray stays gray.
func TestBytesOfGray(t *testing.T) {
	for _, name := range []string{"Display P3", "Adobe RGB", "ProPhoto", "Rec 2020", "linear", "at the edge"} {
		tr := mustParse(t, matrices()[name])
		for v := range 256 {
			px := []uint8{uint8(v), uint8(v), uint8(v)}
			if convertBytes(tr, px, px); px[0] != px[1] || px[1] != px[2] || v == 0 && px[0] != 0 || v == 255 && px[0] != 255 {
				t.Errorf("%s: gray %d becomes %v", name, v, px)
			}
		}
	}
}
