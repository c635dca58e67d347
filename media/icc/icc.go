// Package icc turns the colours of a picture into sRGB by its ICC profile
// (ICC.1:2022, and version 2, ICC.1:2001).
//
// It promises never to read outside a profile, to take a bounded amount of
// memory (see Parse) and of time, and to give the same numbers on every
// processor: tables are made with floating point when a profile is read, pixels
// are whole numbers from end to end.
//
// Colours are converted as media-relative colorimetric, without black point
// compensation: what the paper or the screen calls white becomes white, all else
// keeps its place beside it, and what sRGB cannot show is clipped channel by
// channel. That is what the common tools do by default.
package icc

import "sync"

// MaxBytes is the size of the largest profile that is looked at. Those of
// cameras have less than 4 kB, those of presses mostly half a megabyte.
const MaxBytes = 1 << 20

// Transform turns device values into sRGB. It never changes, so that any number
// of goroutines may use one.
//
// A row is a slice of device values, Channels for each pixel, from 0 to 65535;
// of inks, 0 is none and 65535 all that the press can give. The destination has
// to be long enough for all pixels of the row. No method but ConvertBytes
// allocates, and that no more than a small buffer.
type Transform struct {
	channels int
	engine   engine
}

// engine is what differs between the kinds of profiles.
type engine interface {
	convert(dst []uint8, src []uint16)
	light(dst, src []uint16)
	convertLight(dst []uint8, src []uint16)
}

// Channels is 1 for gray, 3 for red, green, blue, and 4 for cyan, magenta,
// yellow, black.
func (t *Transform) Channels() int { return t.channels }

// Convert turns device values into sRGB, three bytes for each pixel, rounded.
func (t *Transform) Convert(dst []uint8, src []uint16) { t.engine.convert(dst, src) }

// Light turns device values into as many that are proportional to light, for
// averaging: half of the pixels white and half of them black make a gray that
// is as bright. Inks stay as they are, for they cover paper in proportion. The
// two may be the same slice.
func (t *Transform) Light(dst, src []uint16) { t.engine.light(dst, src) }

// ConvertLight turns what Light gave into sRGB, three bytes for each pixel.
func (t *Transform) ConvertLight(dst []uint8, src []uint16) { t.engine.convertLight(dst, src) }

// SRGB takes red, green and blue for what they are in sRGB.
func SRGB() *Transform { return theSRGB() }

// Gray takes gray to be on the curve of sRGB.
func Gray() *Transform { return theGray() }

// house: variable because these are functions whose value is made once.
var (
	theSRGB = sync.OnceValue(func() *Transform {
		return &Transform{3, identity{decode: srgbToLight(), encode: lightToSRGB()}}
	})
	theGray = sync.OnceValue(func() *Transform {
		return &Transform{1, gray{curve: srgbToLight(), encode: lightToSRGB()}}
	})
)
