package load

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
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
	// Repeats are those of the accepted ones that were duplicates.
	Repeats int `json:"duplicates"`
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
	// Use is what each process took that runs on this machine.
	Use []Use `json:"use"`
	// Notes are sentences about what these figures do not show.
	Notes []string `json:"notes"`
}

func (r *run) report(ctx context.Context, took time.Duration, use []Use) (*Report, error) {
	t := r.timing.calls
	out := &Report{
		Seconds: took.Seconds(), Connections: r.Connections,
		Accepted: latencyOf(t.accepted), Refused: latencyOf(t.refused), Repeats: t.repeats,
		Answers: map[string]int{}, Photos: r.ledger.Photos(), Notes: append([]string{}, r.target.Notes...),
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
	return out, r.judge(ctx, out)
}

// judge draws up the balance. Without the queue nothing is known but answers.
func (r *run) judge(ctx context.Context, out *Report) (err error) {
	var recall Recall
	if r.target.Journal != nil {
		recall = r.recall
	}
	out.Balance, err = r.ledger.Balance(ctx, recall)
	return err
}

// recall asks the journal, and then reads on where nobody else does: what it calls
// done may have reached the queue behind our reader's back, as where a run was
// interrupted.
func (r *run) recall(ctx context.Context, name string, keys []string) ([]queue.Fate, error) {
	fates, err := r.target.Journal.Recall(ctx, name, keys)
	for begun := time.Now(); err == nil && r.target.Alone && time.Since(begun) < readWithin && !r.hasRead(ctx, name); {
		until(ctx, time.Now().Add(look))
	}
	return fates, err
}
