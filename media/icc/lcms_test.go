package icc

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/media/mediatest"
)

// profilesHere are the profiles that this machine has: those of the system and
// those of the sample photos.
func profilesHere(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, pattern := range []string{"/usr/share/color/icc/*.*", "/usr/share/color/icc/*/*.icc", mediatest.Photos(t) + "/*/*.jpg", mediatest.Photos(t) + "/*/*.png"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.HasPrefix(data, []byte("\xff\xd8")) || bytes.HasPrefix(data, []byte("\x89PNG")) {
				if strings.Contains(name, "hostile") {
					continue
				}
				data = embedded(t, data)
			}
			if len(data) > 0 && !strings.HasSuffix(name, ".ti3") {
				all[name] = data
			}
		}
	}
	return all
}

// lcms converts device values with transicc, without black point compensation,
// to sRGB from 0 to 255.
func lcms(t *testing.T, profile []byte, channels int, src []uint16) []float64 {
	t.Helper()
	program, err := exec.LookPath("transicc")
	if err != nil {
		t.Skip("SKIPPED, transicc is not here: apt-get install liblcms2-utils")
	}
	file := filepath.Join(t.TempDir(), "profile.icc")
	if err := os.WriteFile(file, profile, 0o600); err != nil {
		t.Fatal(err)
	}
	scale := 255.0
	if channels == 4 {
		scale = 100
	}
	var in strings.Builder
	for i, v := range src {
		fmt.Fprintf(&in, "%.6f ", float64(v)/full*scale)
		if (i+1)%channels == 0 {
			in.WriteByte('\n')
		}
	}
	cmd := exec.Command(program, "-t1", "-v0", "-n", "-i"+file, "-o*sRGB")
	cmd.Stdin = strings.NewReader(in.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("transicc: %v", err)
	}
	var got []float64
	for _, word := range strings.Fields(string(out)) {
		var v float64
		if _, err := fmt.Sscan(word, &v); err != nil {
			t.Fatalf("transicc says %q", word)
		}
		got = append(got, min(max(v, 0), 255))
	}
	return got
}

// Every profile of this machine is converted as lcms does, and so are tables made
// of noise, which show every other way of interpolation.
func TestAgainstLCMS(t *testing.T) {
	all := profilesHere(t)
	for name, data := range noisy() {
		all[name] = data
	}
	for name, profile := range all {
		tr, err := Parse(profile)
		if err != nil {
			t.Logf("%s: not used: %v", name, err)
			continue
		}
		worst, mean := againstLCMS(t, tr, profile)
		t.Logf("%s: largest difference %.2f, mean %.3f", name, worst, mean)
		if worst > 1.6 {
			t.Errorf("%s: differs from lcms by up to %.2f, want at most 1.6", name, worst)
		}
	}
}

// againstLCMS compares random colours: the largest difference, and the mean.
func againstLCMS(t *testing.T, tr *Transform, profile []byte) (worst, mean float64) {
	t.Helper()
	const colours = 600
	rng := rand.New(rand.NewPCG(3, 4))
	src := make([]uint16, tr.Channels()*colours)
	for i := range src {
		src[i] = uint16(rng.IntN(256) * 257)
	}
	got := make([]uint8, 3*colours)
	tr.Convert(got, src)
	want := lcms(t, profile, tr.Channels(), src)
	if len(want) != len(got) {
		t.Fatalf("transicc gives %d numbers, want %d", len(want), len(got))
	}
	for i, w := range want {
		d := math.Abs(float64(got[i]) - w)
		mean += d / float64(len(want))
		worst = max(worst, d)
	}
	return worst, mean
}

// noisy are tables whose nodes are noise but for the ends of gray.
func noisy() map[string][]byte {
	rng := rand.New(rand.NewPCG(7, 8))
	nodes := func(count, width int, inks bool) []byte {
		out := make([]byte, 3*count*width)
		for i := range out {
			out[i] = byte(70 + rng.IntN(120))
		}
		black, white := out[:3*width], out[len(out)-3*width:]
		if inks {
			black, white = white, black
		}
		for i := range 3 * width {
			black[i], white[i] = 128, 128
		}
		for i := range width {
			black[i], white[i] = 0, 254
		}
		return out
	}
	bent := together(para(0, 1.3), para(3, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045), curv(0, 20000, full), curv(0x0180))
	matrix := fixedPoint(1, 0.125, -0.125, 0.0625, 0.75, 0, 0, 0.125, 0.75, 0, 0.0625, 0.0625)
	nearly := together(para(0, 1.0625), curv(0, full), curv(0, 30000, full))
	out := map[string][]byte{}
	for channels, space := range map[int]string{3: "RGB ", 4: "CMYK"} {
		count := map[int]int{3: 125, 4: 625}[channels]
		head := []byte{5, 5, 5, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0}
		grid := append(head, nodes(count, 2, channels == 4)...)
		out["noise of mft1 "+space] = device(space, "Lab ").tag("A2B0", lutTag("mft1", channels, 5, ramp8(), ramp8(), nodes(count, 1, channels == 4))).bytes()
		out["noise of mft2 "+space] = device(space, "Lab ").tag("A2B0", lutTag("mft2", channels, 5, words(0, 9000, full), words(0, full), nodes(count, 2, channels == 4))).bytes()
		out["noise of mAB "+space] = device(space, "Lab ").v4().tag("A2B0", aToB(channels, [5][]byte{nearly, matrix, nearly, grid, bent})).bytes()
	}
	return out
}
