package archive

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

const (
	// partBytes is about how many bytes of items stand in a document. One more item
	// always fits.
	partBytes = store.MaxBytes - 1<<20
	// worthPacking is from how many bytes on a document is compressed. Cards are not:
	// the effort is for some hundred bytes.
	worthPacking = 2 << 10
	// unpacked is the most that a document may become, against one that was made to
	// become much more.
	unpacked = 2 * store.MaxBytes
	// form is how a generation is written. Another is a newer gateway's.
	form = 1
	// mostNames is how many names a conversation may have: generations and parts.
	mostNames = 1000
	// looks is how often the newest generation is looked for while others make newer
	// ones.
	looks = 5
)

// generation is a conversation as it is stored.
type generation struct {
	number   int
	parts    []string // the names of its other documents
	snapshot queue.Snapshot
}

// written is the document of a generation.
type written struct {
	Form         int                      `json:"form"`
	Conversation queue.Conversation       `json:"conversation"`
	Items        []queue.ConversationItem `json:"items"`
	Parts        []string                 `json:"parts,omitempty"`
}

// write puts a generation, its last document last, or returns store.ErrExists
// where another one has its number.
func (a *Archive) write(ctx context.Context, g *generation) error {
	c := g.snapshot.Conversation
	pages, err := paged(g.snapshot.Items)
	if err != nil {
		return err
	}
	random := make([]byte, 16)
	_, _ = rand.Read(random) // never fails, by its documentation
	for n, page := range pages[1:] {
		name := partOf(c.Queue, c.ID, g.number, hex.EncodeToString(random), n+1)
		g.parts = append(g.parts, name)
		if err := a.put(ctx, name, written{Form: form, Items: page}); err != nil {
			return err
		}
	}
	return a.put(ctx, documentOf(c.Queue, c.ID, g.number), written{Form: form, Conversation: c, Items: pages[0], Parts: g.parts})
}

// paged divides items so that each page fits into a document.
func paged(items []queue.ConversationItem) ([][]queue.ConversationItem, error) {
	pages, size := [][]queue.ConversationItem{nil}, 0
	for _, item := range items {
		text, err := json.Marshal(item)
		if err != nil {
			return nil, err
		}
		if size += len(text); size > partBytes {
			pages, size = append(pages, nil), len(text)
		}
		last := len(pages) - 1
		pages[last] = append(pages[last], item)
	}
	return pages, nil
}

func (a *Archive) put(ctx context.Context, name string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if len(text) < worthPacking {
		return a.Documents.Put(ctx, name, text)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err = z.Write(text); err == nil {
		err = z.Close()
	}
	if err != nil {
		return err
	}
	return a.Documents.Put(ctx, name, packed.Bytes())
}

func (a *Archive) read(ctx context.Context, name string, into any) error {
	packed, err := a.Documents.Get(ctx, name)
	if err != nil {
		return err
	}
	text := packed
	if !bytes.HasPrefix(packed, []byte("{")) {
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return store.ErrDamaged
		}
		if text, err = io.ReadAll(io.LimitReader(z, unpacked)); err != nil {
			return store.ErrDamaged
		}
	}
	if json.Unmarshal(text, into) != nil {
		return store.ErrDamaged
	}
	return nil
}

// newest returns the generation that holds, or store.ErrNotFound.
func (a *Archive) newest(ctx context.Context, in, id string) (g generation, err error) {
	err = a.latest(ctx, in, id, func(number int) (err error) {
		name := documentOf(in, id, number)
		var ok bool
		if g, ok = a.recent.get(name); ok {
			return nil
		}
		if g, err = a.generation(ctx, in, id, number); err == nil {
			a.recent.keep(name, g)
		}
		return err
	})
	return g, err
}

// latest calls look with the number of the newest generation, once more where that is
// deleted meanwhile, which is when there is a newer one.
func (a *Archive) latest(ctx context.Context, in, id string, look func(number int) error) error {
	for range looks {
		names, err := a.names(ctx, in, id)
		if err != nil {
			return err
		}
		number := highest(names)
		if number == 0 {
			return store.ErrNotFound
		}
		if err := look(number); !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return fmt.Errorf("the conversation changes all the while: %w", errBusy)
}

var errBusy = errors.New("others are at it")

// names are those of a conversation's generations and of their parts.
func (a *Archive) names(ctx context.Context, in, id string) ([]string, error) {
	return a.Documents.List(ctx, folderOf(in, id), "", mostNames)
}

// highest is the number of the newest generation that is whole, or zero.
func highest(names []string) (most int) {
	for _, name := range names {
		if number, part, ok := numberOf(name); ok && !part {
			most = max(most, number)
		}
	}
	return most
}

// generation reads one, in its turn.
func (a *Archive) generation(ctx context.Context, in, id string, number int) (generation, error) {
	leave, err := a.turns.take(ctx)
	if err != nil {
		return generation{}, err
	}
	defer leave()
	var w written
	if err := a.read(ctx, documentOf(in, id, number), &w); err != nil {
		return generation{}, err
	}
	if err := checkForm(w.Form); err != nil {
		return generation{}, err
	}
	g := generation{number: number, parts: w.Parts, snapshot: queue.Snapshot{Conversation: w.Conversation, Items: w.Items}}
	for _, name := range w.Parts {
		var part written
		if err := a.read(ctx, name, &part); err != nil {
			return generation{}, err
		}
		g.snapshot.Items = append(g.snapshot.Items, part.Items...)
	}
	return g, nil
}

func checkForm(got int) error {
	switch {
	case got < form:
		return store.ErrDamaged
	case got > form:
		return errors.New("a newer gateway has written it, in another form")
	}
	return nil
}

// leaf is what the names of a generation's card and pointer say.
func (g generation) leaf() leaf {
	c := g.snapshot.Conversation
	l := leaf{queue: c.Queue, id: c.ID, party: c.Party, closed: closedAt(c), generation: g.number, oldest: dayOf(closedAt(c))}
	if !partyName.MatchString(l.party) {
		l.party = nobody
	}
	for _, item := range g.snapshot.Items {
		l.oldest = min(l.oldest, dayOf(timeOf(item, c)))
	}
	return l
}

// show puts the pointer and the card of a generation. The pointer is there for as
// long as the card, so that one which nothing names any more is found by it.
func (a *Archive) show(ctx context.Context, g generation) error {
	l := g.leaf()
	if err := a.Documents.Put(ctx, l.pointer(), nil); err != nil {
		return err
	}
	return a.put(ctx, l.card(), g.snapshot.Conversation)
}

// hide removes a card and its pointer.
func (a *Archive) hide(ctx context.Context, l leaf) error {
	if err := a.Documents.Delete(ctx, l.card()); err != nil {
		return err
	}
	return a.Documents.Delete(ctx, l.pointer())
}

// clean removes the generations before one, their cards first, and parts that
// nobody has finished. Where others have made a newer one meanwhile, it takes back
// the card of this one, and is store.ErrExists.
func (a *Archive) clean(ctx context.Context, g generation) error {
	c := g.snapshot.Conversation
	names, err := a.names(ctx, c.Queue, c.ID)
	if err != nil {
		return err
	}
	if highest(names) > g.number {
		return errors.Join(a.hide(ctx, g.leaf()), store.ErrExists)
	}
	for _, name := range names {
		number, part, ok := numberOf(name)
		if !ok || number > g.number || name == documentOf(c.Queue, c.ID, g.number) || slices.Contains(g.parts, name) {
			continue
		}
		if !part {
			if err := a.hideOld(ctx, c, number); err != nil {
				return err
			}
		}
		if err := a.Documents.Delete(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// hideOld removes the card and pointer of an earlier generation.
func (a *Archive) hideOld(ctx context.Context, c queue.Conversation, number int) error {
	old, err := a.generation(ctx, c.Queue, c.ID, number)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return a.hide(ctx, old.leaf())
}
