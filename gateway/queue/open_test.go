package queue_test

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

func TestMain(m *testing.M) {
	queue.RedirectLog(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}

func idAt(ms int64) string { return fmt.Sprintf("%d-0", ms) }

func at(address string) *config.Redis { return &config.Redis{Address: address} }

func open(t *testing.T, o queue.OpenOptions) *queue.Backend {
	t.Helper()
	b, err := queue.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func shut(t *testing.T, b *queue.Backend) {
	t.Helper()
	if err := b.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestWithoutConfigurationAPrivateServerKeepsTheJournal(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	first := open(t, queue.OpenOptions{Data: data})
	if got := first.Durability(); got != queue.Fsync {
		t.Errorf("got durability %q, want fsync", got)
	}
	checkup, err := first.Doctor(t.Context())
	if err != nil || len(checkup.Findings) != 0 || checkup.Durability != queue.Fsync || checkup.Version == "" {
		t.Errorf("the doctor says %+v, %v of our own server", checkup, err)
	}
	if err := first.EnsureQueue(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	accept(t, first.Journal, "a")
	if _, err := queue.Open(t.Context(), queue.OpenOptions{Data: data}); err == nil || !strings.Contains(err.Error(), "in use by another gateway") {
		t.Errorf("a second gateway in the same folder: got %v", err)
	}
	shut(t, first)
	<-first.Ended()
	second := open(t, queue.OpenOptions{Data: data})
	wantCounts(t, second.Journal, counts{waiting: 1})
	shut(t, second)
}

func TestWithoutRedisServerNothingIsKeptAndThatIsSaid(t *testing.T) {
	t.Parallel()
	b := open(t, queue.OpenOptions{Data: t.TempDir(), Binary: filepath.Join(t.TempDir(), "no-redis-server")})
	defer shut(t, b)
	if b.Durability() != queue.Memory || !strings.Contains(b.Description, "KEEPS NOTHING") {
		t.Errorf("got %q, %q", b.Durability(), b.Description)
	}
	checkup, err := b.Doctor(t.Context())
	if err != nil || checkup.Durability != queue.Memory || len(checkup.Findings) != 0 {
		t.Errorf("the doctor says %+v, %v", checkup, err)
	}
	if err := b.EnsureQueue(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	accept(t, b.Journal, "a")
	e := begun(t, b.Journal)
	want(t, "complete", queue.Mine)(b.Complete(t.Context(), e, queue.End{Document: []byte("document")}))
}

func TestTheDoctorNamesWhatWouldLoseMessages(t *testing.T) {
	for name, test := range map[string]struct {
		extra []string
		want  []string
	}{
		"as it should be":          {nil, nil},
		"no file":                  {[]string{"--appendonly", "no"}, []string{"appendonly is \"no\""}},
		"written every second":     {[]string{"--appendfsync", "everysec"}, []string{"CONFIG SET appendfsync always"}},
		"not during rewrites":      {[]string{"--no-appendfsync-on-rewrite", "yes"}, []string{"no-appendfsync-on-rewrite"}},
		"memory without a limit":   {[]string{"--maxmemory", "0"}, []string{"maxmemory is not set"}},
		"evicting":                 {[]string{"--maxmemory-policy", "allkeys-lru"}, []string{"maxmemory-policy is \"allkeys-lru\""}},
		"several at once":          {[]string{"--appendonly", "no", "--maxmemory", "0"}, []string{"appendonly", "maxmemory"}},
		"evicting what can go":     {[]string{"--maxmemory-policy", "volatile-ttl"}, []string{"CONFIG SET maxmemory-policy noeviction"}},
		"fsync left to the system": {[]string{"--appendfsync", "no"}, []string{"appendfsync is \"no\""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, queue.OpenOptions{Redis: at(queuetest.Start(t, test.extra...).Address())})
			defer shut(t, b)
			checkup, err := b.Doctor(t.Context())
			if err != nil || checkup.Durability != queue.Fsync || len(checkup.Findings) != len(test.want) {
				t.Fatalf("got %+v, error %v; want %d findings", checkup, err, len(test.want))
			}
			for i, want := range test.want {
				if !strings.Contains(checkup.Findings[i], want) {
					t.Errorf("got %q, want it to name %q", checkup.Findings[i], want)
				}
			}
		})
	}
}

func TestARedisThatDoesNotLetUsAskIsTrusted(t *testing.T) {
	users := []string{"--user", "gateway", "on", ">opensesame", "~*", "&*", "+@all", "-config"}
	for name, test := range map[string]struct {
		extra []string
		redis config.Redis
	}{
		"no such command": {[]string{"--rename-command", "CONFIG", ""}, config.Redis{}},
		"no permission":   {users, config.Redis{Username: "gateway", Password: config.NewSecret("opensesame")}},
		"said so":         {[]string{"--appendfsync", "everysec"}, config.Redis{Durability: "trusted"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.redis.Address = queuetest.Start(t, test.extra...).Address()
			b := open(t, queue.OpenOptions{Redis: &test.redis})
			defer shut(t, b)
			checkup, err := b.Doctor(t.Context())
			if err != nil || checkup.Durability != queue.Trusted || len(checkup.Findings) != 0 || b.Durability() != queue.Trusted {
				t.Errorf("got %+v, error %v, then %q; want trusted", checkup, err, b.Durability())
			}
		})
	}
}

func TestARedisThatIsAwayIsToldFromASickOne(t *testing.T) {
	t.Parallel()
	b := open(t, queue.OpenOptions{Redis: at(filepath.Join(t.TempDir(), "nobody.sock"))})
	defer shut(t, b)
	if _, err := b.Doctor(t.Context()); !errors.Is(err, queue.ErrAway) {
		t.Errorf("doctor: got %v, want ErrAway", err)
	}
	if err := b.Ping(t.Context()); !errors.Is(err, queue.ErrAway) {
		t.Errorf("ping: got %v, want ErrAway", err)
	}
}

func TestAWrongPasswordIsAnErrorThatDoesNotTellIt(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t, "--user", "gateway", "on", ">right", "~*", "&*", "+@all")
	b := open(t, queue.OpenOptions{Redis: &config.Redis{
		Address: server.Address(), Username: "gateway", Password: config.NewSecret("canary-4711"),
	}})
	defer func() { _ = b.Close(t.Context()) }()
	_, err := b.Doctor(t.Context())
	if err == nil || errors.Is(err, queue.ErrAway) || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v, want a refusal without the password", err)
	}
}
