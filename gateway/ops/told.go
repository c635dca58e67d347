package ops

import (
	"log/slog"

	"github.com/lightlock/lightlock/gateway/queue"
)

// Told counts and logs what a journal tells of itself.
type Told struct {
	Metrics *Metrics
	Log     *slog.Logger
}

// Breach is for queue.Options.OnBreach.
func (t Told) Breach(b queue.Breach) {
	t.Metrics.Trouble("journal", "breach")
	t.Log.Error("journal invariant broken", "queue", b.Queue, "what", b.What, "ids", b.IDs)
}

// Expired is for queue.Options.OnExpired.
func (t Told) Expired(e queue.Expired) {
	t.Metrics.LettersExpired(e.Queue, e.Why, e.Letters)
	t.Log.Warn("dead letters removed", "queue", e.Queue, "letters", e.Letters, "for their", e.Why)
}
