package media

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"github.com/lightlock/lightlock/media/png"
	"image"
	"image/color"
	"slices"
	"testing"
)

func TestInspectPNG(t *testing.T) {
	whole := makePNG(t, scene(16, 16))
	paletted := makePNG(t, image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{color.White, color.NRGBA{1, 2, 3, 4}}))
	flipped := slices.Clone(whole)
	flipped[len(flipped)-20] ^= 1 // in IDAT
	text := chunk("tEXt", []byte("a\x00b"))
	badText := slices.Clone(text)
	badText[len(badText)-1] ^= 1
	frames := chunk("acTL", binary.BigEndian.AppendUint64(nil, 3<<32))
	end := len(whole) - 12
	far := make([][]byte, 0, 101)
	for range 100 {
		far = append(far, chunk("tEXt", make([]byte, 60_000)))
	}
	badEnd := slices.Clone(whole)
	badEnd[len(badEnd)-1] ^= 1
	badColours := slices.Clone(paletted)
	badColours[bytes.Index(badColours, []byte("PLTE"))+5] ^= 1
	rows := []struct {
		name   string
		data   []byte
		reason Reason
		words  string
	}{
		{"whole", whole, "", ""},
		{"with a palette and alpha", paletted, "", ""},
		{"bytes behind the end", append(slices.Clone(whole), "more"...), "", ""},
		{"an animation", withChunks(whole, frames), Animated, "3 frames"},
		{"an animation behind six million bytes", withChunks(whole, append(far, frames)...), Animated, "3 frames"},
		{"what says animation behind the picture", slices.Concat(whole[:end], frames, whole[end:]), "", ""},
		{"a flipped bit", flipped, Corrupt, "checksum"},
		{"a flipped bit in the palette", badColours, Corrupt, "checksum"},
		{"a flipped bit beside the picture", withChunks(whole, badText), "", ""},
		{"a flipped bit behind the picture", slices.Concat(whole[:end], badText, whole[end:]), "", ""},
		{"a flipped bit in the end", badEnd, "", ""},
		{"without its end", whole[:end], "", ""},
		{"cut in its end", whole[:end+5], "", ""},
		{"cut in text behind the picture", slices.Concat(whole[:end], text[:9]), "", ""},
		{"cut in a chunk", whole[:end-3], Corrupt, "cut off"},
		{"a chunk of 4 GB", slices.Concat(whole[:33], []byte("\xff\xff\xff\xffIDAT"), whole[33:]), Corrupt, "cut off"},
		{"signature only", whole[:8], Corrupt, "no picture"},
		{"header only", whole[:33], Corrupt, "no picture"},
		{"no header", slices.Concat(whole[:8], text, whole[8:]), Corrupt, "not IHDR"},
		{"two headers", withChunks(whole, whole[8:33]), Corrupt, "second IHDR"},
		{"no width", pngHeader(0, 8, 8, pngRGB, 0), Corrupt, "0 x 8 pixels"},
		{"depth 3", pngHeader(8, 8, 3, pngRGB, 0), Corrupt, "IHDR"},
		{"colour type 5", pngHeader(8, 8, 8, 5, 0), Corrupt, "IHDR"},
		{"no palette", slices.Concat(pngHeader(8, 8, 8, pngPalette, 0), chunk("IDAT", make([]byte, 50))), Corrupt, "palette"},
		{"one row too many", pngHeader(10_000, 10_001, 1, pngGray, 0), TooManyPixels, "10,000 x 10,001 pixels"},
		{"too much memory", slices.Concat(pngHeader(8_200, 8_200, 16, pngRGBA, 1), chunk("IDAT", make([]byte, 600_000))), TooComplex, "of memory; the limit is 512 MB"},
		{"a line of a hundred million pixels", slices.Concat(pngHeader(100_000_000, 1, 1, pngGray, 0), chunk("IDAT", make([]byte, 20_000))), TooComplex, "100,000,000 pixels long"},
		{"too many chunks", withChunks(whole, repeat(text, maxParts)...), TooComplex, "parts"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := judge(row.data)
			checkVerdict(t, err, row.reason, row.words)
		})
	}
}

// What libpng only warns of, browsers show: more data than the picture needs, a
// palette of more colours than there are indexes, and transparency that makes no
// sense, which is ignored.
func TestPNGThatOnlyWarns(t *testing.T) {
	red, white := color.RGBA{255, 0, 0, 255}, color.RGBA{255, 255, 255, 255}
	palette := chunk("PLTE", slices.Repeat([]byte{255, 0, 0}, 5))
	none := chunk("tRNS", []byte{0})
	const paletted, full = pngPalette, pngRGB
	for name, row := range map[string]struct {
		colour byte
		depth  byte
		chunks []byte
		more   int
		want   color.RGBA
	}{
		"transparent":                      {paletted, 8, slices.Concat(palette, none), 0, white},
		"transparent before the palette":   {paletted, 8, slices.Concat(none, palette), 0, red},
		"transparent beyond the palette":   {paletted, 8, slices.Concat(palette, chunk("tRNS", make([]byte, 6))), 0, red},
		"a palette beyond two bits":        {paletted, 2, palette, 0, red},
		"transparency of the wrong length": {full, 8, chunk("tRNS", []byte{0, 0}), 0, color.RGBA{0, 0, 0, 255}},
		"data for ten rows more":           {paletted, 8, palette, 90, red},
	} {
		t.Run(name, func(t *testing.T) {
			var data bytes.Buffer
			z := zlib.NewWriter(&data)
			n := (8*int(row.depth)*png.Image{Colour: row.colour}.Samples() + 7) / 8
			if _, err := z.Write(make([]byte, 8*(1+n)+row.more)); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			file := slices.Concat(pngHeader(8, 8, row.depth, row.colour, 0), row.chunks, chunk("IDAT", data.Bytes()), chunk("IEND", nil))
			d, err := Develop(t.Context(), file, Default(), nil)
			if err != nil {
				t.Fatal(err)
			}
			checkColour(t, decoded(t, d.Preview), image.Pt(4, 4), row.want)
		})
	}
}

// Data that ends early is found by unpacking: no part of it is shown.
func TestPNGWithShortData(t *testing.T) {
	whole := makePNG(t, noise(40, 40))
	const start = 8 + 25
	n := binary.BigEndian.Uint32(whole[start:])
	data := whole[start+8 : start+8+n]
	for _, keep := range []int{len(data) - 1, len(data) - 5, len(data) / 2} {
		short := slices.Concat(whole[:start], chunk("IDAT", data[:keep]), chunk("IEND", nil))
		if _, err := Develop(t.Context(), short, Default(), nil); !isRejected(err, Corrupt) {
			t.Errorf("%d of %d bytes: got %v, want corrupt", keep, len(data), err)
		}
	}
}

func TestNothingIsLeftOfPNGMetadata(t *testing.T) {
	secret := []byte("CANARY\x00CANARY")
	var beside [][]byte
	for _, name := range []string{"tEXt", "zTXt", "iTXt", "iCCP", "eXIf", "sPLT", "tIME", "prVt"} {
		beside = append(beside, chunk(name, secret))
	}
	data := withChunks(makePNG(t, scene(16, 16)), beside...)
	got, d := verdict(t, append(data, secret...), Default())
	if got != "ready" || d.Profile != ProfileIgnored {
		t.Fatalf("got %s with %+v, want it ready and the profile ignored", got, d)
	}
	checkNothingLeft(t, d, []string{"CANARY"})
}

func FuzzInspectPNG(f *testing.F) {
	f.Add(makePNG(f, scene(8, 8))[8:])
	f.Add(withChunks(makePNG(f, scene(8, 8)), chunk("acTL", make([]byte, 8)))[8:])
	seeds(f, pngSignature, "png")
	f.Fuzz(func(t *testing.T, data []byte) { checkWalk(t, append([]byte(pngSignature), data...)) })
}
