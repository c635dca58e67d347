package media

import "testing"

// Of a picture that broke off in a row of blocks, colour is white from the first sample
// on of which nothing is there.
func TestWhiten(t *testing.T) {
	for name, covers := range samplings() {
		n := negativeOf(noise(16, 24), covers)
		n.whiten(8)
		for y := range 24 {
			for x := range 16 {
				cb, cr := n.Cb.Row(y / covers.Y)[x/covers.X], n.Cr.Row(y / covers.Y)[x/covers.X]
				if white := n.Y.Row(y)[x] == 255 && cb == 128 && cr == 128; y >= 8 && !white {
					t.Fatalf("%s: row %d is not white", name, y)
				}
			}
		}
		if untouched := negativeOf(noise(16, 24), covers); string(n.Cb.Pix[:n.Cb.Width*(8/covers.Y)]) != string(untouched.Cb.Pix[:n.Cb.Width*(8/covers.Y)]) {
			t.Errorf("%s: colour above row 8 was changed", name)
		}
	}
}
