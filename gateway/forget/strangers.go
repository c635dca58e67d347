package forget

import (
	"context"
	"slices"

	"github.com/lightlock/lightlock/gateway/archive"
	"github.com/lightlock/lightlock/gateway/queue"
)

// strangers looks for conversations on accounts that are not configured any more, of
// which the platform's id is not known: their heads tell.
func (r *run) strangers(ctx context.Context) error {
	if r.who.Only != "" && r.configured(r.who.Only) {
		return nil
	}
	for c, err := range r.Journal.Heads(ctx, r.in) {
		if err == nil {
			err = r.look(ctx, "conversations")
		}
		if err == nil {
			err = r.stranger(ctx, c)
		}
		if err != nil {
			return err
		}
	}
	if r.who.Only == "" && len(r.who.Accounts) > 0 {
		return nil
	}
	return r.storedStrangers(ctx)
}

func (r *run) configured(account string) bool {
	return slices.ContainsFunc(r.who.Accounts, func(a Account) bool { return a.Name == account })
}

func (r *run) stranger(ctx context.Context, c queue.Conversation) error {
	if c.Consumer.ID != r.who.ID || c.Party == "" || r.who.Only != "" && c.Account != r.who.Only {
		return nil
	}
	_, err := r.party(ctx, c.Account, c.Party)
	return err
}

// storedStrangers looks through all of the archive, which only who names such an
// account has to wait for.
func (r *run) storedStrangers(ctx context.Context) error {
	q := archive.Query{Queues: []string{r.in}, Text: r.who.ID, Limit: archive.MaxLimit}
	for more := true; more; more = q.After != "" {
		page, err := r.Archive.List(ctx, q)
		if err != nil {
			return err
		}
		if err := r.look(ctx, "closed conversations"); err != nil {
			return err
		}
		for _, c := range page.Conversations {
			if err := r.stranger(ctx, c); err != nil {
				return err
			}
		}
		q.After = page.Next
	}
	return nil
}
