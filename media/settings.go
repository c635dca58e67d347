package media

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Settings say what is accepted and what is made of it.
type Settings struct {
	// MaxBytes is the largest original; exactly that many bytes pass.
	MaxBytes int64 `json:"max_bytes"`
	// MaxPixels is the largest product of width and height.
	MaxPixels int64 `json:"max_pixels"`
	// Formats are the accepted ones: "jpeg", "png", "gif", "webp".
	Formats []string `json:"formats"`
	// MaxMemory is the most that a photo may take while it is developed, in
	// bytes.
	MaxMemory int64 `json:"max_memory"`
	// ShowDamaged has a file that breaks off developed where at least half of
	// its rows are there; else it is Corrupt. A row is there as soon as its
	// first, coarse version is: a progressive JPEG or an interlaced picture may
	// be shown in all its height and less sharp.
	ShowDamaged bool   `json:"show_damaged"`
	Preview     Target `json:"preview"`
	Thumbnail   Target `json:"thumbnail"`
}

// Target is what one of the pictures that we make must keep to.
type Target struct {
	// MaxBytes is never exceeded.
	MaxBytes int `json:"max_bytes"`
	// Side is the longest side of a preview, the side of a thumbnail. A
	// picture is never enlarged to reach it, and the preview of a JPEG may
	// stay under it by a sixteenth at most (see eighths).
	Side int `json:"side"`
}

// Bounds of the settings. Every JPEG of a single pixel fits into minTarget, so
// that shrinking always ends. Above maxSide a preview would be no preview, and
// its pixels alone would take more memory than most originals.
const (
	minTarget = 2 << 10
	maxSide   = 8192
)

// Default returns the settings that hold where nobody says otherwise: 10 MB
// (1 MB = 1,048,576 bytes), 100 million pixels, jpeg, png and gif; a preview of
// 2048 pixels in 3,000,000 bytes, a thumbnail of 240 in 30,000.
func Default() Settings {
	return Settings{
		MaxBytes:  10 << 20,
		MaxPixels: 100_000_000,
		Formats:   []string{formatJPEG, formatPNG, formatGIF},
		MaxMemory: MaxMemory,
		Preview:   Target{MaxBytes: 3_000_000, Side: 2048},
		Thumbnail: Target{MaxBytes: 30_000, Side: 240},
	}
}

// Validate reports every setting that cannot be worked with, joined into one
// error, or nil.
func (s Settings) Validate() error {
	var wrong []error
	if s.MaxBytes < 1 {
		wrong = append(wrong, fmt.Errorf("max_bytes is %d; it must be at least 1", s.MaxBytes))
	}
	if s.MaxPixels < 1 {
		wrong = append(wrong, fmt.Errorf("max_pixels is %d; it must be at least 1", s.MaxPixels))
	}
	if s.MaxMemory < 1 {
		wrong = append(wrong, fmt.Errorf("max_memory is %d; it must be at least 1", s.MaxMemory))
	}
	wrong = append(wrong, validateFormats(s.Formats))
	wrong = append(wrong, s.Preview.validate("preview"), s.Thumbnail.validate("thumbnail"))
	return errors.Join(wrong...)
}

func validateFormats(formats []string) error {
	known := []string{formatJPEG, formatPNG, formatGIF, formatWebP}
	if len(formats) == 0 {
		return fmt.Errorf("formats is empty; name some of %s", strings.Join(known, ", "))
	}
	for _, f := range formats {
		if !slices.Contains(known, f) {
			return fmt.Errorf("formats has %q; it may have %s", f, strings.Join(known, ", "))
		}
	}
	return nil
}

func (t Target) validate(name string) error {
	var wrong []error
	if t.MaxBytes < minTarget {
		wrong = append(wrong, fmt.Errorf("%s.max_bytes is %d; it must be at least %d", name, t.MaxBytes, minTarget))
	}
	if t.Side < 1 || t.Side > maxSide {
		wrong = append(wrong, fmt.Errorf("%s.side is %d; it must be from 1 to %d", name, t.Side, maxSide))
	}
	return errors.Join(wrong...)
}
