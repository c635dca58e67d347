package mediabench

import (
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
)

// perProcess is how many photos a process develops.
const perProcess = 6

// contest is one photo's part in the comparison.
type contest struct {
	photo            photo
	vips             vips
	names            []string
	oursIn           string
	ofPreview        bool // whether thumbnails of previews are cheaper for vipsthumbnail
	ours, theirs     []cost
	original, second cost // what its thumbnails take of the original, and of the preview
}

func TestCompareCost(t *testing.T) {
	asked(t)
	need(t, "vipsthumbnail", "vips")
	var all []*contest
	for _, p := range photos(t, ".jpg") {
		all = append(all, newContest(t, p))
	}
	for round := range *rounds {
		fmt.Fprintf(os.Stderr, "cost: round %d of %d\n", round+1, *rounds)
		for _, c := range all {
			c.round(t, round%2 == 1)
		}
	}
	fmt.Print(speedTable(t, all).String() + classTable(all).String() + memoryTable(t, all).String())
}

func newContest(t *testing.T, p photo) *contest {
	t.Helper()
	c := &contest{photo: p, oursIn: t.TempDir()}
	c.vips = newVips(t, p, t.TempDir(), c.oursIn)
	c.names = p.names(t, t.TempDir(), perProcess)
	c.vips.previews(t, c.names[:1])
	if got, want := c.theirPreview(t), c.vips.preview; got.width != want.width || got.height != want.height {
		t.Fatalf("%s: their preview is %dx%d, ours %dx%d", p.name, got.width, got.height, want.width, want.height)
	}
	if off := c.off(t); math.Abs(off) > 0.05 {
		t.Errorf("%s: their preview is %+.1f %% of ours away from its size", p.name, 100*off)
	}
	return c
}

func (c *contest) theirPreview(t *testing.T) picture {
	t.Helper()
	return pictureAt(t, c.vips.folder+"/"+bare(c.names[0])+previewEnd)
}

// off is how much larger their preview is than ours, as a fraction of ours.
func (c *contest) off(t *testing.T) float64 {
	t.Helper()
	return float64(c.theirPreview(t).bytes)/float64(c.vips.preview.bytes) - 1
}

// round has both develop the photo.
func (c *contest) round(t *testing.T, theirsFirst bool) {
	t.Helper()
	turns := []func(){
		func() { c.ours = append(c.ours, ours(t, c.oursIn, c.names...)) },
		func() { c.theirs = append(c.theirs, c.turn(t)) },
	}
	if theirsFirst {
		slices.Reverse(turns)
	}
	for _, turn := range turns {
		turn()
	}
}

// turn has vipsthumbnail make both pictures. The first one finds out the cheaper way
// to a thumbnail.
func (c *contest) turn(t *testing.T) cost {
	t.Helper()
	previews := c.vips.previews(t, c.names)
	switch {
	case len(c.theirs) == 0:
		c.original, c.second = c.vips.thumbnails(t, c.names), c.vips.thumbnailsOfPreviews(t, c.names)
		if c.ofPreview = c.second.cpu < c.original.cpu; c.ofPreview {
			return previews.both(c.second)
		}
		return previews.both(c.original)
	case c.ofPreview:
		return previews.both(c.vips.thumbnailsOfPreviews(t, c.names))
	default:
		return previews.both(c.vips.thumbnails(t, c.names))
	}
}

// ratios are ours by theirs, one of each round.
func (c *contest) ratios() []float64 {
	var all []float64
	for i := range c.ours {
		all = append(all, float64(c.ours[i].cpu)/float64(c.theirs[i].cpu))
	}
	return all
}

func speedTable(t *testing.T, all []*contest) *table {
	t.Helper()
	made := &table{
		title: fmt.Sprintf("Preview and thumbnail, %d photos in a process, medians of %d rounds: processor time in ms for each photo, ours by theirs; peak memory of the process; kB of a preview. "+
			"Time in brackets: what vipsthumbnail takes where it makes the thumbnail in the way that does not count.", perProcess, *rounds),
		head: []string{"photo", "MP", "ours ms", "vips ms", "least", "ratio", "most", "ours MB", "vips MB", "memory", "ours kB", "vips kB"},
	}
	for _, c := range all {
		least := spread(c.ratios())
		other := milliseconds(c.theirs) + (c.original.cpu-c.second.cpu).Abs().Seconds()*1000/perProcess
		made.add(c.photo.name, fmt.Sprintf("%.0f", c.photo.megapixels),
			fmt.Sprintf("%.0f", milliseconds(c.ours)), fmt.Sprintf("%.0f (%.0f)", milliseconds(c.theirs), other),
			least[0], least[1], least[2],
			mega(peak(c.ours)), mega(peak(c.theirs)), fmt.Sprintf("%.2f", peak(c.ours)/peak(c.theirs)),
			fmt.Sprintf("%.0f", float64(c.vips.preview.bytes)/1e3), fmt.Sprintf("%.0f (%+.1f %%)", float64(c.theirPreview(t).bytes)/1e3, 100*c.off(t)))
	}
	return made
}

// milliseconds is the median processor time of a photo.
func milliseconds(costs []cost) float64 {
	return median(each(costs, func(c cost) float64 { return c.cpu.Seconds() * 1000 / perProcess }))
}

// peak is the median of the peaks, in bytes.
func peak(costs []cost) float64 {
	return median(each(costs, func(c cost) float64 { return float64(c.peak) }))
}

// mega is bytes in MB of 1,048,576 bytes.
func mega(bytes float64) string { return fmt.Sprintf("%.0f", bytes/(1<<20)) }

func each[T any](values []T, f func(T) float64) []float64 {
	var all []float64
	for _, v := range values {
		all = append(all, f(v))
	}
	return all
}

// classTable sums up the photos of each class, and all.
func classTable(all []*contest) *table {
	made := &table{
		title: "Ours by theirs, over the photos of a class: processor time, each photo's median ratio; and memory.",
		head:  []string{"class", "photos", "least", "ratio", "most", "memory"},
	}
	classes := map[string][]*contest{}
	for _, c := range all {
		classes[c.photo.class()] = append(classes[c.photo.class()], c)
	}
	classes["all"] = all
	for _, name := range []string{"8 to 16 MP, baseline", "24 MP, baseline", "48 MP, baseline", "progressive", "all"} {
		if of := classes[name]; len(of) > 0 {
			ratio := spread(each(of, func(c *contest) float64 { return median(c.ratios()) }))
			memory := median(each(of, func(c *contest) float64 { return peak(c.ours) / peak(c.theirs) }))
			made.add(name, fmt.Sprint(len(of)), ratio[0], ratio[1], ratio[2], fmt.Sprintf("%.2f", memory))
		}
	}
	return made
}
