package jpeg

// Plane is one component of a picture: rows of 8-bit samples. The sample at x, y is
// Pix[y*Stride+x]. What lies behind Width in a row, or behind the last row, belongs to
// nobody.
type Plane struct {
	Width, Height, Stride int
	Pix                   []byte
}

// NewPlane makes a plane of that size, all zero.
func NewPlane(width, height int) Plane {
	return Plane{width, height, width, make([]byte, width*height)}
}

// Row is the samples of a row.
func (p *Plane) Row(y int) []byte { return p.Pix[y*p.Stride:][:p.Width] }

// Planes is a picture as JPEG files have it: brightness, Y, and two differences of
// colour, Cb and Cr (ITU-T T.871, 7: full range, 128 is no colour). Those have as many
// samples as Y or fewer in each direction, and none in a gray picture.
type Planes struct{ Y, Cb, Cr Plane }

// Gray tells whether the picture has no colour.
func (p *Planes) Gray() bool { return p.Cb.Pix == nil }
