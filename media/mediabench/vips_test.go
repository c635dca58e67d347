package mediabench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// vips makes of one photo what ours made of it, in a folder.
type vips struct {
	folder   string
	photo    photo
	preview  picture // ours
	profile  []string
	previewQ int
	thumbQ   int
}

// thumbnailSide is that of both programs.
const thumbnailSide = 240

// newVips finds out how vipsthumbnail comes as near as it can to what ours, one
// run of which left its pictures in oursIn, makes of a photo.
func newVips(t *testing.T, p photo, folder, oursIn string) vips {
	t.Helper()
	need(t, "vipsthumbnail", "vips")
	v := vips{folder: folder, photo: p}
	if p.other {
		v.profile = []string{exportOption(t), "srgb"}
	}
	if out, err := oursCommand(t, oursIn, p.path).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", p.name, err, out)
	}
	v.preview = pictureAt(t, filepath.Join(oursIn, p.name+previewEnd))
	v.previewQ, _ = v.search(t, v.preview.bytes, v.saving(p.full), v.previewArgs()...)
	thumbnail := pictureAt(t, filepath.Join(oursIn, p.name+thumbnailEnd))
	v.thumbQ, _ = v.search(t, thumbnail.bytes, v.saving(true), v.thumbnailArgs()...)
	return v
}

// exportOption is the name of the option for the profile to convert to, which has
// changed.
func exportOption(t *testing.T) string {
	t.Helper()
	help := do(t, "vipsthumbnail", "--help")
	for _, option := range []string{"--output-profile", "--export-profile", "--eprofile"} {
		if strings.Contains(help, option) {
			return option
		}
	}
	t.Fatal("this vipsthumbnail has no option for the profile to convert to")
	return ""
}

// previewArgs has the preview have the size of ours to the pixel.
func (v vips) previewArgs() []string {
	return append([]string{"--size", fmt.Sprintf("%dx%d!", v.preview.width, v.preview.height)}, v.profile...)
}

func (v vips) thumbnailArgs() []string {
	return append([]string{"--size", fmt.Sprintf("%dx%d", thumbnailSide, thumbnailSide), "--smartcrop", "centre"}, v.profile...)
}

// saving is how a JPEG of that Q is written, with all colours or with a fourth.
func (vips) saving(full bool) func(q int) string {
	subsampling := "on"
	if full {
		subsampling = "off"
	}
	return func(q int) string {
		return fmt.Sprintf("[Q=%d,strip,optimize_coding,subsample_mode=%s]", q, subsampling)
	}
}

// search returns the two neighbours of Q between whose sizes so many bytes lie, the
// nearer one first. The picture is scaled once, kept without loss, and saved again.
func (v vips) search(t *testing.T, bytes int64, saving func(int) string, args ...string) (best, second int) {
	t.Helper()
	kept, tried := filepath.Join(v.folder, "search.v"), filepath.Join(v.folder, "search.jpg")
	do(t, "vipsthumbnail", append([]string{v.photo.path, "-o", kept}, args...)...)
	return nearest(bytes, func(q int) int64 {
		do(t, "vips", "copy", kept, tried+saving(q))
		return pictureAt(t, tried).bytes
	})
}

// nearest returns the two neighbours among 1 to 100 between whose sizes want lies, the
// nearer one first; at either end of the range both are the last one. Size must grow.
func nearest(want int64, size func(q int) int64) (best, second int) {
	low, high := 1, 100 // the answer, the least Q that has at least want, is among these
	for low < high {
		if middle := (low + high) / 2; size(middle) >= want {
			high = middle
		} else {
			low = middle + 1
		}
	}
	above, below := low, max(1, low-1)
	overshoot := size(above) - want
	if overshoot <= 0 {
		return above, above
	}
	if overshoot <= want-size(below) {
		return above, below
	}
	return below, above
}

// previews makes previews of all names, in one process.
func (v vips) previews(t *testing.T, names []string) cost {
	t.Helper()
	return v.run(t, names, previewEnd+v.saving(v.photo.full)(v.previewQ), v.previewArgs())
}

// thumbnails makes thumbnails of all names, in one process.
func (v vips) thumbnails(t *testing.T, names []string) cost {
	t.Helper()
	return v.run(t, names, thumbnailEnd+v.saving(true)(v.thumbQ), v.thumbnailArgs())
}

// thumbnailsOfPreviews makes them of what previews has made of these names.
func (v vips) thumbnailsOfPreviews(t *testing.T, names []string) cost {
	t.Helper()
	v.profile = nil
	var made []string
	for _, name := range names {
		made = append(made, filepath.Join(v.folder, bare(name)+previewEnd))
	}
	return v.run(t, made, thumbnailEnd+v.saving(true)(v.thumbQ), v.thumbnailArgs())
}

func (v vips) run(t *testing.T, names []string, end string, args []string) cost {
	t.Helper()
	args = append(append(args, "--vips-cache-max=0", "-o", filepath.Join(v.folder, "%s"+end)), names...)
	cmd := exec.CommandContext(t.Context(), "vipsthumbnail", args...)
	cmd.Env = append(os.Environ(), "VIPS_CONCURRENCY=1")
	return measure(t, cmd)
}
