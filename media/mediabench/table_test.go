package mediabench

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// table is one of Markdown.
type table struct {
	title string
	head  []string
	rows  [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n\n", t.title)
	rule := slices.Repeat([]string{"---"}, len(t.head))
	for _, row := range slices.Concat([][]string{t.head, rule}, t.rows) {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	return b.String()
}

// median returns the value in the middle, or the mean of both that are there.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// spread is the least, the median and the most, in three columns.
func spread(values []float64) []string {
	return []string{
		fmt.Sprintf("%.2f", slices.Min(values)),
		fmt.Sprintf("**%.2f**", median(values)),
		fmt.Sprintf("%.2f", slices.Max(values)),
	}
}

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{3: {9, 3, 1}, 2.5: {4, 1, 2, 3}, 7: {7}} {
		if got := median(values); got != want {
			t.Errorf("%v: got %v, want %v", values, got, want)
		}
	}
	values := []float64{2, 3, 1}
	if got := spread(values); !slices.Equal(got, []string{"1.00", "**2.00**", "3.00"}) || values[0] != 2 {
		t.Errorf("got %v of %v", got, values)
	}
}

func TestTable(t *testing.T) {
	made := table{title: "A title.", head: []string{"a", "b"}}
	made.add("1", "2")
	if got, want := made.String(), "\nA title.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMeans(t *testing.T) {
	if got, want := means([][]float64{{1, -2}, {2, -4}}), []string{"mean", "", "", "", "", "", "**+1.500**", "", "", "**-3.000**"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNearest(t *testing.T) {
	tests := map[string]struct {
		want         int64
		best, second int
	}{
		"met": {500, 50, 50}, "just above": {505, 51, 50}, "nearer below": {503, 50, 51}, "nearer above": {508, 51, 50},
		"too small": {3, 1, 1}, "too large": {2000, 100, 100}, "the last": {1000, 100, 100},
	}
	for name, test := range tests {
		asked := 0
		best, second := nearest(test.want, func(q int) int64 { asked++; return int64(10 * q) })
		if best != test.best || second != test.second {
			t.Errorf("%s: got %d and %d, want %d and %d", name, best, second, test.best, test.second)
		}
		if asked > 9 {
			t.Errorf("%s: asked %d times", name, asked)
		}
	}
}

func TestScoreAtTheSameBytes(t *testing.T) {
	if got := between(1500, scored{1000, 2}, scored{2000, 1}); got != 1.5 {
		t.Errorf("got %v, want 1.5", got)
	}
	if got := between(1500, scored{1400, 2}, scored{1400, 2}); got != 2 {
		t.Errorf("got %v of one and the same, want 2", got)
	}
}
