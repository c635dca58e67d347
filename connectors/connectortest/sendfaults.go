package connectortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

// sendFaultChecks are about platforms and ways to them that do not work.
func sendFaultChecks() []check {
	return []check{
		{"send_status", "every HTTP status that is no success is an error of the kind that fits", speaking(checkSendStatus)},
		{"send_unsure", "an error is Unsure where the message may have been sent, and only there", speaking(checkSendUnsure)},
		{"send_answer", "a success that cannot be read is a success without an id, or Unsure", speaking(checkSendAnswer)},
		{"send_retry_after", "the time that the platform asks to wait is carried on", speaking(checkSendRetryAfter)},
		{"send_slow", "a slow answer is read to its end", speaking(checkSendSlow)},
		{"send_cancel", "a cancelled Send ends and says context.Canceled", speaking(checkSendCancel)},
		{"send_deadline", "a Send ends at its deadline", speaking(checkSendDeadline)},
	}
}

func checkSendStatus(d dialogue) error {
	steps, err := d.sendSteps()
	if err != nil {
		return err
	}
	for k := range steps {
		for status := 300; status < 600; status++ {
			d.fault(steps, k, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(status) })
			err := d.try(d.ctx, d.connector)
			// Where a Key is known again, a conflict says that it is.
			if err == nil && status == http.StatusConflict && d.subject.Channel.Texts.Resend {
				continue
			}
			if err := judgeAnswer(status, err); err != nil {
				return fmt.Errorf("HTTP %d at step %d of %d: %w", status, k+1, len(steps), err)
			}
		}
	}
	return nil
}

// judgeAnswer returns an error unless err is right for the status of a call that
// wants an effect.
func judgeAnswer(status int, err error) error {
	switch {
	case status == 401 || status == 407:
		return wantKind(err, connectors.Misconfigured)
	case status == 429:
		return wantKind(err, connectors.Throttled)
	case status == 408 || status == 425 || status >= 500:
		return wantKind(err, connectors.Unavailable, connectors.Throttled)
	case status < 400:
		return wantKind(err, connectors.Unavailable, connectors.Refused, connectors.Misconfigured)
	}
	return refusal(err, connectors.Refused, connectors.Gone, connectors.Misconfigured)
}

// cut is a way in which an answer is lost.
type cut struct {
	name, bytes string
	reset       bool
}

// lostAnswers are what comes back when the request has arrived and the answer
// gets lost.
func lostAnswers() []cut {
	return []cut{
		{"no answer", "", false},
		{"a reset instead of an answer", "", true},
		{"an answer that is no HTTP", "SSH-2.0-hello\r\n", false},
		{"half a header", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", false},
		{"a proxy that got no answer", "HTTP/1.1 504 Gateway Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", false},
	}
}

func checkSendUnsure(d dialogue) error {
	steps, err := d.sendSteps()
	if err != nil {
		return err
	}
	for _, c := range lostAnswers() {
		d.lose(steps, c)
		if err := d.unsure(d.try(d.ctx, d.connector)); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	ctx, cancel := context.WithCancel(d.ctx)
	defer cancel()
	err = d.amid(steps, false, cancel, func() error { return d.try(ctx, d.connector) })
	if !connectors.UnsureOf(err) {
		return fmt.Errorf("cancelled after the request had arrived: got %w, want it Unsure", err)
	}
	return errors.Join(d.sendsAgain(steps), d.nobodyThere())
}

// lose lets the last step have its effect, and its answer be lost.
func (b *bench) lose(steps []step, c cut) {
	b.fault(steps, len(steps)-1, func(w http.ResponseWriter, r *http.Request, h http.Handler) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(httptest.NewRecorder(), r)
		raw(w, c.bytes, c.reset)
	})
}

// unsure returns an error unless err asks for another try, and says that the
// first may have reached the consumer.
func (d dialogue) unsure(err error) error {
	if found := wantKind(err, connectors.Unavailable); found != nil {
		return found
	}
	if !connectors.UnsureOf(err) {
		return fmt.Errorf("got %w, want it Unsure", err)
	}
	return nil
}

// sendsAgain repeats a message whose answer was lost, where that is safe.
func (d dialogue) sendsAgain(steps []step) error {
	if !d.subject.Channel.Texts.Resend {
		return nil
	}
	before := len(d.platform.Sent())
	d.lose(steps, lostAnswers()[0])
	o := d.answer("once")
	_, err := d.connector.Send(d.ctx, o)
	if err := d.unsure(err); err != nil {
		return err
	}
	d.platform.Wrap(nil)
	if _, err := d.connector.Send(d.ctx, o); err != nil {
		return fmt.Errorf("the same Key after a lost answer: %w", err)
	}
	if n := len(d.platform.Sent()) - before; n != 1 {
		return fmt.Errorf("the same Key after a lost answer: the consumer got %d messages, want 1", n)
	}
	return nil
}

// nobodyThere ends the platform and writes to the port where it was.
func (d dialogue) nobodyThere() error {
	_ = d.platform.Close()
	// Another connector, because this one may hold a connection that is over.
	c, err := d.build(d.settings, time.Now)
	if err != nil {
		return err
	}
	if err := refusal(d.try(d.ctx, c), connectors.Unavailable); err != nil {
		return fmt.Errorf("connection refused: %w", err)
	}
	return nil
}

func checkSendAnswer(d dialogue) error {
	steps, err := d.sendSteps()
	if err != nil {
		return err
	}
	last := len(steps) - 1
	keyed, err := d.keyed()
	if err != nil {
		return err
	}
	for what, body := range map[string]string{
		"nothing": "", "a page": "<!DOCTYPE html><title>ok</title>", "half an object": `{"id":"1`, "null": "null", "a list": "[]", "a number": "5",
		"odd types": `{"id":{},"sid":[],"message_id":5.5,"messages":5,"sentMessages":{},"data":[],"status":"x","message_token":{}}`,
		"depth":     strings.Repeat(`{"a":`, 10_000), "bytes": "\xff\xfe\x00",
	} {
		d.fault(steps, last, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.WriteHeader(steps[last].status)
			_, _ = io.WriteString(w, body)
		})
		if err := d.readsAnswer(keyed); err != nil {
			return fmt.Errorf("an answer of %s: %w", what, err)
		}
	}
	left := d.endless(steps, last)
	if err := d.readsAnswer(keyed); err != nil {
		return fmt.Errorf("an endless answer: %w", err)
	}
	return d.await(left, "the end of the connection of an endless answer")
}

// keyed tells whether the platform takes a message's Key for its id, so that its
// answer names none.
func (d dialogue) keyed() (bool, error) {
	o := d.answer("its id")
	if _, err := d.connector.Send(d.ctx, o); err != nil {
		return false, err
	}
	id, err := d.arrived(len(d.platform.Sent()), o)
	return id == o.Key, err
}

// readsAnswer sends a message and returns an error unless it was a success
// without an id that was read, or a failure that may have been one.
func (d dialogue) readsAnswer(keyed bool) error {
	o := d.answer("an answer")
	id, err := d.connector.Send(d.ctx, o)
	switch {
	case err == nil && id != "" && (!keyed || id != o.Key):
		return fmt.Errorf("got id %.100q, want none", id)
	case err != nil && !connectors.UnsureOf(err):
		return fmt.Errorf("got %w, which is not Unsure", err)
	}
	return nil
}

func checkSendRetryAfter(d dialogue) error {
	steps, err := d.sendSteps()
	if err != nil {
		return err
	}
	for k := range steps {
		for _, status := range []int{429, 503} {
			d.fault(steps, k, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(status)
			})
			err := d.try(d.ctx, d.connector)
			if got := connectors.AfterOf(err); got != 7*time.Second {
				return fmt.Errorf("HTTP %d with Retry-After: 7 at step %d: got %v (%w), want 7s", status, k+1, got, err)
			}
		}
	}
	return nil
}

func checkSendSlow(d dialogue) error {
	steps, err := d.sendSteps()
	if err != nil {
		return err
	}
	before := len(d.platform.Sent())
	begun, more := make(chan struct{}), make(chan struct{})
	d.fault(steps, len(steps)-1, func(w http.ResponseWriter, r *http.Request, h http.Handler) {
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		trickle(w, answer, begun, more)
	})
	var id string
	got, o := make(chan error, 1), d.answer("a slow answer")
	go func() {
		var err error
		id, err = d.connector.Send(d.ctx, o)
		got <- err
	}()
	if err := d.await(begun, "the call"); err != nil {
		return err
	}
	close(more)
	if err := <-got; err != nil {
		return err
	}
	want, err := d.arrived(before+1, o)
	if err == nil && id != want {
		err = fmt.Errorf("got id %q, want %q", id, want)
	}
	return err
}

// trickle passes on an answer byte by byte. It closes begun after the first one
// and goes on when more is closed.
func trickle(w http.ResponseWriter, answer *httptest.ResponseRecorder, begun, more chan struct{}) {
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	flush := http.NewResponseController(w)
	_ = flush.Flush()
	var once sync.Once
	pause := func() { once.Do(func() { close(begun); <-more }) }
	for _, c := range answer.Body.Bytes() {
		_, _ = w.Write([]byte{c})
		_ = flush.Flush()
		pause()
	}
	pause()
}

func checkSendCancel(d dialogue) error {
	steps, err := d.sendSteps()
	if err != nil {
		return err
	}
	return d.cancels(steps, func(ctx context.Context) error { return d.try(ctx, d.connector) })
}

func checkSendDeadline(d dialogue) error {
	steps, err := d.sendSteps()
	if err != nil {
		return err
	}
	return d.expires(steps, func(ctx context.Context) error { return d.try(ctx, d.connector) })
}
