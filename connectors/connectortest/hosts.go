package connectortest

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/lightlock/lightlock/connectors"
)

// checkFetchDown leaves it to its neighbours that there is an error at all. An answer about this one
// photo, or about how often we ask, says nothing about the host.
func checkFetchDown(b *bench) error {
	p, steps, err := b.photoAndSteps()
	if err != nil {
		return err
	}
	down := func(what string, want bool) error {
		_, err := fetch(b.ctx, b.connector, p)
		if got := connectors.DownOf(err); err != nil && got != want {
			return fmt.Errorf("%s: got Down %t (%w), want %t", what, got, err, want)
		}
		return nil
	}
	for k := range steps {
		for status, want := range map[int]bool{500: true, 503: true, 202: false, 403: false, 404: false, 429: false} {
			b.fault(steps, k, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(status) })
			if err := down(fmt.Sprintf("HTTP %d at step %d", status, k+1), want); err != nil {
				return err
			}
		}
		for _, reset := range []bool{false, true} {
			b.fault(steps, k, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
				raw(w, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n\xff\xd8\xff\xe0", reset)
			})
			if err := down(fmt.Sprintf("a body cut off at step %d", k+1), true); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkFetchHosts(b *bench) error {
	p, steps, err := b.photoAndSteps()
	if err != nil {
		return err
	}
	var want []string
	for _, s := range steps {
		_, address, _ := strings.Cut(s.place, " ")
		host, _, _ := strings.Cut(address, "/")
		want = append(want, host)
	}
	refusal := errors.New("not now")
	for allowed := range len(steps) + 1 {
		var asked []string
		ctx := connectors.WithHosts(b.ctx, func(host string) error {
			if asked = append(asked, host); len(asked) > allowed {
				return refusal
			}
			return nil
		})
		calls := b.counting()
		_, err := fetch(ctx, b.connector, p)
		expected := want[:min(allowed+1, len(want))]
		switch {
		case !reflect.DeepEqual(asked, expected):
			return fmt.Errorf("asked for %q, want %q", asked, expected)
		case allowed < len(steps) && !errors.Is(err, refusal):
			return fmt.Errorf("got %w where the host of step %d was refused, want the refusal", err, allowed+1)
		case calls() != allowed:
			return fmt.Errorf("made %d calls where %d were allowed", calls(), allowed)
		case allowed == len(steps) && err != nil:
			return err
		}
	}
	return nil
}
