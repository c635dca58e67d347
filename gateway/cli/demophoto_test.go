package cli

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"testing"
)

// app1 returns the TIFF block of a JPEG's EXIF segment, found by walking the
// markers as JEITA CP-3451 lays them out.
func app1(t *testing.T, photo []byte) []byte {
	t.Helper()
	for at := 2; at+4 <= len(photo) && photo[at] == 0xff && photo[at+1] != 0xda; {
		size := int(photo[at+2])<<8 | int(photo[at+3])
		segment := photo[at+4 : at+2+size]
		if tiff, found := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); found && photo[at+1] == 0xe1 {
			return tiff
		}
		at += 2 + size
	}
	t.Fatal("no EXIF segment")
	return nil
}

// directory reads an IFD: tag -> its twelve bytes. It checks what readers rely
// on: ascending tags, and no directory behind it.
func directory(t *testing.T, tiff []byte, at uint32) map[uint16][]byte {
	t.Helper()
	n := binary.BigEndian.Uint16(tiff[at:])
	entries := map[uint16][]byte{}
	last := -1
	for i := range uint32(n) {
		entry := tiff[at+2+12*i:][:12]
		tag := binary.BigEndian.Uint16(entry)
		if int(tag) <= last {
			t.Errorf("tag %#x behind %#x", tag, last)
		}
		last = int(tag)
		entries[tag] = entry
	}
	if next := binary.BigEndian.Uint32(tiff[at+2+12*uint32(n):]); next != 0 {
		t.Errorf("another directory at %d", next)
	}
	return entries
}

// degrees reads three rationals.
func degrees(tiff, entry []byte) (v [3]uint32) {
	at := binary.BigEndian.Uint32(entry[8:])
	for i := range v {
		v[i] = binary.BigEndian.Uint32(tiff[at+8*uint32(i):]) / binary.BigEndian.Uint32(tiff[at+8*uint32(i)+4:])
	}
	return v
}

func TestDemoPhotoIsAPhonesPhoto(t *testing.T) {
	photo, err := demoPhoto("LINE")
	if err != nil {
		t.Fatal(err)
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(photo))
	if err != nil || c.Width*c.Height < 12_000_000 || c.Width < c.Height {
		t.Errorf("stored %d × %d, %v; want 12 megapixels, lying", c.Width, c.Height, err)
	}
	if len(photo) < 2<<20 || len(photo) > 10<<20 {
		t.Errorf("%d bytes; want what a phone makes and every channel takes", len(photo))
	}
	tiff := app1(t, photo)
	if string(tiff[:4]) != "MM\x00\x2a" {
		t.Fatalf("TIFF begins with %q", tiff[:4])
	}
	ifd := directory(t, tiff, binary.BigEndian.Uint32(tiff[4:]))
	if want := []byte{0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0}; !bytes.Equal(ifd[0x112], want) {
		t.Errorf("orientation % x, want % x", ifd[0x112], want)
	}
	gps := directory(t, tiff, binary.BigEndian.Uint32(ifd[0x8825][8:]))
	if gps[1][8] != 'N' || gps[3][8] != 'E' || degrees(tiff, gps[2]) != [3]uint32{47, 22, 0} || degrees(tiff, gps[4]) != [3]uint32{8, 32, 0} {
		t.Errorf("GPS says %c %v, %c %v", gps[1][8], degrees(tiff, gps[2]), gps[3][8], degrees(tiff, gps[4]))
	}
	if end := binary.BigEndian.Uint32(gps[4][8:]) + 24; int(end) != len(tiff) {
		t.Errorf("the block has %d bytes, its last value ends at %d", len(tiff), end)
	}
}

func white(c color.Color) bool {
	r, g, b, _ := c.RGBA()
	return r > 0xf000 && g > 0xf000 && b > 0xf000
}

func yellow(c color.Color) bool {
	r, g, b, _ := c.RGBA()
	return r > 0xd000 && g > 0xa000 && b < 0x8000
}

// extent is the smallest rectangle with all pixels that are so. Of large
// pictures it looks at every fourth row and column.
func extent(img image.Image, so func(color.Color) bool) (r image.Rectangle) {
	b := img.Bounds()
	step := 1
	if b.Dx() > 1000 {
		step = 4
	}
	for y := b.Min.Y; y < b.Max.Y; y += step {
		for x := b.Min.X; x < b.Max.X; x += step {
			if so(img.At(x, y)) {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return r
}

// TestDemoPictureFits: whatever the channel is called, its name is whole, also
// in the square that the thumbnail shows.
func TestDemoPictureFits(t *testing.T) {
	square := image.Rect(0, (demoWidth-demoHeight)/2, demoHeight, (demoWidth+demoHeight)/2)
	room := square.Inset(100)
	for _, title := range []string{"Twilio SMS/MMS", "Apple Messages for Business, and more"} {
		img, err := demoPicture(title)
		if err != nil {
			t.Fatal(err)
		}
		for what, got := range map[string]image.Rectangle{"text": extent(img, white), "arrow": extent(img, yellow)} {
			if got.Empty() || !got.In(room) {
				t.Errorf("%s: the %s covers %v, want within %v", title, what, got, room)
			}
		}
	}
}

// pointsUp checks that the arrow in a picture does: it is narrow above and wide
// below.
func pointsUp(t *testing.T, what string, img image.Image) {
	t.Helper()
	arrow := extent(img, yellow)
	width := func(y int) (n int) {
		for x := arrow.Min.X; x < arrow.Max.X; x++ {
			if yellow(img.At(x, y)) {
				n++
			}
		}
		return n
	}
	above, below := width(arrow.Min.Y+arrow.Dy()/5), width(arrow.Max.Y-1-arrow.Dy()/5)
	if arrow.Empty() || 2*above >= below || arrow.Max.Y > img.Bounds().Dy()/2 {
		t.Errorf("%s: the arrow in %v is %d wide above and %d below", what, arrow, above, below)
	}
}
