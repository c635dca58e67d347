package load

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/queue"
)

// Ledger is the sender's own account of what it was promised and of what it saw
// in the queue. Its methods may be called from many goroutines at once.
type Ledger struct {
	// Alone tells that nobody else reads the queue, so that nothing is taken out of
	// it. It is set before the first of its methods is called.
	Alone bool

	mu      sync.Mutex
	entries map[string]*entry // by the event's key
	photos  map[string]int    // by what became of them
	changed time.Time         // when the queue last brought something of ours
}

// entry is what is known of one event.
type entry struct {
	Event
	forged bool
	order  int       // of all entries
	sent   time.Time // for the first time
	acked  bool
	unsend *entry // what takes the message back, once that was sent
	about  *entry // the message that an edit or unsend is about
	queue  string

	found   int // documents in the queue, of the event itself
	took    time.Duration
	pending bool           // it was forwarded before its photos
	settled map[string]int // documents that followed with them, by their ids
	revived bool           // it came after its unsend
}

// NewLedger makes an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{entries: map[string]*entry{}, photos: map[string]int{}, changed: time.Now()}
}

// Sent notes that a call leaves now.
func (l *Ledger) Sent(c *Call, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(c)
	if !e.sent.IsZero() {
		return
	}
	e.sent = at
	if e.Kind == connectors.Unsend {
		e.about.unsend = e
	}
}

// entry returns what is known of a call's event. The lock is held.
func (l *Ledger) entry(c *Call) *entry {
	e := l.entries[c.Event.Key]
	if e == nil {
		e = &entry{Event: *c.Event, forged: c.Forged, order: len(l.entries), queue: c.Speaker.Queue()}
		l.entries[c.Event.Key] = e
		if c.Event.Of != nil {
			e.about = l.entry(&Call{Speaker: c.Speaker, Event: c.Event.Of})
		}
	}
	return e
}

// Answered notes the status of a call's answer. From a 2xx on the gateway owes;
// first tells that this is the first one for the call's event.
func (l *Ledger) Answered(c *Call, status int) (first bool) {
	if status < http.StatusOK || status >= http.StatusMultipleChoices {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(c)
	first = !e.acked
	e.acked = true
	return first
}

// document is what the ledger reads of the queue's documents.
type document struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Data struct {
		Message string `json:"message"`
		Photos  []struct {
			Status string `json:"status"`
			Reason string `json:"reason"`
		} `json:"photos"`
	} `json:"data"`
}

// photoSettled is the type of a document that follows a message with its photos.
const photoSettled = "lightlock.photo.settled"

// Found notes a document of the queue, and how long after the first call for it
// the reader had it; ours is false for those that this ledger knows nothing of,
// and for those that were found before.
func (l *Ledger) Found(raw []byte, at time.Time) (took time.Duration, ours bool, err error) {
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return 0, false, errors.New("a document in the queue does not parse")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if d.Type == photoSettled {
		if e := l.entries[d.Data.Message]; e != nil {
			if e.settled == nil {
				e.settled = map[string]int{}
			}
			e.settled[d.ID]++
			l.count(d)
			l.changed = at
		}
		return 0, false, nil
	}
	e := l.entries[d.ID]
	if e == nil {
		return 0, false, nil
	}
	l.changed = at
	e.found++
	if e.found > 1 {
		return 0, false, nil
	}
	e.took = at.Sub(e.sent)
	e.pending = l.count(d)
	e.revived = e.Kind == connectors.Message && e.unsend != nil && e.unsend.found > 0
	return e.took, true, nil
}

// count counts the verdicts on a document's photos, and tells whether one is
// still to come.
func (l *Ledger) count(d document) (pending bool) {
	for _, p := range d.Data.Photos {
		if p.Status == string(queue.Pending) {
			pending = true
			continue
		}
		verdict := p.Status
		if p.Reason != "" {
			verdict += " " + p.Reason
		}
		l.photos[verdict]++
	}
	return pending
}

// Photos counts the verdicts on photos so far: ready, or rejected and why.
func (l *Ledger) Photos() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.photos)
}

// owed tells whether the queue should still bring something for the event.
func (e *entry) owed() bool {
	switch {
	case !e.acked || e.forged:
		return false
	case e.found > 0:
		return e.pending && len(e.settled) == 0 && e.unsend == nil
	default:
		return !e.excused()
	}
}

// missing tells whether the event was accepted and is not in the queue, or its
// photos are not.
func (e *entry) missing() bool {
	return e.acked && !e.forged && (e.found == 0 || e.owed())
}

// excused tells whether an unsend may have kept the event from the queue. One
// that was sent and not answered may have been accepted all the same. The end of a
// conversation that is not open, or not yet, is the end of nothing.
func (e *entry) excused() bool {
	return e.unsend != nil || e.Kind == connectors.Edit && e.about.unsend != nil || e.Kind == connectors.Close
}

// Acked lists the events that were answered 2xx and not forged, in the order in
// which they were first sent.
func (l *Ledger) Acked() []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []Event
	for _, e := range l.sorted() {
		if e.acked && !e.forged {
			list = append(list, e.Event)
		}
	}
	return list
}

func (l *Ledger) sorted() []*entry {
	list := make([]*entry, 0, len(l.entries))
	for _, e := range l.entries {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b *entry) int { return a.order - b.order })
	return list
}

// WriteAcked writes the key of each event that was answered 2xx, one per line,
// to a new file, which is on the disk when it returns.
func (l *Ledger) WriteAcked(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for _, e := range l.Acked() {
		_, _ = io.WriteString(w, e.Key+"\n") // Flush tells
	}
	return errors.Join(w.Flush(), f.Sync(), f.Close())
}

// Outstanding is how many of those that were answered 2xx the queue still owes
// something, and when it last brought anything.
func (l *Ledger) Outstanding() (n int, since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		if e.owed() {
			n++
		}
	}
	return n, l.changed
}
