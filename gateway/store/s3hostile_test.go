package store_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/store"
)

// refusal answers as S3 does when it refuses, and repeats what it was sent.
func refusal(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>%s %s %s</Message><Key>%s</Key></Error>`,
			code, r.Header.Get("Authorization"), fakeSecret, html.EscapeString(r.URL.String()), r.URL.Path)
	}
}

func TestServersThatRefuse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		words  string
	}{
		"503":             {refusal(503, "SlowDown"), "the server answers 503 SlowDown"},
		"500":             {refusal(500, "InternalError"), "the server answers 500 InternalError"},
		"507":             {refusal(507, "InsufficientStorage"), "the server answers 507 InsufficientStorage"},
		"403":             {refusal(403, "AccessDenied"), "the access key needs s3:PutObject"},
		"a code in prose": {refusal(400, "Your key "+fakeSecret), "the server answers 400"},
		"an endless code": {refusal(400, strings.Repeat("x", 100_000)), "the server answers 400"},
		"a page": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "<html>"+r.Header.Get("Authorization")+fakeSecret)
		}, "the server answers 502"},
		"no answer":     {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "the server has closed the connection"},
		"not HTTP":      {hijack("220 welcome " + fakeAccess + "\r\n\r\n"), ""},
		"a cut answer":  {hijack("HTTP/1.1 503 no\r\nContent-Length: 1000\r\n\r\n<Error><Code>" + fakeSecret), "the server"},
		"a long answer": {hijack("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx"), "the server's answer is too long"},
		"no end of an answer": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			endless(w, r)
		}, "the server"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fake(t, test.answer)
			s.Hurry(10*time.Second, 10*time.Second)
			wantRefused(t, s, test.words, "AWS4-HMAC", "Signature=")
			definite := slices.Contains([]string{"403", "a code in prose", "an endless code"}, name)
			if err := s.Check(t.Context()); errors.Is(err, store.ErrRefused) != definite {
				t.Errorf("%v; is it refused for good: %v, want %v", err, !definite, definite)
			}
		})
	}
}

// hijack answers with bytes that are no proper answer.
func hijack(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		}
	}
}

// endless writes for as long as anybody reads.
func endless(w http.ResponseWriter, _ *http.Request) {
	for {
		if _, err := w.Write(make([]byte, 1<<16)); err != nil {
			return
		}
	}
}

// A redirect would take a request, and what signs it, elsewhere.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var visited atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visited.Add(1) }))
	defer elsewhere.Close()
	s := fake(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	s.Hurry(limit, limit)
	wantRefused(t, s, "the server answers 307", elsewhere.URL)
	if visited.Load() != 0 {
		t.Error("the redirect was followed")
	}
}

// A 404 that speaks of something else is not a picture that is gone.
func TestWhatIsMissing(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{"NoSuchKey": true, "NoSuchBucket": false, "NoSuchUser": false} {
		s := fake(t, refusal(404, code))
		if _, err := s.Get(t.Context(), key()); errors.Is(err, store.ErrNotFound) != want {
			t.Errorf("%s: got %v, ErrNotFound: want %t", code, err, want)
		}
	}
}

// serve answers with a picture in one of several ways.
func serve(size int64, body func(w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Last-Modified", "Sun, 22 Nov 2026 10:00:00 GMT")
		w.Header().Set("ETag", `"0123456789abcdef0123456789abcdef"`)
		if size >= 0 {
			w.Header().Set("Content-Length", fmt.Sprint(size))
		}
		body(w, r)
	}
}

func TestStreamsThatGoWrong(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		words  string
	}{
		"too large": {serve(store.MaxObject+1, endless), "too long"},
		"no length": {serve(-1, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(picture)
			w.(http.Flusher).Flush()
		}), "another length"},
		"cut off": {serve(20_000, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(picture[:100])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}), "breaks off"},
		"stands still": {serve(20_000, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(picture[:100])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}), "has not answered in 300ms"},
		"one byte a time, for ever": {serve(20_000, func(w http.ResponseWriter, r *http.Request) {
			for range 20 {
				_, _ = w.Write([]byte("x"))
				w.(http.Flusher).Flush()
				time.Sleep(time.Millisecond)
			}
			<-r.Context().Done()
		}), "has not answered in 300ms"},
		"never begins": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "has not answered in 300ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fake(t, test.answer)
			if name != "never begins" {
				s.Hurry(limit, short)
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			if data, err := read(ctx, s, key()); err == nil || !strings.Contains(err.Error(), test.words) {
				t.Errorf("got %d bytes, error %v, want one with %q", len(data), err, test.words)
			}
		})
	}
}

// A server that does not know Range would begin every part at the picture's
// beginning.
func TestServerWithoutRanges(t *testing.T) {
	t.Parallel()
	s := fake(t, serve(int64(len(picture)), func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(picture) }))
	f, err := s.Get(t.Context(), key())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Seek(5000, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(f); err == nil || len(data) > 0 {
		t.Errorf("got %d bytes, error %v, want none and an error", len(data), err)
	}
}

// lister answers every list with the given keys, and notes what is deleted.
type lister struct {
	page func(r *http.Request) (keys []string, truncated bool)

	mu      sync.Mutex
	deleted []string
	lists   int
}

func (l *lister) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.Method == http.MethodDelete {
		l.deleted = append(l.deleted, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	l.lists++
	keys, truncated := l.page(r)
	w.Header().Set("Content-Type", "application/xml")
	fmt.Fprintf(w, `<ListBucketResult><IsTruncated>%t</IsTruncated><NextContinuationToken>more</NextContinuationToken>`, truncated)
	for _, k := range keys {
		fmt.Fprintf(w, `<Contents><Key>%s</Key><LastModified>2020-01-01T00:00:00.000Z</LastModified><Size>1</Size></Contents>`, k)
	}
	_, _ = io.WriteString(w, `</ListBucketResult>`)
}

func TestListsThatGoWrong(t *testing.T) {
	t.Parallel()
	own := "pre/acme-support/01/" + attemptA + "/0.preview"
	for name, test := range map[string]struct {
		page func(*http.Request) ([]string, bool)
	}{
		"another's objects": {func(*http.Request) ([]string, bool) {
			return []string{"other/acme-support/01/" + attemptA + "/0.preview"}, false
		}},
		"upwards":         {func(*http.Request) ([]string, bool) { return []string{"../secret"}, false }},
		"in circles":      {func(*http.Request) ([]string, bool) { return []string{own}, true }},
		"nothing, always": {func(*http.Request) ([]string, bool) { return nil, true }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &lister{page: test.page}
			s := fake(t, l.ServeHTTP)
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			visits := 0
			err := s.List(ctx, func(string, string, time.Duration) error { visits++; return nil })
			if err == nil || visits > 1 {
				t.Errorf("list: got %v after %d visits, want an error", err, visits)
			}
			if err := s.DeleteAttempt(ctx, key().Queue, attemptA); err == nil {
				t.Error("delete: got nil, want an error")
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			for _, path := range l.deleted {
				if path != "/photos/"+own {
					t.Errorf("deleted %s", path)
				}
			}
		})
	}
}

// An attempt's listing names what is deleted: another attempt's is never.
func TestDeleteBelievesNoList(t *testing.T) {
	t.Parallel()
	l := &lister{page: func(*http.Request) ([]string, bool) {
		return []string{"pre/acme-support/01/" + attemptA + "/0.preview", "pre/acme-support/fe/" + attemptB + "/0.preview"}, false
	}}
	s := fake(t, l.ServeHTTP)
	s.Hurry(limit, limit)
	if err := s.DeleteAttempt(t.Context(), key().Queue, attemptA); err == nil || len(l.deleted) > 0 {
		t.Errorf("got %v with %v deleted, want an error and nothing", err, l.deleted)
	}
}

func TestForeignObjectsArePassedOver(t *testing.T) {
	t.Parallel()
	own := "pre/acme-support/01/" + attemptA + "/0.preview"
	l := &lister{page: func(*http.Request) ([]string, bool) {
		return []string{
			"pre/.check/OLD", "pre/README.md", "pre/a/b/c/d", "pre/acme-support/00/" + attemptA + "/0.preview",
			own, "pre/acme-support/01/" + attemptA + "/x/y", "pre/acme_support/01/" + attemptA + "/0.preview",
		}, false
	}}
	s := fake(t, l.ServeHTTP)
	s.Hurry(limit, limit)
	var visited []string
	err := s.List(t.Context(), func(queue, attempt string, _ time.Duration) error {
		visited = append(visited, queue+"/"+attempt)
		return nil
	})
	if want := "acme-support/" + attemptA; err != nil || len(visited) != 1 || visited[0] != want {
		t.Errorf("got %v, %v, want %s alone", visited, err, want)
	}
	if len(l.deleted) != 1 || l.deleted[0] != "/photos/pre/.check/OLD" {
		t.Errorf("deleted %v, want what a check has left an age ago", l.deleted)
	}
}

func TestUnfitServers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		second  int
		version string
		words   string
	}{
		"ignores If-None-Match": {200, "", "ignores If-None-Match"},
		"keeps versions":        {412, "3/L4kqtJlcpXroDTDmJ", "keeps versions"},
		"kept versions once":    {412, "null", ""},
		"somebody is at it":     {409, "", ""},
	} {
		var puts, deleted atomic.Int32
		s := fake(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodDelete:
				deleted.Add(1)
				w.WriteHeader(http.StatusNoContent)
			case r.Header.Get("If-None-Match") != "*":
				t.Errorf("a %s came without If-None-Match", r.Method)
			case puts.Add(1) == 2:
				w.WriteHeader(test.second)
			default:
				w.Header().Set("X-Amz-Version-Id", test.version)
			}
		})
		s.Hurry(limit, limit)
		err := s.Check(t.Context())
		if (test.words == "") != (err == nil) || err != nil && (!errors.Is(err, store.ErrUnfit) || !strings.Contains(err.Error(), test.words)) {
			t.Errorf("%s: got %v, want %q", name, err, test.words)
		}
		if deleted.Load() != 1 {
			t.Errorf("%s: %d objects were deleted, want the one that was put", name, deleted.Load())
		}
	}
}

// Where the bucket stands in a request, and what a name is made of.
func TestNamesOfObjects(t *testing.T) {
	t.Parallel()
	var asked atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked.Store(r.Host + r.URL.Path) }))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://127.0.0.1")
	for _, test := range []struct{ prefix, addressing, want string }{
		{"", "", "/photos/acme-support/01/" + attemptA + "/0.preview"},
		{"pre", "auto", "/photos/pre/acme-support/01/" + attemptA + "/0.preview"},
		{"pre/fix/", "path", "/photos/pre/fix/acme-support/01/" + attemptA + "/0.preview"},
	} {
		c := fakeConfig(server.URL)
		c.Prefix, c.Addressing = test.prefix, test.addressing
		if err := openS3(t, c).Put(t.Context(), key(), picture); err != nil {
			t.Errorf("%+v: %v", test, err)
		}
		if got := asked.Load(); got != "127.0.0.1"+host+test.want {
			t.Errorf("%+v: asked for %v", test, got)
		}
	}
	c := fakeConfig("http://s3.localhost" + host)
	c.Addressing, c.Proxy = "virtual", server.URL // which stands in for a name server
	_ = openS3(t, c).Put(t.Context(), key(), picture)
	if got := fmt.Sprint(asked.Load()); !strings.HasPrefix(got, "photos.s3.localhost"+host+"/pre/acme-support/") {
		t.Errorf("virtual: asked for %s", got)
	}
}
