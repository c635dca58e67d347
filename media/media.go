// Package media is the darkroom: it takes a stranger's file and gives back a
// clean preview and thumbnail, or the reason why not.
//
// It promises that nothing of the original but its visible pixels is left in
// what it gives out, that every limit is judged before the work that it limits,
// and that the same bytes always get the same verdict and the same pictures. It
// does no I/O, and imports nothing of ours, so that it can run where nothing
// else may.
package media

// Settings say what is accepted and what is made of it.
type Settings struct {
	// MaxBytes is the largest original; exactly that many bytes pass.
	MaxBytes int64 `json:"max_bytes"`
	// MaxPixels is the largest product of width and height.
	MaxPixels int64 `json:"max_pixels"`
	// Formats are the accepted ones: "jpeg", "png", "gif", "webp".
	Formats   []string `json:"formats"`
	Preview   Target   `json:"preview"`
	Thumbnail Target   `json:"thumbnail"`
}

// Target is what one of the pictures that we make must keep to.
type Target struct {
	// MaxBytes is never exceeded.
	MaxBytes int `json:"max_bytes"`
	// Side is the longest side of a preview, the side of a thumbnail.
	Side int `json:"side"`
}

// Source is what could be learnt about an original.
type Source struct {
	// Type is a media type found by content, such as "image/jpeg", or empty.
	Type  string `json:"type,omitempty"`
	Bytes int64  `json:"bytes"`
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
}
