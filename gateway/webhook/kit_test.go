package webhook_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twilio"
	"github.com/lightlock/lightlock/connectors/twilio/twiliosim"
	"github.com/lightlock/lightlock/connectors/whatsapp"
	"github.com/lightlock/lightlock/connectors/whatsapp/whatsappsim"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/gateway/routes"
	"github.com/lightlock/lightlock/gateway/webhook"
)

const (
	q    = "support"
	base = "https://gateway.test"
	// limit is how long a webhook may be here.
	limit  = 64 << 10
	canary = "canary-93b1"
)

func TestMain(m *testing.M) {
	queue.RedirectLog(slog.New(slog.DiscardHandler))
	m.Run()
}

// edge is the public listener before a real journal, and three platforms.
type edge struct {
	t       *testing.T
	redis   *queuetest.Server
	backend *queue.Backend
	metrics *ops.Metrics
	log     *gatewaytest.Log
	bodies  *webhook.Bodies
	address string
	hurry   func() // ends all waits, where the listener is patient

	line     *linesim.Platform
	whatsapp *whatsappsim.Platform
	twilio   *twiliosim.Platform
}

// with is what a test has otherwise than the rest.
type with struct {
	wrap   func(webhook.Receiver) webhook.Receiver // stands before the line
	bodies *webhook.Bodies
	limit  int64
	// patient is a listener without deadlines, on which a test can hold what it
	// likes for as long as it needs.
	patient bool
}

// open opens the listener.
func open(t *testing.T) *edge { t.Helper(); return openWith(t, with{}) }

func openWith(t *testing.T, w with) *edge {
	t.Helper()
	t.Parallel()
	x := &edge{
		t: t, redis: queuetest.Start(t), metrics: ops.NewMetrics(), log: &gatewaytest.Log{},
		line: start(t, linesim.Start), whatsapp: start(t, whatsappsim.Start), twilio: start(t, twiliosim.Start),
	}
	loaded := &config.Loaded{Config: config.Default()}
	loaded.Config.PublicURL = base
	for _, p := range []sim.Platform{x.line, x.whatsapp, x.twilio} {
		loaded.Connectors = append(loaded.Connectors, p.Settings("acme", q))
	}
	log := slog.New(slog.NewTextHandler(x.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	routes, err := routes.New(loaded, []connectors.Channel{line.Channel(), whatsapp.Channel(), twilio.Channel()},
		connectors.Env{Log: log, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range routes.All() {
		r.Channel.BodyLimit = cmp.Or(w.limit, limit)
	}
	x.backend, err = queue.Open(t.Context(), queue.OpenOptions{Redis: &config.Redis{Address: x.redis.Address()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.backend.Close(context.Background()) })
	if err := x.backend.EnsureQueue(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	var receiver webhook.Receiver = &inbound.Line{Journal: x.backend.Journal, Metrics: x.metrics, Log: log, Routes: routes, Now: time.Now}
	if w.wrap != nil {
		receiver = w.wrap(receiver)
	}
	e := webhook.NewEcho(log)
	handlers := &webhook.Handlers{Line: receiver, Metrics: x.metrics, Log: log, Now: time.Now, Bodies: w.bodies}
	handlers.Mount(e, routes.All())
	x.bodies = handlers.Bodies
	if w.patient {
		var ctx context.Context
		ctx, x.hurry = context.WithCancel(t.Context())
		server := httptest.NewUnstartedServer(e)
		server.Config.BaseContext = func(net.Listener) context.Context { return ctx }
		server.Start()
		t.Cleanup(func() { x.hurry(); server.Close() })
		x.address = server.Listener.Addr().String()
	} else {
		x.address = serve(t, e, log)
	}
	t.Cleanup(func() {
		for _, secret := range []string{canary, x.line.Secret, x.whatsapp.AppSecret, x.whatsapp.VerifyToken, base} {
			if strings.Contains(x.log.String(), secret) {
				t.Errorf("the log holds %q:\n%s", secret, x.log)
			}
		}
	})
	return x
}

func serve(t *testing.T, h http.Handler, log *slog.Logger) string {
	t.Helper()
	server, err := webhook.Listen("127.0.0.1:0", h, nil, log)
	if err != nil {
		t.Fatal(err)
	}
	run(t, server)
	return server.Address()
}

func run(t *testing.T, server *webhook.Server) {
	done := make(chan struct{})
	go func() { defer close(done); server.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		_ = server.Shutdown(ctx)
		<-done
	})
}

// dial opens a connection that is closed with the test.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	return c
}

// say writes to a connection.
func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func start[P sim.Platform](t *testing.T, start func() (P, error)) P {
	t.Helper()
	p, err := start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// said is one text of a consumer.
func said(name string) sim.Said {
	return sim.Said{ID: name, Consumer: "ana", Text: canary, At: time.Now()}
}

// call is the webhook by which LINE says it.
func (x *edge) call(name string) *connectors.Request {
	x.t.Helper()
	calls, err := x.line.Webhook(base+"/webhooks/line/acme", said(name))
	if err != nil {
		x.t.Fatal(err)
	}
	return calls[0]
}

// signed is a call with this body.
func (x *edge) signed(body []byte) *connectors.Request {
	return x.line.Sign(base+"/webhooks/line/acme", body)
}

// post sends a call over a connection of its own.
func (x *edge) post(r *connectors.Request) *answer {
	x.t.Helper()
	return x.raw(request(r.Method, strings.TrimPrefix(r.URL, base), r.Header, r.Body))
}

// request writes a call down, with its length.
func request(method, target string, header http.Header, body []byte) string {
	var b bytes.Buffer
	b.WriteString(method + " " + target + " HTTP/1.1\r\nHost: elsewhere.example\r\n")
	_ = header.Write(&b)
	if header.Get("Transfer-Encoding") == "" && header.Get("Content-Length") == "" {
		b.WriteString("Content-Length: " + strconv.Itoa(len(body)) + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.String()
}

// answer is what came back: the head as it was written, but for its date.
type answer struct {
	status int
	header http.Header
	head   string
	body   string
}

// raw sends bytes over a new connection.
func (x *edge) raw(bytes string) *answer { x.t.Helper(); return x.send(bytes, false) }

// send sends bytes over a new connection, and may say that no more will come.
func (x *edge) send(bytes string, end bool) *answer {
	x.t.Helper()
	c, err := net.Dial("tcp", x.address)
	if err != nil {
		x.t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, bytes); err != nil {
		x.t.Fatal(err)
	}
	if end {
		_ = c.(*net.TCPConn).CloseWrite()
	}
	return x.read(c, strings.HasPrefix(bytes, "HEAD "))
}

func (x *edge) read(c io.Reader, head bool) *answer {
	x.t.Helper()
	var copied bytes.Buffer
	method := http.MethodPost
	if head {
		method = http.MethodHead
	}
	r, err := http.ReadResponse(bufio.NewReader(io.TeeReader(c, &copied)), &http.Request{Method: method})
	if err != nil {
		x.t.Fatalf("no answer: %v", err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		x.t.Fatal(err)
	}
	a := &answer{status: r.StatusCode, header: r.Header, body: string(body)}
	lines, _, _ := strings.Cut(copied.String(), "\r\n\r\n")
	for line := range strings.SplitSeq(lines, "\r\n") {
		if !strings.HasPrefix(line, "Date: ") {
			a.head += line + "\n"
		}
	}
	return a
}

func (x *edge) want(what string, a *answer, status int) {
	x.t.Helper()
	if a.status != status {
		x.t.Errorf("%s: answered %d, want %d", what, a.status, status)
	}
}

// waiting is how many messages were accepted; nothing works on them here.
func (x *edge) waiting() int64 {
	x.t.Helper()
	s, err := x.backend.Stats(context.Background(), q)
	if err != nil {
		x.t.Fatal(err)
	}
	if s.Dead != 0 {
		x.t.Errorf("there are %d dead letters", s.Dead)
	}
	return s.Waiting
}

// counted is the metric of calls by connector and result.
func (x *edge) counted() map[string]float64 {
	x.t.Helper()
	families, err := x.metrics.Gatherer().Gather()
	if err != nil {
		x.t.Fatal(err)
	}
	found := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "lightlock_webhooks_total" {
				found[m.GetLabel()[0].GetValue()+" "+m.GetLabel()[1].GetValue()] = m.GetCounter().GetValue()
			}
		}
	}
	return found
}
