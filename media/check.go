package media

import (
	"fmt"

	"github.com/lightlock/lightlock/media/jpeg"
)

// Check tells whether the picture is what Develop promises, for a process that
// does not trust the one that developed it: within the target, of the size that
// it says, and segment for segment what our encoder writes, with the tables of
// one of its qualities.
//
// It unpacks nothing. What can still hide is in the pixels, in which Huffman
// codes were chosen for them (a few hundred bytes), and in what follows the last
// block within the data, which no decoder shows. All of it is within the target's
// bytes.
func (p Picture) Check(t Target) error {
	switch {
	case len(p.Data) > t.MaxBytes:
		return fmt.Errorf("media: %d bytes; the limit is %d", len(p.Data), t.MaxBytes)
	case p.Width < 1 || p.Height < 1 || max(p.Width, p.Height) > t.Side:
		return fmt.Errorf("media: %d x %d pixels; the limit is %d", p.Width, p.Height, t.Side)
	}
	width, height, err := jpeg.Verify(p.Data)
	if err != nil {
		return fmt.Errorf("media: %w", err)
	}
	if width != p.Width || height != p.Height {
		return fmt.Errorf("media: the frame says %d x %d pixels, not %d x %d", width, height, p.Width, p.Height)
	}
	return nil
}
