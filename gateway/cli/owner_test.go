package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lightlock/lightlock/gateway/queue"
)

// What root writes into another user's folder the gateway could not read: the commands
// refuse before they write anything.
func TestRootInAnothersFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	const another = 54321 // in no list of users
	g := openGraveyard(t)
	const keys = "store:\n  keys:\n    - id: new\n      key: ${TEST_NEW}\n"
	t.Setenv("TEST_NEW", "bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm4=")
	file, err := os.ReadFile("lightlock.yaml")
	if err != nil {
		t.Fatal(err)
	}
	put(t, ".", "lightlock.yaml", append(file, keys...))
	g.bury(queue.Letter{Key: keyOf("b"), Connector: "line/acme", Cause: "webhook does not parse", Content: queue.ContentWebhook, Raw: []byte("x")})
	for _, folder := range []string{"data", "data/photos", "data/spool"} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(folder, another, another); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"rewrap"}, {"forget", "U1", "--yes"}, {"forget", "U1", "--dry-run"}} {
			if folder == "data/spool" && args[0] == "rewrap" {
				continue // which has nothing to do there
			}
			r := lightlock(t, args...)
			wantExit(t, r, exitFailed)
			hasAll(t, r.err, "run it as uid 54321, who owns "+folder)
		}
		left, err := filepath.Glob("data/*/*")
		hidden, _ := filepath.Glob("data/*/.*")
		if err != nil || len(left)+len(hidden) > 0 {
			t.Errorf("%s: written were %v and %v, %v, want nothing", folder, left, hidden, err)
		}
		if err := os.Chown(folder, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"rewrap"}, {"forget", "U1", "--yes"}} {
		wantExit(t, lightlock(t, args...), exitDone)
	}
}
