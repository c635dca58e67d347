package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Checkup is what Doctor found.
type Checkup struct {
	Durability Durability
	// Version is the server's, such as "7.0.15"; empty where it does not say.
	Version string
	// Findings are what is wrong, one sentence each with the command that
	// mends it. If there are any, the promise of durability does not hold, and
	// the gateway must not serve.
	Findings []string
}

// setting is one line of redis.conf that durability depends on.
type setting struct {
	name, want, why string
}

// settings are judged by comparing them, but for maxmemory.
func settings() []setting {
	return []setting{
		{"appendonly", "yes", "a restart would lose everything"},
		{"appendfsync", "always", "a crash would lose what was just acknowledged"},
		{"no-appendfsync-on-rewrite", "no", "a crash during a rewrite would lose what was acknowledged"},
		{"maxmemory-policy", "noeviction", "a full memory would delete whole queues without an error"},
	}
}

// Doctor asks Redis whether it can keep what it acknowledges, and remembers the
// level found. A Redis that does not let us ask is trusted. The error unwraps to
// ErrAway if Redis does not answer.
func (b *Backend) Doctor(ctx context.Context) (Checkup, error) {
	if b.Durability() == Memory {
		return Checkup{Durability: Memory}, nil
	}
	checkup, err := diagnose(ctx, b.client, b.Durability() == Trusted)
	if err == nil {
		b.durability.Store(checkup.Durability)
	}
	return checkup, err
}

func diagnose(ctx context.Context, client redis.Cmdable, trusted bool) (Checkup, error) {
	checkup := Checkup{Durability: Fsync}
	if trusted {
		checkup.Durability = Trusted
	}
	info, err := client.Info(ctx, "server").Result()
	if err != nil && !forbidden(err) {
		return checkup, wrap("doctor", err)
	}
	checkup.Version = versionIn(info)
	if checkup.Version != "" && olderThan(checkup.Version, 7, 0) {
		checkup.Findings = append(checkup.Findings, fmt.Sprintf(
			"redis %s is older than 7.0, and a full memory would stop those who empty it; upgrade it: apt-get install redis-server",
			checkup.Version))
	}
	if trusted {
		return checkup, nil
	}
	findings, err := askSettings(ctx, client)
	if forbidden(err) {
		checkup.Durability = Trusted
		return checkup, nil
	}
	checkup.Findings = append(checkup.Findings, findings...)
	return checkup, wrap("doctor", err)
}

func askSettings(ctx context.Context, client redis.Cmdable) ([]string, error) {
	var findings []string
	for _, s := range settings() {
		got, err := ask(ctx, client, s.name)
		if err != nil {
			return nil, err
		}
		if got != s.want {
			findings = append(findings, fmt.Sprintf("%s is %q, so %s; run: %s", s.name, got, s.why, mend(s.name, s.want)))
		}
	}
	memory, err := ask(ctx, client, "maxmemory")
	if err != nil {
		return nil, err
	}
	if bytes, err := strconv.ParseInt(memory, 10, 64); err != nil || bytes <= 0 {
		findings = append(findings, "maxmemory is not set, so a long queue would take the machine's memory until the system kills redis; run: "+
			mend("maxmemory", "2gb")+" (or what the machine can spare)")
	}
	return findings, nil
}

func ask(ctx context.Context, client redis.Cmdable, name string) (string, error) {
	values, err := client.ConfigGet(ctx, name).Result()
	if err != nil {
		return "", err
	}
	value, found := values[name]
	if !found {
		// A server that hides its settings answers with nothing.
		return "", errHidden
	}
	return value, nil
}

func mend(name, value string) string {
	return fmt.Sprintf("CONFIG SET %s %s, then CONFIG REWRITE, in that Redis", name, value)
}

var errHidden = errors.New("redis does not tell its settings")

// forbidden tells whether Redis refuses to be asked: by its rules for users, or
// because a managed service has taken the command away.
func forbidden(err error) bool {
	if err == nil {
		return false
	}
	if errors.Is(err, errHidden) {
		return true
	}
	text := strings.ToLower(err.Error())
	return strings.HasPrefix(text, "noperm") || strings.Contains(text, "unknown command") ||
		strings.Contains(text, "command is not allowed") || strings.Contains(text, "unknown subcommand")
}

func versionIn(info string) string {
	for line := range strings.Lines(info) {
		if version, found := strings.CutPrefix(strings.TrimSpace(line), "redis_version:"); found {
			return version
		}
	}
	return ""
}

func olderThan(version string, major, minor int) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	gotMajor, errMajor := strconv.Atoi(parts[0])
	gotMinor, errMinor := strconv.Atoi(parts[1])
	if errMajor != nil || errMinor != nil {
		return false
	}
	return gotMajor < major || gotMajor == major && gotMinor < minor
}
