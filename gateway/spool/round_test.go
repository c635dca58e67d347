package spool

import (
	"errors"
	"slices"
	"testing"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
)

// puttingAside opens a spool of two files that were put aside as they are, with
// the webhooks 0 to n-1 and n to 2n-1.
func puttingAside(t *testing.T, n int, d *desk, edit ...func(*Options)) *Spool {
	t.Helper()
	folder, bad := spooled(t, n), &disk{err: errors.New("structure needs cleaning"), mended: true}
	d.set(queue.ErrAway)
	s := open(t, folder, d, append(edit, fast, bad.on)...)
	for i := range n {
		accept(t, s, n+i)
	}
	bad.mended = false
	for range 3 { // two fail
		_ = s.backlogs[q].drain(t.Context())
	}
	bad.mended = true
	d.set(nil)
	if got := s.Stats()[1]; got.Aside != 2 || got.Records != 0 {
		t.Fatalf("got %+v, want two files aside", got)
	}
	return s
}

// What is spooled while a round goes on comes next: it waits for one batch of what
// is aside at most, and the round goes on behind it to its end.
func TestNewWebhooksComeBeforeWhatIsAside(t *testing.T) {
	const n = 2*batchItems + 50
	for _, arrives := range []int{0, n - 1} { // amid a file, and at its end
		d := &desk{}
		s := puttingAside(t, n, d)
		body, err := contents{items: []queue.Item{item("new")}}.pack()
		if err != nil {
			t.Fatal(err)
		}
		came := false
		d.when(func(items []queue.Item, _ []queue.Letter) error {
			has := func(i queue.Item) bool { return i.Key == key(arrives) }
			if !came && slices.ContainsFunc(items, has) {
				came = true
				return s.backlogs[q].append(t.Context(), body)
			}
			return nil
		})
		run(t, s)
		gatewaytest.Await(t, "all are handed in", func() bool { return len(d.got(q)) == 2*n+1 })
		at := slices.Index(d.got(q), key("new"))
		if at > arrives+batchItems {
			t.Errorf("it came behind %d of what is aside, and while number %d was handed in", at, arrives)
		}
		gatewaytest.Await(t, "the files are gone", func() bool { used, _ := s.Bytes(); return used == 0 })
		wantNothingLeft(t, s)
	}
}

// refusing makes the journal refuse these events for good, and their letters too.
func (d *desk) refusing(letters bool, names ...any) {
	bad := keys(names...)
	d.when(func(items []queue.Item, buried []queue.Letter) error {
		refused := slices.ContainsFunc(items, func(i queue.Item) bool { return slices.Contains(bad, i.Key) }) ||
			letters && slices.ContainsFunc(buried, func(l queue.Letter) bool { return slices.Contains(bad, l.Key) })
		if refused {
			return errors.New("WRONGTYPE")
		}
		return nil
	})
}

// A file that the journal refuses holds up no other, and uses up nobody's patience
// but its own.
func TestAFileThatIsRefused(t *testing.T) {
	d, text := &desk{}, &gatewaytest.Log{}
	s := puttingAside(t, 2, d, logTo(text))
	d.refusing(true, 0, 3)
	for range refusals + 1 {
		again(t, s)
	}
	want(t, "journal", d.got(q), keys(2))
	if got := s.Stats()[1].Aside; got != 2 || len(d.letters) != 0 {
		t.Errorf("%d files are aside with %d letters, want two and none\n%s", got, len(d.letters), text)
	}
	d.refusing(false, 0, 3)
	again(t, s)
	want(t, "letters too", d.got(q), keys(2, 0, 1, 3))
	wantNothingLeft(t, s)
}

// A webhook that waits in order has all its tries, however often what is aside was
// refused before, and the other way round.
func TestRefusalsAreCountedApart(t *testing.T) {
	d := &desk{}
	s := puttingAside(t, 1, d)
	d.set(queue.ErrAway)
	accept(t, s, "new")
	d.refusing(false, 0, 1, "new")
	for try := range refusals - 1 {
		s.backlogs[q].round()
		for range 2 { // each ends its turn behind one file, because something waits
			if err := s.backlogs[q].again(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.backlogs[q].drain(t.Context()); err == nil || len(d.got(q)) != 0 {
			t.Fatalf("try %d: got %v with %v, want a refusal and nothing", try, err, d.got(q))
		}
	}
	drainAll(t, s)
	again(t, s)
	want(t, "letters", d.got(q), keys("new", 0, 1))
	wantNothingLeft(t, s)
}
