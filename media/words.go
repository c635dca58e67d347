package media

import (
	"fmt"
	"strconv"
	"strings"
)

// mega is the megabyte of all our limits.
const mega = 1 << 20

// sayBytes writes a size as people do: "640 bytes", "31.2 MB".
func sayBytes(n int64) string {
	switch {
	case n == 1:
		return "1 byte"
	case n < 10_000:
		return sayCount(n) + " bytes"
	case n < mega:
		return fmt.Sprintf("%d kB", n>>10)
	default:
		return sayTenths(float64(n)/mega) + " MB"
	}
}

// sayPixels writes a number of pixels: "12.2 million", "4,800".
func sayPixels(n int64) string {
	if n < 1_000_000 {
		return sayCount(n)
	}
	million := float64(n) / 1e6
	if million >= 1000 {
		return sayCount(n/1_000_000) + " million"
	}
	return sayTenths(million) + " million"
}

// sayTenths writes one decimal where it says something.
func sayTenths(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

// sayCount writes a number of things with a comma for each thousand.
func sayCount(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// unlike returns found and limit in words that differ: a value just above its
// limit would otherwise read like the limit itself.
func unlike(found, limit int64, say func(int64) string) (string, string) {
	if say(found) != say(limit) {
		return say(found), say(limit)
	}
	return sayCount(found), sayCount(limit)
}
