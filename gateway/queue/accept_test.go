package queue_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

func TestTheSameEventEightTimesAtOnceIsOneEntry(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		var together sync.WaitGroup
		start := make(chan struct{})
		answers := make([]queue.Accepted, 8)
		for i := range answers {
			j := journal(t, address, queue.Options{})
			together.Go(func() {
				<-start
				accepted, err := j.Accept(t.Context(), q, []queue.Item{item("a")})
				if err != nil {
					t.Error(err)
					return
				}
				answers[i] = accepted[0]
			})
		}
		close(start)
		together.Wait()
		fresh := 0
		for _, answer := range answers {
			if answer.New {
				fresh++
			}
			if answer.Conversation != answers[0].Conversation || answer.Seq != 1 {
				t.Errorf("got %+v beside %+v", answer, answers[0])
			}
		}
		if fresh != 1 {
			t.Errorf("%d of 8 copies were new, want 1", fresh)
		}
		wantCounts(t, journal(t, address, queue.Options{}), counts{waiting: 1})
	})
}

func TestConversationsAreNumberedPerParty(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j := journal(t, address, queue.Options{})
		other := queue.Item{Kind: queue.ItemMessage, Key: hash("other"), Party: hash("another party")}
		got, err := j.Accept(t.Context(), q, []queue.Item{item("a"), other, item("b"), item("a")})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []queue.Accepted{
			{New: true, Fate: queue.FateAccepted, Conversation: got[0].Conversation, Seq: 1},
			{New: true, Fate: queue.FateAccepted, Conversation: got[1].Conversation, Seq: 1},
			{New: true, Fate: queue.FateAccepted, Conversation: got[0].Conversation, Seq: 2},
			{New: false, Fate: queue.FateRepeated, Conversation: got[0].Conversation, Seq: 1},
		} {
			if got[i] != want {
				t.Errorf("item %d: got %+v, want %+v", i, got[i], want)
			}
		}
		if got[0].Conversation == got[1].Conversation || len(got[0].Conversation) != 32 {
			t.Errorf("got conversations %q and %q", got[0].Conversation, got[1].Conversation)
		}
		if next := accept(t, j, "c")[0]; next.Conversation != got[0].Conversation || next.Seq != 3 {
			t.Errorf("the next request got %+v", next)
		}
		wantCounts(t, j, counts{waiting: 4})
	})
}

func TestAnIdleConversationEndsAndTheNextMessageOpensAnother(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	j := journal(t, address, queue.Options{ConversationFor: 20 * time.Millisecond, WithoutConversations: true})
	first := accept(t, j, "a")[0]
	conv := "{" + queue.Stream(q) + "}:conv:" + hash("party")
	client := connect(t, address)
	gatewaytest.Await(t, "the conversation has expired", func() bool { return client.Exists(t.Context(), conv).Val() == 0 })
	if next := accept(t, j, "b")[0]; next.Conversation == first.Conversation || next.Seq != 1 {
		t.Errorf("got %+v after %+v", next, first)
	}
}

func TestTheDefaultsAreThoseOfTheDesign(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	j, client, slot := journal(t, address, queue.Options{}), connect(t, address), "{"+queue.Stream(q)+"}:"
	accept(t, j, "a")
	for key, want := range map[string]time.Duration{
		slot + "seen:" + hash("a"):     8 * 24 * time.Hour,
		slot + "conv:" + hash("party"): 32 * 24 * time.Hour,
	} {
		if got := client.PTTL(t.Context(), key).Val(); got > want || got < want-time.Minute {
			t.Errorf("%s lives for %v, want %v", key, got, want)
		}
	}
	if got := j.Lease(); got != time.Minute {
		t.Errorf("got a lease of %v, want 60 s", got)
	}
}

// A mark may expire while its event still waits, if no worker ran for 8 days.
// The event's repeat is a second entry then, and still has no second effect.
func TestARepeatAfterTheMarkExpiredHasNoSecondEffect(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	forgetful, j := journal(t, address, queue.Options{SeenFor: 10 * time.Millisecond}), journal(t, address, queue.Options{Lease: atOnce})
	client := connect(t, address)
	mark := "{" + queue.Stream(q) + "}:seen:" + hash("a")
	for range 3 {
		accept(t, forgetful, "a")
		gatewaytest.Await(t, "the mark has expired", func() bool { return client.Exists(t.Context(), mark).Val() == 0 })
	}
	wantCounts(t, j, counts{waiting: 3})
	entries, err := j.Take(t.Context(), q, queue.Words, 3, 0)
	if err != nil || len(entries) != 3 {
		t.Fatalf("got %d entries, error %v", len(entries), err)
	}
	first, second, third := entries[0], entries[1], entries[2]
	begin(t, j, &first)
	begin(t, j, &second) // has the event's only attempt from now on
	want(t, "first", queue.Other)(j.Complete(t.Context(), first, queue.End{Document: []byte("first")}))
	want(t, "second", queue.Mine)(j.Complete(t.Context(), second, queue.End{Document: []byte("second")}))
	if err := j.Begin(t.Context(), &third, ""); !errors.Is(err, queue.ErrFenced) {
		t.Fatalf("begin of the third: got %v, want ErrFenced", err)
	}
	first = takeOver(t, j)
	if err := j.Begin(t.Context(), &first, ""); !errors.Is(err, queue.ErrFenced) {
		t.Fatalf("begin of the first again: got %v, want ErrFenced", err)
	}
	wantCounts(t, j, counts{delivered: 1})
}

// The mark may also expire while an attempt is at work, and the event's repeat
// be buried. Its one effect is that of the attempt, and its letter is the one that
// the attempt leaves, if any.
func TestAnAttemptAtABuriedEventHasItsOneEffect(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	j, client := journal(t, address, queue.Options{}), connect(t, address)
	mark := "{" + queue.Stream(q) + "}:seen:" + hash("a")
	for what, test := range map[string]struct {
		end  queue.End
		want counts
	}{
		"complete": {queue.End{Document: []byte("document")}, counts{delivered: 1}},
		"dead":     {queue.End{Cause: "hopeless", Document: []byte("document")}, counts{delivered: 1, dead: 1}},
	} {
		client.FlushAll(t.Context())
		accept(t, j, "a")
		e := begun(t, j)
		client.Del(t.Context(), mark)
		want(t, "bury", true)(bury(t, j, queue.Letter{Key: hash("a")}))
		want(t, what, queue.Mine)(j.Complete(t.Context(), e, test.end))
		want(t, what+" again", queue.Mine)(j.Complete(t.Context(), e, test.end))
		wantCounts(t, j, test.want)
	}
}

func TestAcceptRefusesWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	address := queuetest.Redis(t)
	j := journal(t, address, queue.Options{})
	good := item("good")
	large := item("large")
	large.Payload = make([]byte, queue.MaxPayload+1)
	for name, test := range map[string]struct {
		queue string
		item  queue.Item
	}{
		"queue with a brace": {"shop}:x", good},
		"queue in capitals":  {"Shop", good},
		"no queue":           {"", good},
		"long queue":         {strings.Repeat("a", 65), good},
		"no key":             {q, queue.Item{Party: good.Party}},
		"key that is text":   {q, queue.Item{Kind: queue.ItemMessage, Key: "../../etc/passwd-0123456789", Party: good.Party}},
		"party with a brace": {q, queue.Item{Kind: queue.ItemMessage, Key: good.Key, Party: "{x}0123456789abcdef"}},
		"payload too large":  {q, large},
	} {
		_, err := j.Accept(t.Context(), test.queue, []queue.Item{good, test.item})
		if !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	wantCounts(t, j, counts{})
	large.Payload = large.Payload[:queue.MaxPayload]
	if _, err := j.Accept(t.Context(), q, []queue.Item{large}); err != nil {
		t.Errorf("payload of exactly the limit: %v", err)
	}
	if accepted, err := j.Accept(t.Context(), q, nil); err != nil || len(accepted) != 0 {
		t.Errorf("no events: got %v, %v", accepted, err)
	}
}
