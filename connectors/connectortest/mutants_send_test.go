package connectortest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/wire"
)

func shapeMutants() []toyMutant {
	return []toyMutant{
		{"makes a message of what was cut", "parse_cut", toyManners{}, func(t *twistedToy) {
			t.parse = func(r *connectors.Request) ([]connectors.Event, error) {
				events, err := t.toy.Parse(r)
				if err != nil && len(r.Body) > 0 {
					return []connectors.Event{{Kind: connectors.Message, ID: connectors.DigestID(r.Body), Raw: []byte("{}")}}, nil
				}
				return events, err
			}
		}},
		{"files a call under its first event's account", "parse_accounts", toyManners{}, toyEvents(func(events []connectors.Event) {
			for i := range events {
				events[i].Account = events[0].Account
			}
		})},
		{"calls an unknown type broken", "parse_unknown", toyManners{}, toyEvents(func(events []connectors.Event) {
			for i := range events {
				if events[i].Kind == connectors.Ignored {
					events[i].Kind = connectors.Broken
				}
			}
		})},
		{"wants to know every field", "parse_extra", toyManners{}, toyEvents(func(events []connectors.Event) {
			for i := range events {
				strict := json.NewDecoder(bytes.NewReader(events[i].Raw))
				strict.DisallowUnknownFields()
				if err := strict.Decode(&toyEvent{}); err != nil && events[i].Kind == connectors.Message {
					events[i] = events[i].As(connectors.Broken, "unknown field")
				}
			}
		})},
	}
}

// lookupMutants break the first of two steps of a fetch.
func lookupMutants() []toyMutant {
	fetch := func(name, breaks string, change func(e *connectors.Error)) toyMutant {
		return toyMutant{name, breaks, toyManners{lookup: true}, func(t *twistedToy) {
			t.fetch = func(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
				stream, err := t.toy.Fetch(ctx, p)
				var e *connectors.Error
				if errors.As(err, &e) && e.Op == "toy: look up" {
					change(e)
				}
				return stream, err
			}
		}}
	}
	return []toyMutant{
		fetch("takes a look-up that fails for an answer", "fetch_status fetch_incomplete", func(e *connectors.Error) {
			if e.Kind == connectors.Unavailable {
				e.Kind = connectors.Gone
			}
		}),
		fetch("looks up again at once", "fetch_retry_after", func(e *connectors.Error) { e.After = 0 }),
	}
}

func sendMutants() []toyMutant {
	return []toyMutant{
		{"escapes the text", "send_text", toyManners{}, says(func(_ *twistedToy, o *connectors.Outgoing) {
			if escaped := html.EscapeString(o.Text); connectors.Length(escaped) <= toyLimit {
				o.Text = escaped
			}
		})},
		{"returns no id", "send_text send_slow", toyManners{}, answers(func(_ *twistedToy, _ connectors.Outgoing, _ string, err error) (string, error) {
			return "", err
		})},
		{"returns the key for the id", "send_text send_slow send_answer", toyManners{}, answers(func(_ *twistedToy, o connectors.Outgoing, _ string, err error) (string, error) {
			return o.Key, err
		})},
		{"cuts a long text", "send_long", toyManners{}, says(func(_ *twistedToy, o *connectors.Outgoing) {
			for connectors.Length(o.Text) > toyLimit {
				r := []rune(o.Text)
				o.Text = string(r[:min(len(r)-1, toyLimit)])
			}
		})},
		{"counts a pair for one", "send_long", toyManners{}, says(func(_ *twistedToy, o *connectors.Outgoing) {
			if r := []rune(o.Text); len(r) == toyLimit {
				o.Text = strings.ReplaceAll(o.Text, "\U0001F4F7", "?")
			}
		})},
		{"makes a new key for every try", "send_repeat send_unsure send_concurrent", toyManners{resend: true},
			says(func(_ *twistedToy, o *connectors.Outgoing) { o.Key = newKey() })},
		{"forgets the id of a repeat", "send_repeat", toyManners{resend: true}, func(t *twistedToy) {
			var seen sync.Map
			t.send = func(ctx context.Context, o connectors.Outgoing) (string, error) {
				id, err := t.toy.Send(ctx, o)
				if _, again := seen.LoadOrStore(o.Key, true); again && id != "" {
					id = newKey()
				}
				return id, err
			}
		}},
		{"takes a repeat for an error", "send_repeat", toyManners{}, func(t *twistedToy) {
			var seen sync.Map
			t.send = func(ctx context.Context, o connectors.Outgoing) (string, error) {
				if _, again := seen.LoadOrStore(o.Key, true); again {
					return "", connectors.Errorf(connectors.Refused, "test", "conflict")
				}
				return t.toy.Send(ctx, o)
			}
		}},
	}
}

// partyMutants are wrong about who speaks, and to whom.
func partyMutants() []toyMutant {
	return []toyMutant{
		{"speaks for strangers", "send_account", toyManners{}, says(func(t *twistedToy, o *connectors.Outgoing) { o.Account = t.known(o.Account) })},
		{"knows one account's token", "send_accounts", toyManners{}, says(func(t *twistedToy, o *connectors.Outgoing) {
			if _, ok := config.FindAccount(t.config.Accounts, o.Account); ok {
				o.Account = t.config.Accounts[0].ID
			}
		})},
		{"tries for ever to reach nobody", "send_consumer", toyManners{}, errs(func(_ *twistedToy, e *connectors.Error) error {
			var answer *wire.StatusFailure
			if errors.As(e, &answer) && bytes.Contains(answer.Body, []byte("no such consumer")) {
				e.Kind = connectors.Unavailable
			}
			return e
		})},
		{"answers by token and by name", "send_reply_token", toyManners{tokens: true}, func(t *twistedToy) {
			t.send = func(ctx context.Context, o connectors.Outgoing) (string, error) {
				id, err := t.toy.Send(ctx, o)
				if o.ReplyToken != "" && err == nil {
					o.ReplyToken = ""
					_, err = t.toy.Send(ctx, o)
				}
				return id, err
			}
		}},
		{"has tokens and denies it", "send_reply_token", toyManners{}, toyEvents(func(events []connectors.Event) {
			for i := range events {
				events[i].ReplyToken = "token"
			}
		})},
		{"says one thing at a time", "send_concurrent", toyManners{}, saysOneAtATime},
	}
}

// saysOneAtATime fails a Send during which another one begins. It waits for the
// other, so that the two surely meet, with the words of that check alone.
func saysOneAtATime(t *twistedToy) {
	var led atomic.Bool
	second := make(chan struct{}, 10)
	t.send = func(ctx context.Context, o connectors.Outgoing) (string, error) {
		if !strings.HasPrefix(o.Text, "answer ") {
			return t.toy.Send(ctx, o)
		}
		if led.Swap(true) {
			second <- struct{}{}
			return t.toy.Send(ctx, o)
		}
		select {
		case <-second:
			return "", connectors.Errorf(connectors.Unavailable, "test", "busy")
		case <-time.After(5 * time.Second):
			return t.toy.Send(ctx, o)
		}
	}
}

func sendFaultMutants() []toyMutant {
	status := func(name string, kind connectors.ErrorKind, statuses ...int) toyMutant {
		return toyMutant{name, "send_status", toyManners{}, errs(func(_ *twistedToy, e *connectors.Error) error {
			var answer *wire.StatusFailure
			for _, s := range statuses {
				if errors.As(e, &answer) && answer.Status == s {
					e.Kind = kind
				}
			}
			return e
		})}
	}
	return []toyMutant{
		status("gives up when the platform fails", connectors.Refused, 500, 502),
		status("gives up when there was too much", connectors.Refused, http.StatusTooManyRequests),
		status("tries a bad request again", connectors.Unavailable, http.StatusBadRequest),
		status("blames the message for the token", connectors.Refused, http.StatusUnauthorized),
		{"takes a redirect for a success", "send_status", toyManners{}, answers(func(_ *twistedToy, _ connectors.Outgoing, id string, err error) (string, error) {
			var answer *wire.StatusFailure
			if errors.As(err, &answer) && answer.Status == http.StatusSeeOther {
				return "", nil
			}
			return id, err
		})},
		{"is always sure", "send_unsure", toyManners{}, errs(func(_ *twistedToy, e *connectors.Error) error {
			if e.Kind != connectors.Malformed {
				e.Unsure = false
			}
			return e
		})},
		{"is sure because a repeat is safe", "send_unsure", toyManners{resend: true}, errs(func(_ *twistedToy, e *connectors.Error) error {
			if e.Kind != connectors.Malformed {
				e.Unsure = false
			}
			return e
		})},
		{"is never sure", "send_unsure", toyManners{resend: true}, errs(func(_ *twistedToy, e *connectors.Error) error {
			e.Unsure = e.Unsure || e.Kind == connectors.Unavailable
			return e
		})},
		{"fails for want of an id", "send_answer", toyManners{}, answers(func(_ *twistedToy, _ connectors.Outgoing, id string, err error) (string, error) {
			if err == nil && id == "" {
				err = connectors.Errorf(connectors.Unavailable, "test", "no id")
			}
			return id, err
		})},
		{"sends at once after Retry-After", "send_retry_after", toyManners{}, errs(func(_ *twistedToy, e *connectors.Error) error {
			e.After = 0
			return e
		})},
		{"hides that Send was cancelled", "send_cancel", toyManners{}, errs(func(_ *twistedToy, e *connectors.Error) error {
			if errors.Is(e, context.Canceled) {
				e.Kind, e.Err = connectors.Unavailable, nil
			}
			return e
		})},
		{"gives up at a deadline", "send_deadline", toyManners{}, errs(func(_ *twistedToy, e *connectors.Error) error {
			if errors.Is(e, context.DeadlineExceeded) {
				e.Kind, e.Err = connectors.Refused, nil
			}
			return e
		})},
	}
}

func sendHostMutants() []toyMutant {
	return []toyMutant{
		{"takes the text to another host", "send_foreign", toyManners{}, func(t *twistedToy) {
			t.send = func(ctx context.Context, o connectors.Outgoing) (string, error) {
				id, err := t.toy.Send(ctx, o)
				if location := leadsTo(err); location != "" {
					visit(ctx, location+"?text=an+answer", "")
				}
				return id, err
			}
		}},
		{"sends to private addresses", "send_private", toyManners{}, func(t *twistedToy) {
			t.send = func(ctx context.Context, o connectors.Outgoing) (string, error) { return t.open().Send(ctx, o) }
		}},
		{"names the consumer in an error", "send_secrets", toyManners{}, answers(func(_ *twistedToy, o connectors.Outgoing, id string, err error) (string, error) {
			if err != nil {
				err = fmt.Errorf("to %s: %w", o.Consumer, err)
			}
			return id, err
		})},
		{"quotes the platform in an error", "send_secrets", toyManners{}, errs(func(_ *twistedToy, e *connectors.Error) error {
			var answer *wire.StatusFailure
			if errors.As(e, &answer) {
				e.Err = fmt.Errorf("%s: %w", answer.Body, e.Err)
			}
			return e
		})},
		{"logs the reply token", "send_secrets", toyManners{tokens: true}, says(func(t *twistedToy, o *connectors.Outgoing) {
			t.env.Log.Info("sending", "token", o.ReplyToken)
		})},
	}
}

// leadsTo returns the address to which a failed call was redirected.
func leadsTo(err error) string {
	var answer *wire.StatusFailure
	if errors.As(err, &answer) {
		return answer.Header.Get("Location")
	}
	return ""
}
