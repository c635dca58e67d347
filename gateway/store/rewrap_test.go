package store

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/store/s3test"
)

func ignore(int) {}

// stock puts photos and documents.
func (v *vault) stock(photos, papers int) {
	v.t.Helper()
	v.fill(photos)
	for i := range papers {
		if err := v.Documents().Put(v.t.Context(), fmt.Sprintf("notes/%d", i), fmt.Appendf(nil, "note %d", i)); err != nil {
			v.t.Fatal(err)
		}
	}
}

// wantStock wants all of it to open.
func (v *vault) wantStock(photos, papers int) {
	v.t.Helper()
	v.wantAll(photos)
	for i := range papers {
		if got, err := v.Documents().Get(v.t.Context(), fmt.Sprintf("notes/%d", i)); err != nil || string(got) != fmt.Sprintf("note %d", i) {
			v.t.Errorf("document %d: got %q, %v", i, got, err)
		}
	}
}

var (
	oldKeys  = []config.StoreKey{storeKey("old", 1)}
	bothKeys = []config.StoreKey{storeKey("new", 2), storeKey("old", 1)}
	newKeys  = []config.StoreKey{storeKey("new", 2)}
)

func TestRewrap(t *testing.T) {
	v := openVault(t, oldKeys...)
	v.stock(5, 4)
	before := v.files()
	both := v.with(bothKeys...)
	both.stock(7, 4) // two more, by the new key
	seen := 0
	got, err := both.Rewrap(t.Context(), func(n int) { seen = max(seen, n) })
	if err != nil || got.Changed != 9 || got.Under["new"] != 11 || len(got.Needed("new")) != 0 || got.Unreadable != 0 || seen != 11 {
		t.Errorf("got %+v after %d, %v; want nine changed", got, seen, err)
	}
	for path, data := range before {
		changed := string(v.files()[path]) != string(data)
		if picture := strings.HasSuffix(path, string(Preview)) || strings.HasSuffix(path, string(Thumbnail)); picture == changed {
			t.Errorf("%s: changed: %t", path, changed)
		}
	}
	v.with(newKeys...).wantStock(7, 4)
	if got, err := both.Rewrap(t.Context(), ignore); err != nil || got.Changed != 0 || got.Under["new"] != 11 {
		t.Errorf("again: got %+v, %v; want nothing to do", got, err)
	}
	if got, err := v.with(storeKey("third", 3)).Rewrap(t.Context(), ignore); err != nil || got.Unreadable != 11 || len(got.Needed("third")) != 1 || !errors.Is(got.Why, ErrLocked) {
		t.Errorf("without the key: got %+v, %v; want all unreadable", got, err)
	}
}

// A rewrap that ends at any call of the store leaves all readable, and is done by
// the next.
func TestRewrapInterrupted(t *testing.T) {
	ended := errors.New("ended")
	for at := int64(1); ; at++ {
		v := openVault(t, oldKeys...)
		v.stock(2, 1)
		both := v.with(bothKeys...)
		ctx, end := context.WithCancelCause(t.Context())
		var calls atomic.Int64
		v.under.before = func(string) error {
			if calls.Add(1) < at {
				return nil
			}
			end(ended)
			return ended
		}
		_, err := both.Rewrap(ctx, ignore)
		v.under.before = nil
		both.wantStock(2, 1)
		if again, err := both.Rewrap(t.Context(), ignore); err != nil || len(again.Needed("new")) != 0 {
			t.Errorf("the next after call %d: got %+v, %v", at, again, err)
		}
		v.with(newKeys...).wantStock(2, 1)
		if err == nil {
			if at < 9 { // three keys are read, swapped, and read once more
				t.Errorf("it took %d calls", at)
			}
			return
		}
	}
}

// Gateways put, read and delete while keys are wrapped anew, by two at once.
func TestRewrapWhileServing(t *testing.T) {
	for name, under := range map[string]func() kind{
		"files": func() kind { f, _ := open(t); return f },
		"S3": func() kind {
			s, err := OpenS3(s3test.Start(t).Config())
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
	} {
		v := (&vault{t: t, under: &counted{kind: under()}}).with(oldKeys...)
		v.stock(12, 2)
		both := v.with(bothKeys...)
		ctx, stop := context.WithCancel(t.Context())
		var busy, wrapping sync.WaitGroup
		busy.Go(func() {
			for i := 0; ctx.Err() == nil; i = (i + 1) % 12 {
				if _, err := both.read(photoOf(i, Preview)); err != nil {
					t.Errorf("%s: read while it is wrapped: %v", name, err)
				}
			}
		})
		busy.Go(func() {
			for i := 0; ctx.Err() == nil; i = (i + 1) % 90 {
				k := photoOf(i, Preview)
				k.Attempt = attemptB
				if err := errors.Join(v.Put(ctx, k, jpegs[Preview]), v.DeleteAttempt(ctx, k.Queue, k.Attempt)); err != nil && ctx.Err() == nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
		for range 2 {
			wrapping.Go(func() {
				if _, err := both.Rewrap(t.Context(), ignore); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		wrapping.Wait()
		stop()
		busy.Wait()
		if err := v.DeleteAttempt(t.Context(), "support", attemptB); err != nil {
			t.Error(err)
		}
		if got, err := both.Rewrap(t.Context(), ignore); err != nil || got.Changed != 0 || got.Under["new"] != 14 {
			t.Errorf("%s: at last: got %+v, %v; want all under the new key, and nothing that was deleted", name, got, err)
		}
		v.with(newKeys...).wantStock(12, 2)
	}
}

// A key that is deleted while it is wrapped stays deleted.
func TestSwapOfWhatIsGone(t *testing.T) {
	files, _ := open(t)
	bucket, err := OpenS3(s3test.Start(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	for name, under := range map[string]kind{"files": files, "S3": bucket} {
		const there = "support/01/" + attemptA + "/0.key"
		if err := under.swap(t.Context(), there, []byte("a"), []byte("b")); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: nothing there: got %v, want ErrNotFound", name, err)
		}
		if err := under.put(t.Context(), there, []byte("a")); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			was, data string
			want      error
		}{{"x", "b", ErrExists}, {"a", "b", nil}, {"a", "c", ErrExists}, {"b", "c", nil}} {
			if err := under.swap(t.Context(), there, []byte(step.was), []byte(step.data)); !errors.Is(err, step.want) {
				t.Errorf("%s: %s for %s: got %v, want %v", name, step.data, step.was, err, step.want)
			}
		}
		if got, err := whole(t.Context(), under, there); err != nil || string(got) != "c" {
			t.Errorf("%s: got %q, %v, want c", name, got, err)
		}
		if err := under.DeleteAttempt(t.Context(), "support", attemptA); err != nil {
			t.Fatal(err)
		}
		if err := under.swap(t.Context(), there, []byte("c"), []byte("d")); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: after its deletion: got %v, want ErrNotFound", name, err)
		}
	}
}

// What is deleted between the look at it and the change stays deleted, whoever
// deletes it: another gateway, or a command.
func TestDeletedBetweenLookAndChange(t *testing.T) {
	files, dir := open(t)
	bucket, others := openBucket(t)
	for name, test := range map[string]struct {
		under, other kind
		between      *func()
	}{
		"files": {files, impatient(t, dir), &files.between},
		"S3":    {bucket, others, &bucket.between},
	} {
		const there = "support/01/" + attemptA + "/0.key"
		for step, remove := range map[string]func(context.Context) error{
			"remove":        func(ctx context.Context) error { return test.other.remove(ctx, there) },
			"DeleteAttempt": func(ctx context.Context) error { return test.other.DeleteAttempt(ctx, "support", attemptA) },
		} {
			if err := test.under.put(t.Context(), there, []byte("a")); err != nil {
				t.Fatal(err)
			}
			looked := false
			*test.between = func() {
				looked = true
				_ = remove(t.Context()) // of files it waits, and goes on when its caller has gone
			}
			err := test.under.swap(t.Context(), there, []byte("a"), []byte("b"))
			if f, ok := test.other.(*Files); ok {
				f.idle()
			}
			if err != nil && !errors.Is(err, ErrNotFound) || !looked {
				t.Errorf("%s, %s: got %v, looked: %t", name, step, err, looked)
			}
			if got, err := whole(t.Context(), test.under, there); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s, %s: it is back: %q, %v", name, step, got, err)
			}
		}
	}
}

// impatient opens a folder as another process does, for calls that wait for it.
func impatient(t *testing.T, dir string) *Files {
	f := reopen(t, dir)
	f.patience = 200 * time.Millisecond
	return f
}

// idle waits until no call goes on.
func (f *Files) idle() {
	for range cap(f.busy) {
		f.busy <- struct{}{}
	}
	for range cap(f.busy) {
		<-f.busy
	}
}

func openBucket(t *testing.T) (one, other *S3) {
	t.Helper()
	config := s3test.Start(t).Config()
	one, err := OpenS3(config)
	if err == nil {
		other, err = OpenS3(config)
	}
	if err != nil {
		t.Fatal(err)
	}
	return one, other
}

// A server that does not heed If-Match would bring back what is deleted meanwhile.
func TestRewrapNeedsIfMatch(t *testing.T) {
	for name, server := range map[string]*looseServer{
		"ignores it":                     {},
		"does not know it":               {unknown: true},
		"ignores it where there is none": {heeds: true},
	} {
		t.Run(name, func(t *testing.T) {
			server.objects = map[string][]byte{}
			web := httptest.NewServer(server)
			t.Cleanup(web.Close)
			under, err := OpenS3(config.S3{Endpoint: web.URL, Bucket: "photos", AccessKey: config.NewSecret("access"), SecretKey: config.NewSecret("secret")})
			if err != nil {
				t.Fatal(err)
			}
			v := (&vault{t: t, under: &counted{kind: under}}).with(oldKeys...)
			v.stock(0, 1)
			before := string(server.objects["/photos/.documents/notes/0"])
			if _, err := v.with(bothKeys...).Rewrap(t.Context(), ignore); !errors.Is(err, ErrUnfit) || !strings.Contains(err.Error(), "If-Match") {
				t.Errorf("got %v, want that it needs If-Match", err)
			}
			if after := string(server.objects["/photos/.documents/notes/0"]); after != before || before == "" || len(server.objects) != 1 {
				t.Errorf("it was changed, or something is left: %d objects", len(server.objects))
			}
		})
	}
}

// looseServer is an S3 server that heeds If-None-Match, and If-Match where an object
// is there, or never.
type looseServer struct {
	mu             sync.Mutex
	objects        map[string][]byte
	heeds, unknown bool
}

func (s *looseServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	there, known := s.objects[r.URL.Path]
	tag := func(data []byte) string { return fmt.Sprintf(`"%x"`, md5.Sum(data)) }
	match := r.Header.Get("If-Match")
	switch {
	case r.Method == http.MethodGet && r.URL.Query().Has("list-type"):
		fmt.Fprint(w, `<ListBucketResult>`)
		for name := range s.objects {
			fmt.Fprintf(w, `<Contents><Key>%s</Key><LastModified>2020-01-01T00:00:00.000Z</LastModified><Size>1</Size></Contents>`, strings.TrimPrefix(name, "/photos/"))
		}
		fmt.Fprint(w, `</ListBucketResult>`)
	case r.Method == http.MethodPut && s.unknown && match != "":
		w.WriteHeader(http.StatusNotImplemented)
	case r.Method == http.MethodPut && known && (r.Header.Get("If-None-Match") == "*" || s.heeds && match != "" && match != tag(there)):
		w.WriteHeader(http.StatusPreconditionFailed)
	case r.Method == http.MethodPut:
		s.objects[r.URL.Path], _ = io.ReadAll(r.Body)
		w.Header().Set("ETag", tag(s.objects[r.URL.Path]))
	case r.Method == http.MethodDelete:
		delete(s.objects, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	case known:
		w.Header().Set("ETag", tag(there))
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		_, _ = w.Write(there)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}
