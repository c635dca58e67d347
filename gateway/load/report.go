package load

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/retry"
)

// Report is what a plan has shown.
type Report struct {
	// Seconds is from the first call to the last answer, Connections over how
	// many.
	Seconds     float64 `json:"seconds"`
	Connections int     `json:"connections"`
	// PerSecond is how many calls were accepted in a second, Accepted how long
	// they took. At a rate it is counted from when a call was due.
	PerSecond float64 `json:"accepted_per_second"`
	Accepted  Latency `json:"accepted"`
	// Repeats are those of the accepted ones whose event had been accepted before,
	// and Events counts the events behind the others by their kind.
	Repeats int            `json:"duplicates"`
	Events  map[string]int `json:"events"`
	// Refused are the forged calls that were answered 401, as they should be.
	Refused Latency `json:"forged_refused"`
	// Answers counts the calls by the answer's status; none is no answer.
	Answers map[string]int `json:"answers"`
	// ToQueue is the time from the first call for an event until a reader of the
	// queue had its document.
	ToQueue Latency `json:"to_queue"`
	// Photos counts the verdicts.
	Photos  map[string]int `json:"photos"`
	Balance Balance        `json:"balance"`
	// Uncompared is why the queue could not be compared, or empty. If it is not, the
	// balance tells what was seen, and nothing of what became of the rest.
	Uncompared string `json:"uncompared,omitempty"`
	// Use is what each process took that runs on this machine.
	Use []Use `json:"use"`
	// Notes are sentences about what these figures do not show.
	Notes []string `json:"notes"`
}

func (r *run) report(ctx context.Context, took time.Duration, use []Use) *Report {
	t := r.timing.calls
	out := &Report{
		Seconds: took.Seconds(), Connections: r.Connections,
		Accepted: latencyOf(t.accepted), Refused: latencyOf(t.refused), Repeats: t.repeats,
		Answers: map[string]int{}, Events: map[string]int{}, Photos: r.ledger.Photos(), Notes: append([]string{}, r.target.Notes...),
	}
	for _, e := range r.ledger.Acked() {
		out.Events[string(e.Kind)]++
	}
	out.PerSecond = float64(out.Accepted.Count) / max(took.Seconds(), 0.001)
	calls := 0
	for status, n := range t.answers {
		name := "none"
		if status > 0 {
			name = strconv.Itoa(status)
		}
		out.Answers[name] = n
		calls += n
	}
	r.timing.mu.Lock()
	out.ToQueue = latencyOf(r.timing.queue)
	r.timing.mu.Unlock()
	for _, u := range use {
		out.Use = append(out.Use, u.per(calls))
	}
	if n := r.starved.Load(); n*100 > int64(calls) {
		out.Notes = append(out.Notes, fmt.Sprintf("%d of %d calls were not ready in time: this tool was the slowest part", n, calls))
	}
	r.judge(ctx, out)
	return out
}

// judge draws up the balance. Without the queue nothing is known but answers, and
// what was seen of it before it could not be read any more.
func (r *run) judge(ctx context.Context, out *Report) {
	var recall Recall
	err := r.readers.failed()
	switch {
	case err != nil:
	case r.target.Journal == nil:
		err = errors.New("it is not within reach")
	default:
		recall = r.recall
	}
	balance, unasked := r.ledger.Balance(ctx, recall)
	if err = errors.Join(err, unasked); err != nil {
		out.Uncompared = err.Error()
	}
	out.Balance = balance
}

// recall asks the journal, again while Redis is away, and then reads on where
// nobody else does: what it calls done may have reached the queue behind our
// reader's back, as where a run was interrupted.
func (r *run) recall(ctx context.Context, name string, keys []string) (fates []queue.Fate, err error) {
	patience := r.patience()
	if least := time.Now().Add(min(r.Wait, readWithin)); patience.Before(least) {
		patience = least // the queue may have used it up
	}
	patient, cancel := context.WithDeadline(ctx, patience)
	defer cancel()
	ctx = context.WithoutCancel(ctx) // an interrupted run is judged as well
	err = retry.While(patient, queue.MayPass, look, func() (err error) {
		fates, err = r.target.Journal.Recall(ctx, name, keys)
		return err
	})
	for begun := time.Now(); err == nil && r.target.Alone && time.Since(begun) < readWithin; {
		if read, _ := r.hasRead(ctx, name); read {
			break
		}
		until(ctx, time.Now().Add(look))
	}
	return fates, err
}
