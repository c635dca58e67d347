package queue_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
)

func TestAReplyStandsBehindWhatWasAccepted(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, _ redis.UniversalClient) {
		e := write(t, j, "a")
		accept(t, j, "b") // it is on its way
		_, err := j.Reply(t.Context(), q, reply(e, "too early", ben))
		wantTheirs(t, "ben answers what is nobody's", err, queue.Agent{})
		assign(t, j, e.Conversation, ben)
		for _, name := range []string{"one", "two"} {
			want(t, "reply", true)(j.Reply(t.Context(), q, reply(e, name, ben)))
		}
		want(t, "reply again", false)(j.Reply(t.Context(), q, reply(e, "one", ben)))
		_, err = j.Reply(t.Context(), q, reply(e, "three", eva))
		wantTheirs(t, "eva answers", err, ben)
		b := begun(t, j)
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), b, ended(b)))
		list := items(t, j, e.Conversation)
		if got := texts(list); len(got) != 4 || got[0] != "a" || got[1] != "b" || got[2] != "one" || got[3] != "two" || list[2].Position != 2<<20+1 {
			t.Errorf("got %q, positions %d and %d", got, list[2].Position, list[3].Position)
		}
		if r := list[2]; r.From != queue.ActorAgent || r.Arrival != 0 || r.Reply.By.Agent != ben || r.Reply.Delivery.State != queue.ResultWaiting {
			t.Errorf("got %+v", r)
		}
		c := conversation(t, j, e.Conversation)
		if !c.LastReplyAt.Equal(at9.Add(time.Hour)) || !c.WaitingSince.Equal(at9.Add(2*time.Minute)) || c.Last.Text != "two" || c.Last.From != queue.ActorAgent {
			t.Errorf("got %+v, want it to wait since the message that came after the reply", c)
		}
	})
}

func TestAnAnswerEndsTheWaiting(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, _ redis.UniversalClient) {
		e := write(t, j, "a")
		r := reply(e, "answer", ben)
		r.Agent, r.Said.By = queue.AnyAgent, queue.Actor{Kind: queue.ActorService, Agent: queue.Agent{ID: "bot"}}
		want(t, "reply", true)(j.Reply(t.Context(), q, r))
		if c := conversation(t, j, e.Conversation); !c.WaitingSince.IsZero() || c.State != queue.ConversationWaiting {
			t.Errorf("got %+v, want it answered, and nobody's", c)
		}
		write(t, j, "b")
		if c := conversation(t, j, e.Conversation); !c.WaitingSince.Equal(at9.Add(2 * time.Minute)) {
			t.Errorf("got %+v", c)
		}
	})
}

// A conversation that is answered is open for as long as one in which the consumer has
// written: the next message must find it.
func TestAnAnswerKeepsTheConversationTheConsumersOwn(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, client redis.UniversalClient) {
		e := write(t, j, "a")
		pointer, err := client.Keys(t.Context(), "*:conv:*").Result()
		if err != nil || len(pointer) != 1 {
			t.Fatalf("got %q, %v", pointer, err)
		}
		client.PExpire(t.Context(), pointer[0], time.Hour) // it is late
		r := reply(e, "answer", ben)
		r.Agent = queue.AnyAgent
		want(t, "reply", true)(j.Reply(t.Context(), q, r))
		if left := client.PTTL(t.Context(), pointer[0]).Val(); left < 30*24*time.Hour {
			t.Errorf("it is found for %v more, want 30 days and more", left)
		}
	})
}

func TestWhatBecameOfAReply(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, client redis.UniversalClient) {
		e := benHas(t, j, client)
		delivery := func(name string, want queue.Result, detail string) {
			t.Helper()
			list, err := j.ItemsByID(t.Context(), q, e.Conversation, []string{hash(name)})
			if err != nil || len(list) != 1 || list[0].Reply.Delivery.State != want || list[0].Reply.Delivery.Detail != detail || list[0].Reply.Delivery.At.IsZero() {
				t.Errorf("%s: got %+v, %v; want %s", name, list, err, want)
			}
		}
		receipt := func(name string, r queue.Result, detail string) {
			t.Helper()
			if err := j.Receipt(t.Context(), q, hash(name), r, detail); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"a1", "a2", "a3"} {
			want(t, "reply", true)(j.Reply(t.Context(), q, reply(e, name, ben)))
		}
		delivery("a1", queue.ResultWaiting, "")
		receipt("id 1", queue.ResultDelivered, "") // of which nothing is known yet
		send(t, j, e, queue.ResultSent, "id 1", hash("id 1"))
		delivery("a1", queue.ResultSent, "")
		receipt("id 1", queue.ResultDelivered, "")
		receipt("id 1", queue.ResultDelivered, "")
		delivery("a1", queue.ResultDelivered, "")
		send(t, j, e, queue.ResultFailed, "the platform refused it", "")
		delivery("a2", queue.ResultFailed, "the platform refused it")
		send(t, j, e, queue.ResultSent, "id 3", hash("id 3"))
		receipt("id 3", queue.ResultFailed, "not on WhatsApp")
		receipt("id 3", queue.ResultDelivered, "")
		delivery("a3", queue.ResultFailed, "not on WhatsApp")
		if ttl := client.PTTL(t.Context(), keyOf("sent:"+hash("id 3"))).Val(); ttl < 71*time.Hour || ttl > 72*time.Hour {
			t.Errorf("the receipt is awaited for %v, want three days", ttl)
		}
	})
}

func TestWhatBecameOfANotice(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, client redis.UniversalClient) {
		complete := func(name string) queue.Entry {
			acceptItems(t, j, named(queue.ItemMessage, name, name))
			e := begun(t, j)
			end := ended(e)
			end.Notice = &queue.Notice{Key: hash("notice " + name), Payload: []byte("too large")}
			want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, end))
			return e
		}
		notice := func(e queue.Entry, i int, want queue.Result) {
			t.Helper()
			if n := items(t, j, e.Conversation)[i].Notice; n == nil || n.State != want {
				t.Errorf("got %+v, want %s", n, want)
			}
		}
		a := complete("a")
		notice(a, 0, queue.ResultWaiting)
		send(t, j, a, queue.ResultSent, "id", "")
		notice(a, 0, queue.ResultSent)
		client.Del(t.Context(), keyOf("noticed:"+hash("party")))
		b := complete("b")
		acceptItems(t, j, named(queue.ItemUnsend, "unsend", "b"))
		want(t, "unsend", queue.Mine)(j.Complete(t.Context(), begun(t, j), queue.End{Document: []byte("unsent"), Chat: unsendOf("b", 2)}))
		send(t, j, b, queue.ResultSent, "id", "")
		if n := items(t, j, b.Conversation)[1].Notice; n != nil {
			t.Errorf("got %+v on a tombstone", n)
		}
		if write(t, j, "c"); items(t, j, b.Conversation)[2].Notice != nil {
			t.Error("a message without a notice has one")
		}
	})
}

func TestWhatWasSaidBeforeTheCloseIsSent(t *testing.T) {
	for name, row := range map[string]struct {
		close func(t testing.TB, j *queue.Journal, id string)
		open  bool
	}{
		"by an agent":     {func(t testing.TB, j *queue.Journal, id string) { closing(t, j, id) }, true},
		"by the consumer": {func(t testing.TB, j *queue.Journal, _ string) { leave(t, j) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			onChats(t, func(t *testing.T, j *queue.Journal, client redis.UniversalClient) {
				e := benHas(t, j, client)
				want(t, "reply", true)(j.Reply(t.Context(), q, reply(e, "goodbye", ben)))
				row.close(t, j, e.Conversation)
				version := conversation(t, j, e.Conversation).Version
				want(t, "archived", false)(j.Archived(t.Context(), q, e.Conversation, version))
				s, err := j.Claim(t.Context(), q, e.Conversation+" "+hash("party"))
				if err != nil || s == nil || s.Open != row.open {
					t.Errorf("got %+v, %v; want it to be open %v", s, err, row.open)
				}
			})
		})
	}
}

func TestTheArchiveGetsWhatIsClosed(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, client redis.UniversalClient) {
		e := benHas(t, j, client)
		write(t, j, "b")
		open := conversation(t, j, e.Conversation)
		want(t, "archived while it is open", false)(j.Archived(t.Context(), q, e.Conversation, open.Version))
		over := closing(t, j, e.Conversation)
		gatewaytest.Await(t, "it is due", func() bool {
			ids, err := j.Closed(t.Context(), q, 5)
			return err == nil && len(ids) == 1 && ids[0] == e.Conversation
		})
		want(t, "archived as it was", false)(j.Archived(t.Context(), q, e.Conversation, open.Version))
		last, err := j.LastChange(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			want(t, "archived", true)(j.Archived(t.Context(), q, e.Conversation, over.Version))
		}
		changes, err := j.Changes(t.Context(), q, last, 5, 0)
		if err != nil || len(changes) != 1 || !changes[0].Gone || changes[0].Conversation != e.Conversation {
			t.Errorf("got %+v, %v", changes, err)
		}
		if ids, err := j.Closed(t.Context(), q, 5); err != nil || len(ids) != 0 {
			t.Errorf("got %v, %v", ids, err)
		}
		for _, key := range client.Keys(t.Context(), "*:chat*").Val() {
			t.Errorf("%s is left", key)
		}
		// One that comes again is not taken for the one that was archived.
		acceptItems(t, j, named(queue.ItemUnsend, "unsend", "a"))
		un := begun(t, j)
		un.Conversation = e.Conversation
		want(t, "unsend", queue.Mine)(j.Complete(t.Context(), un, queue.End{Document: []byte("unsent"), Chat: unsendOf("a", 1)}))
		if again := conversation(t, j, e.Conversation); again.Version <= over.Version || !again.Partial {
			t.Errorf("got %+v after version %d", again, over.Version)
		}
	})
}

func TestAnIdleConversationIsClosed(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		client := connect(t, address)
		patient := journalOn(t, client, queue.Options{})
		e := write(t, patient, "a")
		assign(t, patient, e.Conversation, ben)
		want(t, "idle", 0)(patient.CloseIdle(t.Context(), q, 10))
		hasty := journalOn(t, client, queue.Options{ConversationFor: time.Millisecond})
		gatewaytest.Await(t, "it is closed", func() bool {
			n, err := hasty.CloseIdle(t.Context(), q, 10)
			if err != nil {
				t.Fatal(err)
			}
			return n == 1
		})
		if c := conversation(t, patient, e.Conversation); c.State != queue.ConversationOver || c.ClosedBy.Kind != queue.ActorIdle || c.Agent != ben {
			t.Errorf("got %+v", c)
		}
		if docs := closedDocument(t, client); len(docs) != 1 || docs[0] != ".closed idle " {
			t.Errorf("software is told %q", docs)
		}
		want(t, "idle", 0)(hasty.CloseIdle(t.Context(), q, 10))
	})
}

// A consumer who writes for ever fills the archive, and not Redis.
func TestAConversationHasAnEnd(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, client redis.UniversalClient) {
		e := benHas(t, j, client)
		for n, arrived := range []int{9998, 9999} {
			client.HSet(t.Context(), keyOf("chat:"+e.Conversation), "arrived", arrived)
			write(t, j, "message "+strconv.Itoa(arrived))
			want(t, "closed", n)(j.CloseIdle(t.Context(), q, 10))
		}
		if c := conversation(t, j, e.Conversation); c.State != queue.ConversationOver {
			t.Errorf("got %+v, want it closed", c)
		}
		if next := write(t, j, "b"); next.Conversation == e.Conversation {
			t.Error("the next message did not open another")
		}
	})
}
