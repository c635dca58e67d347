package outbound_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/messenger"
	"github.com/lightlock/lightlock/connectors/messenger/messengersim"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/outbound"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/routes"
)

// interrupted leaves what is due as a sender that died in the middle of it does.
func (h *house) interrupted() {
	h.t.Helper()
	talks, err := h.journal.Talks(h.t.Context(), q, 1)
	if err != nil || len(talks) != 1 {
		h.t.Fatalf("got %q, %v", talks, err)
	}
	if s, err := h.journal.Claim(h.t.Context(), q, talks[0]); s == nil || err != nil {
		h.t.Fatalf("got %v, %v", s, err)
	}
	h.waiting.ExpireLeases()
}

// What may have been sent has not failed, whatever keeps it from being sent
// again.
func TestWhatMayHaveBeenSentIsUnknown(t *testing.T) {
	for name, edit := range map[string]func(*outbound.Message){
		"for an account that is gone": func(m *outbound.Message) { m.Account = "another" },
		"after the platform's window": func(m *outbound.Message) { m.Since = time.Now().Add(-24 * time.Hour) },
		"too late":                    func(m *outbound.Message) { m.Until = time.Now().Add(-time.Second) },
		"by a token that is old by now": func(m *outbound.Message) {
			m.ReplyToken, m.TokenUntil = "token", time.Now().Add(-time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house, resend bool) {
				if resend && strings.HasPrefix(name, "after") {
					t.Skip("LINE has no window")
				}
				h.say("a", edit, "a")
				h.interrupted()
				h.work()
				h.wantTold("a", queue.ResultUnknown)
				h.wantSent()
			})
		})
	}
}

func TestWhatMayHaveBeenSentIntoAClosedConversationIsUnknown(t *testing.T) {
	h := onLINE(t)
	h.say("a", nil, "a")
	h.interrupted()
	if _, err := h.journal.Accept(t.Context(), q, []queue.Item{{Kind: queue.ItemClose, Key: hash("close"), Party: hash("party")}}); err != nil {
		t.Fatal(err)
	}
	h.work()
	h.wantTold("a", queue.ResultUnknown)
}

// A message that kills whoever sends it must end, also where a repeat is safe.
func TestAMessageThatKillsItsSendersIsGivenUp(t *testing.T) {
	h := onLINE(t)
	h.say("a", nil, "a")
	for range h.line.Work.Attempts {
		h.interrupted()
	}
	h.say("b", nil, "b")
	h.work()
	h.wantTold("a", queue.ResultUnknown)
	h.wantTold("b", queue.ResultSent)
	h.wantSent("b")
}

// careless is a connector that forgets to give its errors a kind.
type careless struct{ connectors.Connector }

func (c careless) Send(ctx context.Context, o connectors.Outgoing) (string, error) {
	if _, err := c.Connector.Send(ctx, o); err != nil {
		return "", err
	}
	return "", errors.New("no " + o.Text)
}

// An error that does not say whether the message was sent is a lost answer.
func TestAnErrorWithoutAKindIsALostAnswer(t *testing.T) {
	each(t, func(t *testing.T, h *house, _ bool) {
		h.line.Routes.All()[0].Connector = careless{h.line.Routes.All()[0].Connector}
		h.say("a", nil, "a")
		h.work()
		h.wantTold("a", queue.ResultUnknown) // on LINE at the end of its tries
		h.wantSent("a")
		if _, detail := h.told("a"); strings.Contains(detail, strings.TrimSpace(canary)) {
			t.Errorf("the detail holds the text: %s", detail)
		}
	})
}

// A newer release's message has not been tried by those that cannot read it.
func TestANewerMessageLosesNoTry(t *testing.T) {
	h := onMessenger(t)
	h.say("a", nil, "a")
	h.waiting.Replace(h.conversation, `"version":1`, `"version":9`)
	for n := range 2 {
		stop := h.work()
		h.awaitLogs("left for a newer release", n+1)
		stop()
		h.waiting.ExpireLeases()
	}
	talks, _ := h.journal.Talks(t.Context(), q, 1)
	if s, err := h.journal.Claim(t.Context(), q, talks[0]); s == nil || err != nil || s.Tries != 0 || s.Interrupted {
		t.Errorf("got %+v, %v, want a message that nobody has tried to send", s, err)
	}
}

// A platform that hangs must not keep other accounts from being heard.
func TestAnAccountThatHangsHoldsUpNoOther(t *testing.T) {
	h := onLINE(t)
	h.sendCalls(func(_ int64, _ http.ResponseWriter, r *http.Request, _ http.Handler) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
	for i := range 200 {
		h.open("party" + strconv.Itoa(i))
		h.say("hangs"+strconv.Itoa(i), nil, "a")
	}
	other, consumer := h.addMessenger()
	h.open("another")
	h.say("heard", func(m *outbound.Message) {
		m.Channel, m.Account, m.Consumer = other.Channel.Name, other.Accounts[0].ID, consumer
	}, "b")
	h.work()
	h.wantTold("heard", queue.ResultSent)
}

// open opens a conversation of another party, in which is spoken from then on.
func (h *house) open(party string) {
	h.t.Helper()
	got, err := h.journal.Accept(h.t.Context(), q, []queue.Item{{Kind: queue.ItemMessage, Key: hash("hello " + party), Party: hash(party)}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.party, h.conversation = party, got[0].Conversation
}

// addMessenger gives the house a second connector.
func (h *house) addMessenger() (route *routes.Route, consumer string) {
	h.t.Helper()
	second := start(h.t, messengersim.Start).(*messengersim.Platform)
	loaded := &config.Loaded{Config: config.Default(), Connectors: []config.Settings{h.platform.Settings("acme", q), second.Settings("acme", q)}}
	table, err := routes.New(loaded, []connectors.Channel{line.Channel(), messenger.Channel()}, connectors.Env{Log: h.line.Log, Now: time.Now})
	if err != nil {
		h.t.Fatal(err)
	}
	h.line.Routes = table
	route = table.All()[1]
	if _, err := second.Webhook(route.URL, sim.Said{ID: "hello", Consumer: "ana", Text: "hello", At: time.Now()}); err != nil {
		h.t.Fatal(err) // the platform must know the consumer
	}
	return route, messengersim.PSID(second.Pages[0], "ana")
}
