package mediabench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// scored is what a picture of so many bytes is worth.
type scored struct {
	bytes int64
	score float64
}

// between is the score at a size that lies between those of two pictures, or near them.
func between(bytes int64, a, b scored) float64 {
	if a.bytes == b.bytes {
		return a.score
	}
	return a.score + (b.score-a.score)*float64(bytes-a.bytes)/float64(b.bytes-a.bytes)
}

// measurer is a program that compares two pictures.
type measurer struct {
	program string
	better  string // "lower" or "higher"
	read    func(out string) string
}

// measurers returns those that are installed.
func measurers() []measurer {
	var there []measurer
	for _, m := range []measurer{
		{"butteraugli_main", "lower", func(out string) string { _, n, _ := strings.Cut(out, "3-norm:"); return n }},
		{"ssimulacra2", "higher", func(out string) string { return out }},
	} {
		if _, err := exec.LookPath(m.program); err == nil {
			there = append(there, m)
		}
	}
	return there
}

func (m measurer) score(t *testing.T, reference, picture string) (float64, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), m.program, reference, picture).Output()
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w", m.program, picture, err)
	}
	return strconv.ParseFloat(strings.TrimSpace(m.read(string(out))), 64)
}

func TestCompareQuality(t *testing.T) {
	asked(t)
	need(t, "vips", "vipsthumbnail")
	there := measurers()
	if len(there) == 0 {
		need(t, "butteraugli_main")
	}
	made := &table{
		title: "Quality of the preview against the picture that has lost nothing, at the bytes of ours.",
		head:  []string{"photo", "of", "preview", "kB"},
	}
	for _, m := range there {
		made.head = append(made.head, m.program+" ours", "vips ("+m.better+" is better)", "ours − vips")
	}
	var differences [][]float64
	for _, p := range photos(t, ".jpg", ".png") {
		fmt.Fprintf(os.Stderr, "quality: %s\n", p.name)
		if !p.full {
			differences = append(differences, made.judge(t, p, "", there))
			continue
		}
		differences = append(differences, made.judge(t, p, p.path, there), made.judge(t, asJPEG(t, p), p.path, there))
	}
	made.add(means(differences)...)
	fmt.Print(made)
}

// means is the table's last row: what stands in a last column each, on average.
func means(differences [][]float64) []string {
	row := []string{"mean", "", "", ""}
	for i := range differences[0] {
		sum := 0.0
		for _, d := range differences {
			sum += d[i]
		}
		row = append(row, "", "", fmt.Sprintf("**%+.3f**", sum/float64(len(differences))))
	}
	return row
}

// asJPEG makes of a lossless photo what a camera would: 4:2:0, Q 95.
func asJPEG(t *testing.T, p photo) photo {
	t.Helper()
	path := filepath.Join(t.TempDir(), p.name+".jpg")
	do(t, "vips", "copy", p.path, path+"[Q=95,subsample_mode=on]")
	return look(t, path)
}

// judge adds a photo's row, and returns ours less theirs by each measurer. The reference
// is lossless and of the preview's size, or is made of the photo.
func (made *table) judge(t *testing.T, p photo, reference string, by []measurer) []float64 {
	t.Helper()
	v := newVips(t, p, t.TempDir(), t.TempDir())
	if reference == "" {
		reference = v.reference(t)
	}
	best, second := v.search(t, v.preview.bytes, v.saving(p.full), v.previewArgs()...)
	pictures := []picture{v.preview, v.previewOf(t, best), v.previewOf(t, second)}
	row := []string{p.name, strings.TrimPrefix(filepath.Ext(p.path), "."), fmt.Sprintf("%d × %d", v.preview.width, v.preview.height), fmt.Sprintf("%.0f", float64(v.preview.bytes)/1e3)}
	var differences []float64
	for _, m := range by {
		scores := scoreAll(t, m, reference, pictures)
		theirs := between(v.preview.bytes, scores[1], scores[2])
		row = append(row, fmt.Sprintf("%.3f", scores[0].score), fmt.Sprintf("%.3f", theirs), fmt.Sprintf("%+.3f", scores[0].score-theirs))
		differences = append(differences, scores[0].score-theirs)
	}
	made.add(row...)
	return differences
}

// reference makes of all pixels of a photo a picture of the preview's size.
func (v vips) reference(t *testing.T) string {
	t.Helper()
	whole, upright := filepath.Join(v.folder, "whole.v"), filepath.Join(v.folder, "upright.v")
	if v.photo.other {
		do(t, "vips", "icc_transform", v.photo.path, whole, "srgb", "--embedded")
	} else {
		do(t, "vips", "copy", v.photo.path, whole)
	}
	do(t, "vips", "autorot", whole, upright)
	scale := func(field string, to int) string {
		from, err := strconv.Atoi(strings.TrimSpace(do(t, "vipsheader", "-f", field, upright)))
		if err != nil {
			t.Fatal(err)
		}
		return strconv.FormatFloat(float64(to)/float64(from), 'g', -1, 64)
	}
	made := filepath.Join(v.folder, "reference.png")
	do(t, "vips", "resize", upright, made+"[strip]", scale("width", v.preview.width), "--vscale", scale("height", v.preview.height), "--kernel", *kernel)
	if got := pictureAt(t, made); got.width != v.preview.width || got.height != v.preview.height {
		t.Fatalf("%s: the reference is %dx%d", v.photo.name, got.width, got.height)
	}
	return made
}

// previewOf is vipsthumbnail's preview of that Q.
func (v vips) previewOf(t *testing.T, q int) picture {
	t.Helper()
	path := filepath.Join(v.folder, fmt.Sprintf("q%d.jpg", q))
	do(t, "vipsthumbnail", append([]string{v.photo.path, "-o", path + v.saving(v.photo.full)(q)}, v.previewArgs()...)...)
	return pictureAt(t, path)
}

// scoreAll measures all pictures at once: a measurer uses one processor.
func scoreAll(t *testing.T, m measurer, reference string, pictures []picture) []scored {
	t.Helper()
	scores := make([]scored, len(pictures))
	var wait sync.WaitGroup
	for i, p := range pictures {
		wait.Go(func() {
			score, err := m.score(t, reference, p.path)
			if err != nil {
				t.Error(err)
			}
			scores[i] = scored{p.bytes, score}
		})
	}
	wait.Wait()
	return scores
}
