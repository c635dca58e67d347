package faults

import (
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/failpoint"
	"github.com/lightlock/lightlock/gateway/queue"
)

// TestOutgoing: a gateway is killed before and after it sends a notice, on every
// channel. The consumer gets it once at most, and it has a result: sent where the
// platform recognises a repeat, so that it could be asked again, else unknown.
func TestOutgoing(t *testing.T) {
	// LINE's comes last: the next gateway sends it again, and would be killed over it.
	for point, channels := range map[failpoint.Point][]string{
		failpoint.BeforeSend: {"viber", "line"}, failpoint.AfterSend: {"apple", "messenger", "twilio", "twitter", "viber", "whatsapp", "line"},
	} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for _, channel := range channels {
				g := w.start(fault(at(point, "kill")))
				// Too old for LINE's reply token, which would answer once and could not be asked about.
				m := message{channel: channel, id: "a", consumer: "ana", pictures: []string{"document"}, at: time.Now().Add(-2 * time.Minute)}
				c := w.say(m)[0]
				w.deliver(c)
				g.awaitDeath()
			}
			w.start()
			w.settle()
			for key, s := range w.said {
				sent := len(w.platforms[s.channel].Sent())
				result, _, err := w.journal.Told(t.Context(), testQueue, digest("notice", key))
				t.Logf("%s: %d sent, %s", s.channel, sent, result)
				known := result == queue.ResultUnknown
				if s.channel == "line" { // which recognises a repeat by its key
					known = result == queue.ResultSent && sent == 1
				}
				if err != nil || sent > 1 || point == failpoint.AfterSend && sent != 1 || !known {
					t.Errorf("%s: the consumer has %d messages, and the result is %q, %v", s.channel, sent, result, err)
				}
			}
		})
	}
}
