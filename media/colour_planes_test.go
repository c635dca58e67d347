package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"testing"

	"github.com/lightlock/lightlock/media/icc"
	"github.com/lightlock/lightlock/media/jpeg"
	"github.com/lightlock/lightlock/media/mediatest"
)

func parsedProfile(t testing.TB, data []byte) *icc.Transform {
	t.Helper()
	colours, err := icc.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return colours
}

// Every pixel becomes what its numbers are in sRGB, and a sample of colour the average
// of the pixels that share it.
func TestToSRGB(t *testing.T) {
	colours := parsedProfile(t, linearProfile("RGB "))
	for name, covers := range samplings() {
		for _, size := range []image.Point{{1, 1}, {2, 2}, {3, 5}, {16, 16}, {37, 29}, {4, 7}, {7, 4}} {
			n := negativeOf(noise(size.X, size.Y), covers)
			before := negativeOf(noise(size.X, size.Y), covers).pixels()
			if err := n.toSRGB(t.Context(), colours); err != nil {
				t.Fatal(err)
			}
			converted := image.NewRGBA(before.Rect)
			for i := 0; i < len(before.Pix); i += 4 {
				px := before.Pix[i : i+4 : i+4]
				var srgb [3]uint8
				srgb[0], srgb[1], srgb[2] = colours.Table().At(int32(px[0]), int32(px[1]), int32(px[2]))
				copy(converted.Pix[i:], append(srgb[:], 255))
			}
			want := planesOf(converted, covers)
			if !bytes.Equal(n.Y.Pix, want.Y.Pix) {
				t.Errorf("%s, %v: brightness is %v, want %v", name, size, n.Y.Pix, want.Y.Pix)
			}
			if !bytes.Equal(n.Cb.Pix, want.Cb.Pix) || !bytes.Equal(n.Cr.Pix, want.Cr.Pix) {
				t.Errorf("%s, %v: colours are %v and %v, want %v and %v", name, size, n.Cb.Pix, n.Cr.Pix, want.Cb.Pix, want.Cr.Pix)
			}
		}
	}
}

func TestGrayToSRGB(t *testing.T) {
	n := &negative{covers: full(), width: 16, height: 16}
	n.Y = jpeg.NewPlane(16, 16)
	for i := range n.Y.Pix {
		n.Y.Pix[i] = byte(i)
	}
	colours := parsedProfile(t, linearProfile("GRAY"))
	if err := n.toSRGB(t.Context(), colours); err != nil {
		t.Fatal(err)
	}
	for i, v := range n.Y.Pix {
		var srgb [3]uint8
		if colours.Convert(srgb[:], []uint16{wide(byte(i))}); v != srgb[0] {
			t.Errorf("gray %d is %d, want %d", i, v, srgb[0])
		}
	}
}

// sRGB is what it is.
func TestPlainColoursStay(t *testing.T) {
	n := negativeOf(noise(40, 30), half())
	if err := n.toSRGB(t.Context(), icc.SRGB()); err != nil {
		t.Fatal(err)
	}
	if want := planesOf(noise(40, 30), half()); !bytes.Equal(n.Y.Pix, want.Y.Pix) || !bytes.Equal(n.Cb.Pix, want.Cb.Pix) {
		t.Error("a picture in sRGB was changed")
	}
}

func TestToSRGBEndsWithTheContext(t *testing.T) {
	colours := parsedProfile(t, linearProfile("RGB "))
	ctx := &mediatest.Countdown{Context: t.Context(), Left: 3}
	if err := negativeOf(noise(40, 30), half()).toSRGB(ctx, colours); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
}

// hostileProfiles make all that a table or a curve can: the inverse of what is there,
// nothing but white, and noise.
func hostileProfiles() map[string][]byte {
	table := func(entry func(i int) uint16) []byte {
		data := bytes.Clone(linearProfile("GRAY"))
		curve := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), 256)
		for i := range 256 {
			curve = binary.BigEndian.AppendUint16(curve, entry(i))
		}
		binary.BigEndian.PutUint32(data[128+4+8:], uint32(len(curve)))
		return append(data[:144], curve...)
	}
	return map[string][]byte{
		"falling": table(func(i int) uint16 { return uint16(65535 - 257*i) }),
		"white":   table(func(int) uint16 { return 65535 }),
		"noise":   table(func(i int) uint16 { return uint16(i * 40503) }),
	}
}

func TestHostileProfilesInPlanes(t *testing.T) {
	gray := &image.Gray{Pix: bytes.Repeat([]byte{10, 200}, 512), Stride: 32, Rect: image.Rect(0, 0, 32, 32)}
	for name, profile := range hostileProfiles() {
		data := withSegments(makeJPEG(t, gray), segment(jpeg.APP2, append([]byte(profilePrefix+"\x01\x01"), profile...)))
		got, d := verdict(t, data, Default())
		if got != "ready" || d.Profile != ProfileIgnored {
			t.Errorf("%s: got %s and profile %q, want it ready and the profile ignored", name, got, d.Profile)
		}
	}
}

func BenchmarkToSRGB(b *testing.B) {
	for name, covers := range map[string]image.Point{"4:2:0": half(), "4:4:4": full()} {
		b.Run(name, func(b *testing.B) {
			colours := parsedProfile(b, linearProfile("RGB "))
			n := negativeOf(scene(2016, 1512), covers)
			for b.Loop() {
				if err := n.toSRGB(b.Context(), colours); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
