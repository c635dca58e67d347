package queue_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// recorder remembers the last script that a client ran.
type recorder struct{ args []any }

func (r *recorder) DialHook(next redis.DialHook) redis.DialHook { return next }

func (r *recorder) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (r *recorder) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if strings.HasPrefix(cmd.Name(), "eval") {
			r.args = cmd.Args()
		}
		return next(ctx, cmd)
	}
}

// keys are those that the last script was given.
func (r *recorder) keys() []string {
	var keys []string
	number, _ := r.args[2].(int)
	for _, key := range r.args[3 : 3+number] {
		keys = append(keys, fmt.Sprint(key))
	}
	return keys
}

// TestEveryScriptHasAScenario keeps the tests below from missing a new one.
func TestEveryScriptHasAScenario(t *testing.T) {
	files, err := os.ReadDir("scripts")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{"common": true, "chats": true}
	for _, s := range scenarios() {
		have[strings.Fields(s.name)[0]] = true
	}
	for _, file := range files {
		if name := strings.TrimSuffix(file.Name(), ".lua"); !have[name] {
			t.Errorf("scripts/%s has no row in scenarios", file.Name())
		}
	}
}

func TestEachScriptSurvivesItsOwnRepeat(t *testing.T) {
	t.Parallel()
	address := quickRedis(t)
	client, recorded := connect(t, address), new(recorder)
	client.AddHook(recorded)
	for _, s := range scenarios() {
		client.FlushAll(t.Context())
		j := journalOn(t, client, queue.Options{})
		e := s.prepare(t, j, client)
		before := dump(t, client)
		if _, err := s.act(t, j, e); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		args, first := recorded.args, dump(t, client)
		if got := changed(before, first); len(got) == 0 && !s.reads && !s.touches {
			t.Errorf("%s changed nothing, so this test proves nothing", s.name)
		}
		answers := []any{}
		for range 2 {
			answer, err := client.Do(t.Context(), args...).Result()
			if err != nil {
				t.Fatalf("%s again: %v", s.name, err)
			}
			answers = append(answers, answer)
		}
		if got := changed(first, dump(t, client)); len(got) != 0 && !s.touches {
			t.Errorf("%s again changed %v", s.name, got)
		}
		if !s.reads && mask(answers[0]) != mask(answers[1]) {
			t.Errorf("%s answered %v and %v", s.name, answers[0], answers[1])
		}
		checkRepeatedAnswer(t, client, s, answers[0])
	}
}

// checkRepeatedAnswer runs a scenario once more from the start, and compares the
// script's first answer with that of a repeat.
func checkRepeatedAnswer(t *testing.T, client *redis.Client, s scenario, repeated any) {
	t.Helper()
	if s.moves || s.reads {
		return
	}
	client.FlushAll(t.Context())
	j := journalOn(t, client, queue.Options{})
	e := s.prepare(t, j, client)
	first := new(answerOf)
	client.AddHook(first)
	if _, err := s.act(t, j, e); err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	if got, want := mask(repeated), mask(first.value); got != want {
		t.Errorf("%s: the repeat answered %s, the first run %s", s.name, got, want)
	}
}

// answerOf remembers the answer of the first script that runs.
type answerOf struct {
	recorder
	value any
}

func (a *answerOf) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if c, ok := cmd.(*redis.Cmd); ok && err == nil && a.value == nil {
			a.value = c.Val()
		}
		return err
	}
}

// mask hides what is another in each run: conversations, of 32 hex digits, and
// times, of 13.
func mask(answer any) string {
	words := strings.Fields(strings.NewReplacer("[", " [ ", "]", " ] ").Replace(fmt.Sprint(answer)))
	for i, word := range words {
		if len(word) == 32 || len(word) == 13 {
			words[i] = "RANDOM"
		}
	}
	return strings.Join(words, " ")
}

// keysOf runs a scenario once and returns the keys that its script was given.
// They are the same in every run.
func keysOf(t *testing.T, client *redis.Client, recorded *recorder, s scenario) []string {
	t.Helper()
	client.FlushAll(t.Context())
	j := journalOn(t, client, queue.Options{})
	if _, err := s.act(t, j, s.prepare(t, j, client)); err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	return recorded.keys()
}

func TestEachScriptWritesNothingIfAKeyHasAWrongType(t *testing.T) {
	t.Parallel()
	client, recorded := connect(t, quickRedis(t)), new(recorder)
	client.AddHook(recorded)
	for _, s := range scenarios() {
		names := keysOf(t, client, recorded, s)
		if s.asks { // what its script was given; it looks at types before all else
			args := recorded.args
			s.act = func(t testing.TB, _ *queue.Journal, _ queue.Entry) (any, error) {
				return client.Do(t.Context(), args...).Result()
			}
		}
		for _, wrong := range append(names, s.derived...) {
			client.FlushAll(t.Context())
			j := journalOn(t, client, queue.Options{})
			e := s.prepare(t, j, client)
			wrong = keyOfEntry(wrong, e)
			client.Del(t.Context(), wrong)
			kind := misuse(t, client, wrong)
			before := dump(t, client)
			_, err := s.act(t, j, e)
			ours := "WRONGTYPE " + wrong + " is a " + kind
			if s.looks && strings.Contains(wrong, "}:chat:") {
				ours = "WRONGTYPE"
				if errors.Is(err, queue.ErrUnreadable) { // it did not come to its script
					ours = ""
				}
			}
			if err == nil || !strings.Contains(err.Error(), ours) {
				t.Errorf("%s with another type at %s: got %v, want our own WRONGTYPE", s.name, wrong, err)
			}
			if got := changed(before, dump(t, client)); len(got) != 0 {
				t.Errorf("%s with another type at %s has changed %v", s.name, wrong, got)
			}
		}
	}
}

// keyOfEntry is a key of the entry's own conversation where it is one of another,
// because conversations are named anew in every run.
func keyOfEntry(key string, e queue.Entry) string {
	for _, kind := range []string{"}:say:", "}:chat:"} {
		if slot, name, found := strings.Cut(key, kind); found && e.Conversation != "" {
			_, rest, more := strings.Cut(name, ":")
			if more {
				rest = ":" + rest
			}
			return slot + kind + e.Conversation + rest
		}
	}
	return key
}

// misuse puts another type at a key, and returns its name. Few keys are sets.
func misuse(t *testing.T, client *redis.Client, key string) string {
	t.Helper()
	kind, err := "set", client.SAdd(t.Context(), key, "a member").Err()
	if strings.HasSuffix(key, "}:lanes") || strings.Contains(key, "}:chats:of:") || strings.Contains(key, "}:chats:forgotten:") {
		kind, err = "string", client.Set(t.Context(), key, "a text", 0).Err()
	}
	if err != nil {
		t.Fatal(err)
	}
	return kind
}

// A number that is none would stop a script half-way, like a wrong type.
func TestEachScriptWritesNothingIfACounterIsNoNumber(t *testing.T) {
	t.Parallel()
	slot := "{" + queue.Stream(q) + "}:"
	client := connect(t, quickRedis(t))
	counters := map[string][2]string{
		"accept": {slot + "conv:" + hash("other"), "seq"}, "childdied": {slot + "work:" + hash("a"), "deaths:3"},
	}
	for _, name := range []string{"bury", "expire", "complete as a dead letter", "complete an unsend", "drop", "revive"} {
		counters[name] = [2]string{slot + "dead:data", "bytes"}
	}
	for _, name := range []string{"begin", "retry", "release begun"} {
		counters[name] = [2]string{slot + "work:" + hash("a"), "starts"}
	}
	for _, s := range slices.Concat(chatScenarios(), agentScenarios()) {
		counters[s.name] = [2]string{slot + "chat:", "arrived"}
	}
	for _, s := range scenarios() {
		counter, has := counters[s.name]
		if !has {
			continue
		}
		for _, value := range []string{"many", strings.Repeat("9", 30)} {
			client.FlushAll(t.Context())
			j := journalOn(t, client, queue.Options{})
			e := s.prepare(t, j, client)
			client.HSet(t.Context(), keyOfEntry(counter[0], e), counter[1], value)
			before := dump(t, client)
			if _, err := s.act(t, j, e); err == nil {
				t.Errorf("%s took %q for a number", s.name, value)
			}
			if got := changed(before, dump(t, client)); len(got) != 0 {
				t.Errorf("%s with %q has changed %v", s.name, value, got)
			}
		}
	}
}

func TestAllKeysOfAScriptShareOneSlot(t *testing.T) {
	t.Parallel()
	client, recorded := connect(t, quickRedis(t)), new(recorder)
	client.AddHook(recorded)
	home := slotOf(queue.Stream(q))
	for _, s := range scenarios() {
		names, home := keysOf(t, client, recorded, s), home
		if s.apart {
			home = slotOf(names[0])
		}
		for _, key := range names {
			if got := slotOf(key); got != home {
				t.Errorf("%s: %s is in slot %d, its queue in %d", s.name, key, got, home)
			}
		}
	}
	if got := slotOf("123456789"); got != 12739 {
		t.Errorf("slotOf computes %d for the published example, want 12739", got)
	}
}

// slotOf is the hash slot of a key as the Redis Cluster specification has it.
func slotOf(key string) uint16 {
	if _, rest, found := strings.Cut(key, "{"); found {
		if tag, _, closed := strings.Cut(rest, "}"); closed && tag != "" {
			key = tag
		}
	}
	var crc uint16
	for _, b := range []byte(key) {
		crc ^= uint16(b) << 8
		for range 8 {
			carry := crc & 0x8000
			crc <<= 1
			if carry != 0 {
				crc ^= 0x1021
			}
		}
	}
	return crc % 16384
}

func TestEachScriptRunsInACluster(t *testing.T) {
	t.Parallel()
	port, bus := freePort(t), freePort(t)
	queuetest.Start(t, "--port", port, "--bind", "127.0.0.1", "--cluster-enabled", "yes", "--cluster-port", bus)
	node := connect(t, "127.0.0.1:"+port)
	if err := node.Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Await(t, "the cluster is up", func() bool {
		return strings.Contains(node.ClusterInfo(t.Context()).Val(), "cluster_state:ok")
	})
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:" + port}})
	t.Cleanup(func() { _ = client.Close() })
	for _, s := range scenarios() {
		if err := node.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		j := journalOn(t, client, queue.Options{})
		if _, err := s.act(t, j, s.prepare(t, j, node)); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
}
