package media

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/color"
	"slices"
	"testing"

	"github.com/lightlock/lightlock/media/icc"
	"github.com/lightlock/lightlock/media/jpeg"
)

// packed is a profile as an iCCP chunk has it.
func packed(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestUnpackProfile(t *testing.T) {
	most := make([]byte, icc.MaxBytes)
	small := packed(t, most[:1000])
	// An empty block is three bits, a zero length and its opposite: they say
	// nothing, however many there are.
	idle := append(bytes.Clone(small[:2]), bytes.Repeat([]byte("\x00\x00\x00\xff\xff"), icc.MaxBytes/5)...)
	for name, row := range map[string]struct {
		profile profile
		want    int // bytes, or -1
	}{
		"as it is":                   {profile{data: most[:1000]}, 1000},
		"the largest":                {profile{data: most}, icc.MaxBytes},
		"one byte more":              {profile{data: append(most, 0)}, -1},
		"packed":                     {profile{data: small, packed: true}, 1000},
		"the largest, packed":        {profile{data: packed(t, most), packed: true}, icc.MaxBytes},
		"one byte more, packed":      {profile{data: packed(t, append(most, 0)), packed: true}, -1},
		"cut off":                    {profile{data: small[:len(small)-5], packed: true}, -1},
		"not packed":                 {profile{data: most[:1000], packed: true}, -1},
		"packed to more than it may": {profile{data: append(idle, small[2:]...), packed: true}, -1},
		"broken":                     {profile{broken: true}, -1},
	} {
		data, ok := row.profile.unpack()
		if ok != (row.want >= 0) || ok && len(data) != row.want {
			t.Errorf("%s: got %d bytes, %v; want %d", name, len(data), ok, row.want)
		}
	}
}

func TestProfileParts(t *testing.T) {
	type part struct {
		number, total byte
		body          string
	}
	for name, row := range map[string]struct {
		parts  []part
		want   string
		broken bool
	}{
		"none":           {nil, "", false},
		"one":            {[]part{{1, 1, "a"}}, "a", false},
		"out of order":   {[]part{{3, 3, "c"}, {1, 3, "a"}, {2, 3, "b"}}, "abc", false},
		"one is missing": {[]part{{1, 3, "a"}, {3, 3, "c"}}, "", true},
		"one twice":      {[]part{{1, 2, "a"}, {1, 2, "a"}, {2, 2, "b"}}, "", true},
		"two totals":     {[]part{{1, 2, "a"}, {2, 3, "b"}}, "", true},
		"number 0":       {[]part{{0, 1, "a"}}, "", true},
		"beyond":         {[]part{{2, 1, "a"}}, "", true},
		"255":            {[]part{{255, 255, "a"}}, "", true},
	} {
		var p profileParts
		for _, part := range row.parts {
			p.add(part.number, part.total, []byte(part.body))
		}
		if got := p.profile(); string(got.data) != row.want || got.broken != row.broken {
			t.Errorf("%s: got %q, broken %v; want %q, %v", name, got.data, got.broken, row.want, row.broken)
		}
	}
}

// linearProfile says that numbers are proportional to light, in the colours of
// sRGB or in gray: 128 of 255 in it are 188 in sRGB.
func linearProfile(space string) []byte {
	head := make([]byte, 128)
	copy(head[12:], "mntr"+space+"XYZ ")
	copy(head[36:], "acsp")
	curve := append([]byte("curv"), make([]byte, 8)...)
	tags := []struct {
		name string
		data []byte
	}{{"kTRC", curve}}
	if space == "RGB " {
		xyz := func(v ...uint32) []byte {
			b := []byte("XYZ \x00\x00\x00\x00")
			for _, n := range v {
				b = binary.BigEndian.AppendUint32(b, n)
			}
			return b
		}
		tags[0].name = "rTRC"
		tags = append(tags, tags[0], tags[0], tags[0], tags[0], tags[0])
		tags[1].name, tags[2].name = "gTRC", "bTRC"
		tags[3].name, tags[3].data = "rXYZ", xyz(28578, 14581, 912)
		tags[4].name, tags[4].data = "gXYZ", xyz(25241, 46981, 6362)
		tags[5].name, tags[5].data = "bXYZ", xyz(9376, 3970, 46799)
	}
	table, body := binary.BigEndian.AppendUint32(nil, uint32(len(tags))), []byte(nil)
	for _, tag := range tags {
		table = append(table, tag.name...)
		table = binary.BigEndian.AppendUint32(table, uint32(128+4+12*len(tags)+len(body)))
		table = binary.BigEndian.AppendUint32(table, uint32(len(tag.data)))
		body = append(body, tag.data...)
	}
	return slices.Concat(head, table, body)
}

// What is half transparent is mixed with white in the numbers of sRGB, whatever
// the profile says of its own numbers: 55 of light is 128 in sRGB.
func TestTransparentInItsProfile(t *testing.T) {
	for name, row := range map[string]struct {
		colour byte
		space  string
		px     []byte
		want   uint8
	}{
		"gray, opaque":             {pngGrayAlpha, "GRAY", []byte{55, 255}, 128},
		"gray, half transparent":   {pngGrayAlpha, "GRAY", []byte{55, 128}, 191},
		"gray, nothing":            {pngGrayAlpha, "GRAY", []byte{55, 0}, 255},
		"colour, opaque":           {pngRGBA, "RGB ", []byte{55, 55, 55, 255}, 128},
		"colour, half transparent": {pngRGBA, "RGB ", []byte{55, 55, 55, 128}, 191},
		"colour, nothing":          {pngRGBA, "RGB ", []byte{55, 55, 55, 0}, 255},
		"another profile":          {pngRGBA, "GRAY", []byte{55, 55, 55, 128}, 155},
	} {
		t.Run(name, func(t *testing.T) {
			var pixels []byte
			for range 8 {
				pixels = slices.Concat(pixels, []byte{0}, bytes.Repeat(row.px, 8))
			}
			iccp := append([]byte("x\x00\x00"), packed(t, linearProfile(row.space))...)
			file := slices.Concat(pngHeader(8, 8, 8, row.colour, 0), chunk("iCCP", iccp), chunk("IDAT", packed(t, pixels)), chunk("IEND", nil))
			d, err := Develop(t.Context(), file, Default(), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range []Picture{d.Preview, d.Thumbnail} {
				checkColour(t, decoded(t, p), image.Pt(4, 4), color.RGBA{row.want, row.want, row.want, 255})
			}
		})
	}
}

// plainPNG is a PNG of 32 x 32 pixels, all of these bytes.
func plainPNG(t *testing.T, depth, colour byte, pixel string, chunks ...[]byte) []byte {
	t.Helper()
	row := append([]byte{0}, bytes.Repeat([]byte(pixel), 32)...)
	data := chunk("IDAT", packed(t, bytes.Repeat(row, 32)))
	return slices.Concat(pngHeader(32, 32, depth, colour, 0), slices.Concat(chunks...), data, chunk("IEND", nil))
}

// A profile counts whatever kind of picture it is in, with alpha and without.
func TestProfileOfEveryKindOfPicture(t *testing.T) {
	iccp := func(space string) []byte {
		return chunk("iCCP", append([]byte("light\x00\x00"), packed(t, linearProfile(space))...))
	}
	palette, half := chunk("PLTE", []byte("\x00\x00\x00\x80\x80\x80")), chunk("tRNS", []byte("\xff\x80"))
	photo := image.NewRGBA(image.Rect(0, 0, 32, 32))
	for i := range photo.Pix {
		photo.Pix[i] = 128 | byte(i%4/3*127)
	}
	grayPhoto := image.NewGray(photo.Rect)
	for i := range grayPhoto.Pix {
		grayPhoto.Pix[i] = 128
	}
	app2 := func(space string) []byte {
		return segment(jpeg.APP2, append([]byte(profilePrefix+"\x01\x01"), linearProfile(space)...))
	}
	for name, row := range map[string]struct {
		data []byte
		want uint8
		use  ProfileUse
	}{
		"gray":                        {plainPNG(t, 8, pngGray, "\x80", iccp("GRAY")), 188, ProfileConverted},
		"gray, 16 bits":               {plainPNG(t, 16, pngGray, "\x80\x80", iccp("GRAY")), 188, ProfileConverted},
		"gray with alpha":             {plainPNG(t, 8, pngGrayAlpha, "\x80\x80", iccp("GRAY")), 221, ProfileConverted},
		"gray, all transparent":       {plainPNG(t, 8, pngGrayAlpha, "\x80\x00", iccp("GRAY")), 255, ProfileConverted},
		"palette":                     {plainPNG(t, 8, pngPalette, "\x01", iccp("RGB "), palette), 188, ProfileConverted},
		"palette with alpha":          {plainPNG(t, 8, pngPalette, "\x01", iccp("RGB "), palette, half), 221, ProfileConverted},
		"RGB, 16 bits":                {plainPNG(t, 16, pngRGB, "\x80\x80\x80\x80\x80\x80", iccp("RGB ")), 188, ProfileConverted},
		"RGB with alpha":              {plainPNG(t, 8, pngRGBA, "\x80\x80\x80\x80", iccp("RGB ")), 221, ProfileConverted},
		"RGB with a profile for gray": {plainPNG(t, 8, pngRGB, "\x80\x80\x80", iccp("GRAY")), 128, ProfileIgnored},
		"gray with a profile for RGB": {plainPNG(t, 8, pngGray, "\x80", iccp("RGB ")), 128, ProfileIgnored},
		"without a profile":           {plainPNG(t, 8, pngRGB, "\x80\x80\x80"), 128, ProfileNone},
		"JPEG":                        {withSegments(makeJPEG(t, photo), app2("RGB ")), 188, ProfileConverted},
		"JPEG, gray":                  {withSegments(makeJPEG(t, grayPhoto), app2("GRAY")), 188, ProfileConverted},
	} {
		d, err := Develop(t.Context(), row.data, Default(), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d.Profile != row.use {
			t.Errorf("%s: profile %q, want %q", name, d.Profile, row.use)
		}
		for _, p := range []Picture{d.Preview, d.Thumbnail} {
			got := color.GrayModel.Convert(decoded(t, p).At(16, 16)).(color.Gray).Y
			if diff := int(got) - int(row.want); diff > 1 || diff < -1 {
				t.Errorf("%s: got %d, want %d", name, got, row.want)
			}
		}
	}
}
