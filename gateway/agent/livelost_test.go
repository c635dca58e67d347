package agent_test

import (
	"testing"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// Changes that are lost while somebody listens, or trimmed before they come back, are
// not left out in silence: a reset comes before what follows.
func TestWhatIsLostIsToldByAReset(t *testing.T) {
	for name, lose := range map[string]func(*house, *queuetest.Inspector){
		// The place of who listens is then ahead of the newest change.
		"all, and it is noticed at once": func(h *house, i *queuetest.Inspector) {
			i.Tamper(support, "DEL", "changes")
			gatewaytest.Await(h, "the loss is noticed", func() bool { return h.api.Told(support) == "0-0" })
		},
		"all, with a new one behind": func(_ *house, i *queuetest.Inspector) { i.Tamper(support, "DEL", "changes") },
		"those not read yet": func(h *house, i *queuetest.Inspector) {
			i.Tamper(support, "DEL", "changes") // as trimming does, when nobody keeps up
			h.wait("unread")
			i.Tamper(support, "XTRIM", "changes", "MAXLEN", 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			inspect := queuetest.Inspect(t, h.redis.Address())
			h.wait("first")
			e := h.listen(benToken, "")
			h.wait("seen")
			seen := e.until("message", containing("seen"))
			lose(h, inspect)
			h.wait("new")
			got := e.next()
			if got.name != "reset" || got.data != `{"reason":"too_old"}` || got.id == seen.id {
				t.Fatalf("got %+v, want a reset", got)
			}
			// What is before its place is read anew, and what follows is told.
			h.wait("newer")
			e.until("message", containing("newer"))
			// Whoever asks for what was trimmed is told so, too.
			if got := h.listen(benToken, "?since="+seen.id).next(); got.name != "reset" {
				t.Errorf("from before the loss: got %+v, want a reset", got)
			}
		})
	}
}
