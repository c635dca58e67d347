package ops_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// admin is the operators' listener on a real Redis.
type admin struct {
	t        *testing.T
	url      string
	redis    *queuetest.Server
	backend  *queue.Backend
	health   *ops.Health
	metrics  *ops.Metrics
	accounts *ops.Accounts
	store    func(context.Context) error
}

func TestMain(m *testing.M) {
	queue.RedirectLog(slog.New(slog.DiscardHandler))
	m.Run()
}

func open(t *testing.T) *admin {
	t.Helper()
	t.Parallel()
	a := &admin{t: t, redis: queuetest.Start(t), metrics: ops.NewMetrics(), store: func(context.Context) error { return nil }}
	clock := func() time.Time { return time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC) }
	a.accounts = ops.NewAccounts([]string{"line/acme", "whatsapp/acme/shop"}, clock)
	var err error
	a.backend, err = queue.Open(t.Context(), queue.OpenOptions{Redis: &config.Redis{Address: a.redis.Address()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.backend.Close(context.Background()) })
	if err := a.backend.EnsureQueue(t.Context(), "support"); err != nil {
		t.Fatal(err)
	}
	a.metrics.Register(ops.NewQueueCollector(a.backend, []string{"support"}))
	a.health = ops.NewHealth(
		ops.RedisCheck(a.backend, a.backend.Condition),
		ops.StoreCheck(func(ctx context.Context) error { return a.store(ctx) }, 0),
		ops.QueueCheck(a.backend, []string{"support"}, false), a.accounts.Check,
	)
	server := httptest.NewServer(ops.Admin(a.health, a.metrics))
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

// deliver puts a document into the queue, which nobody reads.
func (a *admin) deliver() {
	a.t.Helper()
	ctx, name := a.t.Context(), strings.Repeat("5a", 32)
	if _, err := a.backend.Accept(ctx, "support", []queue.Item{{Kind: queue.ItemMessage, Key: name, Party: name, Payload: []byte("{}")}}); err != nil {
		a.t.Fatal(err)
	}
	entries, err := a.backend.Take(ctx, "support", queue.Words, 1, time.Second)
	if err != nil || len(entries) != 1 {
		a.t.Fatalf("took %d entries: %v", len(entries), err)
	}
	if err := a.backend.Begin(ctx, &entries[0], ""); err != nil {
		a.t.Fatal(err)
	}
	if got, err := a.backend.Complete(ctx, entries[0], queue.End{Document: []byte("{}")}); err != nil || got != queue.Mine {
		a.t.Fatalf("complete: %v, %v", got, err)
	}
}

// get returns status and body.
func (a *admin) get(path string, accept ...string) (int, string) {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, a.url+path, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header["Accept"] = accept
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// ready asks for /readyz and checks its first line and some others.
func (a *admin) ready(status int, head string, lines ...string) string {
	a.t.Helper()
	got, text := a.get("/readyz")
	if got != status || !strings.HasPrefix(text, head+"\n") {
		a.t.Errorf("answered %d, want %d with first line %q:\n%s", got, status, head, text)
	}
	all := strings.Split(text, "\n")
	for _, want := range lines {
		if !slices.ContainsFunc(all, func(line string) bool { return strings.HasPrefix(line, want) }) {
			a.t.Errorf("no line begins with %q:\n%s", want, text)
		}
	}
	for _, line := range all {
		if strings.TrimRight(line, " ") != line {
			a.t.Errorf("line %q ends with spaces", line)
		}
	}
	return text
}

func TestReadyInWords(t *testing.T) {
	a := open(t)
	a.deliver()
	a.ready(200, "ready, 1 warning",
		"redis               ok    ", "store               ok", "queue support       warn  nobody reads it",
		"line/acme           ok", "whatsapp/acme/shop  ok")
	a.accounts.Refused("whatsapp/acme/shop")
	a.ready(200, "ready, 2 warnings", "whatsapp/acme/shop  warn  credentials refused since 14:02 UTC; ")
	a.accounts.Served("whatsapp/acme/shop")
	a.ready(200, "ready, 1 warning", "whatsapp/acme/shop  ok")
}

func TestReadyWithoutTheStore(t *testing.T) {
	a := open(t)
	a.store = func(context.Context) error { return errors.New("disk full") }
	a.ready(200, "ready, 1 warning", "store               warn  photos are delayed: disk full")
}

func TestReadyInJSON(t *testing.T) {
	a := open(t)
	a.deliver()
	status, text := a.get("/readyz", "application/json")
	var report struct {
		State  string
		Checks []ops.Line
	}
	if err := json.Unmarshal([]byte(text), &report); err != nil || status != 200 {
		t.Fatalf("answered %d, error %v: %s", status, err, text)
	}
	var names []string
	for _, line := range report.Checks {
		names = append(names, line.Name)
	}
	want := []string{"redis", "store", "queue support", "line/acme", "whatsapp/acme/shop"}
	if report.State != "degraded" || !slices.Equal(names, want) {
		t.Errorf("got %s with %v, want degraded with %v", report.State, names, want)
	}
}

func TestWithoutRedisTheGatewayIsUnready(t *testing.T) {
	a := open(t)
	a.redis.Pause()
	text := a.ready(503, "unready, 1 warning", "redis               fail  does not answer", "store               ok")
	a.redis.Continue()
	if strings.Count(text, "fail") != 1 {
		t.Errorf("more than Redis fails:\n%s", text)
	}
	a.redis.Kill()
	a.ready(503, "unready, 1 warning", "redis               fail  does not answer")
	if status, text := a.get("/healthz"); status != 200 || text != "alive\n" {
		t.Errorf("/healthz answered %d %q", status, text)
	}
	if status, text := a.get("/metrics"); status != 200 || strings.Contains(text, "lightlock_queue_messages{") {
		t.Errorf("/metrics answered %d, want it without the queue's figures:\n%s", status, text)
	}
	a.redis.Restart()
	a.ready(200, "ready")
}

func TestAStoppingGatewayIsUnready(t *testing.T) {
	a := open(t)
	a.health.Drain()
	a.ready(503, "unready", "gateway             fail  stopping")
	if status, _ := a.get("/healthz"); status != 200 {
		t.Errorf("/healthz answered %d", status)
	}
}

// figures is a journal whose figures a test sets.
type figures struct {
	stats queue.Stats
	err   error
}

func (f figures) Stats(context.Context, string) (queue.Stats, error) { return f.stats, f.err }

func (f figures) Ping(context.Context) error { return f.err }

func TestLineOfAQueue(t *testing.T) {
	for name, test := range map[string]struct {
		figures
		state ops.State
		note  string
	}{
		"well":             {figures{stats: queue.Stats{Readers: 1, Delivered: 3, OldestDelivered: time.Hour}}, ops.OK, "3 delivered, "},
		"nobody reads":     {figures{stats: queue.Stats{Delivered: 1}}, ops.Warn, "nobody reads it"},
		"nothing to read":  {figures{}, ops.OK, "0 delivered, "},
		"answers wait":     {figures{stats: queue.Stats{Talks: 2}}, ops.OK, "0 delivered, 0 waiting, 0 in work, 0 delayed, 0 dead; messages to 2 consumers not sent yet"},
		"reader is behind": {figures{stats: queue.Stats{Readers: 1, OldestDelivered: 61 * time.Minute}}, ops.Warn, "its oldest entry is 1h1m0s old"},
		"worker is behind": {figures{stats: queue.Stats{Readers: 1, Overdue: 2 * time.Minute}}, ops.Warn, "delayed messages are overdue"},
		"not to be asked":  {figures{err: queue.ErrAway}, ops.Warn, "cannot be counted"},
	} {
		got := ops.QueueCheck(test.figures, []string{"support"}, false)(t.Context())
		if len(got) != 1 || got[0].State != test.state || !strings.HasPrefix(got[0].Note, test.note) {
			t.Errorf("%s: got %+v, want %s with %q", name, got, test.state, test.note)
		}
		unread := ops.QueueCheck(test.figures, []string{"support"}, true)(t.Context())[0]
		if mended := strings.Contains(test.note, "read") || strings.Contains(test.note, "oldest"); mended && unread.State != ops.OK {
			t.Errorf("%s, where nobody is to read: got %+v", name, unread)
		} else if !mended && unread.State != test.state {
			t.Errorf("%s, where nobody is to read: got %+v, want %s", name, unread, test.state)
		}
	}
}

// What may lose messages is worth a warning for as long as it lasts, and a Redis
// that takes nothing in says what fills it.
func TestLineOfRedis(t *testing.T) {
	for name, test := range map[string]struct {
		condition queue.Condition
		state     ops.State
		note      string
	}{
		"durable":  {queue.Condition{Durability: queue.Fsync, Filled: .124}, ops.OK, " ms, fsync, 12 % full"},
		"trusted":  {queue.Condition{Durability: queue.Trusted}, ops.OK, " ms, trusted"},
		"memory":   {queue.Condition{Durability: queue.Memory}, ops.Warn, " ms, memory"},
		"spoiled":  {queue.Condition{Durability: queue.Fsync, Wrong: []string{"a is b", "c is d"}}, ops.Warn, "a is b; c is d"},
		"too full": {queue.Condition{Durability: queue.Fsync, Filled: .9, Closed: true, Fills: "full of x"}, ops.Fail, "full of x; nothing can be made durable"},
		"both":     {queue.Condition{Durability: queue.Fsync, Closed: true, Fills: "full of x", Wrong: []string{"a is b"}}, ops.Fail, "full of x; nothing can be made durable; a is b"},
	} {
		got := ops.RedisCheck(figures{}, func() queue.Condition { return test.condition })(t.Context())
		if len(got) != 1 || got[0].State != test.state || !strings.HasSuffix(got[0].Note, test.note) {
			t.Errorf("%s: got %+v, want %s with %q", name, got, test.state, test.note)
		}
	}
}

func TestFiguresOfRedis(t *testing.T) {
	for name, test := range map[string]struct {
		condition queue.Condition
		want      []string
	}{
		"all is well": {
			queue.Condition{Durability: queue.Fsync, Filled: .5},
			[]string{"redis_memory_ratio 0.5", "admission_closed 0", "redis_wrong 0", `redis_durability{level="fsync"} 1`},
		},
		"it is full and spoiled": {
			queue.Condition{Durability: queue.Trusted, Filled: 1, Closed: true, Wrong: []string{"a is b", "c is d"}},
			[]string{"redis_memory_ratio 1", "admission_closed 1", "redis_wrong 2", `redis_durability{level="trusted"} 1`},
		},
	} {
		m, answer := ops.NewMetrics(), httptest.NewRecorder()
		m.Register(ops.NewRedisCollector(func() queue.Condition { return test.condition }))
		m.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		for _, line := range test.want {
			if !strings.Contains(answer.Body.String(), "\nlightlock_"+line+"\n") {
				t.Errorf("%s: there is no %s", name, line)
			}
		}
	}
}

func TestLineOfHosts(t *testing.T) {
	var troubles []ops.HostTrouble
	check := ops.HostsCheck(func() []ops.HostTrouble { return troubles })
	if got := check(t.Context()); len(got) != 0 {
		t.Errorf("without trouble: got %+v, want no line", got)
	}
	for _, host := range []string{"f", "e", "d", "c", "b", "a"} {
		troubles = append(troubles, ops.HostTrouble{Account: "line/acme", Host: host + ".example", Reason: "paused"})
	}
	got := check(t.Context())
	if len(got) != 1 || got[0].State != ops.Warn ||
		!strings.HasPrefix(got[0].Note, "photos wait for a.example (line/acme, paused), b.") || !strings.HasSuffix(got[0].Note, " and 1 more") {
		t.Errorf("got %+v, want a warning that names five", got)
	}
}

// share is a share of the memory for photos at some moment.
type share struct {
	held    int64
	waiting int
}

func (s share) Held() int64  { return s.held }
func (s share) Waiting() int { return s.waiting }

// The names are what operators' rules and boards are made of.
func TestMetricsByName(t *testing.T) {
	a := open(t)
	a.metrics.Webhook("line/acme", "accepted")
	a.metrics.Event("line/acme", "message", "")
	a.metrics.Duplicate("line/acme")
	a.metrics.Photo("line/acme", "rejected", "animated")
	a.metrics.Damaged("line/acme")
	a.metrics.Profile("converted")
	a.metrics.Profile("")
	a.metrics.Forwarded("support", 2*time.Second)
	a.metrics.Trouble("fetch", "digest")
	a.metrics.Accepted("line/acme", 3*time.Millisecond)
	a.metrics.LettersExpired("support", "bytes", 7)
	a.metrics.Register(ops.NewHostsCollector([]string{"line/acme", "whatsapp/acme/shop"}, func() []ops.HostTrouble {
		return []ops.HostTrouble{{"line/acme", "a.example", "fails"}, {"line/acme", "b.example", "fails"}}
	}))
	a.metrics.Register(ops.NewMemoryCollector(share{4096, 0}, share{1 << 20, 3}))
	a.metrics.Register(ops.NewChildrenCollector(func() int64 { return 17 }))
	status, text := a.get("/metrics")
	if status != 200 {
		t.Fatalf("answered %d", status)
	}
	for _, want := range []string{
		`lightlock_webhooks_total{connector="line/acme",result="accepted"} 1`,
		`lightlock_events_total{connector="line/acme",kind="message",reason=""} 1`,
		`lightlock_duplicates_total{connector="line/acme"} 1`,
		`lightlock_photos_total{account="line/acme",reason="animated",status="rejected"} 1`,
		`lightlock_photos_damaged_total{account="line/acme"} 1`,
		`lightlock_photo_profiles_total{use="converted"} 1`,
		`lightlock_forwarded_total{queue="support"} 1`,
		`lightlock_message_seconds_bucket{queue="support",le="3"} 1`,
		`lightlock_message_seconds_sum{queue="support"} 2`,
		`lightlock_trouble_total{kind="digest",step="fetch"} 1`,
		`lightlock_queue_messages{queue="support",state="waiting"} 0`,
		`lightlock_queue_messages{queue="support",state="in_work"} 0`,
		`lightlock_queue_messages{queue="support",state="delayed"} 0`,
		`lightlock_queue_messages{queue="support",state="dead"} 0`,
		`lightlock_queue_messages{queue="support",state="delivered"} 0`,
		`lightlock_queue_oldest_seconds{queue="support",state="delivered"} 0`,
		`lightlock_queue_readers{queue="support"} 0`,
		`lightlock_queue_talks{queue="support"} 0`,
		`lightlock_queue_conversations{queue="support"} 0`,
		`lightlock_queue_letters_bytes{queue="support"} 0`,
		`lightlock_letters_expired_total{queue="support",why="bytes"} 7`,
		`lightlock_accept_seconds_bucket{connector="line/acme",le="0.005"} 1`,
		`lightlock_darkroom_children_total 17`,
		`lightlock_hosts_open{account="line/acme",reason="fails"} 2`,
		`lightlock_hosts_open{account="whatsapp/acme/shop",reason="fails"} 0`,
		`lightlock_photo_memory_bytes{share="originals"} 4096`,
		`lightlock_photo_memory_bytes{share="children"} 1.048576e+06`,
		`lightlock_photos_waiting{share="originals"} 0`,
		`lightlock_photos_waiting{share="children"} 3`,
		"go_goroutines ", "process_open_fds ",
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no line %s", want)
		}
	}
}

func TestOnlyReadingIsPossible(t *testing.T) {
	a := open(t)
	for path, status := range map[string]int{"/": 200, "/debug/pprof/": 200, "/debug/pprof/cmdline": 200, "/nothing": 404, "/healthz/more": 404} {
		if got, _ := a.get(path); got != status {
			t.Errorf("GET %s: answered %d, want %d", path, got, status)
		}
	}
	for _, path := range []string{"/readyz", "/healthz", "/metrics"} {
		r, err := http.Post(a.url+path, "text/plain", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if r.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: answered %d, want %d", path, r.StatusCode, http.StatusMethodNotAllowed)
		}
	}
}
