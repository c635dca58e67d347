package icc

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"
)

// A table whose values change along straight lines is interpolated without any
// error, so that its truth is known: it is the plane itself.
type plane struct {
	base    [3]float64
	factors [][3]float64 // of each channel
}

func (p plane) at(in []float64) [3]float64 {
	out := p.base
	for i, f := range p.factors {
		for j := range out {
			out[j] += in[i] * f[j]
		}
	}
	return out
}

// nodes writes a plane as the nodes of a grid, of one or two bytes. The values
// are 0 to 255, and whole numbers where the points of the grid allow it.
func (p plane) nodes(points []int, width int, scale float64) []byte {
	count := 1
	for _, n := range points {
		count *= n
	}
	var out []byte
	for i := range count {
		in, rest := make([]float64, len(points)), i
		for axis := len(points) - 1; axis >= 0; axis-- {
			in[axis] = float64(rest%points[axis]) / float64(points[axis]-1)
			rest /= points[axis]
		}
		for _, v := range p.at(in) {
			n := math.Round(v * scale)
			if math.Abs(n-v*scale) > 1e-6 {
				panic("the plane is not in whole numbers")
			}
			if width == 1 {
				out = append(out, byte(n))
			} else {
				out = binary.BigEndian.AppendUint16(out, uint16(n))
			}
		}
	}
	return out
}

// labPlane is L, a and b as bytes: bright without ink and with all light.
func labPlane(channels int) plane {
	switch channels {
	case 1:
		return plane{[3]float64{0, 128, 128}, [][3]float64{{252, -12, 24}}}
	case 3:
		return plane{[3]float64{0, 128, 128}, [][3]float64{{84, 60, 0}, {84, -60, 48}, {84, 0, -48}}}
	}
	return plane{[3]float64{252, 128, 128}, [][3]float64{{-48, -48, -36}, {-48, 48, 0}, {-48, 0, 36}, {-96, 0, 0}}}
}

// labReference gives the light of sRGB of L, a and b as bytes, by the formulas of
// ICC.1 annex A.
func labReference(lab [3]float64) [3]float64 {
	fy := (lab[0]/255*100 + 16) / 116
	inverseF := func(f float64) float64 {
		if f > 6.0/29 {
			return f * f * f
		}
		return 3 * 36 / 841.0 * (f - 4.0/29)
	}
	x, z := inverseF(fy+(lab[1]-128)/500), inverseF(fy-(lab[2]-128)/200)
	return apply(inverse(srgbPrimaries()), [3]float64{x * whiteX, inverseF(fy), z * whiteZ})
}

// lutTag is a lut8Type or lut16Type of equal curves.
func lutTag(kind string, channels, points int, in, out, nodes []byte) []byte {
	tag := slices.Concat([]byte(kind+"\x00\x00\x00\x00"), []byte{byte(channels), 3, byte(points), 0}, fixedPoint(1, 0, 0, 0, 1, 0, 0, 0, 1))
	if kind == "mft2" {
		tag = append(tag, words(len(in)/2, len(out)/2)...)
	}
	for range channels {
		tag = append(tag, in...)
	}
	return slices.Concat(tag, nodes, out, out, out)
}

func ramp8() []byte {
	out := make([]byte, 256)
	for i := range out {
		out[i] = byte(i)
	}
	return out
}

var spaces = map[int]string{1: "GRAY", 3: "RGB ", 4: "CMYK"}

func TestOldTables(t *testing.T) {
	bent := []int{0, 9000, 30000, 52000, full}
	for channels, space := range spaces {
		p := labPlane(channels)
		for _, points := range []int{2, 3, 5} {
			grid := make([]int, channels)
			for i := range grid {
				grid[i] = points
			}
			t.Run(fmt.Sprint(space, points), func(t *testing.T) {
				small := mustParse(t, device(space, "Lab ").tag("A2B0", lutTag("mft1", channels, points, ramp8(), ramp8(), p.nodes(grid, 1, 1))).bytes())
				compareTable(t, small, func(in []float64) [3]float64 { return labReference(p.at(in)) })
				large := mustParse(t, device(space, "Lab ").v4().tag("A2B1", lutTag("mft2", channels, points, words(bent...), words(0, full), p.nodes(grid, 2, 256))).bytes())
				compareTable(t, large, func(in []float64) [3]float64 {
					for i := range in {
						in[i] = entriesReference(bent...)(in[i])
					}
					return labReference(p.at(in))
				})
			})
		}
	}
}

// compareTable allows for what 16 bits of Lab and 15 of XYZ may cost besides, in
// the darkest colours.
func compareTable(t *testing.T, tr *Transform, reference func([]float64) [3]float64) {
	t.Helper()
	compareWithin(t, 0.9, tr, func(in []float64) [3]float64 { return reference(slices.Clone(in)) })
}

// aToB is a lutAToBType of the parts that are given, in the order of its offsets:
// B, matrix, M, CLUT, A.
func aToB(channels int, parts [5][]byte) []byte {
	tag := append([]byte("mAB \x00\x00\x00\x00"), byte(channels), 3, 0, 0)
	at := 32
	for _, p := range parts {
		if p == nil {
			tag = append(tag, 0, 0, 0, 0)
			continue
		}
		tag = binary.BigEndian.AppendUint32(tag, uint32(at))
		at += (len(p) + 3) &^ 3
	}
	for _, p := range parts {
		tag = append(tag, p...)
		tag = append(tag, make([]byte, -len(p)&3)...)
	}
	return tag
}

// clut is the grid of a lutAToBType.
func clut(p plane, points []int, width int) []byte {
	head := make([]byte, 20)
	for i, n := range points {
		head[i] = byte(n)
	}
	head[16] = byte(width)
	return append(head, p.nodes(points, width, []float64{1, 257}[width-1])...)
}

// together are curves one behind the other, each from a multiple of four on.
func together(curves ...[]byte) []byte {
	var out []byte
	for _, c := range curves {
		out = append(out, c...)
		out = append(out, make([]byte, -len(c)&3)...)
	}
	return out
}

func TestNewTables(t *testing.T) {
	square := func(x float64) float64 { return x * x }
	straight := together(curv(), curv(), curv())
	for channels, space := range spaces {
		p := labPlane(channels)
		points := []int{2, 3, 5, 2}[:channels]
		for width := 1; width <= 2; width++ {
			t.Run(fmt.Sprint(space, width), func(t *testing.T) {
				first := together(slices.Repeat([][]byte{para(0, 2)}, channels)...)
				tr := mustParse(t, device(space, "Lab ").v4().tag("A2B0", aToB(channels, [5][]byte{straight, nil, nil, clut(p, points, width), first})).bytes())
				compareTable(t, tr, func(in []float64) [3]float64 {
					for i := range in {
						in[i] = square(in[i])
					}
					return labReference(p.at(in))
				})
			})
		}
	}
}

// All five parts play, each with numbers that would show it out of its place.
func TestAllPartsOfATable(t *testing.T) {
	p := labPlane(3)
	middle := together(para(0, 1.25), para(0, 1), para(0, 1))
	matrix := fixedPoint(0.75, 0, 0, 0, 0.5, 0, 0, 0, 0.5, 0.125, 0.25, 0.25)
	last := together(para(0, 1.5), curv(), curv(0, full))
	tag := aToB(3, [5][]byte{last, matrix, middle, clut(p, []int{3, 2, 5}, 2), together(para(0, 2), para(0, 1), curv())})
	tr := mustParse(t, device("RGB ", "Lab ").v4().tag("A2B0", tag).bytes())
	compareTable(t, tr, func(in []float64) [3]float64 {
		v := p.at([]float64{in[0] * in[0], in[1], in[2]})
		v[0] = math.Pow(math.Pow(v[0]/255, 1.25)*0.75+0.125, 1.5) * 255
		v[1] = v[1]*0.5 + 0.25*255
		v[2] = v[2]*0.5 + 0.25*255
		return labReference(v)
	})
}

// Without a grid a table is curves, a matrix and curves, and can be the same as a
// profile of colorants. XYZ of 1 is written as 32768.
func TestTableWithoutGrid(t *testing.T) {
	to := p3Primaries()
	var factors []float64
	for _, row := range to {
		for _, v := range row {
			factors = append(factors, v*32768/65535)
		}
	}
	matrix := fixedPoint(append(factors, 0, 0, 0)...)
	tone := para(0, 2.2)
	tag := aToB(3, [5][]byte{together(curv(), curv(), curv()), matrix, together(tone, tone, tone), nil, nil})
	tr := mustParse(t, device("RGB ", "XYZ ").v4().tag("A2B0", tag).bytes())
	compareTable(t, tr, func(in []float64) [3]float64 {
		return apply(product(inverse(srgbPrimaries()), to), [3]float64{math.Pow(in[0], 2.2), math.Pow(in[1], 2.2), math.Pow(in[2], 2.2)})
	})
}

// A table comes before colorants, and of two tables the colorimetric one.
func TestWhichTable(t *testing.T) {
	p := labPlane(3)
	good := lutTag("mft1", 3, 2, ramp8(), ramp8(), p.nodes([]int{2, 2, 2}, 1, 1))
	other := plane{[3]float64{0, 128, 128}, [][3]float64{{85, 0, 0}, {85, 0, 0}, {85, 0, 0}}}
	gray := lutTag("mft1", 3, 2, ramp8(), ramp8(), other.nodes([]int{2, 2, 2}, 1, 1))
	base := func() *made { return device("RGB ", "Lab ").colorants(p3Primaries()).tone(curv(512)) }
	for name, profile := range map[string][]byte{
		"A2B1 and A2B0": base().tag("A2B0", gray).tag("A2B1", good).bytes(), "A2B0 alone": base().tag("A2B0", good).bytes(),
	} {
		if got := percent(mustParse(t, profile), 100, 0, 0); got[0] == got[1] {
			t.Errorf("%s: red is %v", name, got)
		}
	}
	if got := percent(mustParse(t, base().tag("A2B0", gray).bytes()), 100, 100, 100); got != [3]int{255, 255, 255} {
		t.Errorf("white is %v", got)
	}
}
