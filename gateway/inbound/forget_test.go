package inbound_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/archive"
	"github.com/lightlock/lightlock/gateway/forget"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/inbound"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// A consumer is forgotten while two gateways work on messages of hers and of another,
// and hand in what was spooled: nothing of hers is left, and all of the other's is
// delivered.
func TestForgetWhileGatewaysWork(t *testing.T) {
	h := newHouse(t, startLINE(t))
	gateways := []*gateway{h.open(), h.open().work(), h.open().work()}
	g := gateways[0]
	const each = 24
	say := func(who string, i int) sim.Said {
		said := sim.Said{ID: fmt.Sprint(who, i), Consumer: who, Text: canary + who + "-words", At: time.Now()}
		if i%3 == 0 {
			said.Text, said.Photos = "", [][]byte{picture(t, 64, 48)}
		}
		return said
	}
	for i := range each {
		g.receive(say(consumer, i), say("bob", i))
	}
	before := time.Now()
	account := g.route().Accounts[0]
	f := &forget.Forgetter{Journal: g.backend.Journal, Store: h.files, Archive: &archive.Archive{
		Journal: g.backend.Journal, Heads: g.backend.Journal, Documents: h.files.Documents(), Queues: []string{q}, Log: g.Log, Metrics: g.Metrics, Now: time.Now,
	}}
	who := forget.Consumer{ID: linesim.UserID(consumer), Accounts: []forget.Account{{Name: account.Name, Channel: "line", ID: account.ID}}}
	if _, err := f.Forget(t.Context(), q, who); err != nil {
		t.Fatal(err)
	}
	spooled := queue.Item{
		Kind: queue.ItemMessage, Key: strings.Repeat("a", 64), Party: inbound.Party("line", account.ID, who.ID),
		Payload: []byte(`{"version":1,"text":"` + who.ID + `"}`), ReceivedAt: before,
	}
	got, err := g.backend.Accept(t.Context(), q, []queue.Item{spooled})
	if err != nil || got[0].Fate != queue.FateWithdrawn {
		t.Errorf("what was spooled: got %+v, %v; want it withdrawn", got, err)
	}
	g.await("all have ended", func(s queue.Stats) bool { return s.Waiting+s.InWork+s.Delayed == 0 })
	inspect := queuetest.Inspect(t, h.redis.Address())
	gatewaytest.Await(t, "nothing is left, and all of the other's is there", func() bool {
		return len(held(inspect, who.ID)) == 0 && h.attempts() == each/3
	})
	if list := held(inspect, consumer+"-words"); len(list) > 0 {
		t.Errorf("words are left at %v", list)
	}
	ledger := inspect.Ledger(q)
	fates := map[string]int{}
	for _, mark := range ledger.Marks {
		fates[mark]++
	}
	messages := 0
	for _, d := range ledger.Documents {
		if !strings.Contains(string(d.Text), string(queue.PhotoSettled)) { // of a photo that was late
			messages++
		}
	}
	if s := g.stats(); s.Unaccounted != 0 || messages != each || fates["done"]+fates["withdrawn"] != 2*each+1 || s.Dead != 0 {
		t.Errorf("got %+v, %d messages and %v; want %d, and each of %d events at its end", s, messages, fates, each, 2*each+1)
	}
	g.receive(say(consumer, each))
	g.await("she is somebody new", func(s queue.Stats) bool { return int(s.Delivered) == len(ledger.Documents)+1 })
}

// held lists the keys that hold a text.
func held(i *queuetest.Inspector, text string) (names []string) {
	for name, value := range i.Dump() {
		if strings.Contains(name+value, text) {
			names = append(names, name)
		}
	}
	return names
}

// attempts counts those of which there are pictures.
func (h *house) attempts() (n int) {
	h.t.Helper()
	if err := h.files.List(h.t.Context(), func(string, string, time.Duration) error { n++; return nil }); err != nil {
		h.t.Fatal(err)
	}
	return n
}
