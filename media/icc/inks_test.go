package icc

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

// percent converts inks from 0 to 100.
func percent(tr *Transform, inks ...float64) [3]int {
	src := make([]uint16, len(inks))
	for i, v := range inks {
		src[i] = uint16(math.Round(v / 100 * full))
	}
	dst := make([]uint8, 3)
	tr.Convert(dst, src)
	return [3]int{int(dst[0]), int(dst[1]), int(dst[2])}
}

// What a press does to paper: no ink is white, full inks are what was measured,
// and tints are near what was measured.
func TestInks(t *testing.T) {
	for _, c := range []struct {
		inks []float64
		want [3]int
		near int
	}{
		{[]float64{0, 0, 0, 0}, [3]int{255, 255, 255}, 0},
		{[]float64{0, 0, 0, 100}, [3]int{41, 40, 40}, 1},
		{[]float64{100, 0, 0, 0}, [3]int{0, 160, 228}, 1},
		{[]float64{0, 100, 0, 0}, [3]int{230, 10, 128}, 1},
		{[]float64{0, 0, 100, 0}, [3]int{255, 237, 0}, 1},
		{[]float64{100, 100, 100, 0}, [3]int{59, 59, 58}, 1},
		{[]float64{100, 100, 100, 100}, [3]int{27, 26, 25}, 2},
		{[]float64{0, 0, 0, 50}, [3]int{152, 153, 153}, 5},
		{[]float64{50, 0, 0, 0}, [3]int{127, 206, 244}, 8},
		{[]float64{0, 50, 0, 0}, [3]int{243, 156, 193}, 5},
		{[]float64{0, 0, 50, 0}, [3]int{255, 246, 152}, 8},
		{[]float64{50, 40, 40, 0}, [3]int{147, 147, 147}, 5},
	} {
		if got := percent(Inks(), c.inks...); max(distance(got[0], c.want[0]), distance(got[1], c.want[1]), distance(got[2], c.want[2])) > c.near {
			t.Errorf("inks %v are %v, want %v within %d", c.inks, got, c.want, c.near)
		}
	}
}

func distance(a, b int) int { return max(a-b, b-a) }

// More ink is never brighter, but for rounding and for the colours that sRGB
// cannot show.
func TestMoreInkIsDarker(t *testing.T) {
	for ink := range 4 {
		before := 3 * 255
		for v := range 101 {
			inks := make([]float64, 4)
			inks[ink] = float64(v)
			got := percent(Inks(), inks...)
			sum := got[0] + got[1] + got[2]
			if sum > before+1 {
				t.Errorf("%d %% of ink %d is brighter than less of it", v, ink)
			}
			before = sum
		}
	}
}

// The light of inks is the inks.
func TestLightOfInks(t *testing.T) {
	src := []uint16{1, 2, 3, 4, 50000, 0, 0, full}
	light := make([]uint16, len(src))
	Inks().Light(light, src)
	direct, byLight := make([]uint8, 6), make([]uint8, 6)
	Inks().Convert(direct, src)
	Inks().ConvertLight(byLight, light)
	if string(direct) != string(byLight) {
		t.Errorf("got %v by way of light, want %v", byLight, direct)
	}
}

// measurement is a measured colour: inks in percent, and X, Y and Z.
type measurement struct {
	inks []float64
	xyz  [3]float64
}

// measurements reads a file of the package icc-profiles-free.
func measurements(t *testing.T, name string) []measurement {
	t.Helper()
	file, err := os.Open("/usr/share/color/icc/" + name)
	if err != nil {
		t.Skipf("SKIPPED, the measurements are not here: %v", err)
	}
	defer file.Close()
	var all []measurement
	for lines := bufio.NewScanner(file); lines.Scan(); {
		m := measurement{inks: make([]float64, 4)}
		var id string
		n, _ := fmt.Sscan(strings.TrimSpace(lines.Text()), &id, &m.inks[0], &m.inks[1], &m.inks[2], &m.inks[3], &m.xyz[0], &m.xyz[1], &m.xyz[2])
		if n == 8 {
			all = append(all, m)
		}
	}
	return all
}

// The model is near all that was measured.
func TestInksAgainstMeasurements(t *testing.T) {
	all := measurements(t, "TR006.ti3")
	var paper [3]float64
	for _, m := range all {
		if m.inks[0]+m.inks[1]+m.inks[2]+m.inks[3] == 0 {
			paper = m.xyz
		}
	}
	sum, n := 0.0, 0.0
	for _, m := range all {
		light := apply(inverse(srgbPrimaries()), [3]float64{m.xyz[0] / paper[0] * whiteX, m.xyz[1] / paper[1], m.xyz[2] / paper[2] * whiteZ})
		got := percent(Inks(), m.inks...)
		for i, l := range light {
			d := math.Abs(float64(got[i]) - wanted(l))
			sum, n = sum+d, n+1
			if d > 28 {
				t.Errorf("inks %v: got %v, want %.1f in channel %d", m.inks, got, wanted(l), i)
			}
		}
	}
	t.Logf("%d colours: mean difference %.2f", len(all), sum/n)
	if n == 0 || sum/n > 2 {
		t.Errorf("the mean difference is %.2f, want at most 2", sum/n)
	}
}
