// Package media is the darkroom: it takes a stranger's file and gives back a
// clean preview and thumbnail, or the reason why not.
//
// It promises that nothing of the original but its visible pixels is left in
// what it gives out, that every limit is judged before the work that it limits,
// and that the same bytes always get the same verdict and the same pictures. It
// does no I/O, and imports nothing of ours but the packages below it, so that it
// can run where nothing else may.
//
// A photo is judged by walks of our own over its header. Then it is read by readers
// of our own for JPEG, PNG and GIF, because those of the standard library make a
// picture of full size first, give nothing of a file that breaks off, and cannot be
// interrupted; x/image decodes WebP. There are two ways. A JPEG, as nearly all photos
// are, is decoded to about the size that is needed, and stays in planes of brightness
// and colour until it is a JPEG again. Of all else, rows of pixels are read one after
// the other. Scaling is our own, because x/image/draw holds 32 bytes for every column
// of the result times every row of the source: 650 MB for a photo of a hundred million
// pixels, where a few rows are enough. Colours are converted by media/icc, because
// there is no library for it.
package media

import (
	"context"
	"image"

	"github.com/lightlock/lightlock/media/jpeg"
)

// Source is what could be learnt about an original.
type Source struct {
	// Type is a media type found by content, such as "image/jpeg", or empty.
	Type string `json:"type,omitempty"`
	// Bytes is the size of the original. Of one that is too large, whose
	// sender did not say its size, it is how much was read.
	Bytes int64 `json:"bytes"`
	// Width and Height are those of the upright picture, in pixels.
	Width  int `json:"width,omitempty"`
	Height int `json:"height,omitempty"`
}

// Picture is a JPEG of ours: sRGB, upright, opaque, without metadata.
type Picture struct {
	Data          []byte
	Width, Height int
}

// Developed is what becomes of an original.
type Developed struct {
	Source             Source
	Preview, Thumbnail Picture
	// Damage says what is wrong with the file of a picture of which a part is
	// missing, and is empty where nothing is. Only Settings.ShowDamaged lets
	// one through.
	Damage string
	// CutOff is set where the damage is that the file ends too early: another
	// fetch may bring the rest.
	CutOff bool
	// Profile says what became of the original's colour profile.
	Profile ProfileUse
}

// ProfileUse says what became of an original's colour profile.
type ProfileUse string

// The uses. A profile that is ignored has the original's numbers taken for sRGB,
// or for a common print process where they are inks.
const (
	ProfileNone      ProfileUse = ""
	ProfileConverted ProfileUse = "converted"
	ProfileIgnored   ProfileUse = "ignored"
)

// Reserve asks for memory, in bytes, before a photo is decoded, and returns when
// it may be used. Its error ends the development and is returned as it is.
type Reserve func(ctx context.Context, bytes int64) error

func (r Reserve) ask(ctx context.Context, bytes int64) error {
	if r == nil {
		return nil
	}
	return r(ctx, bytes)
}

// Develop judges an original and develops it. Read this function for the order
// of things; each step stands in a file of its name (colours in colour.go).
//
// The error is a *Rejection where the photo will never be shown. It wraps
// ctx.Err() where the context ended first: between two rows or two encodes. Of a
// WebP it is asked only where x/image reads, which leaves about a second of work
// between; a hard deadline needs a process that can be killed. Any other error is
// a fault of ours.
//
// reserve is asked once, after all that can be judged without decoding; nil
// means that memory needs no asking for.
func Develop(ctx context.Context, original []byte, s Settings, reserve Reserve) (*Developed, error) {
	source := Source{Bytes: int64(len(original))}
	if err := judgeSize(source.Bytes, s.MaxBytes); err != nil {
		return nil, knowing(source, err)
	}

	format, err := sniff(original, s.Formats)
	source.Type = format.mediaType
	if err != nil {
		return nil, knowing(source, err)
	}

	head, err := inspect(original, format, s)
	source.Width, source.Height = head.uprightSize()
	if err != nil {
		return nil, knowing(source, err)
	}
	if err := reserve.ask(ctx, head.memory); err != nil {
		return nil, err
	}

	colours, use := colours(head)
	prints := fromRows
	if head.film.planar() {
		prints = fromPlanes
	}
	large, small, damage, err := prints(ctx, head, colours, s)
	if err != nil {
		return nil, knowing(source, err)
	}
	large, small = upright(large, head.orientation), upright(small, head.orientation)

	preview, err := encode(ctx, previewColours(large, format), s.Preview)
	if err != nil {
		return nil, err
	}
	thumbnail, err := encode(ctx, small, s.Thumbnail)
	if err != nil {
		return nil, err
	}
	return developed(source, preview, thumbnail, use, damage), nil
}

func developed(source Source, preview, thumbnail Picture, use ProfileUse, damage error) *Developed {
	d := &Developed{Source: source, Preview: preview, Thumbnail: thumbnail, Profile: use}
	if damage != nil {
		d.Damage, d.CutOff = damaged(damage), isCutOff(damage)
	}
	return d
}

// previewColours leaves as many colours as a preview has: one for two by two pixels.
// That of a format that keepsColours has one for each.
func previewColours(p *jpeg.Planes, f format) *jpeg.Planes {
	if p.Gray() || p.Cb.Width < p.Y.Width || p.Cb.Height < p.Y.Height || f.keepsColours() {
		return p
	}
	two := image.Pt(2, 2)
	return &jpeg.Planes{Y: p.Y, Cb: halve(&p.Cb, two), Cr: halve(&p.Cr, two)}
}

// keepsColours tells whether the preview of a format has a colour for each pixel. PNG
// and GIF are screenshots with letters more often than not, whose edges would blur;
// JPEG and WebP are photos, and have two by two pixels share one, even of a JPEG in
// 4:4:4.
func (f format) keepsColours() bool { return f.name == formatPNG || f.name == formatGIF }
