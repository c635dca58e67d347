package icc

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The places of a header (ICC.1, 7.2), the size of an entry of the tag table
// behind it (7.3), and the most tags that are looked at: real profiles have less
// than thirty.
const (
	headerBytes = 128
	entryBytes  = 12
	maxTags     = 100
)

// profile is a profile whose header is good.
type profile struct {
	data  []byte
	space string // of the device: "GRAY", "RGB " or "CMYK"
	pcs   string // of the connection space: "XYZ " or "Lab "
	tags  map[string][]byte
}

// Parse makes the transform of a profile. The error says in words why the
// profile cannot be used, and holds nothing of it.
//
// A profile that is sRGB within one code of 255 gives SRGB(), a gray one that
// is on its curve Gray(). No transform has more than 4 MB.
func Parse(data []byte) (*Transform, error) {
	p, err := readProfile(data)
	if err != nil {
		return nil, err
	}
	if tag := p.lut(); tag != nil {
		return p.lutTransform(tag)
	}
	switch p.space {
	case "GRAY":
		return p.grayTransform()
	case "RGB ":
		return p.matrixTransform()
	}
	return nil, errors.New("the profile has no table for its inks")
}

func readProfile(data []byte) (*profile, error) {
	switch {
	case len(data) > MaxBytes:
		return nil, fmt.Errorf("the profile has %d bytes, more than %d", len(data), MaxBytes)
	case len(data) < headerBytes+4 || string(data[36:40]) != "acsp":
		return nil, errors.New("this is not an ICC profile")
	}
	p := &profile{data: data, space: string(data[16:20]), pcs: string(data[20:24])}
	if major := data[8]; major > 4 {
		return nil, fmt.Errorf("the profile is of version %d, which is newer than 4", major)
	}
	switch string(data[12:16]) {
	case "scnr", "mntr", "prtr", "spac":
	default:
		return nil, errors.New("the profile is not that of a device")
	}
	switch p.space {
	case "GRAY", "RGB ", "CMYK":
	default:
		return nil, errors.New("the profile is not for gray, red green blue, or four inks")
	}
	if p.pcs != "XYZ " && p.pcs != "Lab " {
		return nil, errors.New("the profile leads neither to XYZ nor to Lab")
	}
	return p, p.readTags()
}

// readTags reads the tag table. A tag outside of the profile is left out, as if
// it were not there; of two with a name the first counts. Tags may share data.
func (p *profile) readTags() error {
	n := binary.BigEndian.Uint32(p.data[headerBytes:])
	if n > maxTags {
		return fmt.Errorf("the profile has %d tags, more than %d", n, maxTags)
	}
	p.tags = make(map[string][]byte, n)
	table := p.data[headerBytes+4:]
	for ; n > 0 && len(table) >= entryBytes; n, table = n-1, table[entryBytes:] {
		name := string(table[:4])
		from := int64(binary.BigEndian.Uint32(table[4:]))
		to := from + int64(binary.BigEndian.Uint32(table[8:]))
		if to > int64(len(p.data)) || p.tags[name] != nil {
			continue
		}
		p.tags[name] = p.data[from:to:to]
	}
	return nil
}

// lut is the tag with the way from the device to the connection space through a
// table, or nil. The colorimetric one comes first, because that is what all
// conversions here are; the perceptual one of version 4 also reckons with a
// black that is not black.
func (p *profile) lut() []byte {
	if tag := p.tags["A2B1"]; tag != nil {
		return tag
	}
	return p.tags["A2B0"]
}

// matrixTransform is that of three colorants and tone curves.
func (p *profile) matrixTransform() (*Transform, error) {
	if p.pcs != "XYZ " {
		return nil, errors.New("the profile has colorants, and does not lead to XYZ")
	}
	var curves [3]*curve
	var colorants [3][3]float64
	for i, c := range []string{"r", "g", "b"} {
		var err error
		if colorants[i], err = p.xyz(c + "XYZ"); err != nil {
			return nil, err
		}
		if i > 0 && sameBytes(p.tags[c+"TRC"], p.tags["rTRC"]) {
			curves[i] = curves[0]
			continue
		}
		if curves[i], err = p.tone(c + "TRC"); err != nil {
			return nil, err
		}
	}
	e, err := newMatrix(curves, colorants)
	if err != nil {
		return nil, err
	}
	if isSRGB(e) {
		return SRGB(), nil
	}
	return &Transform{3, e}, nil
}

// grayTransform is that of one tone curve, which gives the light, or where the
// profile leads to Lab the lightness (ICC.1, 8.3.4 and F.2).
func (p *profile) grayTransform() (*Transform, error) {
	c, err := p.tone("kTRC")
	if err != nil {
		return nil, err
	}
	if p.pcs == "Lab " {
		c = after(c, sampled(decodeL))
	}
	if !c.rises() || full-c[full] > full/60 {
		return nil, errSenseless
	}
	e := gray{curve: c, encode: lightToSRGB()}
	if e.isSRGB() {
		return Gray(), nil
	}
	return &Transform{1, e}, nil
}

// decodeL is the light of a lightness, both from 0 to 1.
func decodeL(l float64) float64 { return fromTerm((l*100 + 16) / 116) }

// xyz reads a tag of type XYZ (ICC.1, 10.31).
func (p *profile) xyz(name string) ([3]float64, error) {
	tag := p.tags[name]
	var out [3]float64
	if len(tag) < 20 || string(tag[:4]) != "XYZ " {
		return out, errors.New("the profile lacks one of its colorants")
	}
	for i := range out {
		out[i] = s15Fixed16(tag[8+4*i:])
	}
	return out, nil
}

// tone reads a tone curve.
func (p *profile) tone(name string) (*curve, error) {
	tag := p.tags[name]
	if tag == nil {
		return nil, errors.New("the profile lacks one of its tone curves")
	}
	c, _, err := readCurve(tag)
	return c, err
}

// s15Fixed16 reads a signed number with 16 bits behind the point (ICC.1, 4.6).
func s15Fixed16(b []byte) float64 {
	return float64(int32(binary.BigEndian.Uint32(b))) / 65536
}

func sameBytes(a, b []byte) bool { return string(a) == string(b) }
