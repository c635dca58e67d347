package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
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

// TestKilledMidPhoto kills the program with SIGKILL while it fetches a photo.
// The next one takes the message over and delivers it, once.
func TestKilledMidPhoto(t *testing.T) {
	line, err := linesim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = line.Close() })
	asked := make(chan struct{}, 100)
	line.Wrap(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			asked <- struct{}{}
			<-r.Context().Done() // never answers
		})
	})
	redis := queuetest.Redis(t)
	binary, file := build(t), configuration(t, line, redis)
	journal, err := queue.Open(t.Context(), queue.OpenOptions{Redis: &config.Redis{Address: redis}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = journal.Close(context.Background()) })

	first := serve(t, binary, file)
	calls, err := line.Webhook("http://localhost:1/webhooks/line/acme", sim.Said{
		ID: "killed", Consumer: "ana", At: time.Now(), Photos: [][]byte{picture(t, 60, 40)},
	})
	if err != nil {
		t.Fatal(err)
	}
	call := calls[0]
	call.URL = testURL + "/webhooks/line/acme" // where post looks for the path
	if response, _ := post(t, first.public, call); response.StatusCode != http.StatusOK {
		t.Fatalf("the webhook was answered %d", response.StatusCode)
	}
	select {
	case <-asked:
	case <-time.After(time.Minute):
		t.Fatal("the photo is never asked for")
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	if s, err := journal.Stats(t.Context(), testQueue); err != nil || s.InWork != 1 || s.Delivered != 0 {
		t.Fatalf("after the kill: %+v, %v; want one in work", s, err)
	}

	line.Wrap(nil)
	second := serve(t, binary, file)
	awaitDelivered(t, journal, 1)
	// The platform repeats what it may not have heard the answer to.
	if response, _ := post(t, second.public, call); response.StatusCode != http.StatusOK {
		t.Errorf("the repeat was answered %d", response.StatusCode)
	}
	awaitDelivered(t, journal, 1)
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
