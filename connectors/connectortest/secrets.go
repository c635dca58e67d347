package connectortest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

// canary is what a consumer says in confidence.
const canary = "canary sings at night"

// secretChecks are about what must never be printed.
func secretChecks() []check {
	return []check{
		{"secrets_in_errors", "no error holds a secret, a right signature, a URL's query or a consumer's words", checkSecretsInErrors},
		{"secrets_in_log", "no log line holds a secret or a consumer's words", checkSecretsInLog},
		{"secrets_in_events", "no event holds a secret", checkSecretsInEvents},
	}
}

// leaks looks for what must not be printed.
type leaks []string

// secretLeaks returns what nobody may learn about a connector, in each form in
// which it might be written.
func secretLeaks(s config.Settings) leaks { return secretForms(secretsOf(s)) }

func secretForms(secrets []string) leaks {
	var l leaks
	for _, secret := range secrets {
		b64 := base64.StdEncoding.EncodeToString([]byte(secret))
		l = append(l, secret, url.QueryEscape(secret), strings.TrimRight(b64, "="))
	}
	return l
}

// in returns an error if text holds one of them. The error does not repeat it.
func (l leaks) in(where, text string) error {
	for i, leak := range l {
		if strings.Contains(text, leak) {
			return fmt.Errorf("%s holds a text that must not be printed (number %d)", where, i)
		}
	}
	return nil
}

// inError looks at err and at everything below it, printed in every way.
func (l leaks) inError(where string, err error) error {
	if err == nil {
		return nil
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Error("failed", "err", err)
	slog.New(slog.NewTextHandler(&log, nil)).Error("failed", "err", err)
	text := fmt.Sprintf("%v %+v %#v %s %q ", err, err, err, err, err) + log.String()
	if found := l.in(where, text); found != nil {
		return found
	}
	//nolint:errorlint // Every error of the chain is looked at, one by one.
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return l.inError(where, e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, below := range e.Unwrap() {
			if found := l.inError(where, below); found != nil {
				return found
			}
		}
	}
	return nil
}

func checkSecretsInErrors(b *bench) error {
	return b.provoke(func(secret leaks, where string, err error) error { return secret.inError(where, err) })
}

func checkSecretsInLog(b *bench) error {
	if err := b.provoke(func(leaks, string, error) error { return nil }); err != nil {
		return err
	}
	return append(secretLeaks(b.settings), canary, "canary").in("the log", b.log.String())
}

// provoke makes the connector fail in many ways and hands every error to look,
// together with what must not be in it.
func (b *bench) provoke(look func(secret leaks, where string, err error) error) error {
	requests, err := b.deliver(sim.Said{ID: "secret", Consumer: "ada", Name: "canary", Text: canary, At: at()})
	if err != nil {
		return err
	}
	for _, r := range requests {
		if err := b.provokeWebhook(r, look); err != nil {
			return err
		}
	}
	return b.provokeFetch(look)
}

func (b *bench) provokeWebhook(r *connectors.Request, look func(leaks, string, error) error) error {
	secret := append(secretLeaks(b.settings), canary, "canary")
	_, name, value, err := signature(b.connector, r)
	if err == nil {
		// A forger must not be told the right one. Its beginning may be the
		// name of the method.
		secret = append(secret, value[len(value)/4:])
	}
	for i, body := range garbage(document(r), 50) {
		changed := with(r, body)
		if err := look(secret, fmt.Sprintf("the error of Parse of garbage %d", i), parseError(b.connector, changed)); err != nil {
			return err
		}
	}
	for _, forged := range []string{"", "x", strings.Repeat("A", len(value)), value + " "} {
		changed := clone(r)
		changed.Header[name] = []string{forged}
		if err := look(secret, "the error of Verify of a forgery", b.connector.Verify(changed)); err != nil {
			return err
		}
		changed.URL += "?token=" + canary
		if err := look(secret, "the error of Verify at another address", b.connector.Verify(changed)); err != nil {
			return err
		}
	}
	return nil
}

// parseError returns the error of Parse, or none if it panics.
func parseError(c connectors.Connector, r *connectors.Request) (err error) {
	defer func() { _ = recover() }()
	_, err = c.Parse(r)
	return err
}

// provokeFetch lets the platform answer with all that it was told in
// confidence.
func (b *bench) provokeFetch(look func(leaks, string, error) error) error {
	p, steps, err := b.photoAndSteps()
	if err != nil {
		return err
	}
	secret := append(secretLeaks(b.settings), canary, url.QueryEscape(canary))
	for k := range steps {
		for _, status := range []int{200, 202, 302, 400, 401, 403, 404, 418, 429, 500, 503, 999, 0} {
			b.fault(steps, k, func(w http.ResponseWriter, r *http.Request, _ http.Handler) { echoes(w, r, status) })
			stream, err := b.connector.Fetch(b.ctx, p)
			if err == nil {
				_, err = io.Copy(io.Discard, stream)
				err = errors.Join(err, stream.Close())
			}
			if err := look(secret, fmt.Sprintf("the error of Fetch after HTTP %d", status), err); err != nil {
				return err
			}
		}
	}
	for _, ref := range []string{"http://h/?" + canary, canary, p.Ref + "?" + canary, "https://u:" + canary + "@h/"} {
		q := p
		q.Ref = ref
		_, err := fetch(b.ctx, b.connector, q)
		if err := look(secret, "the error of Fetch of a wrong reference", err); err != nil {
			return err
		}
	}
	return nil
}

// echoes answers with the request's own credentials and words wherever they
// fit.
func echoes(w http.ResponseWriter, r *http.Request, status int) {
	body, _ := io.ReadAll(r.Body)
	told := r.Header.Get("Authorization") + " " + r.URL.RawQuery + " " + canary
	if status == 0 {
		// net/http quotes the word in the status's place in an error of its own,
		// which wire keeps as a cause and does not print.
		raw(w, "HTTP/1.1 none "+told+"\r\n"+told+"\r\n\r\n", false)
		return
	}
	w.Header().Set("Location", "http://"+r.Host+"/?token="+url.QueryEscape(told))
	w.Header().Set("WWW-Authenticate", told)
	w.Header().Set("Retry-After", told)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	told += " " + string(body)
	failure := map[string]any{"message": told, "code": 100, "type": told, "detail": told}
	failure["error"] = maps.Clone(failure)
	failure["errors"], failure["details"] = []any{failure["error"]}, []any{failure["error"]}
	failure["status"], failure["status_message"], failure["reason"] = 3, told, told
	_ = json.NewEncoder(w).Encode(failure)
}

func checkSecretsInEvents(b *bench) error {
	events, err := b.events(text("one"), withPhotos("two", picture(1)))
	if err != nil {
		return err
	}
	for _, e := range events {
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if err := secretLeaks(b.settings).in("an event", string(line)); err != nil {
			return err
		}
	}
	return nil
}
