package icc

import (
	"math"
	"testing"
)

// A table that is partly made of lines is what the function is everywhere, to within
// a step of 65,535.
func TestSampledIsTheFunction(t *testing.T) {
	jump := func(v float64) float64 {
		if v < 0.30001 {
			return v / 3
		}
		return v
	}
	for name, f := range map[string]func(float64) float64{
		"decodeSRGB": decodeSRGB, "encodeSRGB": encodeSRGB, "decodeL": decodeL, "line": func(v float64) float64 { return v },
		"gamma 1.8": func(v float64) float64 { return math.Pow(v, 1.8) }, "gamma 0.1": func(v float64) float64 { return math.Pow(v, 0.1) },
		"gamma 200": func(v float64) float64 { return math.Pow(v, 200) }, "jump": jump,
		"clipped": func(v float64) float64 { return 3*v - 1 }, "falls": func(v float64) float64 { return 1 - v*v },
		"no number": func(v float64) float64 { return math.Sqrt(v - 0.5) }, "endless": func(v float64) float64 { return 1 / (v - 0.5) },
	} {
		c := sampled(f)
		others := 0
		for i, got := range c {
			want := int(level(f(float64(i) / full)))
			if d := int(got) - want; d > 1 || d < -1 {
				t.Fatalf("%s: entry %d is %d, want %d", name, i, got, want)
			} else if d != 0 {
				others++
			}
		}
		if others > full/20 {
			t.Errorf("%s: %d entries are a step off, want less than one in twenty", name, others)
		}
	}
}

func TestLightToSRGBIsTheFunction(t *testing.T) {
	for i, got := range lightToSRGB() {
		if want := uint8(rounded(255 * encodeSRGB(float64(i)/full))); got != want {
			t.Fatalf("light %d has code %d, want %d", i, got, want)
		}
	}
}
