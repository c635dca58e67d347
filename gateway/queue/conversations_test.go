package queue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue"
)

// onChats runs a test against both kinds of Redis, with a journal on each.
func onChats(t *testing.T, test func(t *testing.T, j *queue.Journal, client redis.UniversalClient)) {
	t.Helper()
	onBoth(t, func(t *testing.T, address string) {
		client := connect(t, address)
		test(t, journalOn(t, client, queue.Options{Lease: atOnce, PromiseFor: 1, ArchiveAfter: 1}), client)
	})
}

func TestAMessageOpensAConversation(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, _ redis.UniversalClient) {
		first := write(t, j, "a")
		second := write(t, j, "b")
		got := conversation(t, j, first.Conversation)
		want := queue.Conversation{
			Queue: q, ID: first.Conversation, Party: hash("party"), Channel: "line", Account: "line/acme", AccountID: "B1", Consumer: ana,
			State: queue.ConversationWaiting, OpenedAt: at9.Add(time.Minute), LastMessageAt: at9.Add(2 * time.Minute), WaitingSince: at9.Add(time.Minute),
			Arrived: 2, Last: queue.Gist{From: queue.ActorConsumer, Text: "b"}, Version: got.Version,
		}
		if got != want || !got.Open() || got.Unread() != 2 {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
		list := items(t, j, first.Conversation)
		if len(list) != 2 || list[0].ID != first.Key || list[1].ID != second.Key || list[1].Position != 2<<20 || list[1].Arrival != 2 ||
			list[1].Message.Text != "b" || list[1].From != queue.ActorConsumer {
			t.Errorf("got %+v", list)
		}
		waiting, next, total, err := j.Waiting(t.Context(), q, "", 10)
		got.Place = got.WaitingSince.UnixMilli()
		if err != nil || len(waiting) != 1 || waiting[0] != got || next != "" || total != 1 {
			t.Errorf("got %+v, next %q, %d in all, error %v", waiting, next, total, err)
		}
		if _, err := j.Conversation(t.Context(), q, hash("none")); !errors.Is(err, queue.ErrNoConversation) {
			t.Errorf("got %v, want ErrNoConversation", err)
		}
		if _, _, err := j.Items(t.Context(), q, hash("none"), queue.ItemRange{Limit: 5}); !errors.Is(err, queue.ErrNoConversation) {
			t.Errorf("got %v, want ErrNoConversation", err)
		}
	})
}

func TestWithoutConversationsNothingIsKept(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		client := connect(t, address)
		j := journalOn(t, client, queue.Options{WithoutConversations: true})
		e := write(t, j, "a")
		leave(t, j)
		for _, key := range client.Keys(t.Context(), "*").Val() {
			if strings.Contains(key, "chat") || strings.Contains(key, "changes") || strings.Contains(key, "conv:") {
				t.Errorf("there is %s", key)
			}
		}
		if _, err := j.Conversation(t.Context(), q, e.Conversation); !errors.Is(err, queue.ErrNoConversation) {
			t.Errorf("got %v", err)
		}
	})
}

// A message of an entry that an older release has accepted ends as ever.
func TestAnEndWithoutNewsCompletes(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, _ redis.UniversalClient) {
		accept(t, j, "a")
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), begun(t, j), queue.End{Document: []byte("document"), Party: hash("party")}))
		wantCounts(t, j, counts{delivered: 1})
	})
}

func TestPhotosThatSettleTakeThePlaceOfPendingOnes(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, _ redis.UniversalClient) {
		photos(t, j, "shop", "a")
		e := beginPhoto(t, j, "a")
		one := telling("received")
		one.Message, one.Chat = "", said(e, queue.Photo{ID: "p", Status: queue.Pending})
		want(t, "tell", queue.Mine)(j.Tell(t.Context(), e, one))
		before := conversation(t, j, e.Conversation)
		if before.Arrived != 1 || before.Last.Photos != 1 {
			t.Errorf("got %+v", before)
		}
		end := ended(e)
		end.Told, end.Chat = one.ID, said(e, queue.Photo{ID: "p", Status: queue.Ready})
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, end))
		list, after := items(t, j, e.Conversation), conversation(t, j, e.Conversation)
		if len(list) != 1 || list[0].Arrival != 1 || list[0].Message.Photos[0].Status != queue.Ready {
			t.Errorf("got %+v", list)
		}
		if after.Version <= before.Version || after.Arrived != 1 {
			t.Errorf("got %+v after %+v", after, before)
		}
	})
}

func TestEditsAndUnsendsInAConversation(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, client redis.UniversalClient) {
		e := write(t, j, "a", "b")
		n := 0
		change := func(kind queue.ItemKind, u *queue.ChatUpdate) {
			t.Helper()
			n++
			name := fmt.Sprint(kind, n)
			acceptItems(t, j, named(kind, name, name))
			want(t, "complete", queue.Mine)(j.Complete(t.Context(), begun(t, j), queue.End{Document: []byte(kind), Chat: u}))
		}
		change(queue.ItemEdit, editOf("b", "edited text", 2))
		list, head := items(t, j, e.Conversation), conversation(t, j, e.Conversation)
		if list[1].Edit == nil || list[1].Edit.Text != "edited text" || !list[1].Edit.At.Equal(at9) || list[1].Message.Text != "b" || head.Last.Text != "edited text" {
			t.Errorf("got %+v, %+v", list[1], head)
		}
		change(queue.ItemUnsend, unsendOf("b", 2))
		change(queue.ItemEdit, editOf("b", "too late", 2))
		change(queue.ItemEdit, editOf("never here", "lost", 9))
		list, head = items(t, j, e.Conversation), conversation(t, j, e.Conversation)
		if len(list) != 2 || list[1].Message != nil || list[1].Edit != nil || !list[1].UnsentAt.Equal(at9) || list[1].Arrival != 2 || list[1].Position != 2<<20 {
			t.Errorf("got %+v, want a tombstone", list)
		}
		if head.Last != (queue.Gist{From: queue.ActorConsumer, Unsent: true}) {
			t.Errorf("got %+v", head.Last)
		}
		for _, value := range client.HGetAll(t.Context(), keyOf("chat:"+e.Conversation+":items")).Val() {
			if strings.Contains(value, "edited text") {
				t.Errorf("got %q, want nothing of what was unsent", value)
			}
		}
	})
}

// What has left for the archive is not made again, only told of.
func TestChangesOfWhatIsInTheArchive(t *testing.T) {
	for _, kind := range []queue.ItemKind{queue.ItemEdit, queue.ItemUnsend, queue.ItemMessage} {
		t.Run(string(kind), func(t *testing.T) {
			onChats(t, func(t *testing.T, j *queue.Journal, client redis.UniversalClient) {
				photos(t, j, "shop", "a")
				e := beginPhoto(t, j, "a")
				one := telling("received")
				one.Message, one.Chat = "", said(e, queue.Photo{ID: "p", Status: queue.Pending})
				want(t, "tell", queue.Mine)(j.Tell(t.Context(), e, one))
				leave(t, j)
				forgetChats(t, client)
				end := queue.End{Document: []byte("settled"), Told: one.ID, Chat: said(e, queue.Photo{ID: "p", Status: queue.Ready})}
				switch kind {
				case queue.ItemEdit:
					end.Chat = editOf("a", "anew", 1)
				case queue.ItemUnsend:
					end.Chat = unsendOf("a", 1)
				}
				want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, end))
				got := conversation(t, j, e.Conversation)
				if !got.Partial || got.State != queue.ConversationOver || got.Arrived != 0 || got.Late {
					t.Errorf("got %+v", got)
				}
				list := items(t, j, e.Conversation)
				if len(list) != 1 || list[0].ID != e.Key || list[0].Position != 1<<20 || list[0].Arrival != 0 ||
					(list[0].Edit != nil) != (kind == queue.ItemEdit) || list[0].UnsentAt.IsZero() == (kind == queue.ItemUnsend) ||
					(list[0].Message != nil) != (kind == queue.ItemMessage) {
					t.Errorf("got %+v", list)
				}
			})
		})
	}
}

// forgetChats empties Redis of conversations.
func forgetChats(t testing.TB, client redis.UniversalClient) {
	t.Helper()
	for _, key := range client.Keys(t.Context(), "*:chat*").Val() {
		if err := client.Del(t.Context(), key).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheConsumerCloses(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, _ redis.UniversalClient) {
		e := write(t, j, "a")
		leave(t, j)
		got := conversation(t, j, e.Conversation)
		if got.State != queue.ConversationOver || got.Open() || got.ClosedBy.Kind != queue.ActorConsumer || !got.WaitingSince.IsZero() || got.Late {
			t.Errorf("got %+v", got)
		}
		if list, _, total, err := j.Waiting(t.Context(), q, "", 5); err != nil || len(list) != 0 || total != 0 {
			t.Errorf("got %+v, %v waiting", list, err)
		}
		list, err := j.ClosedHere(t.Context(), q, 5)
		if err != nil || len(list) != 1 || list[0].Place < list[0].ClosedAt.UnixMilli() {
			t.Fatalf("got %+v, %v closed", list, err)
		}
		if list[0].Place = 0; list[0] != got { // only lists have places
			t.Errorf("got %+v closed, want %+v", list[0], got)
		}
		next := write(t, j, "b")
		if again := conversation(t, j, next.Conversation); next.Conversation == e.Conversation || next.Seq != 1 || again.Previous != e.Conversation || again.Partial {
			t.Errorf("got %+v", again)
		}
	})
}

// A message that is finished after the close puts its conversation back.
func TestALateMessage(t *testing.T) {
	for name, here := range map[string]bool{"here": true, "archived": false} {
		t.Run(name, func(t *testing.T) {
			onChats(t, func(t *testing.T, j *queue.Journal, client redis.UniversalClient) {
				write(t, j, "a")
				accept(t, j, "b")
				late := begun(t, j)
				leave(t, j)
				if !here {
					forgetChats(t, client)
				}
				end := ended(late)
				want(t, "complete", queue.Late)(j.Complete(t.Context(), late, end))
				end.Late = true
				want(t, "complete", queue.Mine)(j.Complete(t.Context(), late, end))
				got := conversation(t, j, late.Conversation)
				if got.State != queue.ConversationWaiting || !got.Late || got.Open() || got.Partial == here || !got.WaitingSince.Equal(at9.Add(2*time.Minute)) {
					t.Errorf("got %+v", got)
				}
				if list := items(t, j, late.Conversation); !list[len(list)-1].Message.Late {
					t.Errorf("got %+v, want it marked as late", list)
				}
			})
		})
	}
}

// The close itself may be finished after what came before it.
func TestACloseDoesNotHideALateMessage(t *testing.T) {
	onChats(t, func(t *testing.T, j *queue.Journal, _ redis.UniversalClient) {
		write(t, j, "a")
		accept(t, j, "b")
		late := begun(t, j)
		acceptItems(t, j, queue.Item{Kind: queue.ItemClose, Key: hash("close"), Party: hash("party")})
		ending := begun(t, j)
		end := ended(late)
		end.Late = true
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), late, end))
		want(t, "close", queue.Mine)(j.Complete(t.Context(), ending, queue.End{Document: []byte("closed"), Chat: news(queue.ItemClose, "party", queue.ConversationItem{})}))
		if got := conversation(t, j, late.Conversation); got.State != queue.ConversationWaiting || !got.Late || got.ClosedBy.Kind != queue.ActorConsumer {
			t.Errorf("got %+v", got)
		}
	})
}
