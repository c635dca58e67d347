package agent_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
)

// A change of hands is told to everybody, with who had it before, and each hears it
// as they see it.
func TestHandsAreToldLive(t *testing.T) {
	h := open(t)
	id := h.wait("hello")
	ben, eva := h.listen(benToken, ""), h.listen(evaToken, "")
	h.does(benToken, id, "take", "").want(t, "take", http.StatusOK)
	for e, minesIt := range map[*ears]bool{ben: true, eva: false} {
		if c := of[chat](t, e.next()); c.Agent.ID != "ben" || c.Mine != minesIt || c.Before != "" || c.State != "assigned" {
			t.Errorf("taken: got %+v", c)
		}
	}
	h.does(benToken, id, "transfer", `{"to":"eva"}`).want(t, "transfer", http.StatusOK)
	for e, minesIt := range map[*ears]bool{ben: false, eva: true} {
		if c := of[chat](t, e.next()); c.Agent.ID != "eva" || c.Mine != minesIt || c.Before != "ben" {
			t.Errorf("transferred: got %+v", c)
		}
	}
	h.does(evaToken, id, "transfer", `{"to":null}`).want(t, "put back", http.StatusOK)
	if c := of[chat](t, ben.next()); c.Agent.ID != "" || c.Before != "eva" || c.State != "waiting" {
		t.Errorf("put back: got %+v", c)
	}
	h.does(deskToken, id, "close", "").want(t, "close", http.StatusOK)
	if c := of[chat](t, ben.next()); c.State != "closed" || c.ClosedBy.Kind != queue.ActorService {
		t.Errorf("closed: got %+v", c)
	}
}

// A photo's addresses are told live to its owner and to services alone.
func TestPhotosAreToldLive(t *testing.T) {
	h := open(t)
	id, _ := h.in(mine)
	ears := map[string]*ears{benToken: h.listen(benToken, ""), evaToken: h.listen(evaToken, ""), deskToken: h.listen(deskToken, "")}
	p := h.photo(id)
	h.hear(said{queue: support, consumer: "P1", text: "another", photos: []queue.Photo{p}})
	for token, visible := range map[string]bool{benToken: true, evaToken: false, deskToken: true} {
		got := ears[token].until("message", containing("another"))
		if m := of[messageEvent](t, got).Message; m.Photos[0].Visible != visible || strings.Contains(got.data, "/preview") != visible {
			t.Errorf("%.8s: got %s", token, got.data)
		}
	}
}

// A reply is told live, and so is what became of it.
func TestRepliesAreToldLive(t *testing.T) {
	h := open(t)
	id, _ := h.in(mine)
	e := h.listen(evaToken, "")
	h.answers(benToken, id, "one", `{"text":"Thank you."}`).want(t, "a reply", http.StatusAccepted)
	got := of[messageEvent](t, e.until("message", containing("Thank you."))).Message
	if got.From != "agent" || got.Agent.ID != "ben" || got.Delivery.State != queue.ResultWaiting {
		t.Errorf("got %+v", got)
	}
	h.send(support)
	sent := of[messageEvent](t, e.until("message", containing(`"sent"`))).Message
	if sent.ID != got.ID || sent.Delivery.State != queue.ResultSent {
		t.Errorf("got %+v", sent)
	}
}

// A listener that reads nothing is cut, and holds up nobody.
func TestASlowListenerIsCut(t *testing.T) {
	h := open(t)
	c, err := net.Dial("tcp", h.address)
	h.must(err)
	defer c.Close()
	_, err = io.WriteString(c, "GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+evaToken+"\r\n\r\n")
	h.must(err)
	gatewaytest.Await(t, "it is let in", func() bool { n, _ := h.api.Streams(); return n == 1 })
	quick := h.listen(benToken, "")
	hear := func(text string) { // one after the other, so that each is handed out alone
		h.hear(said{queue: support, consumer: "U0", text: text})
		for e := range quick.heard {
			if strings.Contains(e.data, text[:20]) {
				return
			}
		}
	}
	text := strings.Repeat("x", 60_000)
	for i := range 400 { // as much as no connection buffers
		hear(fmt.Sprintf("%03d%s", i, text))
	}
	hear("the last one is heard, too")
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	a, err := http.ReadResponse(bufio.NewReader(c), nil)
	h.must(err)
	all, _ := io.ReadAll(a.Body)
	_, last, found := strings.Cut(string(all), "event: reset\n")
	if !found || !strings.Contains(last, `{"reason":"slow"}`) {
		t.Fatalf("the end is %.200q of %d bytes", last, len(all))
	}
	_, place, _ := strings.Cut(strings.TrimSpace(last), "id: ")
	h.listen(evaToken, "?since="+place).until("message", containing("the last one is heard"))
}
