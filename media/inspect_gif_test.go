package media

import (
	"bytes"
	"image"
	"image/color"
	"slices"
	"testing"
)

func TestInspectGIF(t *testing.T) {
	full := image.Rect(0, 0, 20, 10)
	red := color.RGBA{255, 0, 0, 255}
	one := makeGIF(t, full.Max, frame(full, red))
	two := makeGIF(t, full.Max, frame(full, red), frame(full, color.White))
	comment := []byte("\x21\xfe\x05hello\x00")
	const table = 13 // header and screen; the frames have their own colours
	zeroFrame := slices.Clone(one)
	at := bytes.IndexByte(zeroFrame[table:], gifImage) + table
	zeroFrame[at+5], zeroFrame[at+6] = 0, 0
	beside, far := slices.Clone(one), slices.Clone(one)
	beside[at+1] = 21
	copy(far[at+1:], "\x00\xff\x00\xff")
	rows := []struct {
		name   string
		data   []byte
		reason Reason
		words  string
	}{
		{"one frame", one, "", ""},
		{"bytes behind the end", append(slices.Clone(one), "PK\x03\x04"...), "", ""},
		{"without its end", one[:len(one)-1], "", ""},
		{"garbage instead of an end", slices.Concat(one[:len(one)-1], []byte("garbage")), "", ""},
		{"a comment before the frame", slices.Concat(one[:table], comment, one[table:]), "", ""},
		{"a control block of no length", slices.Concat(one[:table], []byte("\x21\xf9\x00"), one[table:]), "", ""},
		{"a control block of no length at the end", slices.Concat(one[:table], []byte("\x21\xf9\x00")), Corrupt, "no picture"},
		{"two frames", two, Animated, "2 frames"},
		{"a second frame cut off", two[:len(two)-6], Animated, "2 frames"},
		{"cut in the frame", one[:len(one)-4], Corrupt, "cut off"},
		{"no frame", append(slices.Clone(one[:table]), gifTrailer), Corrupt, "no picture"},
		{"no screen", one[:9], Corrupt, "header"},
		{"half a table", []byte("GIF89a\x08\x00\x08\x00\x80\x00\x00\xff\xff"), Corrupt, "header"},
		{"an unknown block", slices.Concat(one[:table], []byte{9}), Corrupt, "unknown block"},
		{"a frame of no width", zeroFrame, Corrupt, "a frame of 0 x 10"},
		{"a frame beside the screen", beside, "", ""},
		{"a frame far from the screen", far, TooManyPixels, "65,300 x 65,290"},
		{"too many blocks", slices.Concat(one[:table], bytes.Repeat(comment, maxParts), one[table:]), TooComplex, "parts"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := judge(row.data)
			checkVerdict(t, err, row.reason, row.words)
		})
	}
}

// A frame lies where it says on its screen, which is made larger where it must.
// What it leaves free and what is transparent is white.
func TestGIFFrameOnItsScreen(t *testing.T) {
	red := color.RGBA{255, 0, 0, 255}
	part := frame(image.Rect(10, 10, 30, 30), red)
	hanging := makeGIF(t, image.Pt(40, 40), part)
	hanging[6], hanging[8] = 20, 35 // the screen's width and height
	half := image.NewPaletted(image.Rect(0, 0, 40, 40), color.Palette{color.Transparent, red})
	for y := range 40 {
		for x := range 20 {
			half.SetColorIndex(x, y, 1)
		}
	}
	rows := []struct {
		name       string
		data       []byte
		size       image.Point
		red, white image.Point
	}{
		{"a part", makeGIF(t, image.Pt(40, 40), part), image.Pt(40, 40), image.Pt(20, 20), image.Pt(4, 4)},
		{"over the edge", hanging, image.Pt(30, 35), image.Pt(25, 20), image.Pt(4, 4)},
		{"transparent", makeGIF(t, image.Pt(40, 40), half), image.Pt(40, 40), image.Pt(5, 5), image.Pt(35, 35)},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			d, err := Develop(t.Context(), row.data, Default(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := image.Pt(d.Preview.Width, d.Preview.Height); got != row.size {
				t.Fatalf("got %v, want %v", got, row.size)
			}
			img := decoded(t, d.Preview)
			checkColour(t, img, row.red, red)
			checkColour(t, img, row.white, color.RGBA{255, 255, 255, 255})
		})
	}
}

// Some encoders write more than the picture needs, and browsers show what they
// wrote.
func TestGIFWithMoreData(t *testing.T) {
	data := makeGIF(t, image.Pt(8, 8), frame(image.Rect(0, 0, 8, 8), color.RGBA{255, 0, 0, 255}))
	at := bytes.IndexByte(data[13:], gifImage) + 13
	data[at+7] = 7 // rows
	data[8] = 7
	d, err := Develop(t.Context(), data, Default(), nil)
	if err != nil {
		t.Fatal(err)
	}
	checkColour(t, decoded(t, d.Preview), image.Pt(4, 4), color.RGBA{255, 0, 0, 255})
}

func FuzzInspectGIF(f *testing.F) {
	f.Add(makeGIF(f, image.Pt(8, 8), frame(image.Rect(0, 0, 8, 8), color.White))[6:])
	seeds(f, "", "gif")
	f.Fuzz(func(t *testing.T, data []byte) { checkWalk(t, append([]byte("GIF89a"), data...)) })
}
