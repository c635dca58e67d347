package media

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"image"
	"slices"
	"testing"

	"github.com/lightlock/lightlock/media/icc"
	"github.com/lightlock/lightlock/media/jpeg"
	"github.com/lightlock/lightlock/media/mediatest"
	"github.com/lightlock/lightlock/media/png"
)

// interlacedPNG is a PNG of zeros in seven passes. Its size is a multiple of 8.
func interlacedPNG(t *testing.T, width, height uint32, depth, colour byte) []byte {
	t.Helper()
	var raw bytes.Buffer
	z := zlib.NewWriter(&raw)
	for _, pass := range [][2]uint32{{8, 8}, {8, 8}, {4, 8}, {4, 4}, {2, 4}, {2, 2}, {1, 2}} {
		row := make([]byte, 1+width/pass[0]*uint32(depth)*uint32(png.Image{Colour: colour}.Samples())/8)
		for range height / pass[1] {
			if _, err := z.Write(row); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return slices.Concat(pngHeader(width, height, depth, colour, 1), chunk("IDAT", raw.Bytes()), chunk("IEND", nil))
}

// The budget is worth something only if decoders allocate what was reckoned, and
// not much less, or photos would be refused for nothing.
func TestMemoryIsReckonedAsAllocated(t *testing.T) {
	withoutRace(t)
	const slack = 256 << 10 // tables, buffers and the window of zlib
	bounds := image.Rect(0, 0, 1000, 800)
	rgb := scene(1000, 800)
	faded := image.NewNRGBA(bounds)
	rows := map[string][]byte{
		"JPEG 4:2:0":                  makeJPEG(t, rgb),
		"JPEG 4:2:0, large":           makeJPEG(t, scene(2016, 1512)),
		"JPEG 4:2:0, at half":         makeJPEG(t, scene(3200, 2400)),
		"JPEG 4:2:0, resampled":       makeJPEG(t, scene(2600, 1300)),
		"JPEG 4:4:4":                  jpegOf(t, planesOf(scene(1000, 800), full()), full()),
		"JPEG 4:4:4, small":           jpegOf(t, planesOf(scene(800, 800), full()), full()),
		"JPEG 4:4:4, resampled":       jpegOf(t, planesOf(scene(2400, 2000), full()), full()),
		"JPEG 4:1:1":                  jpegOf(t, planesOf(scene(1000, 800), image.Pt(4, 1)), image.Pt(4, 1)),
		"JPEG gray":                   makeJPEG(t, image.NewGray(bounds)),
		"JPEG progressive, gray":      progressive(1000, 800, scan(1, 0, 0, 0)),
		"PNG":                         makePNG(t, rgb),
		"PNG with alpha":              makePNG(t, faded),
		"PNG gray":                    makePNG(t, image.NewGray(bounds)),
		"PNG gray, 16 bits":           makePNG(t, image.NewGray16(bounds)),
		"PNG 16 bits with alpha":      makePNG(t, image.NewNRGBA64(bounds)),
		"PNG interlaced":              interlacedPNG(t, 1000, 800, 8, pngRGB),
		"PNG interlaced, 16 bits":     interlacedPNG(t, 1000, 800, 16, pngRGBA),
		"GIF":                         makeGIF(t, bounds.Max, frame(bounds, image.White.C)),
		"GIF with less than a screen": makeGIF(t, image.Pt(2000, 2000), frame(bounds, image.White.C)),
	}
	for name, data := range rows {
		t.Run(name, func(t *testing.T) { checkReading(t, data, Default(), slack) })
	}
}

// Of a large thumbnail what makes it takes more than it does itself.
func TestMemoryOfLargeThumbnails(t *testing.T) {
	withoutRace(t)
	const slack = 64 << 10
	s := Default()
	s.Thumbnail.Side = 1024
	for name, covers := range samplings() {
		for _, size := range []image.Point{{600, 600}, {1000, 800}, {2100, 2100}} {
			data := jpegOf(t, planesOf(scene(size.X, size.Y), covers), covers)
			t.Run(fmt.Sprint(name, size), func(t *testing.T) {
				checkReading(t, data, s, slack)
				checkReading(t, data, Default(), slack)
			})
		}
	}
	for name, data := range map[string][]byte{"PNG": makePNG(t, scene(1000, 800)), "PNG gray": makePNG(t, image.NewGray(image.Rect(0, 0, 1000, 800)))} {
		t.Run(name, func(t *testing.T) { checkReading(t, data, s, 4*slack) }) // the window of zlib
	}
}

func checkReading(t *testing.T, data []byte, s Settings, slack int64) {
	t.Helper()
	make2(t, scene(2, 2), true) // colour tables are made once
	head, err := inspect(data, identify(data), s)
	if err != nil {
		t.Fatal(err)
	}
	prints := fromRows
	if head.film.planar() {
		prints = fromPlanes
	}
	read := mediatest.Allocated(func() {
		if _, _, _, err := prints(t.Context(), head, plainColours(head.channels), s); err != nil && !isRejected(err, Corrupt) {
			t.Fatal(err)
		}
	})
	if most := reckonReading(head, s); read > most+slack || read < most*3/5 {
		t.Errorf("thumbnail of %d: allocated %d bytes, reckoned %d", s.Thumbnail.Side, read, most)
	}
}

// What encoding takes is reckoned from above, because a header does not tell how much
// there is to see, and of photos with much grain, which fill their file, not by far:
// every photo keeps others waiting for what was reckoned too much.
func TestMemoryOfEncoding(t *testing.T) {
	withoutRace(t)
	const slack = 256 << 10
	for name, row := range map[string]struct {
		img    *image.RGBA
		covers image.Point // of a JPEG; zero where it is a PNG
		gray   bool
		most   float64 // times what is allocated
	}{
		"noise, 4:4:4":        {noise(1000, 800), image.Point{}, false, 2.3},
		"noise, 4:2:0":        {noise(1000, 800), half(), false, 2.3},
		"noise, gray":         {noise(1000, 800), full(), true, 2.3},
		"a scene, 4:4:4":      {scene(1000, 800), image.Point{}, false, 7},
		"grain, PNG":          {grainy(2016, 1512, 60), image.Point{}, false, 2.3},
		"grain, 4:2:0":        {grainy(2016, 1512, 60), half(), false, 2.3},
		"grain, 4:2:0, gray":  {grainy(2016, 1512, 60), half(), true, 2.3},
		"little grain, 4:2:0": {grainy(2016, 1512, 20), half(), false, 3},
	} {
		for _, orientation := range []int{1, 6} {
			head := &header{orientation: orientation, channels: 3, eighths: 8, keepsColours: row.covers == image.Point{}}
			head.setSize(row.img.Rect.Dx(), row.img.Rect.Dy())
			covers := full()
			if !head.keepsColours {
				covers = row.covers
				head.film = &film{covers: covers}
			}
			planes := planesOf(row.img, covers)
			if row.gray {
				head.channels, planes.Cb, planes.Cr = 1, jpeg.Plane{}, jpeg.Plane{}
			}
			got := mediatest.Allocated(func() {
				_, _ = encode(t.Context(), upright(planes, orientation), Default().Preview)
			})
			got += int64(len(planes.Y.Pix) + len(planes.Cb.Pix) + len(planes.Cr.Pix))
			if most := reckonEncoding(head, Default()); got > most+slack || float64(most) > row.most*float64(got+slack) {
				t.Errorf("%s, orientation %d: allocated %d bytes, reckoned %d (%.2f)", name, orientation, got, most, float64(most)/float64(got))
			}
		}
	}
}

// What a profile takes is reckoned from above, and nothing is where there is none.
func TestMemoryOfColours(t *testing.T) {
	_, _, _ = icc.SRGB(), icc.Gray(), icc.Inks() // made once
	for _, name := range mediatest.PhotosIn(t, "icc") {
		head, err := judge(mediatest.Photo(t, name))
		if err != nil {
			t.Fatal(err)
		}
		with := reckonReading(head, Default())
		got := mediatest.Allocated(func() { _, _ = colours(head) })
		size := int64(len(head.profile.data))
		head.profile = profile{}
		if most := with - reckonReading(head, Default()); got > most || size > 0 != (most > 0) {
			t.Errorf("%s: allocated %d bytes for a profile of %d, reckoned %d", name, got, size, most)
		}
	}
}

// bombs are small files that want much memory. None may get it.
func bombs(t *testing.T) map[string][]byte {
	t.Helper()
	zeros := func(n int) []byte {
		var b bytes.Buffer
		z := zlib.NewWriter(&b)
		if _, err := z.Write(make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	small := makePNG(t, scene(8, 8))
	unfolding := zeros(20 * mega)
	gifScreen := makeGIF(t, image.Pt(8, 8), frame(image.Rect(0, 0, 8, 8), image.White.C))
	binary.LittleEndian.PutUint32(gifScreen[6:], 0xffff_ffff)
	return map[string][]byte{
		"PNG of 30,000 x 30,000":   slices.Concat(pngHeader(30_000, 30_000, 8, pngGray, 0), chunk("IDAT", zeros(100))),
		"PNG of 2^31 x 2^31":       pngHeader(1<<31-1, 1<<31-1, 16, pngRGBA, 1),
		"PNG of a single line":     slices.Concat(pngHeader(100_000_000, 1, 1, pngGray, 0), chunk("IDAT", zeros(12_500_001))),
		"PNG with too little data": slices.Concat(pngHeader(10_000, 10_000, 8, pngRGB, 0), chunk("IDAT", zeros(1000)), chunk("IEND", nil)),
		"PNG, interlaced":          slices.Concat(pngHeader(9_000, 9_000, 16, pngRGBA, 1), chunk("IDAT", zeros(1000))),
		"PNG with a text bomb":     withChunks(small, chunk("zTXt", append([]byte("Comment\x00\x00"), unfolding...))),
		"PNG with a profile bomb":  withChunks(small, chunk("iCCP", append([]byte("icc\x00\x00"), unfolding...))),
		"PNG of many chunks":       withChunks(small, slices.Concat(repeat(chunk("tEXt", []byte("a\x00b")), maxParts)...)),
		"JPEG of 65,535 x 65,535":  slices.Concat(jpegHeader(jpeg.SOF0, 65_535, 65_535, 0x22, 0x11, 0x11), scan(1, 0, 63, 0)),
		"JPEG, progressive":        slices.Concat(jpegHeader(jpeg.SOF2, 10_000, 10_000, 0x22, 0x11, 0x11), scan(1, 0, 0, 0)),
		"JPEG of many scans":       progressive(4096, 4096, repeat(scan(1, 0, 0, 0), 20_000)...),
		"GIF with a huge screen":   gifScreen,
		"GIF of many frames":       slices.Concat(gifScreen[:len(gifScreen)-1], bytes.Repeat([]byte("\x2c\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x00"), 20_000)),
		"WebP of 16,384 x 16,384":  slices.Concat([]byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0e\x00\x00\x00\x2f\xff\xff\xff\x0f"), make([]byte, 9)),
	}
}

func TestBombsAreRejectedWithoutAPixel(t *testing.T) {
	s := Default()
	s.Formats = append(s.Formats, formatWebP)
	for name, data := range bombs(t) {
		t.Run(name, func(t *testing.T) {
			got := mediatest.Allocated(func() { _, _ = Develop(t.Context(), data, s, nil) })
			if got > 4*mega {
				t.Errorf("allocated %d bytes for a file of %d, want less than 4 MB", got, len(data))
			}
		})
	}
}

func TestSampleBombsAreRejectedWithoutAPixel(t *testing.T) {
	for _, name := range []string{
		"png-bomb-30000x30000-gray.png", "png-bomb-65535x65535-1bit.png", "gif-screen-65535.gif", "gif-frame-65535-empty.gif",
		"jpeg-65500x65500-header.jpg", "jpeg-65500x65500-prog-420-header.jpg", "jpeg-progressive-20000-scans-4096.jpg",
		"jpeg-progressive-200-scans-4096.jpg", "png-50mp-16bit-rgba-interlaced.png", "png-100k-chunks.png", "gif-20000-frames.gif",
	} {
		t.Run(name, func(t *testing.T) {
			data := mediatest.Photo(t, "hostile/"+name)
			s := Default()
			s.MaxMemory = 256 * mega // 50 million pixels of 8 bytes would pass otherwise
			got := mediatest.Allocated(func() { _, _ = Develop(t.Context(), data, s, nil) })
			if got > 4*mega {
				t.Errorf("allocated %d bytes, want less than 4 MB", got)
			}
		})
	}
}
