package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/jpeg"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightlock/lightlock/config"
)

// leavesNothing checks that a demo's data are gone.
func leavesNothing(t *testing.T, p *process) {
	t.Helper()
	left, err := os.ReadDir(filepath.Join(p.Dir, "tmp"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// complaint is what a program said that is not about its progress, which it
// tells on slow machines.
func complaint(p *process) string {
	return regexp.MustCompile(`(?m)^[0-9]+ of [0-9]+  .*\n`).ReplaceAllString(p.err.String(), "")
}

// TestDemo is what a newcomer runs first: every channel, all ready, pictures
// that are upright.
func TestDemo(t *testing.T) {
	t.Parallel()
	p := start(t, "demo", "--json")
	if code := p.exit(t); code != exitDone || complaint(p) != "" {
		t.Errorf("exit %d, stderr %q", code, p.err.String())
	}
	lines := strings.Split(strings.TrimSpace(p.out.String()), "\n")
	var channels []string
	for _, line := range lines {
		if got, want := keysOf(t, line), append([]string{"channel", "account"}, resultKeys...); !slices.Equal(got, want) {
			t.Fatalf("keys %q, want %q", got, want)
		}
		var r row
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		channels = append(channels, *r.Channel)
		if r.Status != statusReady || *r.Account != *r.Channel+"/demo" || r.MS < 1 || r.Source.Width != demoHeight || r.Source.Height != demoWidth {
			t.Errorf("got %s", line)
		}
		for _, picture := range []*pictureFile{r.Preview, r.Thumbnail} {
			data, err := os.ReadFile(filepath.Join(p.Dir, picture.Path))
			if err != nil {
				t.Fatal(err)
			}
			img, err := jpeg.Decode(bytes.NewReader(data))
			if err != nil || int64(len(data)) != picture.Bytes || img.Bounds().Dx() != picture.Width || img.Bounds().Dy() != picture.Height {
				t.Fatalf("%s: %d bytes, %v, %v", picture.Path, len(data), img.Bounds(), err)
			}
			pointsUp(t, picture.Path, img)
		}
	}
	var want []string
	for _, c := range demoChannels() {
		want = append(want, c.name)
	}
	if !slices.Equal(channels, want) {
		t.Errorf("channels %q, want %q", channels, want)
	}
	leavesNothing(t, p)
}

// demoChannel is a channel as the demo shows it. Some platforms tell how large a
// photo is, so that it need not be read.
type demoChannel struct {
	name, title, limit string
	tells              bool
}

// demoChannels are all channels, in the demo's order.
func demoChannels() []demoChannel {
	return []demoChannel{
		{"apple", "Apple Messages for Business", "10 MB", true},
		{"messenger", "Facebook Messenger", "25 MB", false},
		{"twilio", "Twilio SMS/MMS", "10 MB", false},
		{"whatsapp", "WhatsApp", "25 MB", false},
		{"line", "LINE", "10 MB", false},
		{"viber", "Viber", "25 MB", true},
		{"twitter", "Twitter (X)", "25 MB", false},
	}
}

// TestDemoVerdicts sends what is not shown, and two files of one name.
func TestDemoVerdicts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "a/still.gif", gifOf(t, 1))
	put(t, dir, "b/still.gif", gifOf(t, 1))
	put(t, dir, "moving.gif", gifOf(t, 3))
	put(t, dir, "text.txt", []byte("hello"))
	put(t, dir, "big.jpg", padded(t, 26<<20))
	cut := jpegOf(t, 600, 400)[:20<<10]
	put(t, dir, "cut.jpg", cut)
	p := startIn(t, dir, "demo", "--out", "out", "--photo", "a/still.gif", "--photo", "b/still.gif",
		"--photo", "moving.gif", "--photo", "text.txt", "--photo", "big.jpg", "--photo", "cut.jpg")
	if code := p.exit(t); code != exitDone || complaint(p) != "" {
		t.Errorf("exit %d, stderr %q", code, p.err.String())
	}
	want := "\n CHANNEL VERDICT SOURCE PREVIEW THUMB MS\n"
	for _, verdict := range []string{
		"✓ NAME still.gif ready 48 B 8×8 # # N",
		"✓ NAME still.gif ready 48 B 8×8 # # N",
		"✗ NAME moving.gif animated 135 B 8×8 it moves; only still photos are shown",
		"✗ NAME text.txt unsupported_type 5 B text/plain; accepted are jpeg, png, gif",
		"✗ NAME big.jpg too_large SIZE TITLE allows LIMIT",
		"✗ NAME cut.jpg corrupt 20 kB 600×400 the file is broken",
	} {
		for _, c := range demoChannels() {
			size := "over " + c.limit
			if c.tells {
				size = "26.0 MB"
			}
			want += strings.NewReplacer("SIZE", size, "NAME", c.name, "TITLE", c.title, "LIMIT", c.limit).Replace(verdict) + "\n"
		}
	}
	want += "14 of 42 ready, 28 rejected. Pictures: out/\nNext: PROGRAM demo --keep\n"
	got := strings.ReplaceAll("\n"+withoutMS(p.out.String()), p.Path, "PROGRAM")
	for strings.Contains(got, "  ") {
		got = strings.ReplaceAll(got, "  ", " ")
	}
	got = regexp.MustCompile(`[0-9]+ B [0-9]+ B N`).ReplaceAllString(got, "# # N") // the encoder's
	if got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
	pictures, err := filepath.Glob(filepath.Join(dir, "out", "*.jpg"))
	if err != nil || len(pictures) != 28 {
		t.Errorf("%d pictures of 14 photos: %q, %v", len(pictures), pictures, err)
	}
	leavesNothing(t, p)
}

// TestDemoKept runs until it is told to stop, and shows how pictures are
// fetched; that it was stopped is no failure then.
func TestDemoKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := startIn(t, dir, "demo", "--keep", "--photo", put(t, dir, "still.gif", gifOf(t, 1)))
	p.await(t, "the hints", func() bool { return strings.Contains(p.out.String(), "/metrics\n") })
	hasAll(t, p.out.String(), "\n7 of 7 ready. Pictures: lightlock-demo/\n  console    http://127.0.0.1:", "#token=", "  phones     http://127.0.0.1:", "/preview\n", "/readyz\n")
	p.await(t, "the last word", func() bool { return strings.Contains(p.err.String(), "Running until Ctrl-C.") })
	if before, _, _ := strings.Cut(p.err.String(), "Running"); strings.Contains(before, "level=") {
		t.Errorf("the log stands where the progress does:\n%s", before)
	}
	p.signal(t, syscall.SIGINT)
	if code := p.exit(t); code != exitDone {
		t.Errorf("exit %d, want %d; %s", code, exitDone, p.err.String())
	}
	leavesNothing(t, p)
}

// TestDemoInterrupted ends early with 130 and cleans up after itself.
func TestDemoInterrupted(t *testing.T) {
	t.Parallel()
	p := start(t, "demo", "--json")
	p.await(t, "a result", func() bool { return strings.Contains(p.out.String(), "\n") })
	p.signal(t, syscall.SIGINT)
	if code := p.exit(t); code != exitInterrupted || !strings.Contains(p.err.String(), "interrupted") {
		t.Errorf("exit %d, want %d; %s", code, exitInterrupted, p.err.String())
	}
	if n := strings.Count(p.out.String(), "\n"); n > 2 {
		t.Errorf("%d lines in spite of the interruption", n)
	}
	leavesNothing(t, p)
}

// TestDemoEndsWithItsRedis does not wait for photos that cannot come.
func TestDemoEndsWithItsRedis(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := startIn(t, dir, "demo", "--keep", "--json", "--photo", put(t, dir, "still.gif", gifOf(t, 1)))
	p.await(t, "the hints", func() bool { return strings.Contains(p.out.String(), `/metrics"}`+"\n") })
	hasAll(t, p.out.String(), "\n"+`{"status":"running","console":{"ben":"http://127.0.0.1:`, `,"phones":"http://127.0.0.1:`)
	if err := syscall.Kill(redisOf(t, filepath.Join(dir, "tmp/lightlock-demo-*/redis/redis.pid")), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code := p.exit(t); code != exitFailed || !strings.Contains(p.err.String(), errBroken.Error()) {
		t.Errorf("exit %d, want %d; %s", code, exitFailed, p.err.String())
	}
	leavesNothing(t, p)
}

// TestSecondSignal: whoever asks twice does not want to wait. It asks until it
// is obeyed, because a second signal counts only once the first was understood.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	p := start(t, "demo", "--keep", "--photo", put(t, t.TempDir(), "still.gif", gifOf(t, 1)))
	p.await(t, "the hints", func() bool { return strings.Contains(p.out.String(), "/metrics\n") })
	for p.Process.Signal(syscall.SIGTERM) == nil {
		time.Sleep(time.Millisecond)
	}
	p.exit(t)
	if status := p.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("ended with %v, want by the signal", p.ProcessState)
	}
}

func TestDemoRefusesWhatIsNoFile(t *testing.T) {
	dir := oddFolder(t)
	t.Chdir(dir)
	for name, want := range map[string]string{
		"nowhere\x1b": `nowhere\x1b: no such file`, "a": "a: a folder, not a file", "fifo": "fifo: not a regular file", "zero": "zero: not a regular file",
	} {
		r := lightlock(t, "demo", "--photo", name)
		if r.code != exitFailed || r.out != "" || !strings.Contains(r.err, want) {
			t.Errorf("%s: exit %d, %s%s", name, r.code, r.out, r.err)
		}
	}
	if err := os.Truncate(put(t, dir, "huge.jpg", nil), largestDemoFile+1); err != nil {
		t.Fatal(err)
	}
	if r := lightlock(t, "demo", "--photo", "huge.jpg"); r.code != exitFailed || !strings.Contains(r.err, "larger than 256 MB") {
		t.Errorf("huge: exit %d, %s", r.code, r.err)
	}
	if r := lightlock(t, "demo", "--out", "b.jpg"); r.code != exitFailed || !strings.Contains(r.err, "cannot be kept") {
		t.Errorf("--out a file: exit %d, %s", r.code, r.err)
	}
}

// TestDemoWithBrokenGateways: whatever breaks, the demo ends with 2 and says
// why.
func TestDemoWithBrokenGateways(t *testing.T) {
	t.Chdir(t.TempDir())
	photo := put(t, ".", "still.gif", gifOf(t, 1))
	for want, g := range map[string]*fakeGateway{
		errTest.Error():               {start: func(context.Context) error { return errTest }},
		"1 photo could not be judged": {}, // nobody listens
	} {
		p := testProgram()
		p.NewGateway = func(*config.Loaded, *slog.Logger) (Gateway, error) { return g, nil }
		r := lightlockUntil(t.Context(), p, "demo", "--photo", photo)
		if r.code != exitFailed || !strings.Contains(r.err, want) {
			t.Errorf("want %q: exit %d, %s%s", want, r.code, r.out, r.err)
		}
	}
}

// waiting is a demo that has sent two photos to line/demo.
func waiting(g *fakeGateway) *demo {
	return &demo{
		session: &session{}, gateway: g, sent: map[string]int64{"line/demo": 2},
		arrivals: make(chan document), broken: make(chan error, 1),
	}
}

func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := waiting(&fakeGateway{})
		begin := time.Now()
		if _, err := d.await(t.Context(), "line/demo"); err == nil || err.Error() != "nothing at the queue after 30s" || time.Since(begin) != patience {
			t.Errorf("nothing comes: %v after %v", err, time.Since(begin))
		}

		go func() {
			for _, raw := range []string{
				`{"source":"line/demo","data":{"seq":1,"photos":[{"status":"ready"}]}}`, // came too late
				`{"source":"viber/demo","data":{"seq":2,"photos":[{"status":"ready"}]}}`,
				`{"source":"line/demo","data":{"seq":2,"photos":[{"status":"rejected"}]}}`,
			} {
				doc, err := readDocument([]byte(raw))
				if err != nil {
					t.Error(err)
				}
				d.arrivals <- doc
			}
		}()
		if doc, err := d.await(t.Context(), "line/demo"); err != nil || doc.Data.Photos[0].Status != "rejected" {
			t.Errorf("got %+v, %v", doc, err)
		}

		ended := make(chan struct{})
		close(ended)
		if _, err := waiting(&fakeGateway{ended: ended}).await(t.Context(), "line/demo"); !errors.Is(err, errBroken) {
			t.Errorf("the gateway has ended: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := d.await(ctx, "line/demo"); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted: %v", err)
		}
	})
}

// TestWatch: a queue that cannot be read ends the demo at once.
func TestWatch(t *testing.T) {
	for what, g := range map[string]*fakeGateway{
		"fails": {watch: func(context.Context, func([]byte) bool) error { return errTest }},
		"holds nonsense": {watch: func(_ context.Context, found func([]byte) bool) error {
			if found([]byte("{")) {
				return nil
			}
			return errTest
		}},
	} {
		d := waiting(g)
		d.watch(t.Context())
		if _, err := d.await(t.Context(), "line/demo"); !errors.Is(err, errBroken) || !errors.Is(err, errTest) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
