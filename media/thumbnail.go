package media

import (
	"context"
	"image"
	"io"

	"github.com/lightlock/lightlock/media/icc"
	"github.com/lightlock/lightlock/media/jpeg"
)

// boxStep is the step from which on a thumbnail is made of boxes of two by two pixels:
// two of them are left for each of its own in each direction then.
const boxStep = 4

// thumbnail makes the square in the middle of a picture in sRGB, as large as it would
// be of the photo that was decoded.
//
// It is averaged in proportion to light, because the average of a fine pattern in black
// and white would else be far too dark. What the decoder took away before was averaged
// in the numbers, as all programs do it that have the decoder scale; there is nothing
// left of it to be done better.
func (n *negative) thumbnail(ctx context.Context, photo image.Point, side int) (*jpeg.Planes, error) {
	cut, size := middle(photo.X, photo.Y, side)
	cut = cut.times(n.width/float64(photo.X), n.height/float64(photo.Y))
	step := cut.width / float64(size.X)

	// The square and what of its surroundings plays a part at its edges.
	near := image.Rect(int(cut.x-2*step)&^3, int(cut.y-2*step)&^3, int(cut.x+cut.width+2*step)+2, int(cut.y+cut.height+2*step)+2)
	near = near.Intersect(image.Rect(0, 0, n.Y.Width, n.Y.Height))
	n = n.part(near)
	cut.x, cut.y = cut.x-float64(near.Min.X), cut.y-float64(near.Min.Y)

	box := 1
	if step >= boxStep {
		box = 2
	}
	covers := image.Pt(box, box)
	src := (&light{Planes: n.resized(image.Pt(n.Y.Width, n.Y.Height), covers), box: box}).sheet()
	r := newReducer(src, cut.times(1/float64(box), 1/float64(box)), size, 4, mild())
	r.convert = icc.SRGB().ConvertLight
	if n.Gray() {
		r.convert = icc.Gray().ConvertLight
	}
	_, err := reduce(ctx, src, false, r)
	return r.planes, err
}

// part is what of the picture lies within r, whose first corner is a multiple of 4.
func (n *negative) part(r image.Rectangle) *negative {
	cut := func(p *jpeg.Plane, covers image.Point) jpeg.Plane {
		x, y := r.Min.X/covers.X, r.Min.Y/covers.Y
		return jpeg.Plane{
			Width: ceilDiv(r.Dx(), covers.X), Height: ceilDiv(r.Dy(), covers.Y),
			Stride: p.Stride, Pix: p.Pix[y*p.Stride+x:],
		}
	}
	out := &negative{covers: n.covers, width: min(n.width, float64(r.Max.X)), height: min(n.height, float64(r.Max.Y))}
	out.width, out.height = out.width-float64(r.Min.X), out.height-float64(r.Min.Y)
	out.Y = cut(&n.Y, image.Pt(1, 1))
	if !n.Gray() {
		out.Cb, out.Cr = cut(&n.Cb, n.covers), cut(&n.Cr, n.covers)
	}
	return out
}

// light is a picture in sRGB as rows of its light.
type light struct {
	*jpeg.Planes
	box   int // 1, or 2 where a pixel of the rows is the average of two by two
	y     int
	table lightTable
}

// lightTable is the light of a sum of brightness and what a colour adds to it, which
// may lie outside of what there is, and is clipped then.
type lightTable [1024]uint16

func (t *lightTable) at(sum int32) uint32 { return uint32(t[sum&1023]) }

func (l *light) sheet() sheet {
	for v := range int32(len(l.table)) {
		sum := v << 22 >> 22 // with its sign
		l.table[v] = wide(limit8(sum))
	}
	icc.SRGB().Light(l.table[:], l.table[:])
	s := sheet{width: ceilDiv(l.Y.Width, l.box), height: ceilDiv(l.Y.Height, l.box), channels: 3, next: l.next}
	if l.Gray() {
		s.channels = 1
	}
	s.end = s.height
	return s
}

func (l *light) next(ctx context.Context, dst []uint16) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.y*l.box >= l.Y.Height {
		return io.EOF
	}
	upper, lower := l.Y.Row(l.y*l.box), l.Y.Row(min(l.y*l.box+l.box, l.Y.Height)-1)
	switch {
	case l.Gray() && l.box == 1:
		for x, v := range upper {
			dst[x] = l.table[v]
		}
	case l.Gray():
		l.grayBoxes(dst, upper, lower)
	case l.box == 1:
		l.pixels(dst, upper, l.Cb.Row(l.y), l.Cr.Row(l.y))
	default:
		l.boxes(dst, upper, lower)
	}
	l.y++
	return nil
}

// pixels is a row of pixels of which each has its own colour.
func (l *light) pixels(dst []uint16, luma, cb, cr []byte) {
	for x, v := range luma {
		t, y := tint(cb[x], cr[x]), int32(v)
		px := (*[3]uint16)(dst[3*x:])
		px[0], px[1], px[2] = l.table[(y+t.red)&1023], l.table[(y+t.green)&1023], l.table[(y+t.blue)&1023]
	}
}

// boxes is a row of averages of four pixels that share a colour.
func (l *light) boxes(dst []uint16, upper, lower []byte) {
	cb, cr := l.Cb.Row(l.y), l.Cr.Row(l.y)
	whole := len(upper) / 2
	lower, cr = lower[:len(upper)], cr[:len(cb)]
	for i := range cb {
		t := tint(cb[i], cr[i])
		at, next := 2*i, 2*i+1
		if i == whole {
			next = at
		}
		a, b, c, d := int32(upper[at]), int32(upper[next]), int32(lower[at]), int32(lower[next])
		px := (*[3]uint16)(dst[3*i:])
		px[0] = l.average(a+t.red, b+t.red, c+t.red, d+t.red)
		px[1] = l.average(a+t.green, b+t.green, c+t.green, d+t.green)
		px[2] = l.average(a+t.blue, b+t.blue, c+t.blue, d+t.blue)
	}
}

func (l *light) grayBoxes(dst []uint16, upper, lower []byte) {
	for x := range upper {
		if next := min(x+1, len(upper)-1); x%2 == 0 {
			dst[x/2] = l.average(int32(upper[x]), int32(upper[next]), int32(lower[x]), int32(lower[next]))
		}
	}
}

// average is the light of four sums.
func (l *light) average(a, b, c, d int32) uint16 {
	t := &l.table
	return uint16((t.at(a) + t.at(b) + t.at(c) + t.at(d) + 2) >> 2)
}

func (r region) times(across, down float64) region {
	return region{r.x * across, r.y * down, r.width * across, r.height * down}
}
