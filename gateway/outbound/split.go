package outbound

import (
	"strings"

	"github.com/rivo/uniseg"

	"github.com/lightlock/lightlock/connectors"
)

// Split divides a text into parts of at most limit UTF-16 code units each, as
// platforms count them, and in all of the same words: only white space between
// two parts is left out. It breaks where a reader would, at the end of a line, a
// sentence or a word, and never inside what is one character to the eye.
// Boundaries are found by rivo/uniseg, because they follow Unicode's tables.
func Split(text string, limit int) []string {
	var parts []string
	for text = strings.TrimSpace(text); connectors.Length(text) > limit; {
		end := breakAt(text, limit)
		if part := strings.TrimSpace(text[:end]); part != "" {
			parts = append(parts, part)
		}
		text = strings.TrimSpace(text[end:])
	}
	if text != "" {
		parts = append(parts, text)
	}
	return parts
}

// breakAt returns where the first part of a text should end: at the last break
// of the best kind that leaves the part at least half full.
func breakAt(text string, limit int) int {
	var ends [4]int // by how good the break is: any character, word, sentence, line
	rest, state, length := text, -1, 0
	for rest != "" {
		var cluster string
		var boundaries int
		cluster, rest, boundaries, state = uniseg.StepString(rest, state)
		length += connectors.Length(cluster)
		if length > limit {
			break
		}
		end := len(text) - len(rest)
		ends[0] = end
		if boundaries&uniseg.MaskLine == uniseg.LineCanBreak {
			ends[1] = end
		}
		if boundaries&uniseg.MaskSentence != 0 {
			ends[2] = end
		}
		if boundaries&uniseg.MaskLine == uniseg.LineMustBreak {
			ends[3] = end
		}
	}
	for i := len(ends) - 1; i > 0; i-- {
		if connectors.Length(text[:ends[i]]) >= limit/2 {
			return ends[i]
		}
	}
	if ends[1] > 0 {
		return ends[1]
	}
	if ends[0] > 0 {
		return ends[0]
	}
	return firstRunes(text, limit)
}

// firstRunes is for a single character that is longer than a whole part, which
// is made of hundreds of combining marks.
func firstRunes(text string, limit int) int {
	for i, r := range text {
		if limit -= connectors.Length(string(r)); limit < 0 && i > 0 {
			return i
		}
	}
	return len(text)
}
