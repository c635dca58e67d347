package media

import (
	"bytes"
	"compress/zlib"
	"io"

	"github.com/lightlock/lightlock/media/icc"
)

// maxProfileParts is how many segments a JPEG may spread a profile over: they are
// numbered with a byte (ICC.1, B.4).
const maxProfileParts = 255

// profile is a colour profile as a file carries it, not yet looked into.
type profile struct {
	data []byte
	// packed is set where data is packed with zlib.
	packed bool
	// broken is set where there is a profile that cannot be put together.
	broken bool
}

func (p profile) exists() bool { return p.data != nil || p.broken }

// colours chooses how the numbers of a picture become colours, and tells what
// became of its profile. A profile that makes no sense, or that is for another
// number of channels, is not the photo's fault: its numbers are taken for sRGB
// then.
func colours(head *header) (*icc.Transform, ProfileUse) {
	plain := plainColours(head.channels)
	if !head.profile.exists() {
		return plain, ProfileNone
	}
	data, ok := head.profile.unpack()
	if !ok {
		return plain, ProfileIgnored
	}
	t, err := icc.Parse(data)
	if err != nil || t.Channels() != head.channels {
		return plain, ProfileIgnored
	}
	return t, ProfileConverted
}

func plainColours(channels int) *icc.Transform {
	switch channels {
	case 1:
		return icc.Gray()
	case 4:
		return icc.Inks()
	default:
		return icc.SRGB()
	}
}

// unpack returns the profile itself. It unpacks no more than a profile may have,
// and nothing that is larger than that before: data may unfold to nothing and
// keep zlib busy all the same.
func (p profile) unpack() ([]byte, bool) {
	if p.broken || len(p.data) > icc.MaxBytes {
		return nil, false
	}
	if !p.packed {
		return p.data, true
	}
	z, err := zlib.NewReader(bytes.NewReader(p.data))
	if err != nil {
		return nil, false
	}
	room := min(icc.MaxBytes+1, maxDeflate*len(p.data)) + bytes.MinRead
	data := bytes.NewBuffer(make([]byte, 0, room))
	n, err := data.ReadFrom(io.LimitReader(z, icc.MaxBytes+1))
	return data.Bytes(), err == nil && n <= icc.MaxBytes
}

// pngProfile reads an iCCP chunk: a name of up to 79 bytes, a zero, the method of
// packing, which is 0 for zlib (W3C PNG, 11.3.2.3).
func pngProfile(body []byte) profile {
	name := bytes.IndexByte(body[:min(len(body), 80)], 0)
	if name < 1 || name+2 > len(body) || body[name+1] != 0 {
		return profile{broken: true}
	}
	return profile{data: body[name+2:], packed: true}
}

// profileParts gathers the segments of a JPEG that make up a profile. Each says
// its number, from 1, and how many there are.
type profileParts struct {
	parts [maxProfileParts + 1][]byte
	total int
	size  int
	bad   bool
}

func (p *profileParts) add(number, total byte, body []byte) {
	switch {
	case number == 0 || number > total, p.total != 0 && int(total) != p.total, p.parts[number] != nil:
		p.bad = true
		return
	}
	p.total = int(total)
	p.parts[number] = body
	p.size += len(body)
}

// profile puts the parts together; without any there is none.
func (p *profileParts) profile() profile {
	if p.total == 0 && !p.bad {
		return profile{}
	}
	if p.bad || p.size > icc.MaxBytes {
		return profile{broken: true}
	}
	whole := make([]byte, 0, p.size)
	for _, part := range p.parts[1 : p.total+1] {
		if part == nil {
			return profile{broken: true}
		}
		whole = append(whole, part...)
	}
	return profile{data: whole}
}
