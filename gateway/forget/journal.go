package forget

import (
	"context"
	"errors"
	"strings"

	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/queue"
)

// letters destroys the consumer's dead letters.
func (r *run) letters(ctx context.Context) error {
	for l, err := range r.Journal.AllLetters(ctx, r.in, queue.Span{}) {
		if err == nil {
			err = r.look(ctx, "dead letters")
		}
		if err == nil {
			err = r.letter(ctx, l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) letter(ctx context.Context, l queue.Letter) error {
	o, p, err := r.author(ctx, l)
	if err != nil || p == nil {
		return err
	}
	attempts, err := r.Journal.LetterAttempts(ctx, r.in, l)
	if err != nil {
		return err
	}
	if err := r.erase(ctx, l.Key, append(attempts, r.attempts(o.Photos)...)); err != nil {
		return err
	}
	there := true
	if !r.Dry {
		there, err = r.Journal.ForgetLetter(ctx, p.Forgetting, l.Key)
	}
	if there {
		r.report.note(p.account, Letters, 1)
		r.report.notePhotos(p.account, o.Photos)
	}
	return err
}

// author tells whether a letter is the consumer's. One of which nothing could be read
// is, if it has the consumer's id in it: then it is of nobody else's use either.
func (r *run) author(ctx context.Context, l queue.Letter) (o inbound.Origin, p *party, err error) {
	if l.Content == queue.ContentPayload {
		if o, err = inbound.OriginOf(l.Raw); err == nil {
			p, err = r.meant(ctx, o)
			return o, p, err
		}
	}
	ours := r.who.Only == "" || l.Connector == r.who.Only || strings.HasPrefix(r.who.Only, l.Connector+"/")
	if !ours || !inbound.Mentions(l.Raw, r.who.ID) {
		return inbound.Origin{}, nil, nil
	}
	return inbound.Origin{}, &party{account: l.Connector, Forgetting: queue.Forgetting{Queue: r.in, At: l.DiedAt}}, nil
}

// journal takes the consumer's events out of the journal, and destroys their pictures.
func (r *run) journal(ctx context.Context) error {
	if err := r.events(ctx); err != nil {
		return err
	}
	for _, p := range r.parties {
		if err := r.attemptsOf(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// attemptsOf deletes the pictures of events that were taken out of the journal, by
// this run or by one that ended too early.
func (r *run) attemptsOf(ctx context.Context, p *party) error {
	if r.Dry {
		return nil
	}
	attempts, err := r.Journal.TheirAttempts(ctx, p.Forgetting)
	if err == nil {
		err = r.deletePictures(ctx, attempts)
	}
	if err == nil {
		err = r.Journal.AttemptsDone(ctx, p.Forgetting, attempts)
	}
	return err
}

func (r *run) events(ctx context.Context) error {
	seen := map[string]bool{}
	for e, err := range r.Journal.Journaled(ctx, r.in) {
		switch {
		case errors.Is(err, queue.ErrInvalid):
			r.report.Unreadable++
			continue
		case err == nil:
			err = r.look(ctx, "messages that wait")
		}
		if err == nil && (!r.Dry || !seen[e.Key]) {
			err = r.event(ctx, e)
		}
		if err != nil {
			return err
		}
		if r.Dry {
			seen[e.Key] = true
		}
	}
	return nil
}

func (r *run) event(ctx context.Context, e queue.Entry) error {
	o, err := inbound.OriginOf(e.Payload)
	if err != nil {
		return nil //nolint:nilerr // the worker buries it
	}
	p, err := r.meant(ctx, o)
	if err != nil || p == nil {
		return err
	}
	if r.Dry {
		r.report.note(p.account, Waiting, 1)
		r.report.notePhotos(p.account, o.Photos)
		return nil
	}
	gone, err := r.Journal.ForgetEvent(ctx, p.Forgetting, e)
	if err != nil || !gone.There {
		return err
	}
	place := Waiting
	if gone.InWork {
		place = InWork
	}
	r.report.note(p.account, place, 1)
	r.report.notePhotos(p.account, o.Photos)
	return nil
}
