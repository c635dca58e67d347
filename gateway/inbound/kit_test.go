package inbound_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/messenger"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twilio"
	"github.com/lightlock/lightlock/connectors/whatsapp"
	"github.com/lightlock/lightlock/gateway/budget"
	"github.com/lightlock/lightlock/gateway/darkroom"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/hosts"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/gateway/routes"
	"github.com/lightlock/lightlock/gateway/store"
)

const (
	q    = "support"
	base = "https://gateway.test"
	// canary stands in every consumer's text; it must never be logged.
	canary = "canary-71c4 "
	// consumer makes the platforms' ids of the person who writes.
	consumer = "ana"
)

func TestMain(m *testing.M) {
	darkroom.RunIfChild()
	queue.RedirectLog(slog.New(slog.DiscardHandler))
	_ = flag.Set("test.parallel", "6") // they wait more than they work
	code := m.Run()
	_ = theDarkroom().Close()
	if strings.Contains(darkroomLog.String(), strings.TrimSpace(canary)) {
		fmt.Fprintln(os.Stderr, "the darkroom's log holds a consumer's text")
		code = 1
	}
	os.Exit(code)
}

// theDarkroom is the one of all gateways here: to start a sandbox and try it takes
// longer than most tests. What it says is looked through at the end.
var (
	darkroomLog = new(gatewaytest.Log)
	theDarkroom = sync.OnceValue(func() *darkroom.Darkroom {
		room, err := darkroom.New(darkroom.Options{Log: slog.New(slog.NewTextHandler(darkroomLog, nil))})
		if err != nil {
			panic(err)
		}
		return room
	})
)

// house is what gateways share: a real Redis, a real store, and platforms.
type house struct {
	t      *testing.T
	redis  *queuetest.Server
	proxy  *queuetest.Proxy // where gateways find Redis, if there is one
	files  *store.Sealed
	folder string
	config config.Config
	log    *gatewaytest.Log
	ahead  atomic.Int64  // how far the gateways' clock is ahead
	lease  time.Duration // of the journal, where it differs from the worker's
	// promise is after how long a message is told, and hosts what a host may take,
	// where a test wants it otherwise than the program: here none is left alone.
	promise time.Duration
	hosts   hosts.Options

	platforms []sim.Platform
	secrets   []string
}

func newHouse(t *testing.T, platforms ...sim.Platform) *house {
	t.Helper()
	t.Parallel()
	h := &house{t: t, redis: queuetest.Start(t), folder: t.TempDir(), config: config.Default(), log: &gatewaytest.Log{}, platforms: platforms,
		hosts: hosts.Options{Failures: 1000}}
	h.config.PublicURL = base
	h.config.Work.RetryMin, h.config.Work.RetryMax = config.Duration(time.Millisecond), config.Duration(20*time.Millisecond)
	var err error
	if h.files, err = store.New(config.Config{Data: h.folder}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.files.Close() })
	for _, p := range platforms {
		if l, ok := p.(*linesim.Platform); ok {
			h.secrets = append(h.secrets, l.Secret, l.Token, linesim.UserID(consumer), l.URL)
		}
	}
	t.Cleanup(h.checkLog)
	return h
}

// checkLog is part of every test: nothing of a consumer's and no secret is
// logged at any level.
func (h *house) checkLog() {
	text := h.log.String()
	for _, secret := range append(h.secrets, strings.TrimSpace(canary)) {
		if strings.Contains(text, secret) {
			h.t.Errorf("the log holds %q:\n%s", secret, text)
		}
	}
	if h.t.Failed() {
		h.t.Logf("log:\n%s", text)
	}
}

// startLINE starts a simulated LINE that ends with the test.
func startLINE(t *testing.T) *linesim.Platform { return platform(t, linesim.Start) }

func platform[P sim.Platform](t *testing.T, start func() (P, error)) P {
	t.Helper()
	p, err := start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// gateway is one gateway on the house's Redis and store.
type gateway struct {
	*inbound.Line
	h       *house
	backend *queue.Backend
	stop    func()
}

// open makes a gateway that receives and does not work yet.
func (h *house) open(edit ...func(*config.Loaded)) *gateway {
	h.t.Helper()
	loaded := &config.Loaded{Config: h.config}
	for _, p := range h.platforms {
		loaded.Connectors = append(loaded.Connectors, p.Settings("acme", q))
	}
	for _, e := range edit {
		e(loaded)
	}
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	lease := time.Duration(loaded.Config.Work.Lease)
	if h.lease > 0 {
		lease = h.lease
	}
	metrics := ops.NewMetrics()
	address := h.redis.Address()
	if h.proxy != nil {
		address = h.proxy.Address()
	}
	backend, err := queue.Open(h.t.Context(), queue.OpenOptions{
		Redis: &config.Redis{Address: address},
		Journal: queue.Options{
			Lease: lease, OnBreach: func(b queue.Breach) { h.t.Errorf("breach: %+v", b) },
			OnExpired:  ops.Told{Metrics: metrics, Log: log}.Expired,
			PerAccount: loaded.Config.Work.PerAccount, PromiseFor: h.promise,
		},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = backend.Close(context.Background()) })
	channels := []connectors.Channel{line.Channel(), twilio.Channel(), whatsapp.Channel(), messenger.Channel()}
	now := func() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) }
	routes, err := routes.New(loaded, channels, connectors.Env{Log: log, Now: now})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, name := range routes.Queues() {
		if err := backend.EnsureQueue(h.t.Context(), name); err != nil {
			h.t.Fatal(err)
		}
	}
	may := h.hosts
	may.Slots, may.PerHost, may.Log = loaded.Config.Work.Slots, loaded.Config.Work.PerHost, log
	return &gateway{h: h, backend: backend, Line: &inbound.Line{
		Journal: backend.Journal, Originals: budget.NewOriginals(budget.Enough(routes.LargestPhoto(), 0), budget.Patience), Hosts: hosts.New(may), Store: h.files, Metrics: metrics, Accounts: ops.NewAccounts(routes.AccountNames(), now),
		Log: log, Work: loaded.Config.Work, Routes: routes, Now: now,
	}}
}

// work sets the gateway to work, with real darkroom children unless it has
// another darkroom. At its stop it lets go at once of what is in work.
func (g *gateway) work() *gateway { return g.workWithGrace(0) }

func (g *gateway) workWithGrace(grace time.Duration) *gateway {
	g.h.t.Helper()
	if g.Darkroom == nil {
		g.Darkroom = theDarkroom()
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.Run(ctx, grace)
	}()
	g.stop = func() { cancel(); <-done }
	g.h.t.Cleanup(g.stop)
	return g
}

// route is the gateway's first connector.
func (g *gateway) route() *routes.Route { return g.Routes.All()[0] }

// receive delivers what was said as the platform would, and fails the test if
// the gateway does not accept it.
func (g *gateway) receive(said ...sim.Said) {
	g.h.t.Helper()
	for _, r := range g.h.webhooks(said...) {
		if err := g.Receive(g.h.t.Context(), g.route(), r); err != nil {
			g.h.t.Fatalf("receive: %v", err)
		}
	}
}

// webhooks are the calls of the first platform.
func (h *house) webhooks(said ...sim.Said) []*connectors.Request {
	h.t.Helper()
	calls, err := h.platforms[0].Webhook(base+"/webhooks/"+h.platforms[0].Settings("acme", q).Common().FullName(), said...)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, r := range calls {
		r.ReceivedAt = time.Now()
	}
	return calls
}

// text and photo are messages whose id is their name.
func text(name string) sim.Said {
	return sim.Said{ID: name, Consumer: consumer, Text: canary + name, At: time.Now()}
}

func photo(name string, photos ...[]byte) sim.Said {
	return sim.Said{ID: name, Consumer: consumer, Photos: photos, At: time.Now()}
}

func (g *gateway) stats() queue.Stats {
	g.h.t.Helper()
	s, err := g.backend.Stats(context.Background(), q)
	if err != nil {
		g.h.t.Fatal(err)
	}
	return s
}

func (g *gateway) await(what string, condition func(queue.Stats) bool) {
	g.h.t.Helper()
	gatewaytest.Await(g.h.t, what, func() bool {
		s, err := g.backend.Stats(context.Background(), q)
		return err == nil && condition(s)
	})
}

// letters returns the dead letters.
func (g *gateway) letters(n int) []queue.Letter {
	g.h.t.Helper()
	letters, err := g.backend.Letters(g.h.t.Context(), q, 100)
	if err != nil || len(letters) != n {
		g.h.t.Fatalf("got %d dead letters, error %v; want %d", len(letters), err, n)
	}
	return letters
}

// figures are the values of one metric by its labels' values.
func (g *gateway) figures(name string) map[string]float64 {
	g.h.t.Helper()
	families, err := g.Metrics.Gatherer().Gather()
	if err != nil {
		g.h.t.Fatal(err)
	}
	found := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			if f.GetName() == name {
				found[strings.Join(labels, " ")] = m.GetCounter().GetValue()
			}
		}
	}
	return found
}

// wantFigure checks one value of a metric; labels are in their names' order. What
// has happened is counted a moment later.
func (g *gateway) wantFigure(name, labels string, want float64) {
	g.h.t.Helper()
	got := g.figures(name)
	for end := time.Now().Add(10 * time.Second); got[labels] != want && time.Now().Before(end); got = g.figures(name) {
		time.Sleep(5 * time.Millisecond)
	}
	if got[labels] != want {
		g.h.t.Errorf("%s{%s} is %v, want %v; all: %v", name, labels, got[labels], want, got)
	}
}

// wantReady checks that a photo is ready and that both pictures are stored as
// the document says.
func (g *gateway) wantReady(p queue.Photo) {
	g.h.t.Helper()
	if p.Status != queue.Ready {
		g.h.t.Fatalf("photo is %s, %s; want ready", p.Status, p.Reason)
	}
	for kind, said := range map[store.Kind]*queue.Picture{store.Preview: p.Preview, store.Thumbnail: p.Thumbnail} {
		// A photo that was pending is served in another place than its id says.
		key, err := store.ParsePhotoID(strings.Split(said.Href, "/")[3])
		if err != nil {
			g.h.t.Fatal(err)
		}
		key.Kind = kind
		f, err := g.h.files.Open(g.h.t.Context(), key)
		if err != nil {
			g.h.t.Fatalf("%s: %v", kind, err)
		}
		head, err := jpeg.DecodeConfig(f)
		_ = f.Close()
		if err != nil || head.Width != said.Width || head.Height != said.Height {
			g.h.t.Errorf("%s is stored as %dx%d, error %v; the document says %dx%d", kind, head.Width, head.Height, err, said.Width, said.Height)
		}
	}
}

func (g *gateway) wantRejected(p queue.Photo, reason string) {
	g.h.t.Helper()
	if p.Status != queue.Rejected || p.Reason != reason {
		g.h.t.Errorf("photo is %s %s, want rejected %s", p.Status, p.Reason, reason)
	}
}

// pictures counts the files in the store.
func (h *house) pictures() int {
	h.t.Helper()
	n := 0
	err := filepath.WalkDir(h.folder, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, "."+string(store.Preview)) || strings.HasSuffix(path, "."+string(store.Thumbnail)) {
			n++
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// picture makes a JPEG of this size.
func picture(t *testing.T, width, height int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 7)
	}
	img.Set(0, 0, color.White)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// mediaHost is a platform's, in a test's hands: it counts the calls and
// answers each as the test says.
type mediaHost struct {
	calls atomic.Int64
	do    func(call int64, w http.ResponseWriter, r *http.Request, next http.Handler)
}

func (m *mediaHost) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.do(m.calls.Add(1), w, r, next) })
}

// answer puts a media host in front of the house's first platform.
func (h *house) answer(do func(call int64, w http.ResponseWriter, r *http.Request, next http.Handler)) *mediaHost {
	m := &mediaHost{do: do}
	h.platforms[0].Wrap(m.wrap)
	return m
}
