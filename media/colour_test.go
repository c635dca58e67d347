package media

import (
	"bytes"
	"compress/zlib"
	"testing"

	"github.com/lightlock/lightlock/media/icc"
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
