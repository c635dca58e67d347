package inbound_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
	"github.com/lightlock/lightlock/connectors/wire"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// elsewhere fetches every photo from one address, with times that are short.
type elsewhere struct {
	connectors.Connector
	client  *wire.Client
	address string
}

func (c elsewhere) Fetch(ctx context.Context, _ connectors.Photo) (io.ReadCloser, error) {
	return c.client.Fetch(ctx, wire.Fetch{Op: "test: fetch", URL: c.address, Hosts: func(*url.URL) bool { return true }})
}

// listen serves each connection as the test says, after its request was read. The
// first has number 1.
func listen(t *testing.T, serve func(n int64, conn *net.TCPConn)) (address string, calls *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	calls = new(atomic.Int64)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			go func() {
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				serve(calls.Add(1), conn.(*net.TCPConn))
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/photo.jpg", calls
}

const head = "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nConnection: close\r\n"

// However a media host misbehaves, the slot is free again after a while, the text
// is with the agents, and the photo is tried again later.
func TestHostileMediaHosts(t *testing.T) {
	hold := func(conn *net.TCPConn) { _, _ = io.Copy(io.Discard, conn) } // until the other side leaves
	for name, serve := range map[string]func(conn *net.TCPConn){
		"never answers": hold,
		"answers half":  func(conn *net.TCPConn) { fmt.Fprint(conn, head); hold(conn) },
		"falls silent":  func(conn *net.TCPConn) { fmt.Fprint(conn, head, "\r\n\xff\xd8"); hold(conn) },
		"one byte at a time": func(conn *net.TCPConn) {
			_, err := fmt.Fprint(conn, head, "\r\n")
			for ; err == nil; time.Sleep(10 * time.Millisecond) {
				_, err = conn.Write([]byte{0xff})
			}
		},
		"resets":                  func(conn *net.TCPConn) { fmt.Fprint(conn, head); _ = conn.SetLinger(0) },
		"is shorter than it says": func(conn *net.TCPConn) { fmt.Fprint(conn, head, "Content-Length: 5000\r\n\r\n\xff\xd8") },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, platform(t, twiliosim.Start))
			h.config.Work.Slots = 1
			g := h.open()
			good := picture(t, 20, 20)
			address, calls := listen(t, func(n int64, conn *net.TCPConn) {
				defer func() { _ = conn.Close() }()
				if n == 1 {
					serve(conn)
					return
				}
				fmt.Fprintf(conn, "%sContent-Length: %d\r\n\r\n%s", head, len(good), good)
			})
			g.route().Connector = elsewhere{g.route().Connector, wire.NewClient(wire.Options{
				AllowPrivate: true, IdleTimeout: 200 * time.Millisecond, Timeout: time.Second,
			}), address}
			g.work().receive(captioned("a", good))
			g.await("the text is there", func(s queue.Stats) bool { return s.Delivered >= 1 })
			g.receive(captioned("b", good))
			for _, d := range g.documents(2) {
				g.wantReady(d.Data.Photos[0])
			}
			if got := g.figures("lightlock_trouble_total")["unavailable photo"]; got < 1 || calls.Load() < 3 {
				t.Errorf("%v tries failed in %d calls, want the first one", got, calls.Load())
			}
		})
	}
}

// What has no end is cut off where it is too large, and not tried again.
func TestAnEndlessPhoto(t *testing.T) {
	h := newHouse(t, platform(t, twiliosim.Start))
	g := h.open(func(l *config.Loaded) { l.Config.Photos.MaxBytes = 1 * config.MB })
	left := make(chan struct{})
	address, calls := listen(t, func(_ int64, conn *net.TCPConn) {
		defer close(left)
		_, err := fmt.Fprint(conn, head, "\r\n")
		for err == nil {
			_, err = conn.Write(make([]byte, 64<<10))
		}
	})
	g.route().Connector = elsewhere{g.route().Connector, wire.NewClient(wire.Options{AllowPrivate: true}), address}
	g.work().receive(photo("a", picture(t, 20, 20)))
	g.wantRejected(g.photo(), "too_large")
	<-left
	if calls.Load() != 1 {
		t.Errorf("called %d times, want once", calls.Load())
	}
}

// Photos whose host is left alone use up no tries, and are there when it is back.
func TestAHostThatFailsForAWhile(t *testing.T) {
	h := newHouse(t, startLINE(t))
	h.config.Work.Attempts = 4
	h.hosts.Failures, h.hosts.Open = 3, 300*time.Millisecond
	g := h.open().work()
	m := h.answer(func(call int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if call <= 6 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
	const n = 12
	for i := range n {
		g.receive(photo(fmt.Sprint("photo ", i), picture(t, 20, 20)))
	}
	for _, d := range g.documents(n) {
		g.wantReady(d.Data.Photos[0])
	}
	// Three tries open the circuit, of which others may be under way by then.
	if got := m.calls.Load(); got > 6+n+int64(h.config.Work.PerAccount) {
		t.Errorf("called %d times, want 6 that failed and one for each photo", got)
	}
	for _, said := range []string{"host fails", "host works again"} {
		if got := strings.Count(h.log.String(), said); got != 1 {
			t.Errorf("the log says %q %d times, want once", said, got)
		}
	}
	if g.figures("lightlock_trouble_total")["host_fails photo"] == 0 {
		t.Error("no photo waited for the host")
	}
}

// What a platform asks for goes for all photos of the account.
func TestPatienceIsTheAccounts(t *testing.T) {
	h := newHouse(t, startLINE(t))
	g := h.open().work()
	m := h.answer(func(call int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if call == 1 {
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
	g.receive(photo("a", picture(t, 20, 20)))
	gatewaytest.Await(t, "the platform asks for patience", func() bool { return g.figures("lightlock_trouble_total")["throttled photo"] == 1 })
	for i := range 3 {
		g.receive(photo(fmt.Sprint("b ", i), picture(t, 20, 20)))
	}
	gatewaytest.Await(t, "the others wait too", func() bool { return g.figures("lightlock_trouble_total")["host_paused photo"] >= 3 })
	if got := m.calls.Load(); got != 1 {
		t.Errorf("called %d times, want the first one alone", got)
	}
	for _, d := range g.documents(4) {
		g.wantReady(d.Data.Photos[0])
	}
	if got := m.calls.Load(); got != 5 {
		t.Errorf("called %d times, want one more for each photo", got)
	}
}

// ending gives each photo an end.
type ending struct {
	connectors.Connector
	until time.Time
}

func (c ending) Parse(r *connectors.Request) ([]connectors.Event, error) {
	events, err := c.Connector.Parse(r)
	for _, e := range events {
		for i := range e.Photos {
			e.Photos[i].Until = c.until
		}
	}
	return events, err
}

// No try follows after the end of a photo's life, and none is waited for.
func TestTheEndOfAPhotosLife(t *testing.T) {
	for name, test := range map[string]struct {
		left   time.Duration // of its life, before the first try
		status int
		after  string
		want   string
		calls  int64
	}{
		"asked to wait for longer": {2 * time.Minute, 429, "600", "expired", 1},
		"it is over":               {-time.Hour, 503, "", "expired", 1},
		"it is over and served":    {-time.Hour, 200, "", "", 1}, // nobody knows it better than the platform
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, startLINE(t))
			h.config.Work.Attempts = 1000
			g := h.open()
			m := h.answer(func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
				if test.status == 200 {
					next.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Retry-After", test.after)
				w.WriteHeader(test.status)
			})
			g.route().Connector = ending{g.route().Connector, time.Now().Add(test.left)}
			g.receive(photo("a", picture(t, 20, 20)))
			if p := g.work().photo(); test.want == "" {
				g.wantReady(p)
			} else {
				g.wantRejected(p, test.want)
			}
			if got := m.calls.Load(); got != test.calls {
				t.Errorf("called %d times, want %d", got, test.calls)
			}
		})
	}
}

// Tries that fail end with the photo's life, and a host that is left alone then is
// not waited for either.
func TestTriesEndWithAPhotosLife(t *testing.T) {
	for name, failures := range map[string]int{"the host fails": 1000, "the host is left alone": 1} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, startLINE(t))
			h.config.Work.Attempts = 1000
			h.hosts.Failures, h.hosts.Open = failures, 300*time.Millisecond
			g := h.open()
			h.answer(func(_ int64, w http.ResponseWriter, _ *http.Request, _ http.Handler) {
				w.WriteHeader(http.StatusBadGateway)
			})
			g.route().Connector = ending{g.route().Connector, time.Now().Add(time.Hour)}
			g.work().receive(photo("a", picture(t, 20, 20)))
			g.await("it is told", func(s queue.Stats) bool { return s.Delivered == 1 })
			g.stop()
			over := `"until":"` + time.Now().Add(-time.Hour).Format(time.RFC3339) + `"`
			queuetest.Inspect(t, h.redis.Address()).Rewrite(q, func(record string) string {
				return regexp.MustCompile(`"until":"[^"]*"`).ReplaceAllString(record, over)
			})
			g.work()
			g.wantRejected(g.photo(), "expired")
			wantTypes(t, g, queue.MessageReceived, queue.PhotoSettled)
		})
	}
}

// gauge knows how many calls are under way at once, at most.
type gauge struct{ now, most atomic.Int64 }

func (g *gauge) enter() (leave func()) {
	n := g.now.Add(1)
	for most := g.most.Load(); n > most && !g.most.CompareAndSwap(most, n); most = g.most.Load() {
	}
	return func() { g.now.Add(-1) }
}

// crowdSize is many times what may be in work. How many more it is makes no
// difference, because they wait in a list.
const crowdSize = 5_000

// One account has thousands of photos on a host that hangs. Another one's
// photo is developed while no more than a window of them is in work.
func TestACrowdOfPhotosIsInNobodysWay(t *testing.T) {
	crowd, other := startLINE(t), startLINE(t)
	h := newHouse(t, crowd, other)
	h.promise = time.Hour // that is another test's
	g := h.open(func(l *config.Loaded) {
		l.Connectors[1] = other.Settings("other", q)
	})
	var calls atomic.Int64
	var under gauge
	wait, release := hang()
	defer release()
	crowd.Wrap(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			defer under.enter()()
			wait(r)
		})
	})
	h.crowd(g, crowdSize)
	g.work()
	gatewaytest.Await(t, "their window is full", func() bool { return under.now.Load() == int64(h.config.Work.PerAccount) })

	r, err := other.Webhook(base+"/webhooks/line/other", photo("b", picture(t, 20, 20)))
	if err != nil {
		t.Fatal(err)
	}
	r[0].ReceivedAt = time.Now()
	if err := g.Receive(t.Context(), g.Routes.All()[1], r[0]); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Await(t, "the other's photo is with the agents", func() bool { return g.figures("lightlock_photos_total")["line/other  ready"] == 1 })
	window := int64(h.config.Work.PerAccount)
	if most, all := under.most.Load(), calls.Load(); most > window || all > 5*window {
		t.Errorf("of the crowd %d were called for at once and %d in all, want at most %d, and a few windows", most, all, window)
	}
	lanes, err := g.backend.Lanes(t.Context(), q)
	lanes = slices.DeleteFunc(lanes, func(l queue.LaneStats) bool { return l.InWindow+l.Waiting == 0 })
	if err != nil || len(lanes) != 1 || lanes[0].Lane != inbound.Lane("line", crowd.BotID) || lanes[0].InWindow != window || lanes[0].Waiting != crowdSize-window {
		t.Errorf("got lanes %+v, %v; want the crowd's alone, %d of it in its window", lanes, err, window)
	}
	// Stopped while all hang, the gateway gives them back.
	g.stop()
}

// crowd journals as many photos of the first platform as LINE would send in calls
// of a hundred, without making so many calls.
func (h *house) crowd(g *gateway, n int) {
	h.t.Helper()
	events, err := g.route().Connector.Parse(h.webhooks(photo("x", []byte("x")))[0])
	if err != nil || len(events) != 1 {
		h.t.Fatalf("got %d events, %v", len(events), err)
	}
	many := make([]connectors.Event, 100)
	for i := 0; i < n; i += len(many) {
		for k := range many {
			many[k] = events[0]
			many[k].ID, many[k].MessageID = fmt.Sprint("crowd ", i+k), fmt.Sprint("message ", i+k)
			many[k].Photos = slices.Clone(events[0].Photos)
		}
		route := *g.route()
		route.Connector = prepared{route.Connector, many}
		if err := g.Receive(h.t.Context(), &route, &connectors.Request{ReceivedAt: time.Now()}); err != nil {
			h.t.Fatal(err)
		}
	}
}

// prepared is a connector whose events are known.
type prepared struct {
	connectors.Connector
	events []connectors.Event
}

func (p prepared) Verify(*connectors.Request) error                      { return nil }
func (p prepared) Parse(*connectors.Request) ([]connectors.Event, error) { return p.events, nil }

// A host that hangs for one account serves another: its share has room for whoever
// has nothing there.
func TestAHostThatHangsForOneAccountAlone(t *testing.T) {
	const second = "U00000000000000000000000000000002"
	p := startLINE(t)
	h := newHouse(t, p)
	h.config.Work.Slots, h.config.Work.PerHost = 8, 4
	g := h.open(func(l *config.Loaded) {
		settings := l.Connectors[0].(*line.Config)
		account := settings.Accounts[0]
		account.ID, account.Name = second, "second"
		settings.Accounts = append(settings.Accounts, account)
	})
	wait, release := hang()
	defer release()
	var under gauge
	h.answer(func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.Contains(r.URL.Path, linesim.MessageID("x", "photo0")) {
			defer under.enter()()
			wait(r)
		}
		next.ServeHTTP(w, r)
	})
	h.crowd(g, 100)
	g.work()
	gatewaytest.Await(t, "the crowd has the host's share", func() bool { return under.now.Load() == 4 })
	events, err := g.route().Connector.Parse(h.webhooks(photo("b", picture(t, 20, 20)))[0])
	if err != nil || len(events) != 1 {
		t.Fatalf("got %d events, %v", len(events), err)
	}
	events[0].Account, events[0].Photos[0].Account = second, second
	route := *g.route()
	route.Connector = prepared{route.Connector, events}
	if err := g.Receive(t.Context(), &route, &connectors.Request{ReceivedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Await(t, "the second account's photo is with the agents", func() bool {
		return g.figures("lightlock_photos_total")["line/acme/second  ready"] == 1
	})
	if most := under.most.Load(); most > 4 {
		t.Errorf("%d photos of the crowd were fetched at once, want at most the share of the host, 4", most)
	}
	g.stop()
}
