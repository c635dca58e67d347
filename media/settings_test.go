package media

import (
	"strings"
	"testing"
)

func TestDefaultIsValid(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

func TestValidateReportsEverything(t *testing.T) {
	err := Settings{Formats: []string{"jpeg", "tiff"}, Preview: Target{MaxBytes: 1, Side: maxSide + 1}}.Validate()
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{
		"max_bytes is 0", "max_pixels is 0", `formats has "tiff"`,
		"preview.max_bytes is 1", "preview.side is 8193", "thumbnail.max_bytes is 0", "thumbnail.side is 0",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want %q in it", err, want)
		}
	}
	s := Default()
	s.Formats = nil
	if err := s.Validate(); err == nil || !strings.Contains(err.Error(), "formats is empty") {
		t.Errorf("got %v, want formats is empty", err)
	}
}

func TestWords(t *testing.T) {
	for _, row := range []struct{ got, want string }{
		{sayBytes(1), "1 byte"},
		{sayBytes(640), "640 bytes"},
		{sayBytes(30_000), "29 kB"},
		{sayBytes(10 << 20), "10 MB"},
		{sayBytes(31<<20 + 200_000), "31.2 MB"},
		{sayPixels(4_800), "4,800"},
		{sayPixels(432_000_000), "432 million"},
		{sayPixels(12_192_768), "12.2 million"},
		{sayPixels(4_290_250_000), "4,290 million"},
		{sayCount(1_000_000), "1,000,000"},
	} {
		if row.got != row.want {
			t.Errorf("got %q, want %q", row.got, row.want)
		}
	}
	if a, b := unlike(100_000_001, 100_000_000, sayPixels); a == b || a != "100,000,001" {
		t.Errorf("got %s and %s, want two that differ", a, b)
	}
}
