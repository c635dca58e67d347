package config

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Bytes is a size. In YAML it has a unit: "10 MB", where 1 MB = 1,048,576
// bytes.
type Bytes int64

// The units of Bytes.
const (
	KB Bytes = 1 << 10
	MB Bytes = 1 << 20
	GB Bytes = 1 << 30
)

// Errors of ParseBytes and ParseDuration; what was found is in the text around
// them.
var (
	ErrNoUnit      = errors.New("has no unit")
	ErrUnknownUnit = errors.New("has a unit that is not known here")
	ErrNotANumber  = errors.New("does not begin with a number")
	ErrTooLarge    = errors.New("is larger than can be counted")
	ErrFraction    = errors.New("is not a whole number of bytes")
)

// measure is a number and what follows it.
var measure = regexp.MustCompile(`^([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*(.*)$`)

// ParseBytes reads a size such as "10 MB", "10MB" or "1.5 GB". The units are B,
// KB, MB and GB, in capitals.
func ParseBytes(text string) (Bytes, error) {
	parts := measure.FindStringSubmatch(text)
	if parts == nil {
		return 0, ErrNotANumber
	}
	unit, err := unitOf(parts[2])
	if err != nil {
		return 0, err
	}
	number, err := strconv.ParseFloat(parts[1], 64)
	if err != nil {
		return 0, ErrNotANumber
	}
	size := number * float64(unit)
	if size >= 1<<53 {
		return 0, ErrTooLarge // beyond it a float64 skips numbers
	}
	if size != math.Trunc(size) {
		return 0, ErrFraction
	}
	return Bytes(size), nil
}

func unitOf(name string) (Bytes, error) {
	switch name {
	case "":
		return 0, ErrNoUnit
	case "B":
		return 1, nil
	case "KB":
		return KB, nil
	case "MB":
		return MB, nil
	case "GB":
		return GB, nil
	}
	return 0, ErrUnknownUnit
}

// String returns the size in the largest unit that divides it: "10 MB".
func (b Bytes) String() string {
	switch {
	case b != 0 && b%GB == 0:
		return fmt.Sprintf("%d GB", int64(b/GB))
	case b != 0 && b%MB == 0:
		return fmt.Sprintf("%d MB", int64(b/MB))
	case b != 0 && b%KB == 0:
		return fmt.Sprintf("%d KB", int64(b/KB))
	}
	return fmt.Sprintf("%d B", int64(b))
}

// MarshalText writes the size as ParseBytes reads it.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// Duration is a time.Duration. In YAML it has a unit: "30s", "5m", "30d".
type Duration time.Duration

// ParseDuration reads a time such as "30s", "1h30m" or "250ms", and "30d", alone, as
// days of 24 hours.
func ParseDuration(text string) (Duration, error) {
	d, err := time.ParseDuration(text)
	if err == nil {
		return Duration(d), nil
	}
	parts := measure.FindStringSubmatch(text)
	switch {
	case parts == nil:
		return 0, ErrNotANumber
	case text == parts[1]+"d":
		return days(parts[1])
	case parts[2] == "":
		return 0, ErrNoUnit
	case strings.Trim(parts[2], "hmsnuµ0123456789.") == "":
		return 0, ErrTooLarge
	}
	return 0, ErrUnknownUnit
}

func days(number string) (Duration, error) {
	n, err := strconv.ParseFloat(number, 64)
	length := n * float64(24*time.Hour)
	switch {
	case err != nil:
		return 0, ErrNotANumber
	case length >= math.MaxInt64:
		return 0, ErrTooLarge
	}
	return Duration(length), nil
}

// Std returns the time as the standard library counts it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String returns the time without parts that are zero: "5m", not "5m0s".
func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText writes the time as ParseDuration reads it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func seconds(n int) Duration { return Duration(time.Duration(n) * time.Second) }
