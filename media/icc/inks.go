package icc

import "sync"

// Inks takes four inks to be those of a common press.
func Inks() *Transform { return theInks() }

// house: variable because this is a function whose value is made once.
var theInks = sync.OnceValue(func() *Transform { return &Transform{4, inks{}} })

// inks lets every ink take its part of the light.
type inks struct{}

func (inks) convert(dst []uint8, src []uint16) {
	for i := 0; i+4 <= len(src); i += 4 {
		paper := uint64(full - src[i+3])
		for j := range 3 {
			dst[i/4*3+j] = uint8((uint64(full-src[i+j])*paper*255 + full*full/2) / (full * full))
		}
	}
}

func (inks) light(dst, src []uint16) { copy(dst, src) }

func (e inks) convertLight(dst []uint8, src []uint16) { e.convert(dst, src) }
