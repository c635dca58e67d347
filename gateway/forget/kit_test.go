package forget_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/archive"
	"github.com/lightlock/lightlock/gateway/forget"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/ops"
	"github.com/lightlock/lightlock/gateway/outbound"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/gateway/store"
)

const (
	q   = "support"
	bot = "Bot1"
)

// world is a queue on a real Redis and a real store, in which consumers leave
// something in every place.
type world struct {
	t       *testing.T
	address string
	inspect *queuetest.Inspector
	journal *queue.Journal
	store   *store.Sealed
	folder  string
	archive *archive.Archive
}

func newWorld(t *testing.T, address string) *world {
	t.Helper()
	w := &world{t: t, address: address, inspect: queuetest.Inspect(t, address), folder: t.TempDir()}
	w.inspect.Flush()
	w.journal = w.journalOn(nil)
	if err := w.journal.EnsureQueue(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.store, err = store.New(config.Config{Data: w.folder}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	w.archive = w.archiveOn(w.journal, w.store.Documents())
	return w
}

func (w *world) journalOn(s *queuetest.Scissors) *queue.Journal {
	w.t.Helper()
	return queuetest.Journal(w.t, w.address, queue.Options{PerAccount: 3, ArchiveAfter: time.Millisecond}, s)
}

func (w *world) archiveOn(j *queue.Journal, d store.Documents) *archive.Archive {
	return &archive.Archive{
		Journal: j, Heads: j, Documents: d, Queues: []string{q}, Metrics: ops.NewMetrics(),
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// person is a consumer of an account.
type person struct{ id, account, accountID string }

func (p person) party() string            { return inbound.Party("line", p.accountID, p.id) }
func (p person) key(name string) string   { return hash(p.id + p.accountID + name) }
func (p person) words(name string) string { return "words-of-" + p.id + "-" + name }
func (p person) consumer() queue.Consumer { return queue.Consumer{ID: p.id, Name: "Name-" + p.id} }
func (p person) lane(photos bool) (l string) {
	if photos {
		l = inbound.Lane("line", p.accountID)
	}
	return l
}

// job is what the journal keeps of a message.
func (p person) job(name string) []byte {
	text, err := json.Marshal(map[string]any{
		"version": 1, "channel": "line", "account": p.account, "received_at": time.Now(), "event": map[string]any{
			"kind": "message", "id": name, "message_id": name, "account": p.accountID, "text": p.words(name), "consumer": map[string]string{"id": p.id},
		},
	})
	if err != nil {
		panic(err)
	}
	return text
}

func (p person) item(name string, photos bool) queue.Item {
	return queue.Item{
		Kind: queue.ItemMessage, Key: p.key(name), Party: p.party(), Message: hash(p.id + "message" + name), Lane: p.lane(photos), Payload: p.job(name),
	}
}

func (w *world) accept(items ...queue.Item) {
	w.t.Helper()
	_, err := w.journal.Accept(w.t.Context(), q, items)
	w.must(err)
}

// begin accepts a message, and begins to work on it.
func (w *world) begin(p person, name string, photos bool) queue.Entry {
	w.t.Helper()
	w.accept(p.item(name, photos))
	inbox := queue.Words
	if photos {
		inbox = queue.Photos
	}
	entries, err := w.journal.Take(w.t.Context(), q, inbox, 1, 0)
	if err != nil || len(entries) != 1 || entries[0].Key != p.key(name) {
		w.t.Fatalf("%s: took %d, %v", name, len(entries), err)
	}
	e := entries[0]
	w.must(w.journal.Begin(w.t.Context(), &e, ""))
	e.Party = p.party()
	return e
}

// picture puts the pictures of an attempt.
func (w *world) picture(p person, e queue.Entry) queue.Photo {
	w.t.Helper()
	key := store.Key{Queue: q, Attempt: e.Attempt, Conversation: e.Conversation}
	for _, key.Kind = range []store.Kind{store.Preview, store.Thumbnail} {
		w.must(w.store.Put(w.t.Context(), key, []byte("picture of "+p.id)))
	}
	return queue.Photo{
		ID: key.PhotoID(), Status: queue.Ready, Preview: &queue.Picture{Href: queue.PreviewHref(key.PhotoID())},
		Thumbnail: &queue.Picture{Href: queue.ThumbnailHref(key.PhotoID())},
	}
}

// end delivers a message, or makes a dead letter of it.
func (w *world) end(p person, e queue.Entry, name, cause string, photos ...queue.Photo) {
	w.t.Helper()
	data := queue.MessageData{
		Conversation: e.Conversation, Account: p.account, Channel: "line", Consumer: p.consumer(), Seq: e.Seq, Text: p.words(name), ReceivedAt: time.Now(), Photos: photos,
	}
	end := queue.End{Party: p.party(), Cause: cause}
	if cause == "" {
		document, err := queue.Document{
			ID: e.Key, Type: queue.MessageReceived, Account: p.account, Conversation: e.Conversation, Time: time.Now(), Data: data,
		}.Marshal()
		w.must(err)
		end.Document, end.Notice = document, &queue.Notice{Key: inbound.NoticeKey(e.Key), Payload: []byte(p.words("notice"))}
		end.Chat = &queue.ChatUpdate{
			Kind: queue.ItemMessage, Party: p.party(), Channel: "line", Account: p.account, AccountID: p.accountID, Consumer: p.consumer(),
			ReceivedAt: time.Now(), Item: queue.ConversationItem{ID: e.Key, Position: queue.Position(e.Seq), Message: &data},
		}
	}
	if got, err := w.journal.Complete(w.t.Context(), e, end); err != nil || got != queue.Mine {
		w.t.Fatalf("%s: got %v, %v", name, got, err)
	}
}

var ben = queue.Agent{ID: "ben", Name: "Ben"}

func (w *world) closed(id string) {
	w.t.Helper()
	_, err := w.journal.CloseConversation(w.t.Context(), q, id, queue.Closing{By: queue.Actor{Kind: queue.ActorAgent, Agent: ben}, From: queue.AnyAgent})
	w.must(err)
}

// sends sends what is first in a conversation.
func (w *world) sends(p person, conversation string) {
	w.t.Helper()
	s, err := w.journal.Claim(w.t.Context(), q, conversation+" "+p.party())
	if err != nil || s == nil {
		w.t.Fatalf("claim: %v, %v", s, err)
	}
	_, err = w.journal.Conclude(w.t.Context(), *s, queue.ResultSent, "wamid-"+p.id)
	w.must(err)
}

// everywhere leaves something of a person in every place, and returns what a worker
// has in hand.
func (w *world) everywhere(p person) (inHand []queue.Entry) {
	w.t.Helper()
	ctx := w.t.Context()
	old := w.begin(p, "archived", true)
	w.end(p, old, "archived", "", w.picture(p, old))
	w.sends(p, old.Conversation) // the notice
	w.closed(old.Conversation)
	gatewaytest.Await(w.t, "it is in the archive", func() bool {
		_, err := w.archive.Move(ctx, q)
		w.must(err)
		_, err = w.journal.Conversation(ctx, q, old.Conversation)
		return errors.Is(err, queue.ErrNoConversation)
	})
	dead := w.begin(p, "dead", true)
	w.picture(p, dead)
	w.end(p, dead, "dead", "hopeless")
	open := w.begin(p, "open", true)
	w.end(p, open, "open", "", w.picture(p, open))
	_, err := w.journal.Assign(ctx, q, open.Conversation, queue.Assignment{To: ben, From: queue.AnyAgent})
	w.must(err)
	payload, err := outbound.Message{Channel: "line", Account: p.accountID, Consumer: p.id, Parts: []string{p.words("reply")}}.Encode()
	w.must(err)
	_, err = w.journal.Reply(ctx, q, queue.Reply{
		Outgoing: queue.Outgoing{Key: p.key("reply"), Conversation: open.Conversation, Party: p.party(), Payload: payload},
		Agent:    ben.ID, Said: queue.ReplyData{By: queue.Actor{Kind: queue.ActorAgent, Agent: ben}, Text: p.words("reply"), At: time.Now()},
	})
	w.must(err)
	delayed := w.begin(p, "delayed", false)
	_, err = w.journal.Retry(ctx, delayed, queue.Retry{After: time.Hour, Cause: "slow"})
	w.must(err)
	for _, photos := range []bool{false, true} {
		e := w.begin(p, fmt.Sprint("in work ", photos), photos)
		if photos {
			w.picture(p, e)
		}
		inHand = append(inHand, e)
	}
	kept := w.begin(p, "kept", true)
	w.picture(p, kept)
	_, err = w.journal.Retry(ctx, kept, queue.Retry{After: time.Hour, Keep: true})
	w.must(err)
	_, err = w.journal.Bury(ctx, q, []queue.Letter{
		{Key: p.key("no account"), Connector: "line/acme", Content: queue.ContentPayload, Raw: p.job("no account"), Cause: "no account"},
		{Key: p.key("webhook"), Connector: p.account, Content: queue.ContentWebhook, Raw: []byte(`{"userId":"` + p.id + `",`), Cause: "webhook does not parse"},
	})
	w.must(err)
	return inHand
}

// wait leaves what waits in inbox, window and line, which others would take first.
func (w *world) wait(p person) {
	w.accept(p.item("waits", false), p.item("window", true), p.item("line 1", true), p.item("line 2", true))
}

// holds lists the keys and files that have something of a person, as text.
func (w *world) holds(p person) (list []string) {
	w.t.Helper()
	for name, value := range w.inspect.Dump() {
		if strings.Contains(name+value, p.id) {
			list = append(list, name)
		}
	}
	w.must(filepath.WalkDir(w.folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(path+string(text), p.id) {
			list = append(list, path)
		}
		return err
	}))
	return list
}

// pictures are the attempts of which there are any.
func (w *world) pictures() map[string]bool {
	w.t.Helper()
	found := map[string]bool{}
	w.must(w.store.List(w.t.Context(), func(_, attempt string, _ time.Duration) error {
		found[attempt] = true
		return nil
	}))
	return found
}

// forgetter forgets by a journal and a store of its own choice.
func (w *world) forgetter() *forget.Forgetter {
	return &forget.Forgetter{Journal: w.journal, Store: w.store, Archive: w.archive}
}

func (p person) who() forget.Consumer {
	return forget.Consumer{ID: p.id, Accounts: []forget.Account{{Name: "line/acme", Channel: "line", ID: bot}, {Name: "line/shop", Channel: "line", ID: "Bot2"}}}
}

// count is all that there is of a person, in words.
func (w *world) count(p person, only string) string {
	w.t.Helper()
	f, who := w.forgetter(), p.who()
	f.Dry, who.Only = true, only
	r, err := f.Forget(w.t.Context(), q, who)
	w.must(err)
	return fmt.Sprint(r.Found())
}

// unaccounted is how many events are missing from the journal.
func (w *world) unaccounted() int64 {
	w.t.Helper()
	s, err := w.journal.Stats(w.t.Context(), q)
	w.must(err)
	return s.Unaccounted
}
