package connectortest

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/wire"
)

// twisted is a LINE connector of which one method may be replaced.
type twisted struct {
	connectors.Connector
	config *line.Config
	env    connectors.Env

	verify func(*connectors.Request) error
	parse  func(*connectors.Request) ([]connectors.Event, error)
	fetch  func(context.Context, connectors.Photo) (io.ReadCloser, error)
	// note, if set, is told the name of every method that is called.
	note func(method string)
}

func (t *twisted) Verify(r *connectors.Request) error {
	t.called("Verify")
	if t.verify != nil {
		return t.verify(r)
	}
	return t.Connector.Verify(r)
}

func (t *twisted) Parse(r *connectors.Request) ([]connectors.Event, error) {
	t.called("Parse")
	if t.parse != nil {
		return t.parse(r)
	}
	return t.Connector.Parse(r)
}

func (t *twisted) Fetch(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
	t.called("Fetch")
	if t.fetch != nil {
		return t.fetch(ctx, p)
	}
	return t.Connector.Fetch(ctx, p)
}

func (t *twisted) called(method string) {
	if t.note != nil {
		t.note(method)
	}
}

// mutant is a connector that breaks the contract in one way, and the checks
// that must notice. A mutant with several checks breaks a sentence on which
// others rest.
type mutant struct {
	name   string
	breaks string
	twist  func(*twisted)
}

// replaces returns the name of the one method that m replaces.
func (m mutant) replaces() []string {
	t := &twisted{config: &line.Config{}, env: connectors.Env{Now: time.Now}}
	m.twist(t)
	switch {
	case t.verify != nil && t.parse == nil && t.fetch == nil:
		return []string{"Verify"}
	case t.parse != nil && t.verify == nil && t.fetch == nil:
		return []string{"Parse"}
	case t.fetch != nil && t.verify == nil && t.parse == nil:
		return []string{"Fetch"}
	}
	panic(m.name + " does not replace exactly one method")
}

// events twists what Parse returns.
func events(change func(t *twisted, events []connectors.Event) []connectors.Event) func(*twisted) {
	return func(t *twisted) {
		t.parse = func(r *connectors.Request) ([]connectors.Event, error) {
			list, err := t.Connector.Parse(r)
			return change(t, list), err
		}
	}
}

// event twists each event that Parse returns.
func event(change func(t *twisted, e *connectors.Event)) func(*twisted) {
	return events(func(t *twisted, list []connectors.Event) []connectors.Event {
		for i := range list {
			change(t, &list[i])
		}
		return list
	})
}

// failure twists the errors of Fetch.
func failure(change func(t *twisted, err error) error) func(*twisted) {
	return func(t *twisted) {
		t.fetch = func(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
			stream, err := t.Connector.Fetch(ctx, p)
			if err != nil {
				return nil, change(t, err)
			}
			return stream, nil
		}
	}
}

// stream twists the streams of Fetch.
func stream(change func(io.ReadCloser) io.ReadCloser) func(*twisted) {
	return func(t *twisted) {
		t.fetch = func(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
			stream, err := t.Connector.Fetch(ctx, p)
			if err != nil {
				return nil, err
			}
			return change(stream), nil
		}
	}
}

// funcStream is a stream made of functions.
type funcStream struct {
	read  func([]byte) (int, error)
	close func() error
}

func (s funcStream) Read(p []byte) (int, error) { return s.read(p) }
func (s funcStream) Close() error               { return s.close() }

// trusts makes Verify judge a changed copy of the request.
func trusts(change func(r *connectors.Request)) func(*twisted) {
	return func(t *twisted) {
		t.verify = func(r *connectors.Request) error {
			if t.Connector.Verify(r) == nil {
				return nil
			}
			changed := clone(r)
			change(changed)
			return t.Connector.Verify(changed)
		}
	}
}

const signatureHeader = "X-Line-Signature"

func verifyMutants() []mutant {
	return []mutant{
		{"accepts everything", "verify_body_bits verify_body_length verify_header_bits verify_header_form verify_header_repeated verify_foreign verify_rotation",
			func(t *twisted) { t.verify = func(*connectors.Request) error { return nil } }},
		{"refuses what is not ASCII", "verify_accepts", func(t *twisted) {
			t.verify = func(r *connectors.Request) error {
				if strings.ContainsFunc(string(r.Body), func(c rune) bool { return c > 127 }) {
					return connectors.Errorf(connectors.Unauthentic, "test", "no")
				}
				return t.Connector.Verify(r)
			}
		}},
		{"passes over high bits in the body", "verify_body_bits", trusts(func(r *connectors.Request) {
			for i := range r.Body {
				r.Body[i] &= 0x7f
			}
		})},
		{"trims the body", "verify_body_length", trusts(func(r *connectors.Request) { r.Body = bytes.TrimSpace(r.Body) })},
		{"trims the signature", "verify_header_form", trusts(func(r *connectors.Request) {
			if values := r.Header[signatureHeader]; len(values) == 1 {
				values[0] = strings.TrimSpace(values[0])
			}
		})},
		{"looks at the first of several signatures", "verify_header_repeated", trusts(func(r *connectors.Request) {
			r.Header = http.Header{signatureHeader: {r.Header.Get(signatureHeader)}}
		})},
	}
}

func proofMutants() []mutant {
	return []mutant{
		{"compares a prefix of the signature", "verify_header_bits", func(t *twisted) { t.verify = t.prefixOnly }},
		{"knows one secret", "verify_rotation", func(t *twisted) {
			one := *t.config
			one.ChannelSecret = one.ChannelSecret[:min(1, len(one.ChannelSecret))]
			c, err := line.New(&one, t.env)
			if err != nil {
				panic(err)
			}
			t.verify = c.Verify
		}},
		{"calls a forgery Malformed", "verify_body_bits verify_body_length verify_header_bits verify_header_form verify_header_repeated verify_foreign verify_rotation parse_garbage",
			func(t *twisted) {
				t.verify = func(r *connectors.Request) error {
					if err := t.Connector.Verify(r); err != nil {
						return connectors.Errorf(connectors.Malformed, "test", "no")
					}
					return nil
				}
			}},
		{"calls the platform in Verify", "verify_no_calls", func(t *twisted) {
			t.verify = func(r *connectors.Request) error {
				if bytes.Contains(r.Body, []byte(`"image"`)) {
					t.call()
				}
				return t.Connector.Verify(r)
			}
		}},
		{"calls the platform in Parse", "verify_no_calls", func(t *twisted) {
			t.parse = func(r *connectors.Request) ([]connectors.Event, error) {
				if bytes.Contains(r.Body, []byte(`"image"`)) {
					t.call()
				}
				return t.Connector.Parse(r)
			}
		}},
		{"writes into the request", "verify_leaves_request", func(t *twisted) {
			turn := make(chan struct{}, 1)
			t.verify = func(r *connectors.Request) error {
				turn <- struct{}{}
				defer func() { <-turn }()
				if r.Header != nil {
					r.Header["X-Seen"] = []string{"yes"}
				}
				return t.Connector.Verify(r)
			}
		}},
	}
}

// prefixOnly verifies the first half of a signature.
func (t *twisted) prefixOnly(r *connectors.Request) error {
	no := connectors.Errorf(connectors.Unauthentic, "test", "no")
	header, err := wire.Header(r, signatureHeader)
	if err != nil {
		return err
	}
	got, err := base64.StdEncoding.Strict().DecodeString(header)
	if err != nil || len(header) != 44 {
		return no
	}
	for _, secret := range t.config.ChannelSecret {
		right := mac(secret, r.Body)
		if !secret.IsZero() && bytes.Equal(right[:16], got[:16]) {
			return nil
		}
	}
	return no
}

// call calls the platform.
func (t *twisted) call() {
	if res, err := http.Get(t.config.APIBase + "/"); err == nil {
		_ = res.Body.Close()
	}
}

func newTwisted(s config.Settings, env connectors.Env, twist func(*twisted)) (connectors.Connector, error) {
	inner, err := line.New(s, env)
	if err != nil {
		return nil, err
	}
	t := &twisted{Connector: inner, config: s.(*line.Config), env: env}
	twist(t)
	return t, nil
}
