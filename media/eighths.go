package media

import "image"

// eighths says at how many eighths of its size a JPEG is decoded. Eight is all of it.
//
// It is the scale that comes to the preview's side or stays under it by a sixteenth of
// it at most: what is decoded is the preview then. To be resampled would cost more
// time than all that comes after, for a sixteenth more of pixels. Where no scale comes
// so near, it is the second above: blocks whose highest frequencies were cut do not
// quite fit together, which is seen once they are resampled by little, and the next
// scale is too near for that. The thumbnail, which is cut from the same pixels, must
// not be smaller than it would be of the whole photo.
func eighths(photo image.Point, s Settings) int {
	longest, shortest := max(photo.X, photo.Y), min(photo.X, photo.Y)
	n := 8
	for n > 1 && scaled(longest, n) > s.Preview.Side {
		n--
	}
	if 16*scaled(longest, n) < 15*s.Preview.Side {
		n += 2
	}
	for n < 8 && shortest*n/8 < min(shortest, s.Thumbnail.Side) {
		n++
	}
	return min(n, 8)
}

// scaled is how many samples a decoder makes of so many at n eighths. Of the last
// there may be only a part.
func scaled(length, n int) int { return ceilDiv(length*n, 8) }

// previewSize is the size of the preview before it is turned.
func (h *header) previewSize(s Settings) image.Point {
	if size := image.Pt(scaled(h.width, h.eighths), scaled(h.height, h.eighths)); max(size.X, size.Y) <= s.Preview.Side {
		return size
	}
	return fit(h.width, h.height, s.Preview.Side)
}
