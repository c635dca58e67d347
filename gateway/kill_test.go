package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// build makes the program that a user runs.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "lightlock")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// process is the program, serving.
type process struct {
	*exec.Cmd
	public string
}

var publicAddress = regexp.MustCompile(`msg=ready public=(\S+)`)

// serve starts the program and waits until it says that it is ready.
func serve(t *testing.T, binary, file string) *process {
	t.Helper()
	command := exec.Command(binary, "serve", "--config", file)
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	var log strings.Builder
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		log.WriteString(lines.Text() + "\n")
		if found := publicAddress.FindStringSubmatch(lines.Text()); found != nil {
			go func() {
				for lines.Scan() { // a full pipe would stop the program
				}
			}()
			return &process{command, found[1]}
		}
	}
	t.Fatalf("the program ended before it was ready:\n%s", log.String())
	return nil
}

// configuration writes the files of a gateway with one LINE connector.
func configuration(t *testing.T, line *linesim.Platform, redis string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"lightlock.yaml": fmt.Sprintf("listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\npublic_url: http://localhost:1\n"+
			"data: %s\nredis:\n  address: %s\nwork:\n  lease: 1s\n", filepath.Join(dir, "data"), redis),
		"connectors/line.yaml": fmt.Sprintf("channel: line\nname: acme\napi_base: %s\nallow_private_addresses: true\nregistration: off\n"+
			"channel_secret_file: secret\naccounts:\n  - id: %s\n    queue: %s\n    channel_access_token_file: token\n",
			line.URL, line.BotID, testQueue),
		"connectors/secret": line.Secret + "\n",
		"connectors/token":  line.Token + "\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "lightlock.yaml")
}

// scene is a simulated LINE, a real Redis, and the files of a gateway between
// them that processes can be started with and killed.
type scene struct {
	t            *testing.T
	line         *linesim.Platform
	journal      *queue.Backend
	binary, file string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	line, err := linesim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = line.Close() })
	redis := queuetest.Redis(t)
	journal, err := queue.Open(t.Context(), queue.OpenOptions{Redis: &config.Redis{Address: redis}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = journal.Close(context.Background()) })
	return &scene{t, line, journal, build(t), configuration(t, line, redis)}
}

// call is LINE's call for what was said, and post delivers it.
func (s *scene) call(said sim.Said) *connectors.Request {
	s.t.Helper()
	calls, err := s.line.Webhook("http://localhost:1/webhooks/line/acme", said)
	if err != nil {
		s.t.Fatal(err)
	}
	calls[0].URL = testURL + "/webhooks/line/acme" // where post looks for the path
	return calls[0]
}

func (s *scene) post(p *process, call *connectors.Request) {
	s.t.Helper()
	if response, _ := post(s.t, p.public, call); response.StatusCode != http.StatusOK {
		s.t.Fatalf("the webhook was answered %d", response.StatusCode)
	}
}

// hang keeps every call of a path that ends like this from its answer, and tells
// when there is one. Where done is set, LINE has done what it was asked for.
func (s *scene) hang(suffix string, done bool) (asked <-chan struct{}) {
	told := make(chan struct{}, 100)
	s.line.Wrap(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, suffix) {
				next.ServeHTTP(w, r)
				return
			}
			if done {
				next.ServeHTTP(httptest.NewRecorder(), r)
			}
			told <- struct{}{}
			<-r.Context().Done() // never answers
		})
	})
	return told
}

// killAt kills the program once LINE was asked.
func (s *scene) killAt(p *process, asked <-chan struct{}) {
	s.t.Helper()
	select {
	case <-asked:
	case <-time.After(time.Minute):
		s.t.Fatal("LINE is never asked")
	}
	if err := p.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	_ = p.Wait()
	s.line.Wrap(nil)
}

// TestKilledMidPhoto kills the program with SIGKILL while it fetches a photo.
// The next one takes the message over and delivers it, once.
func TestKilledMidPhoto(t *testing.T) {
	s := newScene(t)
	asked := s.hang("/content", false)
	first := serve(t, s.binary, s.file)
	call := s.call(sim.Said{ID: "killed", Consumer: "ana", At: time.Now(), Photos: [][]byte{picture(t, 60, 40)}})
	s.post(first, call)
	s.killAt(first, asked)
	if stats, err := s.journal.Stats(t.Context(), testQueue); err != nil || stats.InWork != 1 || stats.Delivered != 0 {
		t.Fatalf("after the kill: %+v, %v; want one in work", stats, err)
	}
	second := serve(t, s.binary, s.file)
	awaitDelivered(t, s.journal, 1)
	s.post(second, call) // the platform repeats what it may not have heard the answer to
	awaitDelivered(t, s.journal, 1)
}

// TestKilledMidSend kills the program while it waits for LINE's answer to a
// notice that LINE has delivered. The next one asks again with the same retry
// key, and the consumer has one message.
func TestKilledMidSend(t *testing.T) {
	s := newScene(t)
	asked := s.hang("/push", true)
	first := serve(t, s.binary, s.file)
	// Too old for a reply token, which would answer once and could not be asked about.
	s.post(first, s.call(sim.Said{ID: "killed", Consumer: "ana", At: time.Now().Add(-2 * time.Minute), Photos: [][]byte{[]byte("no photo")}}))
	s.killAt(first, asked)
	if sent := s.line.Sent(); len(sent) != 1 {
		t.Fatalf("the consumer has %d messages, want one", len(sent))
	}
	serve(t, s.binary, s.file)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if n, err := s.journal.Outstanding(t.Context(), testQueue); err == nil && n == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the notice has no result")
		}
	}
	if sent := s.line.Sent(); len(sent) != 1 {
		t.Errorf("the consumer has %d messages, want still one", len(sent))
	}
}

// awaitDelivered waits until the journal is empty, and wants n documents then.
func awaitDelivered(t *testing.T, journal *queue.Backend, n int64) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		s, err := journal.Stats(t.Context(), testQueue)
		if err != nil {
			t.Fatal(err)
		}
		if s.Unfinished() == 0 {
			if s.Delivered != n || s.Dead != 0 {
				t.Errorf("delivered %d, dead %d; want %d and none", s.Delivered, s.Dead, n)
			}
			return
		}
	}
	t.Fatal("the journal does not become empty")
}
