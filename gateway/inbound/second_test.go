package inbound_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
	"github.com/lightlock/lightlock/connectors/whatsapp/whatsappsim"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/media"
)

// strict is a darkroom that sees nothing in a file but where it ends: a JPEG is
// whole if it has its end marker, and a GIF moves.
type strict struct {
	pixels []byte
	calls  atomic.Int64
}

func (s *strict) Develop(_ context.Context, original []byte, settings media.Settings) (*media.Developed, error) {
	s.calls.Add(1)
	source := media.Source{Type: "image/jpeg", Bytes: int64(len(original)), Width: 20, Height: 20}
	picture := media.Picture{Data: s.pixels, Width: 20, Height: 20}
	developed := &media.Developed{Source: source, Preview: picture, Thumbnail: picture}
	switch {
	case bytes.HasPrefix(original, []byte("GIF")):
		return nil, &media.Rejection{Reason: media.Animated, Source: source}
	case !bytes.HasPrefix(original, []byte("\xff\xd8")):
		return nil, &media.Rejection{Reason: media.UnsupportedType, Source: media.Source{Bytes: source.Bytes}}
	case bytes.HasSuffix(original, []byte("\xff\xd9")):
		developed.Profile = media.ProfileConverted
	case settings.ShowDamaged:
		developed.Damage, developed.CutOff = "the file is cut off", true
	default:
		return nil, &media.Rejection{Reason: media.Corrupt, Source: source, CutOff: true}
	}
	return developed, nil
}

// served is what a platform answers to one call: a file, or a status.
type served struct {
	file   []byte
	status int
}

// serve has the house's platform answer so, call by call, and the last answer
// for ever after.
func (h *house) serve(answers []served) *mediaHost {
	return h.answer(func(call int64, w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		a := answers[min(int(call), len(answers))-1]
		if a.status != 0 {
			w.WriteHeader(a.status)
			return
		}
		_, _ = w.Write(a.file)
	})
}

func TestAPhotoThatIsCutOffIsFetchedOnceMore(t *testing.T) {
	whole := picture(t, 20, 20)
	n := len(whole)
	part, more, less := served{file: whole[:n-20]}, served{file: whole[:n-10]}, served{file: whole[:n-30]}
	full := served{file: whole}
	moving := served{file: append([]byte("GIF89a"), whole...)}
	gone, busy, away := served{status: http.StatusNotFound}, served{status: http.StatusTooManyRequests}, served{status: http.StatusBadGateway}
	for name, test := range map[string]struct {
		answers []served
		show    bool
		limit   int    // of bytes, if not the channel's
		want    string // ready, damaged, or a reason
		bytes   int    // of the copy that was taken
		calls   int64  // to the platform
		judged  int64
		again   float64 // second copies that were cut off, too
	}{
		"then whole":           {[]served{part, full}, false, 0, "ready", n, 2, 2, 0},
		"the same again":       {[]served{part}, false, 0, "corrupt", n - 20, 2, 1, 1},
		"then longer":          {[]served{part, more}, false, 0, "corrupt", n - 10, 2, 2, 1},
		"then shorter":         {[]served{part, less}, false, 0, "corrupt", n - 20, 2, 2, 1},
		"then too large":       {[]served{part, full}, false, n - 1, "too_large", n, 2, 1, 0},
		"then moving":          {[]served{part, moving}, false, 0, "animated", n + 6, 2, 2, 0},
		"then another thing":   {[]served{part, {file: []byte("<html>")}}, false, 0, "corrupt", n - 20, 2, 2, 0},
		"then gone":            {[]served{part, gone}, false, 0, "corrupt", n - 20, 2, 1, 0},
		"then busy":            {[]served{part, busy, full}, false, 0, "ready", n, 3, 2, 0},
		"then away, and again": {[]served{part, away, part, away}, false, 0, "corrupt", n - 20, 4, 2, 0},

		"shown, then whole":         {[]served{part, full}, true, 0, "ready", n, 2, 2, 0},
		"shown, the same again":     {[]served{part}, true, 0, "damaged", n - 20, 2, 1, 1},
		"shown, then longer":        {[]served{part, more}, true, 0, "damaged", n - 10, 2, 2, 1},
		"shown, then shorter":       {[]served{part, less}, true, 0, "damaged", n - 20, 2, 2, 1},
		"shown, then another thing": {[]served{part, {file: []byte("<html>")}}, true, 0, "damaged", n - 20, 2, 2, 0},
		"shown, then moving":        {[]served{part, moving}, true, 0, "animated", n + 6, 2, 2, 0},
		"shown, then too large":     {[]served{part, full}, true, n - 1, "too_large", n, 2, 1, 0},
		"shown, then gone":          {[]served{part, gone}, true, 0, "damaged", n - 20, 2, 1, 0},
		"shown, then busy":          {[]served{part, busy}, true, 0, "damaged", n - 20, 2, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, startLINE(t))
			h.config.Work.Attempts = 2
			if test.show {
				h.config.Photos.Damaged = "show"
			}
			h.config.Photos.MaxBytes = config.Bytes(test.limit)
			g := h.open()
			room := &strict{pixels: whole}
			g.Darkroom = room
			m := h.serve(test.answers)
			g.work().receive(photo("a", whole))
			got := g.photo()
			g.wantOutcome(got, test.want)
			if got.Source.Bytes != int64(test.bytes) {
				t.Errorf("judged a copy of %d bytes, want %d of %d", got.Source.Bytes, test.bytes, n)
			}
			if m.calls.Load() != test.calls || room.calls.Load() != test.judged {
				t.Errorf("fetched %d times and developed %d times, want %d and %d", m.calls.Load(), room.calls.Load(), test.calls, test.judged)
			}
			g.wantFigure("lightlock_trouble_total", "cut_off_again fetch", test.again)
		})
	}
}

// wantOutcome checks a photo's fate and that it was counted.
func (g *gateway) wantOutcome(p queue.Photo, want string) {
	g.h.t.Helper()
	shown, damaged := want == "ready" || want == "damaged", want == "damaged"
	if !shown {
		g.wantRejected(p, want)
	} else {
		g.wantReady(p)
	}
	if p.Damaged != damaged {
		g.h.t.Errorf("the document says damaged %v, want %v", p.Damaged, damaged)
	}
	count := map[bool]float64{true: 1}
	g.wantFigure("lightlock_photos_damaged_total", "line/acme", count[damaged])
	g.wantFigure("lightlock_photo_profiles_total", "converted", count[want == "ready"])
}

// Each photo of a message is fetched once more for itself, and those that are
// whole are not.
func TestEachPhotoThatIsCutOffIsFetchedOnceMore(t *testing.T) {
	whole := picture(t, 20, 20)
	part, other := whole[:len(whole)-20], whole[:len(whole)-10]
	h := newHouse(t, platform(t, twiliosim.Start))
	g := h.open()
	room := &strict{pixels: whole}
	g.Darkroom = room
	g.work().receive(photo("a", part, whole, other))
	d := g.documents(1)[0]
	g.wantRejected(d.Data.Photos[0], "corrupt")
	g.wantReady(d.Data.Photos[1])
	g.wantRejected(d.Data.Photos[2], "corrupt")
	g.wantFigure("lightlock_trouble_total", "cut_off fetch", 2)
	g.wantFigure("lightlock_trouble_total", "cut_off_again fetch", 2)
	if got := room.calls.Load(); got != 3 {
		t.Errorf("developed %d times, want each photo once: 3", got)
	}
}

// A copy that has the digest which the platform announced is all that there is,
// and one that was fetched twice for its digest is not fetched a third time.
func TestACutPhotoWithADigest(t *testing.T) {
	whole := picture(t, 20, 20)
	part := whole[:len(whole)-20]
	for name, test := range map[string]struct {
		said, served []byte
		downloads    int64
	}{
		"as announced":  {part, part, 1},
		"not announced": {whole, part, 2},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, platform(t, whatsappsim.Start))
			g := h.open()
			g.Darkroom = &strict{pixels: whole}
			var downloads atomic.Int64
			h.answer(func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
				if strings.Contains(r.URL.Path, "attachments") {
					downloads.Add(1)
					_, _ = w.Write(test.served)
					return
				}
				next.ServeHTTP(w, r)
			})
			g.work().receive(photo("a", test.said))
			g.wantRejected(g.photo(), "corrupt")
			if got := downloads.Load(); got != test.downloads {
				t.Errorf("fetched %d times, want %d", got, test.downloads)
			}
			g.wantFigure("lightlock_trouble_total", "cut_off fetch", 0)
		})
	}
}

// halting is a darkroom that cannot start a child for the second copy.
type halting struct{ *strict }

func (h halting) Develop(ctx context.Context, original []byte, s media.Settings) (*media.Developed, error) {
	if h.calls.Load() == 1 {
		h.calls.Add(1)
		return nil, errors.New("no child could be started")
	}
	return h.strict.Develop(ctx, original, s)
}

// Trouble of our own over the second copy is no verdict: it delays the photo,
// and uses up none of its tries.
func TestTroubleOfOurOwnOverTheSecondCopy(t *testing.T) {
	whole := picture(t, 20, 20)
	h := newHouse(t, startLINE(t))
	h.config.Work.Attempts = 1
	g := h.open()
	g.Darkroom = halting{&strict{pixels: whole}}
	m := h.serve([]served{{file: whole[:len(whole)-20]}, {file: whole}})
	g.work().receive(photo("a", whole))
	g.wantReady(g.photo())
	g.wantFigure("lightlock_trouble_total", "ours photo", 1)
	if got := m.calls.Load(); got != 3 {
		t.Errorf("fetched %d times, want 3", got)
	}
}
