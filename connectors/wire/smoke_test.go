package wire

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestFetchReadsTheWholeBody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "photo")
	}))
	defer server.Close()
	client := NewClient(Options{AllowPrivate: true})
	rc, err := client.Fetch(context.Background(), Fetch{Op: "test: fetch", URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	got, err := io.ReadAll(rc)
	if err != nil || string(got) != "photo" {
		t.Errorf("got %q, %v; want the photo", got, err)
	}
}
