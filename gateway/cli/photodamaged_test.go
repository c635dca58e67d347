package cli

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// TestPhotoDamaged: a file that breaks off is rejected, or shown as damaged, to
// people and to programs.
func TestPhotoDamaged(t *testing.T) {
	t.Chdir(t.TempDir())
	whole := jpegOf(t, 600, 400)
	put(t, ".", "a.jpg", whole[:len(whole)*4/5])
	put(t, ".", "b.jpg", whole)
	r := lightlock(t, "photo", ".")
	hasAll(t, r.out, "✗ a.jpg  corrupt", "✓ b.jpg  ready ", "1 of 2 ready, 1 rejected")
	r = lightlock(t, "photo", ".", "--damaged", "show")
	hasAll(t, r.out, "✓ a.jpg  ready, damaged", "✓ b.jpg  ready  ", "2 of 2 ready")
	r = lightlock(t, "photo", ".", "--damaged=show", "--json", "--out", "out")
	var first, second row
	lines := strings.Split(r.out, "\n")
	if err := errors.Join(json.Unmarshal([]byte(lines[0]), &first), json.Unmarshal([]byte(lines[1]), &second)); err != nil {
		t.Fatal(err)
	}
	if first.Preview == nil || !first.Damaged || first.Status != statusReady || first.Reason != "" || first.Detail == "" || second.Damaged || second.Detail != "" {
		t.Fatalf("got %s, want the first ready, damaged, and why", r.out)
	}
	isKept(t, *first.Preview, 600, 400)
}
