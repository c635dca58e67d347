package load

import (
	"context"
	"slices"

	"github.com/lightlock/lightlock/gateway/queue"
)

// Balance is the law by which a gateway is judged: each event that was answered
// 2xx is in exactly one of Delivered, Withdrawn, Waiting, Taken, Dead and Lost.
type Balance struct {
	// Accepted is how many different events were answered 2xx.
	Accepted int `json:"accepted"`
	// Delivered ones were seen in the queue, Withdrawn ones kept from it by an
	// unsend, and Waiting ones are in the journal still.
	Delivered int `json:"delivered"`
	Withdrawn int `json:"withdrawn"`
	Waiting   int `json:"waiting"`
	// Taken ones were in the queue, by the journal's word, and deleted by its
	// readers before they were seen here. Where nobody else reads they are lost.
	Taken int `json:"taken"`
	// Dead ones were kept as dead letters and no more.
	Dead int `json:"dead"`
	// Unsettled is how many of the delivered ones wait for their photos still.
	Unsettled int `json:"unsettled"`

	// Lost are the keys of events of which nothing is left, or of which the
	// photos never came.
	Lost []string `json:"lost"`
	// Doubled are those that are in the queue more than once.
	Doubled []string `json:"doubled"`
	// Forged are those that were accepted or are in the queue though no platform
	// signed them.
	Forged []string `json:"forged"`
	// Revived are messages that came after their own unsend.
	Revived []string `json:"revived"`
}

// Good tells that nothing was lost, doubled, revived or taken from a forger.
func (b Balance) Good() bool {
	return len(b.Lost)+len(b.Doubled)+len(b.Forged)+len(b.Revived) == 0
}

// Recall asks a journal what it remembers of events; *queue.Journal does.
type Recall func(ctx context.Context, queue string, keys []string) ([]queue.Fate, error)

// Balance draws up the account. What was not seen in the queue is asked for; with
// a nil recall nobody can be, and nothing is judged but what was seen. What is seen
// while it asks counts as seen.
func (l *Ledger) Balance(ctx context.Context, recall Recall) (Balance, error) {
	fates, err := l.recall(ctx, recall)
	l.mu.Lock()
	defer l.mu.Unlock()
	b := Balance{Lost: []string{}, Doubled: []string{}, Forged: []string{}, Revived: []string{}}
	for _, e := range l.sorted() {
		b.judge(e)
		if fate, asked := fates[e.Key]; asked && e.missing() {
			b.place(e, fate, l.Alone)
		}
	}
	slices.Sort(b.Lost)
	return b, err
}

// recall asks for all events of which something was not seen.
func (l *Ledger) recall(ctx context.Context, recall Recall) (map[string]queue.Fate, error) {
	if recall == nil {
		return nil, nil
	}
	unseen := map[string][]string{} // keys by queue
	l.mu.Lock()
	for _, e := range l.sorted() {
		if e.missing() {
			unseen[e.queue] = append(unseen[e.queue], e.Key)
		}
	}
	l.mu.Unlock()
	fates := map[string]queue.Fate{}
	for name, keys := range unseen {
		told, err := recall(ctx, name, keys)
		if err != nil {
			return nil, err // a part of the answer would make a wrong sum
		}
		for i, key := range keys {
			fates[key] = told[i]
		}
	}
	return fates, nil
}

// judge counts what needs no question.
func (b *Balance) judge(e *entry) {
	if e.forged {
		if e.acked || e.found > 0 {
			b.Forged = append(b.Forged, e.Key)
		}
		return
	}
	doubled := e.found > 1
	for _, n := range e.settled { // one for each time that a dead letter was given another try
		doubled = doubled || n > 1
	}
	if doubled {
		b.Doubled = append(b.Doubled, e.Key)
	}
	if e.revived {
		b.Revived = append(b.Revived, e.Key)
	}
	if !e.acked {
		return
	}
	b.Accepted++
	if e.found > 0 {
		b.Delivered++
	}
}

// place counts an event that was accepted and is not in the queue, or whose
// photos are not, by the journal's word for it. alone tells that nobody else reads
// the queue: then only an unsend takes a document out of it.
func (b *Balance) place(e *entry, fate queue.Fate, alone bool) {
	switch {
	case e.found > 0 && fate == queue.FateAccepted:
		b.Unsettled++
	case e.found > 0:
		b.Delivered--
		b.Lost = append(b.Lost, e.Key)
	case fate == queue.FateAccepted:
		b.Waiting++
	case fate == queue.FateDone && !alone:
		b.Taken++
	case fate == queue.FateBuried:
		b.Dead++
	case (fate == queue.FateWithdrawn || fate == queue.FateVoid || fate == queue.FateDone) && e.excused():
		b.Withdrawn++
	default:
		b.Lost = append(b.Lost, e.Key)
	}
}
