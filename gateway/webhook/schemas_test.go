package webhook_test

import (
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/webhook"
)

func TestSchemasArePublished(t *testing.T) {
	t.Parallel()
	log := &gatewaytest.Log{}
	e := webhook.NewEcho(log.Logger())
	e.StaticFS("/schemas", queue.Schemas())
	x := &edge{t: t, log: log, address: serve(t, e, log.Logger())}
	get := func(target string) *answer { return x.raw(request(http.MethodGet, target, http.Header{}, nil)) }
	names, err := fs.Glob(queue.Schemas(), "*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("got %d schemas, error %v", len(names), err)
	}
	for _, name := range names {
		got := get("/schemas/" + name)
		x.want(name, got, http.StatusOK)
		if kind := got.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") || !strings.Contains(got.body, "2020-12/schema") {
			t.Errorf("%s: got %q %q", name, kind, got.body)
		}
	}
	for _, target := range []string{"/schemas/", "/schemas/nothing.json", "/schemas/../go.mod", "/schemas/%2e%2e/go.mod"} {
		if got := get(target); got.status != http.StatusNotFound && got.status != http.StatusMovedPermanently {
			t.Errorf("%s: answered %d %q", target, got.status, got.body)
		}
	}
}
