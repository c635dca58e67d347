package archive

import (
	"context"
	"errors"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/sync/errgroup"
	"golang.org/x/text/cases"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

const (
	// mostCards is how many cards are remembered, of about 1 kB each.
	mostCards = 4096
	// readAtOnce is how many are read at once.
	readAtOnce = 16
)

// card is the head of a stored conversation, and what a search looks at.
type card struct {
	conversation queue.Conversation
	text         string
}

// cards remembers some. A card never changes; one whose conversation has a newer
// generation is not listed any more.
type cards struct {
	mu    sync.Mutex
	known map[string]card // by name
}

func (c *cards) get(name string) (card, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.known[name]
	return known, ok
}

func (c *cards) keep(name string, one card) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[string]card{}
	}
	for other := range c.known {
		if len(c.known) < mostCards {
			break
		}
		delete(c.known, other)
	}
	c.known[name] = one
}

// load reads cards at once. Of those that are gone the head has no ID.
func (a *Archive) load(ctx context.Context, leaves []leaf) ([]card, error) {
	found := make([]card, len(leaves))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readAtOnce)
	for i, l := range leaves {
		known, ok := a.cards.get(l.card())
		if ok {
			found[i] = known
			continue
		}
		group.Go(func() error {
			var c queue.Conversation
			err := a.read(ctx, l.card(), &c)
			if errors.Is(err, store.ErrNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			found[i] = newCard(c)
			a.cards.keep(l.card(), found[i])
			return nil
		})
	}
	return found, group.Wait()
}

func newCard(c queue.Conversation) card {
	return card{c, folded(strings.Join([]string{c.Consumer.Name, c.Consumer.ID, c.Last.Text}, "\x00"))}
}

// folded is a text without accents and in one case, as a search compares it.
func folded(text string) string {
	plain, _, err := transform.String(transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn)), cases.Fold(), norm.NFC), text)
	if err != nil {
		return strings.ToLower(text)
	}
	return plain
}
