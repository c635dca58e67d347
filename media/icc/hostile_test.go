package icc

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// samples are good profiles of every kind, small and quick to read.
func samples() map[string][]byte {
	straight := together(curv(), curv(), curv())
	out := map[string][]byte{
		"matrix":       device("RGB ", "XYZ ").colorants(p3Primaries()).tone(curv()).bytes(),
		"three curves": device("RGB ", "XYZ ").v4().colorants(p3Primaries()).tone(para(0, 1.8), curv(0, full), curv(512)).bytes(),
		"gray":         device("GRAY", "XYZ ").tone(curv(0, 9000, full)).bytes(),
		"gray Lab":     device("GRAY", "Lab ").tone(curv()).bytes(),
		"no grid":      device("RGB ", "Lab ").v4().tag("A2B0", aToB(3, [5][]byte{straight, fixedPoint(0.5, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0.5, 0.5), straight, nil, nil})).bytes(),
	}
	for channels, space := range spaces {
		p, points := labPlane(channels), []int{2, 2, 2, 2}[:channels]
		out["mft1 "+space] = device(space, "Lab ").tag("A2B0", lutTag("mft1", channels, 2, ramp8(), ramp8(), p.nodes(points, 1, 1))).bytes()
		out["mft2 "+space] = device(space, "Lab ").tag("A2B1", lutTag("mft2", channels, 2, words(0, full), words(0, full), p.nodes(points, 2, 256))).bytes()
		first := together(curv(), curv(), curv(), curv())
		out["mAB "+space] = device(space, "Lab ").v4().tag("A2B0", aToB(channels, [5][]byte{straight, nil, nil, clut(p, points, 2), first})).bytes()
	}
	return out
}

// use parses bytes that may be anything, and uses what comes of it.
func use(t *testing.T, data []byte) []byte {
	t.Helper()
	tr, err := Parse(data)
	if (err == nil) == (tr == nil) {
		t.Fatalf("got %v and %v", tr, err)
	}
	if err != nil {
		if !plain(err.Error()) {
			t.Fatalf("the error %q is not in words", err)
		}
		return []byte(err.Error())
	}
	if _, ok := tr.engine.(*matrix); ok {
		white := make([]uint8, 3)
		if tr.Convert(white, []uint16{full, full, full}); slices.Min(white) < 253 {
			t.Fatalf("white becomes %v", white)
		}
	}
	return converted(tr, corners(tr.Channels()))
}

// plain tells whether a text is plain.
func plain(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// corners are all pixels of black, dark, gray and full channels.
func corners(channels int) []uint16 {
	values := []uint16{0, 1, 700, 32768, full - 1, full}
	count := 1
	for range channels {
		count *= len(values)
	}
	var out []uint16
	for i := range count {
		for range channels {
			out = append(out, values[i%len(values)])
			i /= len(values)
		}
	}
	return out
}

// converted is what all methods give for a row.
func converted(tr *Transform, src []uint16) []byte {
	pixels := len(src) / tr.Channels()
	out := make([]uint8, 9*pixels)
	tr.Convert(out, src)
	light := make([]uint16, len(src))
	tr.Light(light, src)
	tr.ConvertLight(out[3*pixels:], light)
	narrow := make([]uint8, len(src))
	for i, v := range src {
		narrow[i] = uint8(v >> 8)
	}
	convertBytes(tr, out[6*pixels:], narrow)
	return out
}

func TestSamplesAreGood(t *testing.T) {
	for name, data := range samples() {
		if _, err := Parse(data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if first, second := use(t, data), use(t, data); !bytes.Equal(first, second) {
			t.Errorf("%s: the same profile gives other numbers", name)
		}
	}
}

func TestCutOff(t *testing.T) {
	for name, data := range samples() {
		for n := range len(data) - 3 {
			if n < headerBytes+100 || n%7 == 0 {
				use(t, data[:n:n])
			}
		}
		if _, err := Parse(data[:len(data)/2]); err == nil {
			t.Errorf("%s: half a profile is taken", name)
		}
	}
}

// Every byte that decides something is flipped, and of the rest one in a while:
// behind its signature the header says nothing that counts here.
func TestFlipped(t *testing.T) {
	for _, data := range samples() {
		for i := range data {
			if raceEnabled && i%8 > 0 {
				continue
			}
			if i < 40 || i >= headerBytes && i < headerBytes+entryBytes+48 || i%37 == 0 {
				data[i] ^= 0xff
				use(t, data)
				data[i] ^= 0xff
			}
		}
	}
}

func TestHostile(t *testing.T) {
	huge := []byte("curv\x00\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x00")
	p3 := func() *made { return device("RGB ", "XYZ ").colorants(p3Primaries()) }
	nodes := labPlane(3).nodes([]int{2, 2, 2}, 1, 1)
	table := func(at int, b ...byte) []byte {
		tag := lutTag("mft1", 3, 2, ramp8(), ramp8(), nodes)
		copy(tag[at:], b)
		return device("RGB ", "Lab ").tag("A2B0", tag).bytes()
	}
	header := func(at int, b ...byte) []byte {
		data := p3().tone(curv()).bytes()
		copy(data[at:], b)
		return data
	}
	grid := make([]byte, 64)
	for i := range 16 {
		grid[i] = 255
	}
	grid[16] = 2
	straight := together(curv(), curv(), curv())
	for name, data := range map[string][]byte{
		"nothing":                 {},
		"too large":               append(p3().tone(curv()).bytes(), make([]byte, MaxBytes)...),
		"2^32-1 tags":             header(128, 0xff, 0xff, 0xff, 0xff),
		"101 tags":                header(128, 0, 0, 0, 101),
		"no tags":                 header(128, 0, 0, 0, 0),
		"tag past the end":        header(136, 0xff, 0xff, 0xff, 0xff),
		"tag of 2^32-1 bytes":     header(140, 0xff, 0xff, 0xff, 0xff),
		"device link":             header(12, []byte("link")...),
		"abstract":                header(12, []byte("abst")...),
		"of Lab":                  header(16, []byte("Lab ")...),
		"to RGB":                  header(20, []byte("RGB ")...),
		"no signature":            header(36, []byte("bcsp")...),
		"version 5":               header(8, 5),
		"curve of 2^32-1":         p3().tone(huge).bytes(),
		"curve of another type":   p3().tone([]byte("mft1\x00\x00\x00\x00\x00\x00\x00\x00")).bytes(),
		"formula of kind 5":       p3().tone(para(5, 1, 1, 1, 1, 1, 1, 1)).bytes(),
		"formula cut off":         p3().tone(para(4, 1, 1)).bytes(),
		"falling curve":           p3().tone(curv(full, 0)).bytes(),
		"flat curve":              p3().tone(curv(full, full)).bytes(),
		"curve up and down":       p3().tone(curv(0, full, 0, full)).bytes(),
		"curve to the power of 0": p3().tone(curv(0)).bytes(),
		"division by zero":        p3().tone(para(1, 2.2, 0, 1)).bytes(),
		"no colorants":            device("RGB ", "XYZ ").tone(curv()).bytes(),
		"no curves":               p3().bytes(),
		"colorants of Lab":        device("RGB ", "Lab ").colorants(p3Primaries()).tone(curv()).bytes(),
		"colorants in a line":     device("RGB ", "XYZ ").colorants([3][3]float64{{0.3, 0.3, 0.3}, {0.3, 0.3, 0.4}, {0.3, 0.3, 0.2}}).tone(curv()).bytes(),
		"huge colorants":          device("RGB ", "XYZ ").colorants([3][3]float64{{32767, 0, -32767}, {-32767, 1, 32767}, {0, 32767, 1}}).tone(curv()).bytes(),
		"gray that falls":         device("GRAY", "XYZ ").tone(curv(full, 0)).bytes(),
		"gray that is dark":       device("GRAY", "XYZ ").tone(curv(0, 60000)).bytes(),
		"inks without a table":    device("CMYK", "Lab ").bytes(),
		"no points":               table(10, 0),
		"one point":               table(10, 1),
		"255 points":              table(10, 255),
		"255 inputs":              table(8, 255),
		"four inputs for three":   table(8, 4),
		"one output":              table(9, 1),
		"white is dark":           device("RGB ", "Lab ").tag("A2B0", lutTag("mft1", 3, 2, ramp8(), ramp8(), make([]byte, 24))).bytes(),
		"short table":             device("RGB ", "Lab ").tag("A2B0", []byte("mft2")).bytes(),
		"table without curves":    device("RGB ", "Lab ").tag("A2B0", lutTag("mft1", 3, 2, ramp8(), ramp8(), nodes)[:40]).bytes(),
		"empty curves":            device("RGB ", "Lab ").tag("A2B0", lutTag("mft2", 3, 2, nil, nil, nodes)).bytes(),
		"a grid of 255^15":        device("RGB ", "Lab ").tag("A2B0", aToB(3, [5][]byte{straight, nil, nil, grid, straight})).bytes(),
		"inks without a grid":     device("CMYK", "Lab ").tag("A2B0", aToB(4, [5][]byte{straight, nil, nil, nil, nil})).bytes(),
		"parts past the end":      device("RGB ", "Lab ").tag("A2B0", append([]byte("mAB \x00\x00\x00\x00\x03\x03\x00\x00"), bytes.Repeat([]byte{0xff}, 40)...)).bytes(),
	} {
		t.Run(name, func(t *testing.T) {
			use(t, data)
			if _, err := Parse(data); err == nil {
				t.Error("it is taken, want an error")
			}
		})
	}
}

// Curves of half a million entries and a grid of a million numbers are read, and
// no transform takes more than 4 MB.
func TestLargestProfiles(t *testing.T) {
	entries := make([]byte, 1_000_000)
	for i := 0; i < len(entries); i += 2 {
		binary.BigEndian.PutUint16(entries[i:], uint16(i/2*full/(len(entries)/2-1)))
	}
	long := append(binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), uint32(len(entries)/2)), entries...)
	grid := make([]byte, 24*24*24*24*3)
	for i := range len(grid) / 3 {
		grid[3*i], grid[3*i+1], grid[3*i+2] = byte(255-i%24*10), 128, 128
	}
	cube := make([]byte, 68*68*68*3)
	for i := range len(cube) / 3 {
		cube[3*i], cube[3*i+1], cube[3*i+2] = byte(i%68*3), 128, 128
	}
	clutOf := append([]byte{68, 68, 68, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}, cube...)
	curves := together(para(0, 1), curv(0, full), curv(0, full/2, full)) // equal ones would share a table
	matrix := fixedPoint(1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)
	profiles := map[string][]byte{
		"curve": device("RGB ", "XYZ ").colorants(p3Primaries()).tone(long, curv(), curv()).bytes(),
		"inks":  device("CMYK", "Lab ").tag("A2B0", lutTag("mft1", 4, 24, ramp8(), ramp8(), grid)).bytes(),
		"table": device("RGB ", "Lab ").tag("A2B0", aToB(3, [5][]byte{curves, matrix, curves, clutOf, curves})).bytes(),
	}
	for name, data := range profiles {
		mustParse(t, data) // makes what is shared
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		tr := mustParse(t, data)
		runtime.GC()
		runtime.ReadMemStats(&after)
		kept, taken := int64(after.HeapAlloc)-int64(before.HeapAlloc), after.TotalAlloc-before.TotalAlloc
		t.Logf("%s: %d bytes kept, %d taken", name, kept, taken)
		if kept > 4<<20 || taken > 8<<20 {
			t.Errorf("%s: keeps %d bytes and takes %d, want at most 4 and 8 MB", name, kept, taken)
		}
		use(t, data)
		runtime.KeepAlive(tr)
	}
}

func FuzzParse(f *testing.F) {
	for _, data := range samples() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if first, second := use(t, data), use(t, data); !bytes.Equal(first, second) {
			t.Error("the same profile gives other numbers")
		}
	})
}

// Methods for rows of 16 bits do not allocate: they run for every row of every photo.
func TestNothingIsAllocated(t *testing.T) {
	all := []*Transform{SRGB(), Gray(), Inks()}
	for _, data := range samples() {
		all = append(all, mustParse(t, data))
	}
	for _, tr := range all {
		src, dst := row(tr, 64)
		if n := testing.AllocsPerRun(3, func() {
			tr.Convert(dst, src)
			tr.Light(src, src)
			tr.ConvertLight(dst, src)
		}); n > 0 {
			t.Errorf("%T: %v allocations, want none", tr.engine, n)
		}
	}
}
