package media

import (
	"bytes"
	"encoding/binary"
	"image"
	"slices"
	"testing"

	"github.com/lightlock/lightlock/media/jpeg"
)

// full and half are how many pixels share a sample of colour in what is made here.
func full() image.Point { return image.Pt(1, 1) }
func half() image.Point { return image.Pt(2, 2) }

// planesOf makes planes of a picture in which so many pixels share a sample of colour.
func planesOf(img *image.RGBA, covers image.Point) *jpeg.Planes {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	p := &jpeg.Planes{Y: jpeg.NewPlane(w, h)}
	p.Cb = jpeg.NewPlane(ceilDiv(w, covers.X), ceilDiv(h, covers.Y))
	p.Cr = jpeg.NewPlane(p.Cb.Width, p.Cb.Height)
	type sum struct{ r, g, b, count int32 }
	sums := make([]sum, len(p.Cb.Pix))
	for y := range h {
		for x := range w {
			px := img.RGBAAt(x, y)
			r, g, b := int32(px.R), int32(px.G), int32(px.B)
			p.Y.Row(y)[x] = lumaOf(r, g, b)
			s := &sums[y/covers.Y*p.Cb.Width+x/covers.X]
			*s = sum{s.r + r, s.g + g, s.b + b, s.count + 1}
		}
	}
	for i, s := range sums {
		p.Cb.Pix[i], p.Cr.Pix[i] = colourOf(s.r, s.g, s.b, s.count)
	}
	return p
}

// negativeOf is a picture that was decoded as it is.
func negativeOf(img *image.RGBA, covers image.Point) *negative {
	return &negative{*planesOf(img, covers), covers, float64(img.Rect.Dx()), float64(img.Rect.Dy())}
}

// pixelsOf makes pixels of a picture of ours, each of the sample of colour that it lies
// in.
func pixelsOf(p *jpeg.Planes) *image.RGBA {
	covers := full()
	if p.Cb.Width < p.Y.Width || p.Cb.Height < p.Y.Height {
		covers = half()
	}
	return (&negative{Planes: *p, covers: covers}).pixels()
}

func (n *negative) pixels() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, n.Y.Width, n.Y.Height))
	for y := range n.Y.Height {
		for x := range n.Y.Width {
			cb, cr := byte(128), byte(128)
			if !n.Gray() {
				cb, cr = n.Cb.Row(y / n.covers.Y)[x/n.covers.X], n.Cr.Row(y / n.covers.Y)[x/n.covers.X]
			}
			o := img.Pix[img.PixOffset(x, y):]
			o[0], o[1], o[2] = lumaToRGB(n.Y.Row(y)[x], cb, cr)
			o[3] = 255
		}
	}
	return img
}

// jpegOf is a JPEG of planes, each in a scan of its own, which is nothing but the scan
// of a gray picture.
func jpegOf(t testing.TB, p *jpeg.Planes, covers image.Point) []byte {
	t.Helper()
	frame := binary.BigEndian.AppendUint16([]byte{8}, uint16(p.Y.Height))
	frame = append(binary.BigEndian.AppendUint16(frame, uint16(p.Y.Width)), 3)
	var tables, scans []byte
	for i, plane := range []jpeg.Plane{p.Y, p.Cb, p.Cr} {
		data := makeJPEG(t, &image.Gray{Pix: plane.Pix, Stride: plane.Stride, Rect: image.Rect(0, 0, plane.Width, plane.Height)})
		sof, sos := bytes.Index(data, []byte{0xff, jpeg.SOF0}), bytes.Index(data, []byte{0xff, jpeg.SOS})
		dht := bytes.Index(data, []byte{0xff, jpeg.DHT})
		tables = slices.Concat(data[2:sof], data[dht:sos])
		factors := byte(0x11)
		if i == 0 {
			factors = byte(covers.X<<4 | covers.Y)
		}
		frame = append(frame, byte(i+1), factors, 0)
		scans = slices.Concat(scans, segment(jpeg.SOS, []byte{1, byte(i + 1), 0, 0, 63, 0}), data[sos+10:len(data)-2])
	}
	return slices.Concat([]byte{0xff, jpeg.SOI}, tables, segment(jpeg.SOF0, frame), scans, []byte{0xff, jpeg.EOI})
}
