package jpeg

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	stdjpeg "image/jpeg"
	"math"
	"math/rand/v2"
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
		planes := planesOf(img, s)
		for quality, least := range map[int]float64{10: 26, 40: 29, 75: 31, 90: 34, 100: 38} {
			got := likeness(img, decodePlain(t, Encode(planes, quality)))
			if got < least {
				t.Errorf("quality %d: got %.1f dB, want at least %.1f", quality, got, least)
			}
		}
	})
}

// The other encoder takes its codes from the book.
func TestEncodeIsSmallerAndNotWorseThanTheOther(t *testing.T) {
	img := paintScene(400, 300)
	for _, quality := range []int{40, 75, 90} {
		var other bytes.Buffer
		if err := stdjpeg.Encode(&other, img, &stdjpeg.Options{Quality: quality}); err != nil {
			t.Fatal(err)
		}
		got := Encode(planesOf(img, Halved), quality)
		if float64(len(got)) > 0.99*float64(other.Len()) {
			t.Errorf("quality %d: got %d bytes, want less than %d", quality, len(got), other.Len())
		}
		ours, theirs := likeness(img, decodePlain(t, got)), likeness(img, decodePlain(t, other.Bytes()))
		if ours < theirs-0.05 {
			t.Errorf("quality %d: got %.2f dB, want %.2f", quality, ours, theirs)
		}
	}
}

// planesOfNoise is noise in planes whose rows do not lie side by side.
func planesOfNoise(width, height int, s Sampling, gray bool) *Planes {
	random := rand.New(rand.NewPCG(uint64(width), uint64(height)))
	plane := func(width, height int) Plane {
		p := Plane{width, height, width + 3, make([]byte, (width+3)*(height-1)+width)}
		for i := range p.Pix {
			p.Pix[i] = byte(random.Uint32())
		}
		return p
	}
	p := &Planes{Y: plane(width, height)}
	if gray {
		return p
	}
	if s == Halved {
		width, height = (width+1)/2, (height+1)/2
	}
	p.Cb, p.Cr = plane(width, height), plane(width, height)
	return p
}

// At the best quality every sample comes back, even of noise, and around the
// picture the samples of its edge.
func TestEncodeOfEverySize(t *testing.T) {
	withoutRace(t)
	for height := 1; height <= 33; height++ {
		for width := 1; width <= 33; width++ {
			for kind, p := range map[string]*Planes{
				"4:4:4": planesOfNoise(width, height, Full, false),
				"4:2:0": planesOfNoise(width, height, Halved, false),
				"gray":  planesOfNoise(width, height, Full, true),
			} {
				name := fmt.Sprintf("%s, %d x %d", kind, width, height)
				data := Encode(p, 100)
				checkWritten(t, name, image.Pt(width, height), data)
				switch got := decodePlain(t, data).(type) {
				case *image.Gray:
					checkPlane(t, name+", Y", &p.Y, got.Pix, got.Stride)
				case *image.YCbCr:
					checkPlane(t, name+", Y", &p.Y, got.Y, got.YStride)
					checkPlane(t, name+", Cb", &p.Cb, got.Cb, got.CStride)
					checkPlane(t, name+", Cr", &p.Cr, got.Cr, got.CStride)
				}
			}
		}
	}
}

// checkPlane compares a plane with one that was read, which has whole units.
func checkPlane(t *testing.T, name string, want *Plane, pix []byte, stride int) {
	t.Helper()
	for at, got := range pix {
		x, y := min(at%stride, want.Width-1), min(at/stride, want.Height-1)
		if d := int(got) - int(want.Row(y)[x]); d < -4 || d > 4 {
			t.Fatalf("%s: at %d, %d got %d, want %d", name, at%stride, at/stride, got, want.Row(y)[x])
		}
	}
}

// checkWritten checks what holds for every file that is written.
func checkWritten(t *testing.T, name string, size image.Point, data []byte) {
	t.Helper()
	if b := decodePlain(t, data).Bounds(); b.Size() != size {
		t.Errorf("%s: decoded to %v, want %v", name, b, size)
	}
	width, height, err := Verify(data)
	if err != nil || image.Pt(width, height) != size {
		t.Errorf("%s: verified as %d x %d and %v, want %v", name, width, height, err, size)
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
				data := Encode(planesOf(row.img, s), quality)
				checkWritten(t, name, row.img.Rect.Size(), data)
				got := likeness(row.img, decodePlain(t, data))
				if quality == 100 && s == Full && got < row.least {
					t.Errorf("%s: got %.1f dB, want %.1f", name, got, row.least)
				}
			}
		}
	}
}

func TestEncodeWritesGrayAsOneComponent(t *testing.T) {
	bySampling(t, func(t *testing.T, s Sampling) {
		p := planesOf(paintGray(30, 20), s)
		coloured := Encode(p, 90)
		if _, gray := decodePlain(t, coloured).(*image.Gray); !gray {
			t.Error("got colours for a gray picture")
		}
		if alone := Encode(&Planes{Y: p.Y}, 90); !bytes.Equal(alone, coloured) {
			t.Error("a gray picture without colours makes another file than one whose colours are gray")
		}
		p.Cr.Pix[len(p.Cr.Pix)-1]++
		if _, gray := decodePlain(t, Encode(p, 90)).(*image.Gray); gray {
			t.Error("got no colours for a picture with a coloured sample")
		}
	})
}

func TestEncodeIsDeterministic(t *testing.T) {
	p := planesOf(paintScene(100, 75), Halved)
	if !bytes.Equal(Encode(p, 80), Encode(p, 80)) {
		t.Error("the same picture made two files")
	}
}

func TestEncodeOfPlanesThatDoNotBelongTogether(t *testing.T) {
	plane := NewPlane
	for name, p := range map[string]*Planes{
		"no samples":           {},
		"too wide":             {Y: plane(65_536, 1)},
		"too high":             {Y: plane(1, 65_536)},
		"colours rounded down": {plane(5, 5), plane(2, 2), plane(2, 2)},
		"half as wide only":    {plane(8, 8), plane(4, 8), plane(4, 8)},
		"half as high only":    {plane(8, 8), plane(8, 4), plane(8, 4)},
		"two sizes":            {plane(8, 8), plane(8, 8), plane(4, 4)},
		"one colour":           {Y: plane(8, 8), Cb: plane(8, 8)},
		"the other colour":     {Y: plane(8, 8), Cr: plane(8, 8)},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("a file was written")
				}
			}()
			Encode(p, 90)
		})
	}
}

// What is counted is what is written, but for what is stuffed.
func TestEncodeCountsItsBytes(t *testing.T) {
	for name, img := range map[string]*image.RGBA{"scene": paintScene(301, 203), "noise": paintNoise(150, 130), "gray": paintGray(80, 40), "small": paintScene(3, 2)} {
		bySampling(t, func(t *testing.T, s Sampling) {
			for quality := 1; quality <= 100; quality += 11 {
				e := newEncoder(planesOf(img, s))
				c := e.code(quality, 1<<30, true)
				data := e.write(c)
				scan := data[bytes.Index(data, []byte{0xff, SOS}):]
				if stuffed := bytes.Count(scan, []byte{0xff, 0}); len(data) != c.size+stuffed {
					t.Errorf("%s, quality %d: counted %d bytes and stuffed %d, but wrote %d", name, quality, c.size, stuffed, len(data))
				}
			}
		})
	}
}

func FuzzEncode(f *testing.F) {
	f.Add([]byte("a few samples"), uint8(5), uint8(3), uint8(90), uint8(0))
	f.Add([]byte{0, 255}, uint8(17), uint8(16), uint8(100), uint8(1))
	f.Add([]byte{7}, uint8(0), uint8(0), uint8(1), uint8(2))
	f.Add([]byte{255, 0, 0}, uint8(32), uint8(40), uint8(99), uint8(0))
	f.Fuzz(func(t *testing.T, samples []byte, width, height, quality, kind uint8) {
		if len(samples) == 0 {
			return
		}
		size := image.Pt(1+int(width), 1+int(height))
		p := planesOfNoise(size.X, size.Y, Sampling(kind%2), kind%3 == 2)
		at := 0
		for _, plane := range []*Plane{&p.Y, &p.Cb, &p.Cr} {
			for i := range plane.Pix {
				plane.Pix[i] = samples[at%len(samples)]
				at++
			}
		}
		checkWritten(t, "fuzz", size, Encode(p, 1+int(quality)%100))
	})
}
