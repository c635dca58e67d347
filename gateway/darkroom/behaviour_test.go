package darkroom

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lightlock/lightlock/media"
)

// play is what the test binary's children do with a photo: an original that
// says "do NAME" has them misbehave in that way, every other is developed.
func play(ctx context.Context, original []byte, _ media.Settings, reserve media.Reserve) (*media.Developed, error) {
	var megabytes int64
	text := string(original)
	if n, _ := fmt.Sscanf(text, "need %d MB", &megabytes); n == 1 {
		if err := reserve(ctx, megabytes<<20); err != nil {
			return nil, err
		}
		_, text, _ = strings.Cut(text, ", ")
	}
	name, told := strings.CutPrefix(text, "do ")
	if do, ok := deeds()[name]; told && ok {
		return nil, do()
	}
	if use, ok := uses()[name]; told && ok {
		use(ctx, megabytes<<20)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	if lie, ok := lies()[name]; told && ok {
		a, pictures := good()
		lie(os.Stdout, a, pictures)
		os.Exit(0)
	}
	a, pictures := good()
	return &media.Developed{
		Source:    a.Source,
		Preview:   media.Picture{Data: pictures[0], Width: a.Preview.Width, Height: a.Preview.Height},
		Thumbnail: media.Picture{Data: pictures[1], Width: a.Thumbnail.Width, Height: a.Thumbnail.Height},
	}, nil
}

// good is an answer that is to be believed, and its pictures.
func good() (answer, [2][]byte) {
	preview, thumbnail := encode(64, 48), encode(24, 24)
	return answer{
		Source:    media.Source{Type: "image/jpeg", Width: 640, Height: 480},
		Preview:   size{len(preview), 64, 48},
		Thumbnail: size{len(thumbnail), 24, 24},
	}, [2][]byte{preview, thumbnail}
}

// report is a child's way to tell a test something.
func report(text string) error { return &media.Rejection{Reason: media.Corrupt, Detail: text} }

// deeds are what code that works on a photo can do, inside the sandbox.
func deeds() map[string]func() error {
	return map[string]func() error{
		"panic":   func() error { panic("canary-7731\ngoroutine canary-7731()\n\x00\xff") },
		"index":   func() error { return report("canary-7731"[:len(os.Args)*7731]) },
		"exit":    func() error { os.Exit(0); return nil },
		"fail":    func() error { return errors.New("no idea") },
		"spin":    spin,
		"eat":     eat,
		"shout":   shout,
		"leave":   func() error { _ = os.Stdout.Close(); time.Sleep(time.Hour); return nil },
		"hang":    func() error { time.Sleep(time.Hour); return nil },
		"detail":  func() error { return report("two\nlines \x1b[31m" + strings.Repeat("ä", 500)) },
		"environ": func() error { return report(strings.Join(os.Environ(), ",")) },
		"who":     func() error { return report(fmt.Sprint(os.Getuid(), " ", descriptors())) },
	}
}

// spin works for ever.
func spin() error {
	for n := 0; ; n++ {
		if n < 0 {
			return errors.New("the end of numbers")
		}
	}
}

// eat takes memory until there is none.
func eat() error {
	var all [][]byte
	for {
		part := make([]byte, 16<<20)
		for i := 0; i < len(part); i += 4096 {
			part[i] = 1
		}
		all = append(all, part)
		if len(all) > 1<<10 { // 16 GiB: no limit bites, so spare the machine
			return errors.New("ate all it wanted")
		}
	}
}

// shout floods standard error and dies.
func shout() error {
	line := []byte(strings.Repeat("secret \xff\xd8\xff\xe0 bytes ", 60) + "\n")
	for range 10_000 {
		if _, err := os.Stderr.Write(line); err != nil {
			break
		}
	}
	return errors.New("hoarse")
}

// descriptors returns which file descriptors are open, without those by which
// Go waits for others: they are of no kind of file.
func descriptors() []int {
	var fds []int
	for fd := range 1024 {
		var stat syscall.Stat_t
		if syscall.Fstat(fd, &stat) == nil && stat.Mode&syscall.S_IFMT != 0 {
			fds = append(fds, fd)
		}
	}
	return fds
}

// uses are what code can do with the memory and the time that it was given.
func uses() map[string]func(context.Context, int64) {
	return map[string]func(context.Context, int64){
		"wait": func(ctx context.Context, _ int64) { <-ctx.Done() },
		// All of it at once.
		"fill": func(_ context.Context, bytes int64) { touch(make([]byte, bytes)) },
		// Half of it at a time, over and over: most of it is garbage.
		"waste": func(_ context.Context, bytes int64) {
			for range 20 {
				touch(make([]byte, bytes/2))
			}
		},
	}
}

// lie writes an answer that is spoilt somehow; it gets a good one.
type lie func(io.Writer, answer, [2][]byte)

// honest writes an answer with pictures, announced as they are.
func honest(w io.Writer, a answer, pictures [2][]byte) {
	a.Preview.Bytes, a.Thumbnail.Bytes = len(pictures[0]), len(pictures[1])
	_ = writeFrame(w, a)
	_, _ = w.Write(slices.Concat(pictures[0], pictures[1]))
}

// lieInHeader spoils the announcement.
func lieInHeader(spoil func(*answer)) lie {
	return func(w io.Writer, a answer, pictures [2][]byte) {
		spoil(&a)
		_ = writeFrame(w, a)
		_, _ = w.Write(slices.Concat(pictures[0], pictures[1]))
	}
}

// lieInPreview spoils the preview, and announces its true length.
func lieInPreview(spoil func([]byte) []byte) lie {
	return func(w io.Writer, a answer, pictures [2][]byte) {
		pictures[0] = spoil(pictures[0])
		honest(w, a, pictures)
	}
}

// lieWith writes a reason, and nothing else.
func lieWith(reason media.Reason) lie {
	return func(w io.Writer, _ answer, _ [2][]byte) { _ = writeFrame(w, answer{Reason: reason}) }
}

// lieNeed asks for memory, over and over, and ends.
func lieNeed(bytes ...int64) lie {
	return func(w io.Writer, _ answer, _ [2][]byte) {
		for _, n := range bytes {
			_ = writeFrame(w, answer{Need: n})
		}
	}
}

// lieRaw writes what is no answer at all.
func lieRaw(text string) lie {
	return func(w io.Writer, _ answer, _ [2][]byte) { _, _ = io.WriteString(w, text) }
}

// segment is a marker segment of a JPEG.
func segment(marker byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(2+len(text))), text...)
}

// lies are answers that must not be believed.
func lies() map[string]lie {
	return map[string]lie{
		"nothing":               lieRaw(""),
		"huge-length":           lieRaw("\xff\xff\xff\xff{}"),
		"long-length":           lieRaw("\x00\x10\x00\x00" + strings.Repeat(" ", 1<<20)),
		"half-a-frame":          lieRaw("\x00\x00\x01\x00{"),
		"garbage":               lieRaw(strings.Repeat("garbage ", 1000)),
		"no-json":               lieRaw("\x00\x00\x00\x02][" + "more"),
		"unknown-key":           lieRaw("\x00\x00\x00\x0c{\"path\":\"/\"}"),
		"two-values":            lieRaw("\x00\x00\x00\x04{}{}"),
		"deep-json":             lieRaw("\x00\x00\x10\x00" + strings.Repeat("[", 4096)),
		"endless":               func(w io.Writer, _ answer, _ [2][]byte) { pourInto(w) },
		"half-a-picture":        func(w io.Writer, a answer, p [2][]byte) { _ = writeFrame(w, a); _, _ = w.Write(p[0][:100]) },
		"trailing-after-answer": func(w io.Writer, a answer, p [2][]byte) { honest(w, a, p); _, _ = w.Write([]byte{0}) },
		"app1":                  lieInPreview(func(p []byte) []byte { return slices.Insert(p, 2, segment(0xe1, "Exif\x00\x00canary")...) }),
		"comment":               lieInPreview(func(p []byte) []byte { return slices.Insert(p, 2, segment(0xfe, "canary")...) }),
		"trailing-bytes":        lieInPreview(func(p []byte) []byte { return append(p, "PK\x03\x04"...) }),
		"no-jpeg":               lieInPreview(func([]byte) []byte { return []byte("<script>alert(1)</script>") }),
		"cut-jpeg":              lieInPreview(func(p []byte) []byte { return p[:len(p)/2] }),
		"width-lies":            lieInHeader(func(a *answer) { a.Preview.Width = 63 }),
		"height-lies":           lieInHeader(func(a *answer) { a.Thumbnail.Width, a.Thumbnail.Height = 23, 23 }),
		"negative-size":         lieInHeader(func(a *answer) { a.Preview.Bytes = -1 }),
		"huge-picture":          lieInHeader(func(a *answer) { a.Preview.Bytes = 3_000_001 }),
		"huge-thumbnail":        lieInHeader(func(a *answer) { a.Thumbnail.Bytes = 30_001 }),
		"preview-over-side":     lieInHeader(func(a *answer) { a.Preview.Width = 2049; a.Source.Width = 4096 }),
		"enlarged":              lieInHeader(func(a *answer) { a.Source.Width = 63 }),
		"oblong-thumbnail":      lieInHeader(func(a *answer) { a.Thumbnail.Width = 12 }),
		"no-source":             lieInHeader(func(a *answer) { a.Source.Width = 0 }),
		"huge-source":           lieInHeader(func(a *answer) { a.Source.Width, a.Source.Height = 1<<31, 1<<31 }),
		"odd-type":              lieInHeader(func(a *answer) { a.Source.Type = "image/jpeg\r\nX: y" }),
		"detail-with-picture":   lieInHeader(func(a *answer) { a.Detail = "hello" }),
		"rejection-and-picture": lieInHeader(func(a *answer) { a.Reason = media.Corrupt }),
		"rejection-and-more":    lieInHeader(func(a *answer) { *a = answer{Reason: media.Corrupt} }),
		"unknown-reason":        lieWith("because"),
		"need-less-than-none":   lieNeed(-1),
		"need-more-than-all":    lieNeed(settings().MaxMemory + 1),
		"need-beyond-numbers":   lieRaw("\x00\x00\x00\x1e{\"need\":99999999999999999999999}"),
		"need-twice":            lieNeed(1, 1),
		"need-and-then-less":    lieNeed(1<<20, -1),
		"need-with-a-reason":    lieInHeader(func(a *answer) { *a = answer{Need: 1, Reason: media.Corrupt} }),
		"need-with-pictures":    lieInHeader(func(a *answer) { a.Need = 1 }),
		"need-after-answer":     func(w io.Writer, a answer, p [2][]byte) { honest(w, a, p); _ = writeFrame(w, answer{Need: 1}) },
		"need-after-rejection":  lieInHeader(func(a *answer) { *a = answer{Reason: media.Corrupt} }),
		"late-with-pictures":    lieInHeader(func(a *answer) { a.Late = true }),
		"late-with-a-reason":    lieInHeader(func(a *answer) { *a = answer{Late: true, Reason: media.Corrupt} }),
		"reason-expired":        lieWith(media.Expired),
		"reason-unreachable":    lieWith(media.Unreachable),
		"reason-disabled":       lieWith(media.Disabled),
	}
}

// pourInto writes until nobody reads any more.
func pourInto(w io.Writer) {
	for block := make([]byte, 1<<20); ; {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// starters are behaviours from the first instruction on. They get the limits'
// arguments and what the test added to the behaviour's name.
func starters() map[string]func(args []string, more string) int {
	ready := func() { _ = writeFrame(os.Stdout, hello{Level: "test"}) }
	return map[string]func([]string, string) int{
		"play":       func(args []string, _ string) int { return runChild(args, lockIn, play) },
		"mute":       func([]string, string) int { return 3 },
		"loud-hello": func([]string, string) int { pourInto(os.Stdout); return 0 },
		"deaf":       func([]string, string) int { ready(); time.Sleep(time.Hour); return 0 },
		"deaf-and-greedy": func([]string, string) int {
			ready()
			lieNeed(1)(os.Stdout, answer{}, [2][]byte{})
			time.Sleep(time.Hour)
			return 0
		},
		"reach":           func(args []string, target string) int { return reachFrom(args, target, lockIn) },
		"reach-by-name":   func(args []string, target string) int { return reachFrom(args, target, lockNamesOnly) },
		"reach-by-calls":  func(args []string, target string) int { return reachFrom(args, target, giveUpRights) },
		"reach-by-number": func(args []string, target string) int { return reachFrom(args, target, lockCallsOnly) },
		"useless": func(args []string, _ string) int {
			return runChild(args, lockIn, func(context.Context, []byte, media.Settings, media.Reserve) (*media.Developed, error) {
				return nil, errors.New("no idea")
			})
		},
		"moody": func(args []string, _ string) int {
			return runChild(args, func(limits) string { return fmt.Sprint("mood ", os.Getpid()) }, play)
		},
		"unlimited-calls": func(args []string, _ string) int { return runChild(args, giveUpRights, play) },
	}
}
