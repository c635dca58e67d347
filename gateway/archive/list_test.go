package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

// library is an archive with conversations of several queues and parties.
type library struct {
	*Archive
	t     *testing.T
	shelf *shelf
	redis *redis
}

func newLibrary(t *testing.T) *library {
	s, r := newShelf(), newRedis()
	return &library{newArchive(s, r), t, s, r}
}

func idOf(n int) string { return fmt.Sprintf("%032x", n) }

// head is the n-th conversation: closed n minutes after noon.
func head(in string, n int, name, text string) queue.Conversation {
	at := noon.Add(time.Duration(n) * time.Minute)
	return queue.Conversation{
		Queue: in, ID: idOf(n), Party: strings.Repeat("0", 60) + fmt.Sprintf("%04x", n%3), Consumer: queue.Consumer{ID: fmt.Sprintf("U%d", n), Name: name},
		State: queue.ConversationOver, OpenedAt: at.Add(-time.Minute), LastMessageAt: at, ClosedAt: at, Version: 1, Last: queue.Gist{From: queue.ActorConsumer, Text: text},
	}
}

// keep puts a conversation with messages of these ages, in days before noon.
func (l *library) keep(c queue.Conversation, days ...int) {
	l.t.Helper()
	g := generation{number: 1, snapshot: queue.Snapshot{Conversation: c}}
	for i, days := range days {
		g.snapshot.Items = append(g.snapshot.Items, queue.ConversationItem{
			ID: fmt.Sprintf("%064x", i), Position: queue.Position(int64(i + 1)), Arrival: int64(i + 1), From: queue.ActorConsumer,
			Message: &queue.MessageData{Seq: int64(i + 1), Text: fmt.Sprintf("of %d days ago", days), ReceivedAt: noon.AddDate(0, 0, -days)},
		})
	}
	if err := errors.Join(l.add(l.t.Context(), &g), l.settle(l.t.Context(), g)); err != nil {
		l.t.Fatal(err)
	}
}

// list returns the numbers of what a query finds, page by page.
func (l *library) list(q Query) (found []string) {
	l.t.Helper()
	for range 1000 {
		p, err := l.List(l.t.Context(), q)
		if err != nil {
			l.t.Fatal(err)
		}
		if len(p.Conversations) > q.Limit {
			l.t.Errorf("%d on a page, want %d at most", len(p.Conversations), q.Limit)
		}
		for _, c := range p.Conversations {
			found = append(found, c.Queue[:1]+strings.TrimLeft(c.ID, "0"))
		}
		if p.Next == "" {
			return found
		}
		q.After = p.Next
	}
	l.t.Fatal("the pages have no end")
	return nil
}

func TestList(t *testing.T) {
	l := newLibrary(t)
	for n := 1; n <= 9; n++ {
		l.keep(head([]string{"sales", "support"}[n%2], n, "Ána Ñuñez", "where is my order"))
	}
	l.redis.here = &queue.Snapshot{Conversation: head("support", 10, "Zoë", "hello")}
	all := "s10,s9,s8,s7,s6,s5,s4,s3,s2,s1"
	at := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	party := head("support", 3, "", "").Party
	for name, c := range map[string]struct {
		q    Query
		want string
	}{
		"all":                 {Query{Queues: []string{"sales", "support"}}, strings.Replace(all, "10", "a", 1)},
		"one queue":           {Query{Queues: []string{"sales"}}, "s8,s6,s4,s2"},
		"no queue":            {Query{}, ""},
		"from":                {Query{Queues: []string{"sales", "support"}, From: at(8)}, "sa,s9,s8"},
		"to":                  {Query{Queues: []string{"sales", "support"}, To: at(3)}, "s2,s1"},
		"between":             {Query{Queues: []string{"sales", "support"}, From: at(4), To: at(6)}, "s5,s4"},
		"a party":             {Query{Queues: []string{"sales", "support"}, Party: party}, "s9,s6,s3"},
		"a party of a time":   {Query{Queues: []string{"sales", "support"}, Party: party, To: at(9)}, "s6,s3"},
		"by name, no accents": {Query{Queues: []string{"support"}, Text: "NUNEZ"}, "s9,s7,s5,s3,s1"},
		"accents in the text": {Query{Queues: []string{"support"}, Text: "áná"}, "s9,s7,s5,s3,s1"},
		"in Redis":            {Query{Queues: []string{"support"}, Text: "zoe"}, "sa"},
		"by id":               {Query{Queues: []string{"sales", "support"}, Text: "u4"}, "s4"},
		"by what was said":    {Query{Queues: []string{"sales"}, Text: "my ORDER"}, "s8,s6,s4,s2"},
		"nothing":             {Query{Queues: []string{"sales", "support"}, Text: "nobody"}, ""},
	} {
		for _, c.q.Limit = range []int{1, 3, 200} {
			if got := strings.Join(l.list(c.q), ","); got != c.want {
				t.Errorf("%s, %d at a time: got %s, want %s", name, c.q.Limit, got, c.want)
			}
		}
	}
	p, err := l.List(t.Context(), Query{Queues: []string{"support"}, Limit: 2})
	if err != nil || !p.SearchedTo.Equal(at(9)) {
		t.Errorf("searched to %v, %v, want %v", p.SearchedTo, err, at(9))
	}
}

func TestWrongQueries(t *testing.T) {
	l := newLibrary(t)
	for name, q := range map[string]Query{
		"no limit":   {Queues: []string{"support"}},
		"too many":   {Queues: []string{"support"}, Limit: MaxLimit + 1},
		"one letter": {Queues: []string{"support"}, Limit: 1, Text: "ä"},
		"long":       {Queues: []string{"support"}, Limit: 1, Text: strings.Repeat("a", maxText+1)},
		"no next":    {Queues: []string{"support"}, Limit: 1, After: "../../x"},
		"no party":   {Queues: []string{"support"}, Limit: 1, Party: "../x"},
		"no queue":   {Queues: []string{"../x"}, Limit: 1},
	} {
		if _, err := l.List(t.Context(), q); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	for _, id := range []string{"", "x", "../../x", strings.ToUpper(idOf(0xabc))} {
		if _, err := l.Get(t.Context(), "support", id); !errors.Is(err, ErrNotFound) || !errors.Is(err, queue.ErrNoConversation) {
			t.Errorf("get %q: got %v, want ErrNotFound", id, err)
		}
	}
}

// A search looks at so many, and goes on where it has stopped.
func TestLongSearch(t *testing.T) {
	l := newLibrary(t)
	for n := range mostLooked + 100 {
		name := "Ana"
		if n == 5 {
			name = "Ben"
		}
		c := head("support", n, name, "hello")
		g := generation{number: 1, snapshot: queue.Snapshot{Conversation: c}}
		if err := l.show(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	p, err := l.List(t.Context(), Query{Queues: []string{"support"}, Text: "ben", Limit: 10})
	if err != nil || len(p.Conversations) != 0 || p.Next == "" || p.SearchedTo.IsZero() {
		t.Errorf("got %d, next %q, %v; want none so far", len(p.Conversations), p.Next, err)
	}
	if got := l.list(Query{Queues: []string{"support"}, Text: "ben", Limit: 10}); !slices.Equal(got, []string{"s5"}) {
		t.Errorf("got %q, want s5", got)
	}
	if n := len(l.cards.known); n > mostCards {
		t.Errorf("%d cards are remembered", n)
	}
}

func TestExpire(t *testing.T) {
	l := newLibrary(t)
	l.keep(head("support", 1, "Ana", "old"), 500, 450, 401)
	l.keep(head("support", 2, "Ana", "both"), 500, 399, 1)
	l.keep(head("support", 3, "Ana", "young"), 399, 1)
	cutoff := noon.AddDate(0, 0, -400)
	for round, want := range []int{2, 0} {
		if n, err := l.Expire(t.Context(), cutoff); err != nil || n != want {
			t.Errorf("round %d: got %d, %v, want %d", round, n, err, want)
		}
	}
	if _, err := l.Get(t.Context(), "support", idOf(1)); !errors.Is(err, ErrNotFound) {
		t.Errorf("the old one: got %v, want ErrNotFound", err)
	}
	for n, want := range map[int]int{2: 2, 3: 2} {
		if s, err := l.Get(t.Context(), "support", idOf(n)); err != nil || len(s.Items) != want {
			t.Errorf("%d: got %d messages, %v, want %d", n, len(s.Items), err, want)
		}
	}
	if got := l.list(Query{Queues: []string{"support"}, Limit: 10}); !slices.Equal(got, []string{"s3", "s2"}) {
		t.Errorf("list: got %q", got)
	}
	if n := len(l.shelf.papers); n != 6 {
		t.Errorf("%d documents are left, want three for each of two", n)
	}
	if n, err := l.Expire(t.Context(), noon.AddDate(0, 0, 1)); err != nil || n != 2 || len(l.shelf.papers) != 0 {
		t.Errorf("all of them: got %d, %v, and %d documents are left", n, err, len(l.shelf.papers))
	}
}

// Who ended between a document and its card has left one that nothing names.
func TestExpireWithoutACard(t *testing.T) {
	l := newLibrary(t)
	for n, days := range map[int][]int{1: {500}, 2: {500, 1}, 3: {1}} {
		l.keep(head("support", n, "Ana", "hello"), days...)
	}
	for _, folder := range []string{folderClosed, folderParties} {
		for name := range l.shelf.papers {
			if strings.HasPrefix(name, folder) {
				delete(l.shelf.papers, name)
			}
		}
	}
	for round, want := range []int{2, 0} {
		if n, err := l.Expire(t.Context(), noon.AddDate(0, 0, -400)); err != nil || n != want {
			t.Errorf("round %d: got %d, %v, want %d", round, n, err, want)
		}
	}
	if _, err := l.Get(t.Context(), "support", idOf(1)); !errors.Is(err, ErrNotFound) || len(l.shelf.papers) != 6 {
		t.Errorf("the old one: got %v, and %d documents, want three for each of the others", err, len(l.shelf.papers))
	}
	for _, n := range []int{2, 3} {
		if s, err := l.Get(t.Context(), "support", idOf(n)); err != nil || len(s.Items) != 1 {
			t.Errorf("%d: got %d messages, %v, want one", n, len(s.Items), err)
		}
	}
	if got := l.list(Query{Queues: []string{"support"}, Limit: 10}); !slices.Equal(got, []string{"s3", "s2"}) {
		t.Errorf("list: got %q, want those two", got)
	}
}

// Of too many conversations a part is remembered, and of those all.
func TestShown(t *testing.T) {
	s := newShown(100)
	for n := range 5000 {
		s.add(idOf(n))
	}
	if len(s.ids) > 100 || len(s.ids) < 10 {
		t.Errorf("%d are remembered", len(s.ids))
	}
	lacking := 0
	for n := range 10_000 {
		switch lacks := s.lacks(idOf(n)); {
		case lacks && n < 5000:
			t.Fatalf("%d has a card", n)
		case lacks:
			lacking++
		}
	}
	if lacking == 0 || newShown(100).lacks("not an id") || !newShown(100).lacks(idOf(1)) {
		t.Errorf("%d lack a card, want some", lacking)
	}
}

// An expiry that ends at any call is done by the next, and nothing young is lost.
func TestExpireInterrupted(t *testing.T) {
	for at := 1; ; at++ {
		l := newLibrary(t)
		l.keep(head("support", 1, "Ana", "old"), 500)
		l.keep(head("support", 2, "Ana", "both"), 500, 1)
		f := &failing{shelf: l.shelf, left: at}
		l.Documents = f
		_, err := l.Expire(t.Context(), noon.AddDate(0, 0, -400))
		l.Documents = l.shelf
		if s, err := l.Get(t.Context(), "support", idOf(2)); err != nil || len(s.Items) == 0 {
			t.Errorf("after call %d: got %d messages, %v", at, len(s.Items), err)
		}
		if _, err := l.Expire(t.Context(), noon.AddDate(0, 0, -400)); err != nil || len(l.shelf.papers) != 3 {
			t.Errorf("the next after call %d: %v, and %d documents, want three of one conversation", at, err, len(l.shelf.papers))
		}
		if s, err := l.Get(t.Context(), "support", idOf(2)); err != nil || len(s.Items) != 1 {
			t.Errorf("at last: got %d messages, %v, want one", len(s.Items), err)
		}
		if err == nil && f.left > 0 {
			return
		}
	}
}

// failing is a shelf that fails for ever after some calls.
type failing struct {
	*shelf
	left int
}

func (f *failing) call() error {
	if f.left--; f.left < 0 {
		return errDied
	}
	return nil
}

func (f *failing) Put(ctx context.Context, name string, data []byte) error {
	return errors.Join(f.call(), f.unless(func() error { return f.shelf.Put(ctx, name, data) }))
}

func (f *failing) Delete(ctx context.Context, name string) error {
	return errors.Join(f.call(), f.unless(func() error { return f.shelf.Delete(ctx, name) }))
}

func (f *failing) unless(do func() error) error {
	if f.left < 0 {
		return nil
	}
	return do()
}

// A conversation that is too long for a document has several, and is one.
func TestLongConversation(t *testing.T) {
	l := newLibrary(t)
	c := head("support", 1, "Ana", "long")
	g := generation{number: 1, snapshot: queue.Snapshot{Conversation: c}}
	for i := range 35 {
		g.snapshot.Items = append(g.snapshot.Items, queue.ConversationItem{
			ID: fmt.Sprintf("%064x", i), Position: queue.Position(int64(i + 1)), From: queue.ActorConsumer,
			Message: &queue.MessageData{Text: strings.Repeat(fmt.Sprint(i%10), 100_000), ReceivedAt: noon},
		})
	}
	if err := errors.Join(l.add(t.Context(), &g), l.settle(t.Context(), g)); err != nil {
		t.Fatal(err)
	}
	if len(g.parts) == 0 {
		t.Error("3.5 MB went into one document")
	}
	s, err := l.Get(t.Context(), "support", c.ID)
	if err != nil || !same(s, g.snapshot) {
		t.Errorf("got %d items, %v, want %d", len(s.Items), err, len(g.snapshot.Items))
	}
	// Another generation takes its place, and all its documents go.
	again := generation{number: 2, snapshot: queue.Snapshot{Conversation: c, Items: g.snapshot.Items[:1]}}
	if err := errors.Join(l.add(t.Context(), &again), l.settle(t.Context(), again)); err != nil {
		t.Fatal(err)
	}
	if n := len(l.shelf.papers); n != 3 {
		t.Errorf("%d documents are left, want three", n)
	}
}

// What one cannot read is never taken for what is not there.
func TestDamagedDocuments(t *testing.T) {
	l := newLibrary(t)
	l.keep(head("support", 1, "Ana", "hello"), 1)
	name := documentOf("support", idOf(1), 1)
	for what, data := range map[string][]byte{"cut": l.shelf.papers[name][:20], "text": []byte("{}"), "empty": {}} {
		l.shelf.papers[name] = data
		if _, err := l.Get(t.Context(), "support", idOf(1)); !errors.Is(err, store.ErrDamaged) || errors.Is(err, ErrNotFound) {
			t.Errorf("%s: got %v, want ErrDamaged", what, err)
		}
	}
}
