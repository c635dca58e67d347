package connectortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/wire"
)

func fetchMutants() []mutant {
	return []mutant{
		{"gives other bytes the second time", "fetch_bytes fetch_slow", func(t *twisted) { t.fetch = differsNextTime(t.Connector) }},
		{"claims a size that is not true", "fetch_bytes", event(func(_ *twisted, e *connectors.Event) {
			for i := range e.Photos {
				e.Photos[i].ClaimedBytes = 7
			}
		})},
		{"takes a short read for the end", "fetch_slow", stream(func(s io.ReadCloser) io.ReadCloser {
			ended := false
			return funcStream{close: s.Close, read: func(p []byte) (int, error) {
				if ended {
					return 0, io.EOF
				}
				n, err := s.Read(p)
				ended = n == firstDrop
				return n, err
			}}
		})},
		{"calls what is gone Refused", "fetch_status", failure(func(_ *twisted, err error) error {
			if connectors.KindOf(err) == connectors.Gone {
				return connectors.Errorf(connectors.Refused, "test", "no")
			}
			return err
		})},
		{"takes 202 for complete", "fetch_status", func(t *twisted) {
			t.fetch = func(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
				stream, err := t.Connector.Fetch(ctx, p)
				var answer *wire.StatusFailure
				if errors.As(err, &answer) && answer.Status == http.StatusAccepted {
					return io.NopCloser(strings.NewReader("")), nil
				}
				return stream, err
			}
		}},
		{"forgets Retry-After", "fetch_retry_after", failure(func(_ *twisted, err error) error {
			if connectors.AfterOf(err) != 0 {
				return connectors.Errorf(connectors.KindOf(err), "test", "no")
			}
			return err
		})},
	}
}

func streamMutants() []mutant {
	return []mutant{
		{"calls a short body complete", "fetch_incomplete", stream(func(s io.ReadCloser) io.ReadCloser {
			return funcStream{close: s.Close, read: func(p []byte) (int, error) {
				n, err := s.Read(p)
				if errors.Is(err, io.ErrUnexpectedEOF) {
					err = io.EOF
				}
				return n, err
			}}
		})},
		{"fails to close before the end", "fetch_endless", func(t *twisted) { t.fetch = closesAtEndOnly(t.Connector) }},
		{"hides a cancellation", "fetch_cancel", func(t *twisted) {
			t.fetch = func(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
				stream, err := t.Connector.Fetch(ctx, p)
				if errors.Is(err, context.Canceled) {
					err = connectors.Errorf(connectors.Unavailable, "test", "no")
				}
				return stream, err
			}
		}},
		{"calls a deadline final", "fetch_deadline", failure(func(_ *twisted, err error) error {
			if errors.Is(err, context.DeadlineExceeded) {
				return connectors.Errorf(connectors.Refused, "test", "no")
			}
			return err
		})},
	}
}

func hostMutants() []mutant {
	return []mutant{
		{"blames no host", "fetch_down", failure(func(_ *twisted, err error) error {
			if own, _ := wire.Failure(err); own != nil {
				own.Down = false
			}
			return err
		})},
		{"blames the host for a photo that is gone", "fetch_down", failure(func(_ *twisted, err error) error {
			if own, _ := wire.Failure(err); own != nil && own.Kind == connectors.Gone {
				own.Down = true
			}
			return err
		})},
		{"asks nobody for a host", "fetch_hosts", func(t *twisted) {
			t.fetch = func(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
				return t.Connector.Fetch(connectors.WithHosts(ctx, func(string) error { return nil }), p)
			}
		}},
		{"hides the refusal of a host", "fetch_hosts", failure(func(_ *twisted, err error) error {
			if own, _ := wire.Failure(err); own == nil {
				return connectors.Errorf(connectors.Unavailable, "test", "no")
			}
			return err
		})},
		{"fetches everything for the first account", "fetch_account", func(t *twisted) {
			t.fetch = func(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
				p.Account = t.config.Accounts[0].ID
				return t.Connector.Fetch(ctx, p)
			}
		}},
		{"gives nothing for nonsense", "fetch_nonsense", func(t *twisted) {
			t.fetch = func(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
				stream, err := t.Connector.Fetch(ctx, p)
				if connectors.KindOf(err) == connectors.Refused && !strings.Contains(p.Ref, ":") {
					return io.NopCloser(strings.NewReader("")), nil
				}
				return stream, err
			}
		}},
		{"fetches any address", "fetch_nonsense", func(t *twisted) {
			t.fetch = func(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
				if strings.HasPrefix(p.Ref, "http:") {
					visit(ctx, p.Ref, "")
				}
				return t.Connector.Fetch(ctx, p)
			}
		}},
		{"calls private addresses", "fetch_private", func(t *twisted) {
			open := *t.config
			open.AllowPrivateAddresses = true
			c, err := line.New(&open, t.env)
			if err != nil {
				panic(err)
			}
			t.fetch = c.Fetch
		}},
		{"shows its token to every host", "fetch_foreign", func(t *twisted) {
			t.fetch = func(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
				stream, err := t.Connector.Fetch(ctx, p)
				var answer *wire.StatusFailure
				if errors.As(err, &answer) && answer.Header.Get("Location") != "" {
					visit(ctx, answer.Header.Get("Location"), "Bearer "+t.config.Accounts[0].ChannelAccessToken.Reveal())
				}
				return stream, err
			}
		}},
	}
}

func tellingMutants() []mutant {
	return []mutant{
		{"fetches one photo at a time", "verify_concurrent", oneAtATime},
		{"names the token in an error", "secrets_in_errors", failure(func(t *twisted, err error) error {
			return &connectors.Error{Kind: connectors.KindOf(err), After: connectors.AfterOf(err),
				Down: connectors.DownOf(err), Op: "test", Err: fmt.Errorf("with %s: %w", t.config.Accounts[0].ChannelAccessToken.Reveal(), err)}
		})},
		{"quotes the body in an error", "secrets_in_errors", func(t *twisted) {
			t.parse = func(r *connectors.Request) ([]connectors.Event, error) {
				list, err := t.Connector.Parse(r)
				if err != nil {
					err = connectors.Errorf(connectors.Malformed, "test", "cannot read %q", r.Body)
				}
				return list, err
			}
		}},
		{"logs the token", "secrets_in_log", failure(func(t *twisted, err error) error {
			t.env.Log.Error("no", "token", t.config.Accounts[0].ChannelAccessToken.Reveal())
			return err
		})},
	}
}

// visit calls an address with the given authorization and forgets the answer.
func visit(ctx context.Context, address, authorization string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if res, err := client.Do(req); err == nil {
		_ = res.Body.Close()
	}
}

// differsNextTime fetches as c does, but turns the first byte of every photo
// round that it has seen before.
func differsNextTime(c connectors.Connector) func(context.Context, connectors.Photo) (io.ReadCloser, error) {
	var seen sync.Map
	return func(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
		s, err := c.Fetch(ctx, p)
		_, again := seen.LoadOrStore(p.Ref, true)
		if err != nil || !again {
			return s, err
		}
		return funcStream{close: s.Close, read: func(p []byte) (int, error) {
			n, err := s.Read(p)
			if again && n > 0 {
				p[0], again = ^p[0], false
			}
			return n, err
		}}, nil
	}
}

// closesAtEndOnly fetches as c does, but its streams cannot be closed before
// their end.
func closesAtEndOnly(c connectors.Connector) func(context.Context, connectors.Photo) (io.ReadCloser, error) {
	return func(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
		s, err := c.Fetch(ctx, p)
		if err != nil {
			return nil, err
		}
		over := false
		return funcStream{
			read: func(p []byte) (int, error) {
				n, err := s.Read(p)
				over = over || err != nil
				return n, err
			},
			close: func() error {
				if err := s.Close(); err != nil || over {
					return err
				}
				return errors.New("not at the end")
			},
		}, nil
	}
}

// oneAtATime makes t fail a fetch during which another fetch of the same photo
// begins. It waits for the other, so that the two surely meet; but only once and
// after a Verify, because other checks fetch from one goroutine.
func oneAtATime(t *twisted) {
	var wait atomic.Bool
	var once sync.Once
	t.note = func(method string) {
		if method == "Verify" {
			once.Do(func() { wait.Store(true) })
		}
	}
	var mu sync.Mutex
	meetings := map[string]chan struct{}{}
	t.fetch = func(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
		mu.Lock()
		meeting, second := meetings[p.Ref]
		if !second {
			meeting = make(chan struct{}, 8)
			meetings[p.Ref] = meeting
		}
		mu.Unlock()
		if second {
			select {
			case meeting <- struct{}{}:
			default:
			}
		}
		if second || !wait.CompareAndSwap(true, false) {
			return t.Connector.Fetch(ctx, p)
		}
		select {
		case <-meeting:
			return nil, connectors.Errorf(connectors.Unavailable, "test", "busy")
		case <-time.After(2 * time.Second):
			return t.Connector.Fetch(ctx, p)
		}
	}
}
