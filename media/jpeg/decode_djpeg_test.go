package jpeg

import (
	"bytes"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/media/mediatest"
)

// withoutRace skips a test that looks at millions of samples, one after the other.
func withoutRace(t *testing.T) {
	t.Helper()
	if raceEnabled {
		t.Skip("SKIPPED under the race detector: run go test without -race too")
	}
}

// needDjpeg returns libjpeg-turbo's decoder, or skips the test.
func needDjpeg(t *testing.T) string {
	t.Helper()
	djpeg, err := exec.LookPath("djpeg")
	if err != nil {
		t.Skip("SKIPPED: djpeg of libjpeg-turbo is not installed (apt-get install libjpeg-turbo-progs)")
	}
	return djpeg
}

// runDjpeg returns the pixels that djpeg makes of a file, three bytes for each.
func runDjpeg(t *testing.T, data []byte, size int, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), needDjpeg(t), append(args, "-ppm")...)
	var said bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(data), &said
	out, err := cmd.Output()
	if err != nil || len(out) < size {
		t.Fatalf("djpeg %v: %v, %d bytes: %s", args, err, len(out), said.String())
	}
	return out[len(out)-size:]
}

// Every decoder gives nearly the same, but for a half and a quarter: there libjpeg-turbo
// averages what it has made of all frequencies, where we leave the high ones out. It
// makes more samples of a component that the file has fewer of, which are averaged here.
func TestCameraPhotosAgainstDjpeg(t *testing.T) {
	needDjpeg(t)
	withoutRace(t)
	for _, name := range mediatest.PhotosIn(t, "camera") {
		if filepath.Ext(name) != ".jpg" {
			continue
		}
		for side := 1; side <= 8; side++ {
			least := 45.0
			switch {
			case side == 4 || side == 2:
				least = 42 // 38 are wanted
			case side < 8 && !strings.Contains(name, "/p12"): // baseline in 4:2:0 and 4:4:4, and progressive
				continue
			}
			t.Run(fmt.Sprintf("%s at %d eighths", name, side), func(t *testing.T) {
				t.Parallel()
				if got := likeDjpeg(t, mediatest.Photo(t, name), side); got < least {
					t.Errorf("got %.1f dB, want %.0f at least", got, least)
				} else {
					t.Logf("%.1f dB", got)
				}
			})
		}
	}
}

// likeDjpeg is the peak signal-to-noise ratio of the samples of all components.
func likeDjpeg(t *testing.T, data []byte, side int) float64 {
	t.Helper()
	d, err := NewDecoder(data)
	if err != nil {
		t.Fatal(err)
	}
	d.Scale(side)
	width, height := d.Size()
	planes, _, err := d.ReadPlanes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pixels := runDjpeg(t, data, 3*width*height, "-scale", fmt.Sprintf("%d/8", side))
	squares, samples := 0.0, 0.0
	for c := range planes {
		p := &planes[c]
		across, down := (width+p.Width-1)/p.Width, (height+p.Height-1)/p.Height
		for y := range p.Height {
			for x, ours := range p.Row(y) {
				sum, n := 0.0, 0.0
				for j := y * down; j < min((y+1)*down, height); j++ {
					for i := x * across; i < min((x+1)*across, width); i++ {
						sum, n = sum+component(pixels[3*(j*width+i):], c), n+1
					}
				}
				squares += (float64(ours) - sum/n) * (float64(ours) - sum/n)
			}
		}
		samples += float64(p.Width * p.Height)
	}
	return 10 * math.Log10(255*255*samples/squares)
}

// component is a component of a pixel of red, green and blue (ITU-T T.871, 7).
func component(px []byte, c int) float64 {
	r, g, b := float64(px[0]), float64(px[1]), float64(px[2])
	switch c {
	case 0:
		return 0.299*r + 0.587*g + 0.114*b
	case 1:
		return 128 - 0.168736*r - 0.331264*g + 0.5*b
	default:
		return 128 + 0.5*r - 0.418688*g - 0.081312*b
	}
}
