package inbound_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
	"github.com/lightlock/lightlock/connectors/whatsapp"
	"github.com/lightlock/lightlock/connectors/whatsapp/whatsappsim"
	"github.com/lightlock/lightlock/gateway/darkroom"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/gateway/store"
	"github.com/lightlock/lightlock/media"
)

// moving makes a GIF of two frames.
func moving(t *testing.T) []byte {
	t.Helper()
	frame := image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{color.White, color.Black})
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{5, 5}}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Each photo has a fate of its own, in the order in which they were sent, and
// none keeps back the text.
func TestTextAndPhotosOfOneMessage(t *testing.T) {
	h := newHouse(t, platform(t, twiliosim.Start))
	g := h.open().work()
	said := photo("a", picture(t, 60, 40), moving(t), picture(t, 30, 50), []byte("just text"))
	said.Text = canary + "beside them"
	g.receive(said)
	d := g.documents(1)[0]
	if d.Data.Text != said.Text || len(d.Data.Photos) != 4 {
		t.Fatalf("got %+v", d)
	}
	for i, want := range map[int][2]int{0: {60, 40}, 2: {30, 50}} {
		p := d.Data.Photos[i]
		g.wantReady(p)
		if got := [2]int{p.Source.Width, p.Source.Height}; got != want {
			t.Errorf("photo %d is %v, want %v", i, got, want)
		}
	}
	g.wantRejected(d.Data.Photos[1], "animated")
	g.wantRejected(d.Data.Photos[3], "unsupported_type")
	g.wantFigure("lightlock_photos_total", "twilio/acme  ready", 2)
	g.wantFigure("lightlock_photos_total", "twilio/acme animated rejected", 1)
	g.wantFigure("lightlock_forwarded_total", q, 1)
}

func TestLimitsOfAnAccount(t *testing.T) {
	small, large := picture(t, 20, 20), picture(t, 400, 400)
	off := false
	for name, test := range map[string]struct {
		photo  []byte
		edit   func(*config.Photos)
		reason string
	}{
		"exactly the limit": {small, func(p *config.Photos) { p.MaxBytes = config.Bytes(len(small)) }, ""},
		"one byte too many": {small, func(p *config.Photos) { p.MaxBytes = config.Bytes(len(small) - 1) }, "too_large"},
		"far too many":      {large, func(p *config.Photos) { p.MaxBytes = 1000 }, "too_large"},
		"photos are off":    {small, func(p *config.Photos) { p.Enabled = &off }, "disabled"},
		"not this format":   {small, func(p *config.Photos) { p.Formats = []string{"png"} }, "unsupported_type"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, startLINE(t))
			g := h.open(func(l *config.Loaded) { test.edit(&l.Config.Photos.Photos) }).work()
			g.receive(photo("a", test.photo))
			if p := g.photo(); test.reason == "" {
				g.wantReady(p)
			} else {
				g.wantRejected(p, test.reason)
			}
		})
	}
}

// inClocks runs a test with gateways whose clocks are wrong in either direction:
// how old a photo is depends on Redis' clock alone.
func inClocks(t *testing.T, test func(t *testing.T, h *house)) {
	for _, ahead := range []time.Duration{10 * time.Minute, -10 * time.Minute} {
		t.Run("ahead by "+ahead.String(), func(t *testing.T) {
			h := newHouse(t, startLINE(t))
			h.ahead.Store(int64(ahead))
			test(t, h)
		})
	}
}

func TestAPhotoThatIsNotThereYet(t *testing.T) {
	inClocks(t, func(t *testing.T, h *house) {
		g := h.open().work()
		m := h.answer(func(call int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if call <= 2 {
				http.NotFound(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
		g.receive(photo("a", picture(t, 20, 20)))
		g.wantReady(g.photo())
		if got := m.calls.Load(); got != 3 {
			t.Errorf("fetched %d times, want 3", got)
		}
		g.wantFigure("lightlock_trouble_total", "unavailable photo", 2)
	})
}

func TestAPhotoThatIsNotThereAnyMore(t *testing.T) {
	inClocks(t, func(t *testing.T, h *house) {
		g := h.open()
		m := h.answer(func(_ int64, w http.ResponseWriter, r *http.Request, _ http.Handler) { http.NotFound(w, r) })
		g.receive(photo("a", picture(t, 20, 20)))
		queuetest.Inspect(t, h.redis.Address()).Backdate(q, 2*time.Minute)
		g.wantRejected(g.work().photo(), "expired")
		if got := m.calls.Load(); got != 1 {
			t.Errorf("fetched %d times, want once", got)
		}
	})
}

func TestTriesAreUsedUp(t *testing.T) {
	h := newHouse(t, platform(t, twiliosim.Start))
	h.config.Work.Attempts = 3
	g := h.open().work()
	m := h.answer(func(_ int64, w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(http.StatusBadGateway)
	})
	said := photo("a", picture(t, 20, 20))
	said.Text = canary + "beside it"
	g.receive(said)
	d := g.documents(1)[0]
	g.wantRejected(d.Data.Photos[0], "unreachable")
	if d.Data.Text != said.Text {
		t.Errorf("got text %q", d.Data.Text)
	}
	if got := m.calls.Load(); got != 3 {
		t.Errorf("fetched %d times, want 3", got)
	}
	if got := g.letters(1)[0].Tries; got != 3 {
		t.Errorf("the dead letter tells of %d tries, want 3", got)
	}
	g.wantFigure("lightlock_trouble_total", "unavailable photo", 2)
}

func TestARefusedTokenIsTheOperatorsToMend(t *testing.T) {
	p := startLINE(t)
	h := newHouse(t, p)
	h.config.Work.Attempts = 1000
	g := h.open().work()
	var mended atomic.Bool
	h.answer(func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !mended.Load() {
			r.Header.Set("Authorization", "Bearer revoked")
		}
		next.ServeHTTP(w, r)
	})
	g.receive(photo("a", picture(t, 20, 20)))
	state := func() ops.State { return g.Accounts.Check(t.Context())[0].State }
	gatewaytest.Await(t, "/readyz warns of the account", func() bool { return state() == ops.Warn })
	mended.Store(true)
	g.wantReady(g.photo())
	if state() != ops.OK {
		t.Error("/readyz still warns of the account")
	}
	if got := g.figures("lightlock_trouble_total")["misconfigured photo"]; got < 1 {
		t.Errorf("counted %v times", got)
	}
}

// A platform that asks for a second gets it, although our own longest pause is
// shorter.
func TestAPlatformThatAsksForPatience(t *testing.T) {
	h := newHouse(t, startLINE(t))
	g := h.open().work()
	var asked, came atomic.Int64
	h.answer(func(call int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if call == 1 {
			asked.Store(time.Now().UnixNano())
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		came.Store(time.Now().UnixNano())
		next.ServeHTTP(w, r)
	})
	g.receive(photo("a", picture(t, 20, 20)))
	g.wantReady(g.photo())
	// Redis counts whole milliseconds, and so may be early by one.
	if waited := time.Duration(came.Load() - asked.Load()); waited < time.Second-2*time.Millisecond {
		t.Errorf("came back after %v, want a second", waited)
	}
}

func TestAPhotoThatIsNotWhatWasAnnounced(t *testing.T) {
	original, other := picture(t, 20, 20), picture(t, 90, 90)
	for name, test := range map[string]struct {
		wrong int64 // downloads that serve something else
		width int
		again float64
	}{
		"once":  {1, 20, 0},
		"twice": {2, 90, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := platform(t, whatsappsim.Start)
			h := newHouse(t, p)
			g := h.open().work()
			var downloads atomic.Int64
			h.answer(func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
				if strings.Contains(r.URL.Path, "attachments") && downloads.Add(1) <= test.wrong {
					_, _ = w.Write(other)
					return
				}
				next.ServeHTTP(w, r)
			})
			g.receive(photo("a", original))
			got := g.photo()
			g.wantReady(got)
			if got.Source.Width != test.width || downloads.Load() != 2 {
				t.Errorf("got a photo %d wide after %d downloads, want %d after 2", got.Source.Width, downloads.Load(), test.width)
			}
			g.wantFigure("lightlock_trouble_total", "digest fetch", 1)
			g.wantFigure("lightlock_trouble_total", "digest_again fetch", test.again)
		})
	}
}

// dying is a darkroom whose first children are lost over the photo. That real
// ones answer so is darkroom's own to test.
type dying struct {
	inbound.Darkroom
	deaths, calls atomic.Int64
}

func (d *dying) Develop(ctx context.Context, original []byte, s media.Settings) (*media.Developed, error) {
	if d.calls.Add(1) <= d.deaths.Load() {
		return nil, fmt.Errorf("%w: killed", darkroom.ErrChildDied)
	}
	return d.Darkroom.Develop(ctx, original, s)
}

// Deaths are counted against a photo over all its tries, because the second may
// come after another gateway has taken over.
func TestAPhotoThatKillsChildren(t *testing.T) {
	for name, test := range map[string]struct {
		deaths      int64
		refetch     bool // the first try fails after the first death
		reason      string
		wantedCalls int64
	}{
		"one":                   {1, false, "", 2},
		"two in one try":        {2, false, "too_complex", 2},
		"two in different ones": {2, true, "too_complex", 2},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, platform(t, twiliosim.Start))
			g := h.open()
			room := &dying{Darkroom: theDarkroom()}
			room.deaths.Store(test.deaths)
			g.Darkroom = room
			if test.refetch {
				g.Darkroom = interrupted{room, new(atomic.Bool)}
			}
			g.work().receive(photo("a", picture(t, 20, 20)))
			if p := g.photo(); test.reason == "" {
				g.wantReady(p)
			} else {
				g.wantRejected(p, test.reason)
			}
			if got := room.calls.Load(); got != test.wantedCalls {
				t.Errorf("developed %d times, want %d", got, test.wantedCalls)
			}
			g.wantFigure("lightlock_trouble_total", "child_died develop", float64(test.deaths))
		})
	}
}

// interrupted fails the second call, as when no child can be started.
type interrupted struct {
	inner *dying
	done  *atomic.Bool
}

func (i interrupted) Develop(ctx context.Context, original []byte, s media.Settings) (*media.Developed, error) {
	if i.inner.calls.Load() == 1 && !i.done.Swap(true) {
		return nil, errors.New("no child could be started")
	}
	return i.inner.Develop(ctx, original, s)
}

// failing is a store whose disk is full for as long as the test says.
type failing struct {
	*store.Sealed
	puts atomic.Int64
	fail func(put int64) bool
}

func (f *failing) Put(ctx context.Context, k store.Key, data []byte) error {
	if f.fail(f.puts.Add(1)) {
		return errors.New("no space left on device")
	}
	return f.Sealed.Put(ctx, k, data)
}

// A full disk delays photos for as long as it lasts, and then they are ready:
// the tries are the platform's alone.
func TestAStoreThatFailsUsesUpNoTries(t *testing.T) {
	h := newHouse(t, startLINE(t))
	h.config.Work.Attempts = 2
	g := h.open()
	full := &failing{Sealed: h.files, fail: func(put int64) bool { return put <= 8 && put%2 == 0 }}
	g.Store = full
	h.answer(func(call int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if call == 5 { // the platform's one bad minute comes after four of ours
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		next.ServeHTTP(w, r)
	})
	g.work().receive(photo("a", picture(t, 20, 20)))
	g.wantReady(g.photo())
	g.wantFigure("lightlock_trouble_total", "ours photo", 4)
	if got := h.pictures(); got != 2 {
		t.Errorf("the store holds %d pictures, want the 2 of the last try", got)
	}
}

// bare is a connector that gives its errors no kind, and says too much in them.
type bare struct{ connectors.Connector }

func (bare) Fetch(context.Context, connectors.Photo) (io.ReadCloser, error) {
	return nil, errors.New("get https://cdn.example/p?token=" + canary)
}

func TestAnErrorWithoutAKindUsesUpTries(t *testing.T) {
	h := newHouse(t, startLINE(t))
	h.config.Work.Attempts = 2
	g := h.open()
	g.route().Connector = bare{g.route().Connector}
	g.work().receive(photo("a", picture(t, 20, 20)))
	g.wantRejected(g.photo(), "unreachable")
	g.wantFigure("lightlock_trouble_total", "other photo", 1)
}

// Two accounts behind one connector: the photo is fetched with the right
// credentials, and each account's own settings hold.
func TestEachAccountHasItsOwnSettings(t *testing.T) {
	p := platform(t, whatsappsim.Start)
	second := p.AddNumber("second")
	h := newHouse(t, p)
	off := false
	g := h.open(func(l *config.Loaded) {
		accounts := l.Connectors[0].(*whatsapp.Config).Accounts
		if len(accounts) != 2 {
			t.Fatalf("the simulated platform has %d accounts", len(accounts))
		}
		accounts[1].Photos.Enabled = &off
	}).work()
	g.receive(photo("a", picture(t, 20, 20)))
	call, err := p.Call(base+"/webhooks/whatsapp/acme", whatsappsim.Entry("1", second.Change(whatsappsim.Object{
		"contacts": whatsappsim.Contacts(photo("b")), "messages": p.Messages(second, sim.Said{ID: "b", Consumer: consumer, Photos: [][]byte{picture(t, 20, 20)}, At: time.Now()}),
	})))
	if err != nil {
		t.Fatal(err)
	}
	call.ReceivedAt = time.Now()
	if err := g.Receive(t.Context(), g.route(), call); err != nil {
		t.Fatal(err)
	}
	outcomes := map[string]queue.Status{}
	for _, d := range g.documents(2) {
		outcomes[d.Source] = d.Data.Photos[0].Status
	}
	if len(outcomes) != 2 {
		t.Fatalf("got %v, want one document of each account", outcomes)
	}
	for name, status := range outcomes {
		want := queue.Ready
		if strings.HasSuffix(name, "/n2") {
			want = queue.Rejected
		}
		if status != want {
			t.Errorf("%s: got %s, want %s", name, status, want)
		}
	}
}
