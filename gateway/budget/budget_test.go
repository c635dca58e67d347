package budget

import (
	"errors"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
)

// Every plan holds the largest original at its end, and a child that develops it;
// there is room to decode an ordinary photo; and its parts are the whole.
func TestPlans(t *testing.T) {
	// The last two are an original of 24 megapixels in Display P3, and nearly twice
	// what it asks for.
	const least, original, ordinary = 40 << 20, 8 << 20, 58 << 20
	for largest := config.Bytes(0); largest <= 256*config.MB; largest += config.MB {
		for _, memory := range []config.Bytes{config.LeastMemory(largest), config.LeastMemory(largest) + 100*config.MB, 4 * config.GB} {
			p, err := Reckon(memory, largest, 0)
			if err != nil {
				t.Fatal(err)
			}
			if p.Memory != int64(memory) || p.Originals+p.Children+Program != p.Memory {
				t.Errorf("%s: %+v is not the whole", memory, p)
			}
			if p.Originals < mostHeld(p.Largest) {
				t.Errorf("%s: no room for an original of %s: %+v", memory, largest, p)
			}
			forWork := p.Children - 2*Child
			if need := MostNeed(forWork - Judged(p.Largest)); need < least {
				t.Errorf("%s: a child with a photo of %s may ask for %d bytes only", memory, largest, need)
			}
			if need := MostNeed(forWork - Judged(original)); need < ordinary {
				t.Errorf("%s, %s: a child with an ordinary photo may ask for %d bytes only", memory, largest, need)
			}
		}
	}
	if p, err := Reckon(0, 25*config.MB, 0); err != nil || p.Memory != int64(config.DefaultMemory) || p.Children != Default().Children {
		t.Errorf("got %+v and %v", p, err)
	}
}

func TestEnoughForACommand(t *testing.T) {
	for name, test := range map[string]struct {
		largest config.Bytes
		limit   int64
		want    config.Bytes
	}{
		"as ever":           {10 * config.MB, 0, config.DefaultMemory},
		"in a container":    {10 * config.MB, 400 << 20, 300 * config.MB},
		"in a tiny one":     {10 * config.MB, 1 << 20, config.MinMemory},
		"large files":       {256 * config.MB, 0, 916 * config.MB},
		"large files in it": {256 * config.MB, 400 << 20, 916 * config.MB},
	} {
		if p := Enough(test.largest, test.limit); p.Memory != int64(test.want) || p.Originals < mostHeld(p.Largest) {
			t.Errorf("%s: got %+v, want %s", name, p, test.want)
		}
	}
}

func TestNeeds(t *testing.T) {
	for _, bytes := range []int64{1, 7, 1000, 1<<30 + 3} {
		if need := MostNeed(bytes); Developed(need) > bytes {
			t.Errorf("a need of %d takes %d, want at most %d", need, Developed(need), bytes)
		}
	}
}

func TestMemoryAndTheContainer(t *testing.T) {
	const mb, gb = config.MB, config.GB
	for name, test := range map[string]struct {
		memory, largest config.Bytes
		limit           int64
		want            config.Bytes
		says            string
	}{
		"nothing said, no limit":     {0, 25 * mb, 0, 512 * mb, ""},
		"nothing said, a high limit": {0, 25 * mb, int64(4 * gb), 512 * mb, ""},
		"nothing said, a low limit":  {0, 25 * mb, int64(400 * mb), 300 * mb, ""},
		"the lowest limit":           {0, 25 * mb, int64(300 * mb), 225 * mb, ""},
		"too low a limit":            {0, 25 * mb, int64(298 * mb), 0, "three quarters of the container's limit of 298 MB are too little for photos of 25 MB: raise the limit to 299 MB"},
		"too large photos":           {0, 200 * mb, 0, 0, "photos of 200 MB need photos.memory of at least 748 MB, and unless set it is 512 MB: set it"},
		"too large photos, limited":  {0, 200 * mb, int64(1 * gb), 0, "photos of 200 MB need photos.memory of at least 748 MB"},
		"said, no limit":             {2 * gb, 25 * mb, 0, 2 * gb, ""},
		"said, below the limit":      {600 * mb, 25 * mb, int64(601 * mb), 600 * mb, ""},
		"said, the limit itself":     {600 * mb, 25 * mb, int64(600 * mb), 0, "photos.memory is 600 MB, and the container's limit is 600 MB"},
		"said, above the limit":      {1 * gb, 25 * mb, 200_000_000, 0, "the container's limit is 191 MB: set it to three quarters of the limit or less, or raise the limit"},
		"said, too little":           {230 * mb, 30 * mb, 0, 0, "photos.memory is 230 MB, and photos of 30 MB need at least 238 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Reckon(test.memory, test.largest, test.limit)
			if test.says != "" {
				_, ok := errors.AsType[Misfit](err)
				if !ok || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "\n") || strings.Count(err.Error(), ": ") != 1 {
					t.Errorf("got %v, want one sentence with its fix that says %q", err, test.says)
				}
				return
			}
			if err != nil || p.Memory != int64(test.want) {
				t.Errorf("got %d MB and %v, want %s", p.Memory>>20, err, test.want)
			}
		})
	}
}
