package config

import "slices"

// nearest returns the name that text was probably meant to be, or "". A third
// of the letters may be wrong, and at least one.
func nearest(text string, names []string) string {
	if len(text) > 64 {
		return ""
	}
	best, bestDistance := "", max(1, len(text)/3)+1
	for _, name := range names {
		if d := distance(text, name); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to make b of a.
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// unseen returns the names that are not among the keys of seen.
func unseen(names []string, seen map[string]place) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, here := seen[name]
		return here
	})
}
