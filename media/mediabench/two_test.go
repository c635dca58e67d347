package mediabench

import (
	"fmt"
	"os/exec"
	"testing"
	"time"
)

// TestCompareTwo tells how much two processes at once develop of what one does.
func TestCompareTwo(t *testing.T) {
	asked(t)
	made := &table{
		title: fmt.Sprintf("Two processes at once: photos a second by those of one, medians of %d rounds.", *rounds),
		head:  []string{"photo", "one alone, ms a photo", "least", "rate", "most"},
	}
	for _, p := range photos(t, ".jpg") {
		if p.name != "p12-pixel1" && p.name != "p12-book-progressive" {
			continue // two say it
		}
		names := p.names(t, t.TempDir(), perProcess)
		var ones, rates []float64
		for range *rounds {
			one := clock(t, oursCommand(t, t.TempDir(), names...))
			two := clock(t, oursCommand(t, t.TempDir(), names...), oursCommand(t, t.TempDir(), names...))
			ones = append(ones, one.Seconds()*1000/perProcess)
			rates = append(rates, 2*one.Seconds()/two.Seconds())
		}
		rate := spread(rates)
		made.add(p.name, fmt.Sprintf("%.0f", median(ones)), rate[0], rate[1], rate[2])
	}
	fmt.Print(made)
}

// clock starts all commands at once, and returns how long it took until the last one
// was done.
func clock(t *testing.T, commands ...*exec.Cmd) time.Duration {
	t.Helper()
	start := time.Now()
	for _, c := range commands {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range commands {
		if err := c.Wait(); err != nil {
			t.Fatalf("%v: %v", c.Args, err)
		}
	}
	return time.Since(start)
}
