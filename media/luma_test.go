package media

import (
	"math"
	"testing"
)

// byTheBook is ITU-T T.871, 7, before it is rounded.
func byTheBook(r, g, b float64) [3]float64 {
	y := 0.299*r + 0.587*g + 0.114*b
	return [3]float64{y, min((b-y)/1.772+128, 255), min((r-y)/1.402+128, 255)}
}

// backByTheBook is the other way round.
func backByTheBook(y, cb, cr float64) [3]float64 {
	clip := func(v float64) float64 { return min(max(v, 0), 255) }
	return [3]float64{clip(y + 1.402*(cr-128)), clip(y - 0.344136286*(cb-128) - 0.714136286*(cr-128)), clip(y + 1.772*(cb-128))}
}

// isRounded tells whether a sample is the nearest whole number; weights of 16 bits
// may miss by a hundredth.
func isRounded(got byte, want float64) bool { return math.Abs(float64(got)-want) < 0.51 }

func TestLumaOfEveryColour(t *testing.T) {
	for i := range 1 << 18 {
		a, b, c := int32(i>>12*4+i%4), int32(i>>6%64*4+i%3), int32(i%64*4+i%2)
		want := byTheBook(float64(a), float64(b), float64(c))
		y := lumaOf(a, b, c)
		cb, cr := colourOf(a, b, c, 1)
		if !isRounded(y, want[0]) || !isRounded(cb, want[1]) || !isRounded(cr, want[2]) {
			t.Fatalf("%d, %d, %d: got %d, %d, %d, want %.2f", a, b, c, y, cb, cr, want)
		}
		for count := int32(2); count <= 16; count++ {
			if b, r := colourOf(count*a, count*b, count*c, count); b != cb || r != cr {
				t.Fatalf("%d times %d, %d, %d: got %d and %d, want %d and %d", count, a, b, c, b, r, cb, cr)
			}
		}
		want = backByTheBook(float64(a), float64(b), float64(c))
		r, g, blue := lumaToRGB(byte(a), byte(b), byte(c))
		if !isRounded(r, want[0]) || !isRounded(g, want[1]) || !isRounded(blue, want[2]) {
			t.Fatalf("back from %d, %d, %d: got %d, %d, %d, want %.2f", a, b, c, r, g, blue, want)
		}
	}
}

func TestLumaKeepsGray(t *testing.T) {
	for v := range int32(256) {
		cb, cr := colourOf(v, v, v, 1)
		if y := lumaOf(v, v, v); y != byte(v) || cb != 128 || cr != 128 {
			t.Errorf("gray %d became %d, %d, %d", v, y, cb, cr)
		}
	}
}
