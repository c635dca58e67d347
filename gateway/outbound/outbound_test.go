package outbound_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/outbound"
	"github.com/lightlock/lightlock/gateway/queue"
)

// each runs a test on a platform that recognises repeats and on one that does
// not.
func each(t *testing.T, test func(t *testing.T, h *house, resend bool)) {
	t.Run("line", func(t *testing.T) { test(t, onLINE(t), true) })
	t.Run("messenger", func(t *testing.T) { test(t, onMessenger(t), false) })
}

// sendCalls puts a handler in front of the platform that sees each call that
// would send something, and tells how many there were.
func (h *house) sendCalls(do func(call int64, w http.ResponseWriter, r *http.Request, next http.Handler)) *atomic.Int64 {
	var calls atomic.Int64
	h.platform.Wrap(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost {
				next.ServeHTTP(w, r)
				return
			}
			do(calls.Add(1), w, r, next)
		})
	})
	return &calls
}

// lose lets the platform do what it was asked for, and loses its answer.
func lose(r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

func TestMessagesAreSentInOrderAndInParts(t *testing.T) {
	each(t, func(t *testing.T, h *house, _ bool) {
		h.say("a", nil, "a1", "a2", "a3")
		h.say("b", nil, "b")
		h.work()
		h.wantTold("b", queue.ResultSent)
		h.wantTold("a", queue.ResultSent)
		h.wantSent("a1", "a2", "a3", "b")
		if _, id := h.told("b"); id != h.platform.Sent()[3].ID || id == "" {
			t.Errorf("got id %q, want the platform's %q", id, h.platform.Sent()[3].ID)
		}
		if n, err := h.journal.Outstanding(t.Context(), q); n != 0 || err != nil {
			t.Errorf("got %d outstanding, %v, want none", n, err)
		}
	})
}

func TestTemporaryTroubleDelaysWhatIsBehindIt(t *testing.T) {
	each(t, func(t *testing.T, h *house, _ bool) {
		calls := h.sendCalls(func(call int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if call <= 2 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})
		h.say("a", nil, "a")
		h.say("b", nil, "b")
		h.work()
		h.wantTold("b", queue.ResultSent)
		h.wantSent("a", "b")
		if got := calls.Load(); got != 4 {
			t.Errorf("got %d calls, want 4", got)
		}
	})
}

func TestTriesAreUsedUp(t *testing.T) {
	each(t, func(t *testing.T, h *house, _ bool) {
		calls := h.sendCalls(func(_ int64, w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		h.say("a", nil, "a1", "a2")
		h.work()
		h.wantTold("a", queue.ResultFailed)
		h.wantSent()
		if got := calls.Load(); got != 3 {
			t.Errorf("got %d calls, want 3", got)
		}
	})
}

// An answer that is lost must neither lose the message nor double it.
func TestALostAnswer(t *testing.T) {
	each(t, func(t *testing.T, h *house, resend bool) {
		h.sendCalls(func(call int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if call == 1 {
				lose(r, next)
			}
			next.ServeHTTP(w, r)
		})
		h.say("a", nil, "a")
		h.say("b", nil, "b")
		h.work()
		want := queue.ResultUnknown
		if resend {
			want = queue.ResultSent
		}
		h.wantTold("a", want)
		h.wantTold("b", queue.ResultSent)
		h.wantSent("a", "b")
	})
}

// A sender that died may have sent the message just before.
func TestASenderThatDied(t *testing.T) {
	each(t, func(t *testing.T, h *house, resend bool) {
		h.say("a", nil, "a")
		talks, err := h.journal.Talks(t.Context(), q, 1)
		if err != nil || len(talks) != 1 {
			t.Fatalf("got %q, %v", talks, err)
		}
		if s, err := h.journal.Claim(t.Context(), q, talks[0]); s == nil || err != nil {
			t.Fatalf("got %v, %v", s, err)
		}
		h.waiting.ExpireLeases()
		h.work()
		if resend {
			h.wantTold("a", queue.ResultSent)
			h.wantSent("a")
		} else {
			h.wantTold("a", queue.ResultUnknown)
			h.wantSent()
		}
	})
}

func TestAMessageThatMustNotBeSent(t *testing.T) {
	for name, edit := range map[string]func(*outbound.Message){
		"after the platform's window": func(m *outbound.Message) { m.Since = time.Now().Add(-24 * time.Hour) },
		"too late":                    func(m *outbound.Message) { m.Until = time.Now().Add(-time.Second) },
		"for an account that is gone": func(m *outbound.Message) { m.Account = "another" },
		"without a text":              func(m *outbound.Message) { m.Parts = nil },
		"longer than the platform's":  func(m *outbound.Message) { m.Parts = []string{strings.Repeat("x", 2001)} },
	} {
		t.Run(name, func(t *testing.T) {
			h := onMessenger(t)
			calls := h.sendCalls(func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) { next.ServeHTTP(w, r) })
			h.say("a", edit, "a")
			h.say("b", nil, "b")
			h.work()
			h.wantTold("a", queue.ResultFailed)
			h.wantTold("b", queue.ResultSent)
			h.wantSent("b")
			if got := calls.Load(); got != 1 {
				t.Errorf("got %d calls, want 1", got)
			}
		})
	}
}

func TestNothingIsSentIntoAClosedConversation(t *testing.T) {
	each(t, func(t *testing.T, h *house, _ bool) {
		h.say("a", nil, "a")
		_, err := h.journal.Accept(t.Context(), q, []queue.Item{{Kind: queue.ItemClose, Key: hash("close"), Party: hash("party")}})
		if err != nil {
			t.Fatal(err)
		}
		h.work()
		h.wantTold("a", queue.ResultFailed)
		h.wantSent()
	})
}

// LINE's reply token answers for nothing, once, and within a minute.
func TestReplyTokenIsUsedOnce(t *testing.T) {
	h := onLINE(t)
	var paths []string
	h.sendCalls(func(call int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		paths = append(paths, r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
		if call == 1 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
	token := func(m *outbound.Message) { m.ReplyToken, m.TokenUntil = h.replyToken, time.Now().Add(time.Minute) }
	old := func(m *outbound.Message) { m.ReplyToken, m.TokenUntil = h.replyToken, time.Now().Add(-time.Second) }
	h.say("a", token, "a1", "a2")
	h.say("b", old, "b")
	h.work()
	h.wantTold("b", queue.ResultSent)
	h.wantTold("a", queue.ResultSent)
	h.wantSent("a1", "a2", "b")
	if got, want := strings.Join(paths, " "), "reply push push push"; got != want {
		t.Errorf("got calls %s, want %s", got, want)
	}
}

func TestALostAnswerToAReplyIsUnknown(t *testing.T) {
	h := onLINE(t)
	h.sendCalls(func(_ int64, _ http.ResponseWriter, r *http.Request, next http.Handler) { lose(r, next) })
	h.say("a", func(m *outbound.Message) { m.ReplyToken, m.TokenUntil = h.replyToken, time.Now().Add(time.Minute) }, "a")
	h.work()
	h.wantTold("a", queue.ResultUnknown)
	h.wantSent("a")
}

func TestARefusedTokenShowsInReadyz(t *testing.T) {
	each(t, func(t *testing.T, h *house, _ bool) {
		h.sendCalls(func(call int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if call == 1 {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			if lines := h.line.Accounts.Check(t.Context()); !strings.Contains(lines[0].Note, "refused") {
				t.Errorf("got %+v after a refused token, want a warning", lines)
			}
			next.ServeHTTP(w, r)
		})
		h.say("a", nil, "a")
		h.work()
		h.wantTold("a", queue.ResultSent)
		if lines := h.line.Accounts.Check(t.Context()); lines[0].Note != "" {
			t.Errorf("got %+v once it is taken again, want no warning", lines)
		}
	})
}

// What a newer release wrote waits for it, and is not taken for unknown.
func TestANewerMessageWaits(t *testing.T) {
	h := onMessenger(t)
	h.say("a", nil, "a")
	h.waiting.Replace(h.conversation, `"version":1`, `"version":9`)
	stop := h.work()
	h.awaitLog("left for a newer release")
	stop()
	if result, _, err := h.journal.Told(t.Context(), q, hash("a")); result != queue.ResultWaiting || err != nil {
		t.Errorf("got %s, %v, want it to wait", result, err)
	}
	h.waiting.Replace(h.conversation, `"version":9`, `"version":1`)
	h.waiting.ExpireLeases()
	h.work()
	h.wantTold("a", queue.ResultSent)
}

func TestAStopWaitsForWhatIsBeingSent(t *testing.T) {
	h := onMessenger(t)
	begun := make(chan struct{})
	h.sendCalls(func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		close(begun)
		<-r.Context().Done() // it is hurried at once
		panic(http.ErrAbortHandler)
	})
	h.say("a", nil, "a")
	h.say("b", nil, "b")
	stop := h.work()
	<-begun
	stop()
	h.wantTold("a", queue.ResultUnknown)
	h.wantSent()
	if n, err := h.journal.Outstanding(t.Context(), q); n != 1 || err != nil {
		t.Errorf("got %d outstanding, %v, want the one behind it", n, err)
	}
	if !bytes.Contains([]byte(h.log.String()), []byte("message not sent")) {
		t.Error("the log does not name the message whose fate is unknown")
	}
}

// Where every answer is lost, a platform that recognises repeats has it once, and
// still nobody can say that it has failed.
func TestEveryAnswerIsLost(t *testing.T) {
	h := onLINE(t)
	calls := h.sendCalls(func(_ int64, _ http.ResponseWriter, r *http.Request, next http.Handler) { lose(r, next) })
	h.say("a", nil, "a")
	h.work()
	h.wantTold("a", queue.ResultUnknown)
	h.wantSent("a")
	if got := calls.Load(); got != 3 {
		t.Errorf("got %d calls, want 3", got)
	}
}
