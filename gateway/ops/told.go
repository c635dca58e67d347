package ops

import (
	"log/slog"

	"github.com/lightlock/lightlock/gateway/queue"
)

// Told counts and logs what a journal and its spool tell of themselves.
type Told struct {
	Metrics *Metrics
	Log     *slog.Logger
}

// Breach is for queue.Options.OnBreach.
func (t Told) Breach(b queue.Breach) {
	t.Metrics.Trouble("journal", "breach")
	t.Log.Error("journal invariant broken", "queue", b.Queue, "what", b.What, "ids", b.IDs)
}

// Newer is for queue.Options.OnNewer.
func (t Told) Newer(n queue.Newer) {
	t.Metrics.Trouble("work", "newer")
	t.Log.Warn("left for a newer gateway", "queue", n.Queue, "ids", n.IDs)
}

// Expired is for queue.Options.OnExpired.
func (t Told) Expired(e queue.Expired) {
	t.Metrics.LettersExpired(e.Queue, e.Why, e.Letters)
	t.Log.Warn("dead letters removed", "queue", e.Queue, "letters", e.Letters, "for their", e.Why)
}

// Prepared returns the error with which a backend could not be prepared, and says
// where the journal lies if there is none.
func (t Told) Prepared(b *queue.Backend, err error) error {
	switch {
	case err != nil:
	case b.Durability() == queue.Memory:
		t.Log.Warn("NOTHING IS KEPT: no Redis is configured and no redis-server is on PATH; messages die with this process")
	default:
		t.Log.Info("journal open", "durability", b.Durability(), "where", b.Description)
	}
	return err
}

// Spooled is for spool.Options.OnSpooled.
func (t Told) Spooled(queue string) { t.Metrics.Spooled(queue) }

// Broken is for spool.Options.OnBroken; the spool itself logs where it is.
func (t Told) Broken(string) { t.Metrics.Trouble("spool", "broken") }
