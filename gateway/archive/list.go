package archive

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lightlock/lightlock/gateway/queue"
)

// Query says which closed conversations are asked for.
type Query struct {
	// Queues are those in which they are.
	Queues []string
	// Party is one consumer's, or empty.
	Party string
	// From and To are between which times they were closed, without To; zero is no
	// bound.
	From, To time.Time
	// Text is a part of the consumer's name or id, or of what was said last, whatever
	// the case and the accents; two letters at least, or empty.
	Text string
	// After is the Next of an earlier page, or empty.
	After string
	// Limit is how many are wanted, from 1 to MaxLimit.
	Limit int
}

// Page is a part of the answer.
type Page struct {
	// Conversations are in the order in which they were closed, the newest first.
	Conversations []queue.Conversation
	// Next goes on behind these; it is empty at the end. There may be fewer than
	// wanted, or none, and more to come: only so much is looked through for one page.
	Next string
	// SearchedTo is how far back that was; zero where all was.
	SearchedTo time.Time
}

const (
	// MaxLimit is the most conversations of a page.
	MaxLimit = 200
	// mostLooked is how many conversations are looked at for a page, and lookFor about
	// how long.
	mostLooked = 2000
	lookFor    = 3 * time.Second
	// batch is how many are looked at together.
	batch = 64
	// mostHere is how many closed conversations are listed that are still in Redis.
	mostHere = 1000
	// maxText is the longest text that can be searched for, in bytes.
	maxText = 800
)

var placeName = regexp.MustCompile(`^[0-9]{13}\.[0-9a-f]{32}$`)

func (q Query) check() error {
	switch {
	case q.Limit < 1 || q.Limit > MaxLimit:
		return fmt.Errorf("%w: a limit of %d", ErrInvalid, q.Limit)
	case q.After != "" && !placeName.MatchString(q.After):
		return fmt.Errorf("%w: after is no next", ErrInvalid)
	case q.Party != "" && !partyName.MatchString(q.Party):
		return fmt.Errorf("%w: no party", ErrInvalid)
	case q.Text != "" && utf8.RuneCountInString(q.Text) < 2, len(q.Text) > maxText:
		return fmt.Errorf("%w: a text of %d bytes", ErrInvalid, len(q.Text))
	}
	for _, name := range q.Queues {
		if !queueName.MatchString(name) {
			return fmt.Errorf("%w: no queue", ErrInvalid)
		}
	}
	return nil
}

// List lists closed conversations, those too that are still in Redis.
func (a *Archive) List(ctx context.Context, q Query) (Page, error) {
	if err := q.check(); err != nil {
		return Page{}, err
	}
	s := &search{a: a, q: q, text: folded(q.Text), seen: map[string]bool{}}
	if err := s.begin(ctx); err != nil {
		return Page{}, err
	}
	ended := time.Now().Add(lookFor)
	for looked := 0; ; {
		size := min(batch, q.Limit-len(s.found))
		if q.Text != "" {
			size = batch
		}
		n, err := s.look(ctx, size)
		if err != nil {
			return Page{}, err
		}
		looked += n
		if n < size && !s.full() {
			return s.page(ctx, false)
		}
		if s.full() || looked >= mostLooked || time.Now().After(ended) {
			return s.page(ctx, true)
		}
	}
}

// search is a List under way.
type search struct {
	a       *Archive
	q       Query
	text    string
	sources []*source
	seen    map[string]bool
	found   []queue.Conversation
	last    leaf // the last that was looked at
}

// source is one of the lists that a search merges: of a queue's cards or pointers,
// or of what is in Redis.
type source struct {
	a      *Archive
	folder string // empty for Redis
	after  string
	next   []entry
	done   bool
}

// entry is a conversation in a list. One in Redis brings its head.
type entry struct {
	leaf
	here *card
}

// begin finds where each list begins.
func (s *search) begin(ctx context.Context) error {
	for _, in := range s.q.Queues {
		folder := path.Join(folderClosed, in)
		if s.q.Party != "" {
			folder = path.Join(folderParties, in, s.q.Party)
		}
		s.sources = append(s.sources, &source{a: s.a, folder: folder, after: s.start(folder)})
		here, err := s.a.Heads.ClosedHere(ctx, in, mostHere)
		if err != nil {
			return err
		}
		s.sources = append(s.sources, s.inRedis(here))
	}
	return nil
}

// start is the name behind which a list begins.
func (s *search) start(folder string) string {
	at, place := s.q.To, ""
	if !at.IsZero() {
		place = fmt.Sprintf("%013d.z", lastMilli-at.UnixMilli())
	}
	if s.q.After != "" && s.q.After+".z" > place {
		l, _ := parseLeaf("x/x/x/" + s.q.After + ".00000000.00000")
		at, place = l.closed, s.q.After+".z"
	}
	switch {
	case place == "":
		return ""
	case s.q.Party != "":
		return path.Join(folder, place)
	}
	return path.Join(folder, dayFolder(at), place)
}

// inRedis is the list of those that were closed just now. One of which Redis has a
// part has its card, unless it was closed again.
func (s *search) inRedis(here []queue.Conversation) *source {
	out := &source{done: true}
	for _, c := range here {
		if c.Partial || s.q.Party != "" && c.Party != s.q.Party {
			continue
		}
		l := leaf{queue: c.Queue, id: c.ID, closed: closedAt(c)}
		if s.q.After != "" && l.place() <= s.q.After || !s.q.To.IsZero() && !l.closed.Before(s.q.To) {
			continue
		}
		one := newCard(c)
		out.next = append(out.next, entry{l, &one})
	}
	slices.SortFunc(out.next, func(a, b entry) int { return cmp.Compare(a.place(), b.place()) })
	return out
}

// fill asks for more names where none is left.
func (s *source) fill(ctx context.Context) error {
	for len(s.next) == 0 && !s.done {
		names, err := s.a.Documents.List(ctx, s.folder, s.after, batch)
		if err != nil {
			return err
		}
		for _, name := range names {
			if l, ok := parseLeaf(name); ok {
				s.next = append(s.next, entry{leaf: l})
			}
			s.after = name
		}
		s.done = len(names) < batch
	}
	return nil
}

// pop takes the newest of what is left, or nothing.
func (s *search) pop(ctx context.Context) (e entry, ok bool, err error) {
	var from *source
	for _, one := range s.sources {
		if err := one.fill(ctx); err != nil {
			return entry{}, false, err
		}
		if len(one.next) > 0 && (from == nil || one.next[0].place() < from.next[0].place()) {
			from = one
		}
	}
	if from == nil || from.next[0].closed.Before(s.q.From) {
		return entry{}, false, nil
	}
	e, from.next = from.next[0], from.next[1:]
	for {
		// Of two cards of one conversation the later is of the newer generation.
		if err := from.fill(ctx); err != nil {
			return entry{}, false, err
		}
		if len(from.next) == 0 || from.next[0].place() != e.place() {
			return e, true, nil
		}
		e, from.next = from.next[0], from.next[1:]
	}
}

// look looks at some, and returns at how many. Fewer than size are the last.
func (s *search) look(ctx context.Context, size int) (n int, err error) {
	var entries []entry
	var stored []leaf
	for len(entries) < size {
		e, ok, err := s.pop(ctx)
		if err != nil {
			return 0, err
		}
		if !ok {
			break
		}
		entries = append(entries, e)
		if e.here == nil {
			stored = append(stored, e.leaf)
		}
	}
	loaded, err := s.a.load(ctx, stored)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		var one card
		if e.here != nil {
			one = *e.here
		} else {
			one, loaded = loaded[0], loaded[1:]
		}
		s.last = e.leaf
		s.judge(one)
		if s.full() {
			break
		}
	}
	return len(entries), nil
}

// judge takes a conversation that is asked for.
func (s *search) judge(one card) {
	c := one.conversation
	if c.ID == "" || s.seen[c.Queue+c.ID] || !strings.Contains(one.text, s.text) {
		return
	}
	s.seen[c.Queue+c.ID] = true
	s.found = append(s.found, c)
}

func (s *search) full() bool { return len(s.found) >= s.q.Limit }

// page is what was found, as Redis knows it now.
func (s *search) page(ctx context.Context, more bool) (Page, error) {
	found, err := s.a.now(ctx, s.found)
	if err != nil {
		return Page{}, err
	}
	p := Page{Conversations: found}
	if more {
		p.Next, p.SearchedTo = s.last.place(), s.last.closed
	}
	return p, nil
}

// now leaves out what a late message has opened again, and adds what Redis knows of
// the others.
func (a *Archive) now(ctx context.Context, list []queue.Conversation) ([]queue.Conversation, error) {
	ids := map[string][]string{}
	for _, c := range list {
		ids[c.Queue] = append(ids[c.Queue], c.ID)
	}
	here := map[string]queue.Conversation{}
	for in, some := range ids {
		found, err := a.Heads.Conversations(ctx, in, some)
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			here[in+c.ID] = c
		}
	}
	out := make([]queue.Conversation, 0, len(list))
	for _, c := range list {
		switch known, ok := here[c.Queue+c.ID]; {
		case !ok:
			out = append(out, c)
		case known.State != queue.ConversationOver:
		case !known.Partial:
			out = append(out, known)
		default:
			whole, err := a.Get(ctx, c.Queue, c.ID)
			if err != nil {
				return nil, err
			}
			out = append(out, whole.Conversation)
		}
	}
	return out, nil
}
