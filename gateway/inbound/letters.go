package inbound

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/routes"
)

// ReadLetter is a dead letter as far as it can be understood.
type ReadLetter struct {
	// Account is the account's name when the event was accepted, or the connector's
	// that it came by if there was no such account; empty if not even that is known.
	Account string
	// Kind is the event's, or empty where it does not parse.
	Kind string
	// Raw is the platform's own text as far as it was kept, else what the journal
	// kept. It is a consumer's words.
	Raw []byte
}

// Read understands a letter as far as possible.
func Read(l queue.Letter) ReadLetter {
	read := ReadLetter{Account: l.Connector, Raw: l.Raw}
	if l.Content != queue.ContentPayload {
		return read
	}
	j, err := decodeJob(l.Raw)
	if err != nil {
		return read
	}
	if j.Account != "" {
		read.Account = j.Account
	}
	read.Kind = string(j.Event.Kind)
	if len(j.Event.Raw) > 0 {
		read.Raw = j.Event.Raw
	}
	return read
}

// Refusal says in a sentence why a dead letter cannot be given another try.
type Refusal struct{ Reason string }

// Error implements error.
func (r Refusal) Error() string { return r.Reason }

// Reviver gives dead letters another try. It needs no gateway to run.
type Reviver struct {
	Journal *queue.Journal
	Routes  *routes.Table
	// Doubtful retries also what may have reached the agents before.
	Doubtful bool
}

// Retry puts a letter's event where it was before it died: into the journal, or,
// if it never was there, through acceptance, as if the platform had just sent it.
// Two retries at once have one effect; an event that has left the letters
// meanwhile is left alone. Its error is a Refusal where no repeat would help.
func (r Reviver) Retry(ctx context.Context, name string, l queue.Letter) error {
	switch {
	case l.Doubtful && !r.Doubtful:
		return Refusal{"it may have reached the agents before; where they do not have it, retry it with --doubtful"}
	case l.Journaled():
		return r.revive(ctx, name, l)
	case len(l.Raw) < l.RawBytes:
		return Refusal{fmt.Sprintf("only %d of its %d bytes are kept", len(l.Raw), l.RawBytes)}
	case l.Content == queue.ContentPayload:
		return r.accept(ctx, name, l)
	case l.Content == queue.ContentWebhook:
		return r.parse(ctx, name, l)
	}
	return Refusal{"it is one event that did not parse, out of a webhook whose rest was accepted; look at it with show, or drop it"}
}

// revive puts an event back that was in the journal.
func (r Reviver) revive(ctx context.Context, name string, l queue.Letter) error {
	l.Raw = revived(l.Raw)
	failpoint.Hit(failpoint.BeforeRevive)
	outcome, err := r.Journal.Revive(ctx, name, l)
	failpoint.Hit(failpoint.AfterRevive)
	switch {
	case err != nil:
		return err
	case outcome == queue.Withdrawn:
		return Refusal{"its sender has taken the message back"}
	case outcome == queue.Told:
		return Refusal{"it has reached the agents, and there are no photos that could follow"}
	}
	return err
}

// accept takes in an event that was parsed, and then had no account.
func (r Reviver) accept(ctx context.Context, name string, l queue.Letter) error {
	j, err := decodeJob(l.Raw)
	if errors.Is(err, errNewerJob) {
		return Refusal{"a newer release has written it, and should retry it"}
	}
	if err != nil {
		return Refusal{err.Error()}
	}
	route, _, err := r.Routes.Find(j.Channel, j.Event.Account)
	if err != nil {
		return Refusal{fmt.Sprintf("no connector of channel %.20q has an account with the platform's id %.80q; add it to the configuration first", j.Channel, j.Event.Account)}
	}
	b := newBatch(route, j.ReceivedAt)
	b.add(j.Event)
	return r.take(ctx, name, l, b)
}

// parse reads a whole webhook once more, which this release may understand.
func (r Reviver) parse(ctx context.Context, name string, l queue.Letter) error {
	route, ok := r.route(l.Connector)
	if !ok {
		return Refusal{fmt.Sprintf("no connector is named %.80q any more", l.Connector)}
	}
	events, err := route.Connector.Parse(&connectors.Request{
		Method: http.MethodPost, URL: route.URL, Header: http.Header{}, Body: l.Raw, ReceivedAt: l.DiedAt,
	})
	if err != nil {
		return Refusal{"it still does not parse: " + err.Error()}
	}
	b := newBatch(route, l.DiedAt)
	for _, e := range events {
		b.sort(e)
	}
	return r.take(ctx, name, l, b)
}

func (r Reviver) route(name string) (*routes.Route, bool) {
	for _, route := range r.Routes.All() {
		if route.Name == name {
			return route, true
		}
	}
	return nil, false
}

// take makes a batch durable, and then removes the letter that it was made of. If
// this is interrupted in between, the next retry accepts nothing twice and
// removes the letter. A letter that a platform's repeat has made anew meanwhile
// stays.
func (r Reviver) take(ctx context.Context, name string, l queue.Letter, b *batch) error {
	if same := b.letter(name, l.Key); same != nil {
		return Refusal{same.Cause}
	}
	if there, err := r.Journal.Unbury(ctx, name, l.Key); err != nil || !there {
		return err
	}
	failpoint.Hit(failpoint.MidRetake)
	for _, to := range slices.Sorted(maps.Keys(b.letters)) {
		if _, err := r.Journal.Bury(ctx, to, b.letters[to]); err != nil {
			return err
		}
	}
	for _, to := range slices.Sorted(maps.Keys(b.items)) {
		for i := range b.items[to] {
			b.items[to][i].ReceivedAt = b.at
		}
		if _, err := r.Journal.Accept(ctx, to, b.items[to]); err != nil {
			return err
		}
	}
	failpoint.Hit(failpoint.BeforeUnlist)
	_, err := r.Journal.ClearLetters(ctx, name, l.Key)
	return err
}
