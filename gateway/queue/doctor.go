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
// level found. In a cluster it asks each primary, and where Sentinels name the
// primary the one that it is now; findings then begin with its address. A Redis
// that does not let us ask is trusted. The error unwraps to ErrAway if one of
// them does not answer.
func (b *Backend) Doctor(ctx context.Context) (Checkup, error) {
	if b.Durability() == Memory {
		return Checkup{Durability: Memory}, nil
	}
	checkup, err := b.examine(ctx)
	b.watchdog.pending.Store(err != nil)
	if err == nil {
		b.durability.Store(checkup.Durability)
	}
	return checkup, err
}

// refusal makes an error of findings, or nil where there are none.
func refusal(findings []string) (err error) {
	for _, finding := range findings {
		err = errors.Join(err, fmt.Errorf("redis: %s", finding))
	}
	return err
}

// examine asks all primaries, and is as content as with the worst of them.
func (b *Backend) examine(ctx context.Context) (Checkup, error) {
	all := Checkup{Durability: b.configured}
	primaries, err := b.primaries(ctx)
	if err != nil {
		return all, err
	}
	for _, p := range primaries {
		one, err := diagnose(ctx, p.client, b.configured == Trusted, b.isCluster())
		if b.sentinel != "" && errors.Is(err, redis.Nil) {
			return all, fmt.Errorf("queue: doctor: no Sentinel knows a primary named %.80q; correct redis.master", b.sentinel)
		}
		if err != nil {
			return all, wrap("doctor", fmt.Errorf("%s%w", before(p.name), err))
		}
		if one.Durability == Trusted {
			all.Durability = Trusted
		}
		if all.Version == "" || olderThan(one.Version, all.Version) {
			all.Version = one.Version
		}
		for _, finding := range one.Findings {
			all.Findings = append(all.Findings, before(p.name)+finding)
		}
	}
	return all, nil
}

// before is what stands before a sentence about one of several servers.
func before(name string) string {
	if name == "" {
		return ""
	}
	return name + ": "
}

func diagnose(ctx context.Context, client redis.Cmdable, trusted, cluster bool) (Checkup, error) {
	checkup := Checkup{Durability: Fsync}
	if trusted {
		checkup.Durability = Trusted
	}
	info, err := client.Info(ctx, "server").Result()
	if err != nil && !forbidden(err) {
		return checkup, err
	}
	checkup.Version = inInfo(info, "redis_version")
	if finding := misplaced(inInfo(info, "redis_mode"), cluster); finding != "" {
		// Its other answers are about something else.
		checkup.Findings = []string{finding}
		return checkup, nil
	}
	if olderThan(checkup.Version, oldest) {
		checkup.Findings = append(checkup.Findings, fmt.Sprintf(
			"redis %s is older than %s, and a full memory would stop those who empty it; upgrade it: apt-get install redis-server",
			checkup.Version, oldest))
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
	return checkup, err
}

// misplaced tells whether a server is of another kind than was configured. A
// cluster client finds that out by itself.
func misplaced(mode string, cluster bool) string {
	switch {
	case mode == "sentinel":
		return "this is a Sentinel, which holds no data; set redis.master, the name of the primary that it watches over"
	case mode == "cluster" && !cluster:
		return "this is a node of a cluster, and most of the data would belong elsewhere; set redis.cluster: true"
	}
	return ""
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
			mend("maxmemory", "2gb")+", or what the machine can spare")
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
	return fmt.Sprintf("CONFIG SET %[1]s %[2]s, then CONFIG REWRITE, in that Redis; one that has no redis.conf takes it as --%[1]s %[2]s", name, value)
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

// inInfo returns a field of what INFO answers, or nothing.
func inInfo(info, field string) string {
	for line := range strings.Lines(info) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), field+":"); found {
			return value
		}
	}
	return ""
}

// oldest is the first release that lets scripts run when the memory is full.
const oldest = "7.0"

// olderThan compares versions by their first two numbers. One that cannot be read
// is not older.
func olderThan(version, other string) bool {
	var major, minor, otherMajor, otherMinor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return false
	}
	if _, err := fmt.Sscanf(other, "%d.%d", &otherMajor, &otherMinor); err != nil {
		return false
	}
	return major < otherMajor || major == otherMajor && minor < otherMinor
}
