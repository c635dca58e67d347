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
)

// profilesHere are the profiles that this machine has: those of the system and
// those of the sample photos.
func profilesHere(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, pattern := range []string{"/usr/share/color/icc/*.*", "/usr/share/color/icc/*/*.icc", photos(t) + "/*/*.jpg", photos(t) + "/*/*.png"} {
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

// Every profile of this machine is converted as lcms does.
func TestAgainstLCMS(t *testing.T) {
	const colours = 600
	for name, profile := range profilesHere(t) {
		tr, err := Parse(profile)
		if err != nil {
			t.Logf("%s: not used: %v", name, err)
			continue
		}
		rng := rand.New(rand.NewPCG(3, 4))
		src := make([]uint16, tr.Channels()*colours)
		for i := range src {
			src[i] = uint16(rng.IntN(256) * 257)
		}
		got := make([]uint8, 3*colours)
		tr.Convert(got, src)
		want := lcms(t, profile, tr.Channels(), src)
		if len(want) != len(got) {
			t.Fatalf("%s: transicc gives %d numbers, want %d", name, len(want), len(got))
		}
		worst, sum := 0.0, 0.0
		for i, w := range want {
			d := math.Abs(float64(got[i]) - w)
			sum += d
			worst = max(worst, d)
		}
		t.Logf("%s: largest difference %.2f, mean %.3f", name, worst, sum/float64(len(want)))
		if worst > 1.6 {
			t.Errorf("%s: differs from lcms by up to %.2f, want at most 1.6", name, worst)
		}
	}
}
