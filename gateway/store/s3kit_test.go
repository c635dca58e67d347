package store_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/store"
)

const (
	// short is the patience of a store in tests of servers that have none.
	short = 300 * time.Millisecond
	// limit is when a call that must end has not: far beyond short, because
	// machines are crowded.
	limit = 30 * time.Second

	fakeAccess = "AKIAFAKEACCESSKEY"
	fakeSecret = "fake-secret-that-nobody-shows"

	attemptA = "0123456789abcdef0123456789abcdef"
	attemptB = "fedcba98765432100123456789abcdef"
)

var picture = bytes.Repeat([]byte("\xff\xd8 picture"), 1000)

func key() store.Key {
	return store.Key{Queue: "acme-support", Attempt: attemptA, Kind: store.Preview}
}

// open opens a bucket with little patience.
func openS3(t *testing.T, c config.S3) *store.S3 {
	t.Helper()
	s, err := store.OpenS3(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	s.Hurry(short, short)
	return s
}

// fake opens a store on a server that is not S3.
func fake(t *testing.T, h http.HandlerFunc) *store.S3 {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return openS3(t, fakeConfig(server.URL))
}

func fakeConfig(endpoint string) config.S3 {
	return config.S3{
		Endpoint: endpoint, Bucket: "photos", Prefix: "pre",
		AccessKey: config.NewSecret(fakeAccess), SecretKey: config.NewSecret(fakeSecret),
	}
}

// read returns all of a picture.
func read(ctx context.Context, s store.Plain, k store.Key) ([]byte, error) {
	f, err := s.Get(ctx, k)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(f)
	return data, errors.Join(err, f.Close())
}

// calls makes every call that asks the server, and returns the errors.
func calls(t *testing.T, s store.Plain) map[string]error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	_, get := read(ctx, s, key())
	answers := map[string]error{
		"Put":           s.Put(ctx, key(), picture),
		"Get":           get,
		"DeleteAttempt": s.DeleteAttempt(ctx, key().Queue, attemptA),
		"List":          s.List(ctx, func(string, string, time.Duration) error { return nil }),
		"Check":         s.Check(ctx),
	}
	if ctx.Err() != nil {
		t.Errorf("the calls took longer than %v", limit)
	}
	return answers
}

// wantRefused wants every call to fail with these words, and no error to show
// what nobody must see or to say that there is no picture.
func wantRefused(t *testing.T, s store.Plain, words string, hidden ...string) {
	t.Helper()
	for call, err := range calls(t, s) {
		if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrUnfit) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: got %v, want an error with %q", call, err, words)
			continue
		}
		for _, h := range append(hidden, fakeAccess, fakeSecret, attemptA) {
			if strings.Contains(err.Error(), h) {
				t.Errorf("%s: the error shows %q: %v", call, h, err)
			}
		}
		if len(err.Error()) > 400 {
			t.Errorf("%s: the error has %d bytes", call, len(err.Error()))
		}
	}
}

// wantPicture wants a picture to be there, and whole.
func wantPicture(t *testing.T, s store.Plain, k store.Key) {
	t.Helper()
	if got, err := read(t.Context(), s, k); err != nil || !bytes.Equal(got, picture) {
		t.Errorf("got %d bytes, error %v, want the picture", len(got), err)
	}
}
