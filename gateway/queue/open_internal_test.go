package queue

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/config"
)

// By default a context does not bound the I/O of go-redis, which matters only on
// the day when Redis hangs.
func TestDeadlinesBoundEveryCall(t *testing.T) {
	b, err := Open(t.Context(), OpenOptions{Redis: &config.Redis{Address: "/nobody.sock"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close(t.Context()) }()
	got := b.client.(*redis.Client).Options()
	if !got.ContextTimeoutEnabled || got.ReadTimeout != ioTimeout || got.WriteTimeout != ioTimeout || got.MaxRetries < 1 {
		t.Errorf("got context timeout %v, read %v, write %v, %d repeats",
			got.ContextTimeoutEnabled, got.ReadTimeout, got.WriteTimeout, got.MaxRetries)
	}
}

// reply is an error that Redis has answered.
type reply string

func (r reply) Error() string { return string(r) }

// RedisError implements redis.Error.
func (reply) RedisError() {}

func TestRefusalsThatPassAreToldFromThoseThatStay(t *testing.T) {
	for text, want := range map[string]error{
		"LOADING Redis is loading the dataset in memory":                        ErrAway,
		"BUSY Redis is busy running a script.":                                  ErrAway,
		"MISCONF Errors writing to the AOF file: No space left on device":       ErrAway,
		"READONLY You can't write against a read only replica.":                 ErrAway,
		"NOREPLICAS Not enough good replicas to write.":                         ErrAway,
		"CLUSTERDOWN Hash slot not served":                                      ErrAway,
		"ERR max number of clients reached":                                     ErrAway,
		"OOM command not allowed when used memory > 'maxmemory'.":               ErrFull,
		"ERR Error running script: -OOM command not allowed when used memory":   ErrFull,
		"NOPERM this user has no permissions to run the 'evalsha' command":      nil,
		"NOAUTH Authentication required.":                                       ErrLogin,
		"WRONGPASS invalid username-password pair or user is disabled.":         ErrLogin,
		"ERR Protocol error: unauthenticated multibulk length":                  ErrLogin,
		"BUSYKEY Target key name already exists.":                               nil,
		"ERR the consumer said OOM, BUSY and LOADING, which means nothing here": nil,
	} {
		err := wrap("accept", reply(text))
		for _, kind := range []error{ErrAway, ErrFull, ErrLogin, ErrInvalid, ErrFenced} {
			if got := errors.Is(err, kind); got != errors.Is(want, kind) {
				t.Errorf("got %v, want it to unwrap to %v only", err, want)
			}
		}
	}
}

func TestARedisThatIsTooOldIsKnown(t *testing.T) {
	for version, old := range map[string]bool{
		"5.0.14": true, "6.0.16": true, "6.2.0": true, "7.0.15": false, "8.2.1": false, "10.0.0": false, "unknown": false, "": false,
	} {
		got := inInfo("# Server\r\nredis_version:"+version+"\r\nredis_mode:standalone\r\n", "redis_version")
		if got != version || olderThan(got, oldest) != old {
			t.Errorf("got version %q of %q, too old %v", got, version, olderThan(got, oldest))
		}
	}
}

func TestWhatIsConfiguredBecomesTheRightClient(t *testing.T) {
	for name, row := range map[string]struct {
		redis config.Redis
		want  string // part of the error, or the type of client
	}{
		"one":              {config.Redis{Address: "a:1", TLS: true}, "*redis.Client"},
		"socket":           {config.Redis{Address: "/a.sock"}, "*redis.Client"},
		"sentinels":        {config.Redis{Addresses: []string{"a:1", "b:1"}, Master: "m"}, "*redis.Client"},
		"cluster":          {config.Redis{Addresses: []string{"a:1"}, Cluster: true, TLS: true}, "*redis.ClusterClient"},
		"nothing":          {config.Redis{}, "no address"},
		"a URL":            {config.Redis{Address: "redis://u:canary@a:1"}, "neither host:port"},
		"a URL among them": {config.Redis{Addresses: []string{"a:1", "u:canary@a:1"}, Cluster: true}, "neither host:port"},
		"socket by TLS":    {config.Redis{Address: "/a.sock", TLS: true}, "need an address host:port"},
		"socket, cluster":  {config.Redis{Address: "/a.sock", Cluster: true}, "need an address host:port"},
	} {
		b, err := Open(t.Context(), OpenOptions{Redis: &row.redis})
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprintf("%T", b.client)
			_ = b.Close(t.Context())
		}
		if !strings.Contains(got, row.want) || strings.Contains(got, "canary") {
			t.Errorf("%s: got %s, want %s", name, got, row.want)
		}
	}
}

// A journal that nobody has configured works like one of a gateway whose
// configuration is silent.
func TestDefaultsAreThoseOfTheConfiguration(t *testing.T) {
	got, want := Options{}.withDefaults(), OptionsOf(config.Default())
	if got.Lease != want.Lease || got.PerAccount != want.PerAccount || got.PromiseFor != want.PromiseFor || got.LettersBytes != want.LettersBytes ||
		got.ConversationFor != want.ConversationFor || got.WithoutConversations != want.WithoutConversations {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
