package jpeg

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	stdjpeg "image/jpeg"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
)

// paint makes an opaque picture.
func paint(width, height int, colour func(x, y int) (r, g, b uint8)) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			p := img.Pix[y*img.Stride+4*x:][:4]
			p[0], p[1], p[2] = colour(x, y)
			p[3] = 0xff
		}
	}
	return img
}

// paintNoise is what a JPEG can hardly make smaller. It is the same every time.
func paintNoise(width, height int) *image.RGBA {
	random := rand.New(rand.NewPCG(1, 2))
	return paint(width, height, func(int, int) (r, g, b uint8) {
		n := random.Uint32()
		return uint8(n), uint8(n >> 8), uint8(n >> 16)
	})
}

// paintScene is like a photo: soft shades, a few edges, a little grain.
func paintScene(width, height int) *image.RGBA {
	random := rand.New(rand.NewPCG(3, 4))
	return paint(width, height, func(x, y int) (r, g, b uint8) {
		u, v := float64(x)/float64(width), float64(y)/float64(height)
		light := 120 + 70*math.Sin(5*u+3*v) + 8*random.NormFloat64()
		if math.Hypot(u-0.5, v-0.4) < 0.2 {
			light -= 50
		}
		part := func(f float64) uint8 { return uint8(min(max(light*f, 0), 255)) }
		return part(1.1 - 0.2*v), part(1), part(0.7 + 0.3*u)
	})
}

func paintGray(width, height int) *image.RGBA {
	return paint(width, height, func(x, y int) (r, g, b uint8) { v := uint8(5*x + 3*y); return v, v, v })
}

func decodePlain(t testing.TB, data []byte) image.Image {
	t.Helper()
	img, err := stdjpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("what was written does not decode: %v", err)
	}
	return img
}

// likeness is the peak signal-to-noise ratio of all three colours, in dB.
func likeness(a *image.RGBA, b image.Image) float64 {
	other := image.NewRGBA(a.Rect)
	draw.Draw(other, a.Rect, b, b.Bounds().Min, draw.Src)
	sum := 0.0
	for i, v := range a.Pix {
		d := float64(v) - float64(other.Pix[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255/(sum/float64(len(a.Pix)*3/4)+1e-9))
}

func bySampling(t *testing.T, test func(t *testing.T, s Sampling)) {
	t.Helper()
	for name, s := range map[string]Sampling{"4:4:4": Full, "4:2:0": Halved} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

func TestEncodeLooksLikeThePicture(t *testing.T) {
	img := paintScene(333, 251)
	bySampling(t, func(t *testing.T, s Sampling) {
		plan := NewPlan(img, s)
		for quality, least := range map[int]float64{10: 26, 40: 29, 75: 31, 90: 34, 100: 38} {
			got := likeness(img, decodePlain(t, plan.Encode(quality)))
			if got < least {
				t.Errorf("quality %d: got %.1f dB, want at least %.1f", quality, got, least)
			}
		}
	})
}

// The other encoder rounds more often and takes its codes from the book.
func TestEncodeIsSmallerAndNotWorseThanTheOther(t *testing.T) {
	img := paintScene(400, 300)
	for _, quality := range []int{40, 75, 90} {
		var other bytes.Buffer
		if err := stdjpeg.Encode(&other, img, &stdjpeg.Options{Quality: quality}); err != nil {
			t.Fatal(err)
		}
		got := NewPlan(img, Halved).Encode(quality)
		if float64(len(got)) > 0.99*float64(other.Len()) {
			t.Errorf("quality %d: got %d bytes, want less than %d", quality, len(got), other.Len())
		}
		ours, theirs := likeness(img, decodePlain(t, got)), likeness(img, decodePlain(t, other.Bytes()))
		if ours < theirs-0.05 {
			t.Errorf("quality %d: got %.2f dB, want %.2f", quality, ours, theirs)
		}
	}
}

func TestEncodeOfEverySize(t *testing.T) {
	bySampling(t, func(t *testing.T, s Sampling) {
		for height := 1; height <= 17; height++ {
			for width := 1; width <= 17; width++ {
				for name, img := range map[string]*image.RGBA{"coloured": paintScene(width, height), "gray": paintGray(width, height)} {
					data := NewPlan(img, s).Encode(90)
					checkWritten(t, fmt.Sprintf("%s, %d x %d", name, width, height), img, data)
					if got := likeness(img, decodePlain(t, data)); got < 25 {
						t.Errorf("%s, %d x %d: got %.1f dB, want 25", name, width, height, got)
					}
				}
			}
		}
	})
}

// checkWritten checks what holds for every file that is written.
func checkWritten(t *testing.T, name string, img *image.RGBA, data []byte) {
	t.Helper()
	if b := decodePlain(t, data).Bounds(); b.Size() != img.Rect.Size() {
		t.Errorf("%s: decoded to %v, want %v", name, b, img.Rect)
	}
	width, height, err := Verify(data)
	if err != nil || width != img.Rect.Dx() || height != img.Rect.Dy() {
		t.Errorf("%s: verified as %d x %d and %v, want %v", name, width, height, err, img.Rect.Size())
	}
}

func TestEncodeOfExtremes(t *testing.T) {
	black := func(int, int) (r, g, b uint8) { return 0, 0, 0 }
	board := func(size int, odd [3]uint8) func(x, y int) (r, g, b uint8) {
		return func(x, y int) (r, g, b uint8) {
			if (x/size+y/size)%2 == 0 {
				return ^odd[0], ^odd[1], ^odd[2]
			}
			return odd[0], odd[1], odd[2]
		}
	}
	rows := map[string]struct {
		img   *image.RGBA
		least float64 // dB at quality 100, in 4:4:4
	}{
		"black":                {paint(40, 40, black), 60},
		"blue":                 {paint(40, 40, func(int, int) (r, g, b uint8) { return 0, 0, 255 }), 45},
		"black and white":      {paint(40, 40, board(1, [3]uint8{})), 45},
		"blocks of both":       {paint(40, 40, board(8, [3]uint8{})), 60},
		"blue and yellow":      {paint(40, 40, board(1, [3]uint8{0, 0, 255})), 38},
		"red and cyan":         {paint(40, 40, board(8, [3]uint8{255, 0, 0})), 45},
		"magenta, half blocks": {paint(40, 40, board(4, [3]uint8{255, 0, 255})), 38},
		"noise":                {paintNoise(40, 40), 38},
	}
	for name, row := range rows {
		for _, s := range []Sampling{Full, Halved} {
			for _, quality := range []int{1, 50, 100} {
				data := NewPlan(row.img, s).Encode(quality)
				checkWritten(t, name, row.img, data)
				got := likeness(row.img, decodePlain(t, data))
				if quality == 100 && s == Full && got < row.least {
					t.Errorf("%s: got %.1f dB, want %.1f", name, got, row.least)
				}
			}
		}
	}
}

func TestEncodeWritesGrayAsOneComponent(t *testing.T) {
	if _, gray := decodePlain(t, NewPlan(paintGray(30, 20), Halved).Encode(90)).(*image.Gray); !gray {
		t.Error("got colours for a gray picture")
	}
	img := paintGray(30, 20)
	img.Pix[len(img.Pix)-2]++ // the blue of the last pixel
	if _, gray := decodePlain(t, NewPlan(img, Halved).Encode(90)).(*image.Gray); gray {
		t.Error("got no colours for a picture with a coloured pixel")
	}
}

func TestEncodeIsDeterministic(t *testing.T) {
	img := paintScene(100, 75)
	first := NewPlan(img, Halved)
	if !bytes.Equal(first.Encode(80), first.Encode(80)) || !bytes.Equal(first.Encode(80), NewPlan(img, Halved).Encode(80)) {
		t.Error("the same picture made two files")
	}
}

// A picture cut from a larger one has rows that do not lie side by side.
func TestEncodeOfACut(t *testing.T) {
	whole := paintScene(64, 48)
	cut := whole.SubImage(image.Rect(9, 7, 9+31, 7+22)).(*image.RGBA)
	alone := image.NewRGBA(image.Rect(0, 0, 31, 22))
	draw.Draw(alone, alone.Rect, cut, cut.Rect.Min, draw.Src)
	if !bytes.Equal(NewPlan(cut, Halved).Encode(90), NewPlan(alone, Halved).Encode(90)) {
		t.Error("a cut and its copy made two files")
	}
}

func TestPlanMemory(t *testing.T) {
	for _, s := range []Sampling{Full, Halved} {
		img := paintNoise(301, 203)
		want := PlanMemory(301, 203, s)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		NewPlan(img, s)
		runtime.ReadMemStats(&after)
		const pages = 3 * 8192 // large slices are whole pages
		if got := int64(after.TotalAlloc - before.TotalAlloc); got < want || got > want+pages {
			t.Errorf("sampling %d: allocated %d bytes, reckoned %d", s, got, want)
		}
	}
}

func FuzzEncode(f *testing.F) {
	f.Add([]byte("a few bytes of pixels"), uint8(5), uint8(3), uint8(90), true)
	f.Add([]byte{0, 255}, uint8(17), uint8(16), uint8(100), false)
	f.Add([]byte{7}, uint8(0), uint8(0), uint8(1), false)
	f.Fuzz(func(t *testing.T, pixels []byte, width, height, quality uint8, full bool) {
		if len(pixels) == 0 {
			return
		}
		img := image.NewRGBA(image.Rect(0, 0, 1+int(width), 1+int(height)))
		for i := range img.Pix {
			img.Pix[i] = pixels[i%len(pixels)]
		}
		s := Halved
		if full {
			s = Full
		}
		checkWritten(t, "fuzz", img, NewPlan(img, s).Encode(1+int(quality)%100))
	})
}

func BenchmarkEncode(b *testing.B) {
	img := paintScene(2016, 1512)
	for name, s := range map[string]Sampling{"4:4:4": Full, "4:2:0": Halved} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				NewPlan(img, s).Encode(90)
			}
		})
		plan := NewPlan(img, s)
		b.Run(name+" planned", func(b *testing.B) {
			for b.Loop() {
				plan.Encode(90)
			}
		})
		b.Run(name+" counted", func(b *testing.B) {
			for b.Loop() {
				plan.code(90)
			}
		})
	}
	b.Run("4:2:0 by image/jpeg", func(b *testing.B) {
		for b.Loop() {
			if err := stdjpeg.Encode(new(bytes.Buffer), img, &stdjpeg.Options{Quality: 90}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
