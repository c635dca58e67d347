package icc

import (
	"math"
	"math/rand/v2"
	"testing"
)

func srgbPrimaries() [3][3]float64 { return primaries(0.64, 0.33, 0.30, 0.60, 0.15, 0.06) }
func p3Primaries() [3][3]float64   { return primaries(0.680, 0.320, 0.265, 0.690, 0.150, 0.060) }

func mustParse(t *testing.T, profile []byte) *Transform {
	t.Helper()
	got, err := Parse(profile)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return got
}

// wanted is the sRGB number of some light, in floating point.
func wanted(light float64) float64 {
	light = math.Min(math.Max(light, 0), 1)
	if light <= 0.0031308 {
		return 255 * 12.92 * light
	}
	return 255 * (1.055*math.Pow(light, 1/2.4) - 0.055)
}

// compare allows for half a code of rounding and the tenth that 16 bits of light
// may cost.
func compare(t *testing.T, tr *Transform, reference func([]float64) [3]float64) {
	t.Helper()
	compareWithin(t, 0.6, tr, reference)
}

// compareWithin converts pixels, at once and by way of light, and holds them
// against a reference that gives the three linear lights of sRGB.
func compareWithin(t *testing.T, allowed float64, tr *Transform, reference func([]float64) [3]float64) {
	t.Helper()
	const pixels = 4000
	n := tr.Channels()
	rng := rand.New(rand.NewPCG(1, 2))
	src := make([]uint16, n*pixels)
	for i := range src {
		switch rng.IntN(8) {
		case 0:
			src[i] = 0
		case 1:
			src[i] = full
		case 2:
			src[i] = uint16(rng.IntN(4000))
		default:
			src[i] = uint16(rng.IntN(full + 1))
		}
	}
	direct, byLight := make([]uint8, 3*pixels), make([]uint8, 3*pixels)
	tr.Convert(direct, src)
	light := make([]uint16, len(src))
	tr.Light(light, src)
	tr.ConvertLight(byLight, light)
	in := make([]float64, n)
	for i := range pixels {
		for j := range in {
			in[j] = float64(src[n*i+j]) / full
		}
		for j, l := range reference(in) {
			want := wanted(l)
			if d, b := float64(direct[3*i+j]), float64(byLight[3*i+j]); math.Abs(d-want) > allowed || math.Abs(b-want) > allowed {
				t.Fatalf("%v becomes %v in channel %d, and %v by way of light, want %.2f", src[n*i:n*i+n], d, j, b, want)
			}
		}
	}
}

// formulaReference are the functions of ICC.1 table 68, as they stand there.
func formulaReference(kind int, p ...float64) func(float64) float64 {
	return func(x float64) float64 {
		switch {
		case kind == 0:
			return math.Pow(x, p[0])
		case kind == 1 && x >= -p[2]/p[1]:
			return math.Pow(p[1]*x+p[2], p[0])
		case kind == 1:
			return 0
		case kind == 2 && x >= -p[2]/p[1]:
			return math.Pow(p[1]*x+p[2], p[0]) + p[3]
		case kind == 2:
			return p[3]
		case kind == 3 && x >= p[4]:
			return math.Pow(p[1]*x+p[2], p[0])
		case kind == 3:
			return p[3] * x
		case x >= p[4]:
			return math.Pow(p[1]*x+p[2], p[0]) + p[5]
		}
		return p[3]*x + p[6]
	}
}

func entriesReference(entries ...int) func(float64) float64 {
	return func(x float64) float64 {
		at := x * float64(len(entries)-1)
		i := min(int(at), len(entries)-2)
		a, b := float64(entries[i]), float64(entries[i+1])
		return (a + (b-a)*(at-float64(i))) / full
	}
}

func TestCurves(t *testing.T) {
	steep := []int{0, 300, 1000, 5000, 12000, 33000, full}
	for name, c := range map[string]struct {
		data []byte
		want func(float64) float64
	}{
		"curv of none":    {curv(), func(x float64) float64 { return x }},
		"curv of one":     {curv(0x0240), func(x float64) float64 { return math.Pow(x, 2.25) }},
		"curv of two":     {curv(0, full), func(x float64) float64 { return x }},
		"curv of seven":   {curv(steep...), entriesReference(steep...)},
		"curv of 1024":    {curvOf(1024, decodeSRGB), decodeSRGB},
		"para 0":          {para(0, 1.8), formulaReference(0, 1.8)},
		"para 1":          {para(1, 2.4, 1/1.0625, 0.0625/1.0625), formulaReference(1, 2.4, 1/1.0625, 0.0625/1.0625)},
		"para 1 from 0.1": {para(1, 2, 1.125, -0.125), formulaReference(1, 2, 1.125, -0.125)},
		"para 2":          {para(2, 2, 0.9375, -0.0625, 0.234375), formulaReference(2, 2, 0.9375, -0.0625, 0.234375)},
		"para 3":          {para(3, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045), formulaReference(3, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045)},
		"para 4":          {para(4, 2.25, 0.875, 0.09375, 0.25, 0.0625, 0.03125, 0), formulaReference(4, 2.25, 0.875, 0.09375, 0.25, 0.0625, 0.03125, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			got, size, err := readCurve(append(c.data, 0, 0))
			if err != nil || size != len(c.data) {
				t.Fatalf("got %d bytes, %v; want %d", size, err, len(c.data))
			}
			for i, v := range got {
				want := min(max(c.want(float64(i)/full), 0), 1) * full
				if math.Abs(float64(v)-want) > 4 {
					t.Fatalf("%d becomes %d, want %.1f", i, v, want)
				}
			}
		})
	}
}

func TestMatrixProfiles(t *testing.T) {
	gamma := func(x float64) float64 { return math.Pow(x, 563.0/256) }
	power := func(x float64) float64 { return math.Pow(x, 1.8) }
	for name, c := range map[string]struct {
		tone []byte
		want func(float64) float64
		to   [3][3]float64
	}{
		"Display P3": {para(3, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045), decodeSRGB, p3Primaries()},
		"Adobe RGB":  {curv(563), gamma, primaries(0.64, 0.33, 0.21, 0.71, 0.15, 0.06)},
		"Rec 2020": {para(3, 1/0.45, 1/1.0993, 0.0993/1.0993, 1/4.5, 0.08145),
			formulaReference(3, 1/0.45, 1/1.0993, 0.0993/1.0993, 1/4.5, 0.08145), primaries(0.708, 0.292, 0.170, 0.797, 0.131, 0.046)},
		"ProPhoto": {para(0, 1.8), power, [3][3]float64{{0.7976749, 0.1351917, 0.0313534}, {0.2880402, 0.7118741, 0.0000857}, {0, 0, 0.82521}}},
		"linear":   {curv(), func(x float64) float64 { return x }, p3Primaries()},
	} {
		t.Run(name, func(t *testing.T) {
			for version := range 2 {
				m := device("RGB ", "XYZ ").colorants(c.to).tone(c.tone)
				m.version = byte(2 + 2*version)
				tr := mustParse(t, m.bytes())
				checkGrays(t, tr)
				compare(t, tr, func(in []float64) [3]float64 {
					return apply(product(inverse(srgbPrimaries()), c.to), [3]float64{c.want(in[0]), c.want(in[1]), c.want(in[2])})
				})
			}
		})
	}
}

// checkGrays wants white white, black black and grays gray.
func checkGrays(t *testing.T, tr *Transform) {
	t.Helper()
	src, dst := make([]uint16, 3), make([]uint8, 3)
	for v := range 256 {
		for i := range src {
			src[i] = uint16(v * 257)
		}
		tr.Convert(dst, src)
		if dst[0] != dst[1] || dst[1] != dst[2] || v == 0 && dst[0] != 0 || v == 255 && dst[0] != 255 {
			t.Fatalf("gray %d becomes %v", v, dst)
		}
	}
}

// Each channel has its own curve.
func TestCurvesOfEachChannel(t *testing.T) {
	to := p3Primaries()
	tr := mustParse(t, device("RGB ", "XYZ ").colorants(to).tone(para(0, 1.8), para(0, 2.2), para(0, 2.6)).bytes())
	compare(t, tr, func(in []float64) [3]float64 {
		return apply(product(inverse(srgbPrimaries()), to), [3]float64{math.Pow(in[0], 1.8), math.Pow(in[1], 2.2), math.Pow(in[2], 2.6)})
	})
}

// Colorants that miss white by more than rounding are taken as they are, and by
// more than two codes for broken.
func TestWhiteOfColorants(t *testing.T) {
	for _, c := range []struct {
		factor float64
		want   uint8
		ok     bool
	}{{1, 255, true}, {0.9985, 255, true}, {0.99, 254, true}, {1.01, 255, true}, {0.97, 0, false}, {1.05, 0, false}} {
		to := p3Primaries()
		for i := range to {
			for j := range to[i] {
				to[i][j] *= c.factor
			}
		}
		tr, err := Parse(device("RGB ", "XYZ ").colorants(to).tone(curv(512)).bytes())
		if (err == nil) != c.ok {
			t.Errorf("white at %v: got %v, want it taken: %v", c.factor, err, c.ok)
		}
		if err != nil {
			continue
		}
		dst := make([]uint8, 3)
		tr.Convert(dst, []uint16{full, full, full})
		if dst[0] != c.want || dst[1] != c.want || dst[2] != c.want {
			t.Errorf("white at %v: got %v, want %d", c.factor, dst, c.want)
		}
	}
}

func TestSRGBIsRecognised(t *testing.T) {
	for name, tone := range map[string][]byte{
		"formula": para(3, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045), "table": curvOf(1024, decodeSRGB),
	} {
		if mustParse(t, device("RGB ", "XYZ ").colorants(srgbPrimaries()).tone(tone).bytes()) != SRGB() {
			t.Errorf("sRGB by a %s is not recognised", name)
		}
		if mustParse(t, device("GRAY", "XYZ ").tone(tone).bytes()) != Gray() {
			t.Errorf("gray on the curve of sRGB by a %s is not recognised", name)
		}
	}
	if mustParse(t, device("RGB ", "XYZ ").colorants(srgbPrimaries()).tone(curv(563)).bytes()) == SRGB() {
		t.Error("a gamma of 2.2 is taken for the curve of sRGB")
	}
	if mustParse(t, device("GRAY", "XYZ ").tone(curv(563)).bytes()) == Gray() {
		t.Error("a gray gamma of 2.2 is taken for the curve of sRGB")
	}
}

func TestSRGB(t *testing.T) {
	for _, tr := range []*Transform{SRGB(), Gray()} {
		n := tr.Channels()
		src := make([]uint16, 3*(full+1))
		for i := range src {
			src[i] = uint16(i / n)
		}
		src = src[:n*(full+1)]
		dst := make([]uint8, 3*(full+1))
		tr.Convert(dst, src)
		light := make([]uint16, len(src))
		tr.Light(light, src)
		back := make([]uint8, len(dst))
		tr.ConvertLight(back, light)
		for i := range dst {
			v := float64(i/3) / 257
			if got := float64(dst[i]); math.Abs(got-v) > 0.54 {
				t.Fatalf("%d channels: %d becomes %v, want %.3f", n, i/3, got, v)
			}
			if got := float64(back[i]); math.Abs(got-v) > 0.54 {
				t.Fatalf("%d channels: %d becomes %v by way of light, want %.3f", n, i/3, got, v)
			}
		}
	}
}

func TestGrayProfiles(t *testing.T) {
	lightness := func(l float64) float64 {
		if l <= 0.08 {
			return l * 100 * 27 / 24389
		}
		f := (l*100 + 16) / 116
		return f * f * f
	}
	for name, c := range map[string]struct {
		profile *made
		want    func(float64) float64
	}{
		"gamma 1.8":         {device("GRAY", "XYZ ").tone(curv(0x01cd)), func(x float64) float64 { return math.Pow(x, 461.0/256) }},
		"lightness":         {device("GRAY", "Lab ").tone(curv()), lightness},
		"lightness, curved": {device("GRAY", "Lab ").v4().tone(para(0, 1.5)), func(x float64) float64 { return lightness(math.Pow(x, 1.5)) }},
	} {
		t.Run(name, func(t *testing.T) {
			tr := mustParse(t, c.profile.bytes())
			if tr.Channels() != 1 {
				t.Fatalf("got %d channels, want 1", tr.Channels())
			}
			compare(t, tr, func(in []float64) [3]float64 {
				l := c.want(in[0])
				return [3]float64{l, l, l}
			})
		})
	}
}

// Light may be made in place, and averages as light does.
func TestLightAverages(t *testing.T) {
	tr := mustParse(t, device("RGB ", "XYZ ").colorants(p3Primaries()).tone(curv(0x0200)).bytes())
	row := []uint16{full, full, full, 0, 0, 0}
	tr.Light(row, row)
	mean := []uint16{row[0]/2 + row[3]/2, row[1]/2 + row[4]/2, row[2]/2 + row[5]/2}
	dst := make([]uint8, 3)
	tr.ConvertLight(dst, mean)
	if want := uint8(188); dst[0] != want || dst[1] != want || dst[2] != want {
		t.Errorf("half white and half black is %v, want %d", dst, want)
	}
}
