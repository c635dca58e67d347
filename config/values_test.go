package config

import (
	"errors"
	"reflect"
	"testing"
	"time"
)

func TestParseBytes(t *testing.T) {
	for _, c := range []struct {
		text  string
		want  Bytes
		err   error
		write string
	}{
		{"10 MB", 10 * 1048576, nil, "10 MB"},
		{"10MB", 10 * 1048576, nil, "10 MB"},
		{"1.5 GB", 1536 * MB, nil, "1536 MB"},
		{"30000 B", 30000, nil, "30000 B"},
		{"1024 B", 1024, nil, "1 KB"},
		{"0 B", 0, nil, "0 B"},
		{"2 GB", 2 * GB, nil, "2 GB"},
		{"10", 0, ErrNoUnit, ""},
		{"10 parsecs", 0, ErrUnknownUnit, ""},
		{"10 mb", 0, ErrUnknownUnit, ""},
		{"10 MiB", 0, ErrUnknownUnit, ""},
		{"10 MB MB", 0, ErrUnknownUnit, ""},
		{"", 0, ErrNotANumber, ""},
		{"MB", 0, ErrNotANumber, ""},
		{"-1 MB", 0, ErrNotANumber, ""},
		{"1e3 MB", 0, ErrUnknownUnit, ""},
		{"0.3 B", 0, ErrFraction, ""},
		{"999999999 GB", 0, ErrTooLarge, ""},
	} {
		got, err := ParseBytes(c.text)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("ParseBytes(%q) = %d, %v; want %d, %v", c.text, got, err, c.want, c.err)
		}
		if err != nil {
			continue
		}
		if got.String() != c.write {
			t.Errorf("%q prints as %q, want %q", c.text, got.String(), c.write)
		}
		if again, err := ParseBytes(got.String()); again != got || err != nil {
			t.Errorf("%q does not read back: %d, %v", got, again, err)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for _, c := range []struct {
		text  string
		want  time.Duration
		err   error
		write string
	}{
		{"30s", 30 * time.Second, nil, "30s"},
		{"5m", 5 * time.Minute, nil, "5m"},
		{"2h", 2 * time.Hour, nil, "2h"},
		{"1h30m", 90 * time.Minute, nil, "1h30m"},
		{"1h0m5s", time.Hour + 5*time.Second, nil, "1h0m5s"},
		{"250ms", 250 * time.Millisecond, nil, "250ms"},
		{"20m", 20 * time.Minute, nil, "20m"},
		{"30", 0, ErrNoUnit, ""},
		{"30d", 720 * time.Hour, nil, "720h"},
		{"1.5d", 36 * time.Hour, nil, "36h"},
		{"1d12h", 0, ErrUnknownUnit, ""},
		{"1 d", 0, ErrUnknownUnit, ""},
		{"200000d", 0, ErrTooLarge, ""},
		{"10 parsecs", 0, ErrUnknownUnit, ""},
		{"", 0, ErrNotANumber, ""},
		{"soon", 0, ErrNotANumber, ""},
		{"9999999999h", 0, ErrTooLarge, ""},
	} {
		got, err := ParseDuration(c.text)
		if got.Std() != c.want || !errors.Is(err, c.err) {
			t.Errorf("ParseDuration(%q) = %s, %v; want %s, %v", c.text, got, err, c.want, c.err)
		}
		if err == nil && got.String() != c.write {
			t.Errorf("%q prints as %q, want %q", c.text, got, c.write)
		}
	}
}

func TestPhotosOver(t *testing.T) {
	yes, no := true, false
	base := Photos{&yes, 10 * MB, []string{"jpeg"}, "reject", 2048, 240}
	own := Photos{&no, 1 * MB, []string{"png"}, "show", 1024, 120}
	if got := (Photos{}).Over(base); !reflect.DeepEqual(got, base) {
		t.Errorf("an empty one over base: got %+v, want base", got)
	}
	if got := own.Over(base); !reflect.DeepEqual(got, own) {
		t.Errorf("a full one over base: got %+v, want itself", got)
	}
	if got, want := (Photos{MaxBytes: MB}).Over(base), (Photos{&yes, MB, []string{"jpeg"}, "reject", 2048, 240}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"channel_secret", "name", "queue", "lease"}
	for text, want := range map[string]string{
		"chanel_secret": "channel_secret", "anme": "name", "Queue": "queue", "queues": "queue", "leese": "lease",
		"colour": "", "x": "", "": "",
	} {
		if got := nearest(text, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", text, got, want)
		}
	}
}
