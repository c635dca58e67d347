package queue_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// speaking is a journal with an open conversation, and its words for it.
func speaking(t *testing.T, address string, lease time.Duration) (*queue.Journal, func(name string) queue.Outgoing) {
	t.Helper()
	j := journal(t, address, queue.Options{Lease: lease})
	conversation := acceptItems(t, j, item("hello"))[0].Conversation
	return j, func(name string) queue.Outgoing {
		return queue.Outgoing{Key: hash(name), Conversation: conversation, Party: hash("party"), Payload: []byte(name)}
	}
}

func post(t *testing.T, j *queue.Journal, o queue.Outgoing) {
	t.Helper()
	want(t, "post", true)(j.Post(t.Context(), q, o))
}

// due returns the one message that is due.
func due(t *testing.T, j *queue.Journal) queue.Sending {
	t.Helper()
	talks, err := j.Talks(t.Context(), q, 10)
	if err != nil || len(talks) != 1 {
		t.Fatalf("talks: got %q, error %v; want one", talks, err)
	}
	s, err := j.Claim(t.Context(), q, talks[0])
	if err != nil || s == nil {
		t.Fatalf("claim: got %v, error %v; want a message", s, err)
	}
	return *s
}

func wantTold(t *testing.T, j *queue.Journal, name string, result queue.Result, detail string) {
	t.Helper()
	got, gotDetail, err := j.Told(t.Context(), q, hash(name))
	if err != nil || got != result || gotDetail != detail {
		t.Errorf("%s: got %q, %q, error %v; want %q, %q", name, got, gotDetail, err, result, detail)
	}
}

func TestMessagesOfAConversationAreSentInOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, to := speaking(t, address, time.Hour)
		for _, name := range []string{"a", "b", "c"} {
			post(t, j, to(name))
		}
		want(t, "post again", false)(j.Post(t.Context(), q, to("a")))
		want(t, "outstanding", int64(3))(j.Outstanding(t.Context(), q))

		s := due(t, j)
		if string(s.Payload) != "a" || !s.Open || s.Interrupted || s.Tries != 0 || s.Part != 0 {
			t.Errorf("got %+v, want a at its first try", s)
		}
		if talks, err := j.Talks(t.Context(), q, 10); err != nil || len(talks) != 0 {
			t.Errorf("got %q due, error %v, want none while a is being sent", talks, err)
		}
		want(t, "next part", queue.Mine)(j.Next(t.Context(), s))
		s = due(t, j)
		if string(s.Payload) != "a" || s.Part != 1 || s.Interrupted {
			t.Errorf("got %+v, want part 1 of a", s)
		}
		want(t, "put off", queue.Mine)(j.PutOff(t.Context(), s, 0))
		s = due(t, j)
		if string(s.Payload) != "a" || s.Part != 1 || s.Tries != 1 {
			t.Errorf("got %+v, want a at its second try", s)
		}
		wantTold(t, j, "a", queue.ResultWaiting, "")
		want(t, "sent", queue.Mine)(j.Conclude(t.Context(), s, queue.ResultSent, "id 1"))
		wantTold(t, j, "a", queue.ResultSent, "id 1")
		for _, name := range []string{"b", "c"} {
			s = due(t, j)
			if string(s.Payload) != name {
				t.Errorf("got %s, want %s", s.Payload, name)
			}
			want(t, "failed", queue.Mine)(j.Conclude(t.Context(), s, queue.ResultFailed, "blocked"))
		}
		wantTold(t, j, "c", queue.ResultFailed, "blocked")
		wantTold(t, j, "never posted", "", "")
		want(t, "outstanding", int64(0))(j.Outstanding(t.Context(), q))
	})
}

func TestAPostponedMessageHoldsBackThoseBehindIt(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, to := speaking(t, address, time.Hour)
		post(t, j, to("a"))
		want(t, "put off", queue.Mine)(j.PutOff(t.Context(), due(t, j), time.Hour))
		post(t, j, to("b"))
		if talks, err := j.Talks(t.Context(), q, 10); err != nil || len(talks) != 0 {
			t.Errorf("got %q due, error %v, want none", talks, err)
		}
		s, err := j.Stats(t.Context(), q)
		if err != nil || s.Talks != 1 || s.SendOverdue != 0 {
			t.Errorf("got %d talks, overdue by %v, error %v; want one that is not", s.Talks, s.SendOverdue, err)
		}
	})
}

func TestASenderThatDied(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, to := speaking(t, address, atOnce)
		post(t, j, to("a"))
		first := due(t, j)
		second := due(t, j)
		if !second.Interrupted || second.Attempt == first.Attempt {
			t.Errorf("got %+v, want what another has begun to send", second)
		}
		want(t, "the first", queue.Other)(j.Conclude(t.Context(), first, queue.ResultSent, "1"))
		want(t, "the first puts off", queue.Other)(j.PutOff(t.Context(), first, 0))
		want(t, "the second", queue.Mine)(j.Conclude(t.Context(), second, queue.ResultUnknown, "sender died"))
		want(t, "the second again", queue.Mine)(j.Conclude(t.Context(), second, queue.ResultUnknown, "sender died"))
		wantTold(t, j, "a", queue.ResultUnknown, "sender died")
	})
}

func TestAClosedConversationIsToldFromAnOpenOne(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, to := speaking(t, address, time.Hour)
		post(t, j, to("a"))
		acceptItems(t, j, queue.Item{Kind: queue.ItemClose, Key: hash("close"), Party: hash("party")}, item("again"))
		if s := due(t, j); s.Open {
			t.Errorf("got %+v, want a conversation that is closed, though another has begun", s)
		}
	})
}

// A message that cannot be read stays, and steps back: a gateway of a newer release
// may be able to read it.
func TestAMessageThatCannotBeReadIsLeftAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		for record, newer := range map[string]bool{"2 something else\n{}": true, "1 something else\n{}": false} {
			client, queued := connect(t, address), queue.Outgoing{Key: hash(record), Conversation: hash(record), Party: hash("party"), Payload: []byte("a")}
			var told heard
			j := journal(t, address, told.telling(queue.Options{Lease: time.Hour}))
			post(t, j, queued)
			key := keyOf("say:" + queued.Conversation)
			if err := client.LSet(t.Context(), key, 0, record).Err(); err != nil {
				t.Fatal(err)
			}
			talks, _ := j.Talks(t.Context(), q, 10)
			if s, err := j.Claim(t.Context(), q, talks[0]); s != nil || err != nil {
				t.Errorf("got %+v, %v, want nothing", s, err)
			}
			if newer {
				told.want(t, []string{queued.Conversation})
			} else {
				told.want(t, nil, "outgoing message cannot be read "+queued.Conversation)
			}
			want(t, "what is left", record)(client.LIndex(t.Context(), key, 0).Result())
			if talks, _ = j.Talks(t.Context(), q, 10); len(talks) != 0 {
				t.Errorf("got %q due, want none for a lease", talks)
			}
		}
	})
}

// A platform may be away for longer than a message is known from when it was posted.
func TestAMessageIsKnownForAsLongAsItWaits(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, to := speaking(t, address, time.Hour)
		client, mark := connect(t, address), keyOf("told:"+hash("a"))
		post(t, j, to("a"))
		for name, pass := range map[string]func(){
			"most of its time has passed": func() { client.PExpire(t.Context(), mark, time.Hour) },
			"all of it":                   func() { client.Del(t.Context(), mark) },
		} {
			pass()
			want(t, "put off", queue.Mine)(j.PutOff(t.Context(), due(t, j), 0))
			if left := client.PTTL(t.Context(), mark).Val(); left < 7*24*time.Hour {
				t.Errorf("%s: it is known for another %v", name, left)
			}
			want(t, "post again", false)(j.Post(t.Context(), q, to("a")))
		}
		want(t, "sent", queue.Mine)(j.Conclude(t.Context(), due(t, j), queue.ResultSent, "id"))
		wantTold(t, j, "a", queue.ResultSent, "id")
	})
}

func TestPostRefusesWhatCannotBe(t *testing.T) {
	j, to := speaking(t, queuetest.Redis(t), time.Hour)
	for name, change := range map[string]func(*queue.Outgoing){
		"key":          func(o *queue.Outgoing) { o.Key = "../x" },
		"conversation": func(o *queue.Outgoing) { o.Conversation = "" },
		"party":        func(o *queue.Outgoing) { o.Party = "a b" },
		"payload":      func(o *queue.Outgoing) { o.Payload = make([]byte, queue.MaxPayload+1) },
	} {
		o := to("a")
		change(&o)
		if fresh, err := j.Post(t.Context(), q, o); err == nil || fresh {
			t.Errorf("%s: got %v, %v, want an error", name, fresh, err)
		}
	}
}

// TestNoticesAreFew moves the times of earlier notices, because the limits are
// a minute and a day.
func TestNoticesAreFew(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		client := connect(t, address)
		j := journal(t, address, queue.Options{})
		noticed := "{" + queue.Stream(q) + "}:noticed:" + hash("party")
		n := 0
		complain := func() int64 {
			t.Helper()
			n++
			accept(t, j, fmt.Sprint("message", n))
			want(t, "complete", queue.Mine)(j.Complete(t.Context(), begun(t, j), queue.End{
				Document: []byte("document"), Party: hash("party"),
				Notice: &queue.Notice{Key: hash(fmt.Sprint("notice", n)), Payload: []byte("too large")},
			}))
			total, err := j.Outstanding(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			return total
		}
		age := func(d time.Duration) {
			t.Helper()
			times, err := client.LRange(t.Context(), noticed, 0, -1).Result()
			if err != nil || len(times) == 0 {
				t.Fatalf("got times %q, %v", times, err)
			}
			for i, text := range times {
				var ms int64
				_, _ = fmt.Sscan(text, &ms)
				client.LSet(t.Context(), noticed, int64(i), fmt.Sprint(ms-d.Milliseconds()))
			}
		}
		step := func(what string, want int64) {
			t.Helper()
			if got := complain(); got != want {
				t.Errorf("%s: %d notices were written so far, want %d", what, got, want)
			}
		}
		step("first", 1)
		step("at once", 1)
		age(45 * time.Second) // not 59: this process may stand still for a while
		step("within a minute", 1)
		age(15 * time.Second)
		for i := range int64(4) {
			step("after a minute", 2+i)
			age(time.Minute)
		}
		step("sixth of the day", 5)
		age(23*time.Hour + 56*time.Minute)
		step("the first is a day old", 6)
	})
}

// A time that cannot be read is not a reason to fail half-way, which would
// forward the document once more at every repeat.
func TestANoticeBesideATimeThatCannotBeRead(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		client := connect(t, address)
		j := journalOn(t, client, queue.Options{})
		accept(t, j, "a")
		noticed := "{" + queue.Stream(q) + "}:noticed:" + hash("party")
		if err := client.RPush(t.Context(), noticed, "1e3x", "2", "3", "4", "soon").Err(); err != nil {
			t.Fatal(err)
		}
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), begun(t, j), queue.End{
			Document: []byte("document"), Party: hash("party"), Notice: &queue.Notice{Key: hash("notice")},
		}))
		wantCounts(t, j, counts{delivered: 1})
		want(t, "notices", int64(1))(j.Outstanding(t.Context(), q))
	})
}

// What is given back is as it was found, also where its sender had died.
func TestAMessageIsGivenBackAsItWas(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, to := speaking(t, address, atOnce)
		post(t, j, to("a"))
		for range 3 {
			s := due(t, j)
			if s.Interrupted || s.Tries != 0 {
				t.Errorf("got %+v, want a message that nobody has tried to send", s)
			}
			want(t, "give back", queue.Mine)(j.GiveBack(t.Context(), s, 0))
			want(t, "and again", queue.Mine)(j.GiveBack(t.Context(), s, 0))
		}
		_ = due(t, j) // dies
		for range 3 {
			s := due(t, j)
			if !s.Interrupted || s.Tries != 1 {
				t.Errorf("got %+v, want a message whose one sender has died", s)
			}
			want(t, "give back", queue.Mine)(j.GiveBack(t.Context(), s, 0))
		}
	})
}

// Each sender that dies has used up a try.
func TestSendersThatDieAreCounted(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		j, to := speaking(t, address, atOnce)
		post(t, j, to("a"))
		for tries := range 4 {
			if s := due(t, j); s.Tries != tries || s.Interrupted != (tries > 0) {
				t.Errorf("got %+v, want %d tries", s, tries)
			}
		}
	})
}
