package cli

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/load"
)

// shownKeys is how many keys of what went wrong are printed; --json has all.
const shownKeys = 5

// printLoad prints what a plan has shown: times, processes, and the balance.
func printLoad(s stream, r *load.Report) error {
	if err := timesTable(r).print(s); err != nil {
		return err
	}
	if r.Use[0].Bytes > 0 {
		fmt.Fprintln(s)
		if err := useTable(r).print(s); err != nil {
			return err
		}
	}
	fmt.Fprintln(s)
	for _, sentence := range sentences(r) {
		if _, err := fmt.Fprintln(s, sentence); err != nil {
			return err
		}
	}
	return nil
}

func timesTable(r *load.Report) table {
	t := table{figures: true, head: []string{" ", "WHAT", "CALLS", "PER SECOND", "P50 MS", "P95 MS", "P99 MS", "MAX MS"}}
	perSecond := strconv.FormatFloat(r.PerSecond, 'f', 0, 64)
	t.rows = append(t.rows, latencyRow(markReady, "accepted", perSecond, r.Accepted))
	if r.Refused.Count > 0 {
		t.rows = append(t.rows, latencyRow(markReady, "forged, refused", "", r.Refused))
	}
	for _, status := range slices.Sorted(maps.Keys(r.Answers)) {
		n, name := int64(r.Answers[status]), "answered "+status
		switch {
		case strings.HasPrefix(status, "2"):
			continue
		case status == "401":
			n -= r.Refused.Count
		case status == "none":
			name = "not answered"
		}
		if n > 0 {
			t.rows = append(t.rows, []string{markNot, name, strconv.FormatInt(n, 10), "", "", "", "", ""})
		}
	}
	if r.ToQueue.Count > 0 {
		t.rows = append(t.rows, latencyRow(markReady, "call to queue", "", r.ToQueue))
	}
	return t
}

func latencyRow(mark, what, perSecond string, l load.Latency) []string {
	row := []string{mark, what, strconv.FormatInt(l.Count, 10), perSecond}
	for _, ms := range []float64{l.P50, l.P95, l.P99, l.Max} {
		row = append(row, strconv.FormatFloat(ms, 'f', 1, 64))
	}
	return row
}

// useTable shows what each process took. The darkroom's children are not among
// them: each lives for one photo.
func useTable(r *load.Report) table {
	t := table{figures: true, head: []string{" ", "PROCESS", "µS PER CALL", "MB IDLE", "MB AT THE END"}}
	mega := func(n int64) string { return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) }
	for _, u := range r.Use {
		t.rows = append(t.rows, []string{" ", u.Process, strconv.FormatFloat(u.Microseconds, 'f', 1, 64), mega(u.Idle), mega(u.Bytes)})
	}
	return t
}

// sentences say what the tables cannot, and how the balance stands.
func sentences(r *load.Report) []string {
	var list []string
	calls := 0
	for _, n := range r.Answers {
		calls += n
	}
	list = append(list, fmt.Sprintf("%d calls in %.1f s over %s; %s among the accepted ones",
		calls, r.Seconds, count(r.Connections, "connection"), count(r.Repeats, "duplicate")))
	list = append(list, acceptedText(r)...)
	var verdicts []string
	for _, verdict := range slices.Sorted(maps.Keys(r.Photos)) {
		verdicts = append(verdicts, fmt.Sprintf("%d %s", r.Photos[verdict], verdict))
	}
	if len(verdicts) > 0 {
		list = append(list, "photos: "+strings.Join(verdicts, ", "))
	}
	list = append(list, r.Notes...)
	list = append(list, refusedText(r)...)
	list = append(list, balanceText(r)...)
	list = append(list, wrongs(r.Balance)...)
	switch {
	case r.Uncompared != "":
		list = append(list, markNot+" the queue could not be compared, so nothing is known of the others: "+visible(r.Uncompared))
	case r.Balance.Good():
		list = append(list, "nothing lost, nothing doubled, nothing forged")
	}
	return list
}

// acceptedText says of what the accepted calls told, where not each was a new
// message.
func acceptedText(r *load.Report) []string {
	kinds := []connectors.Kind{connectors.Message, connectors.Edit, connectors.Unsend, connectors.Close}
	var parts []string
	forged := int(r.Accepted.Count) - r.Repeats
	for _, kind := range kinds {
		if n := r.Events[string(kind)]; n > 0 {
			parts = append(parts, count(n, string(kind)))
			forged -= n
		}
	}
	if r.Repeats > 0 {
		parts = append(parts, count(r.Repeats, "duplicate"))
	}
	if forged > 0 {
		parts = append(parts, strconv.Itoa(forged)+" forged")
	}
	if len(parts) < 2 {
		return nil
	}
	return []string{fmt.Sprintf("%d calls accepted = %s", r.Accepted.Count, strings.Join(parts, " + "))}
}

// refusedText says why calls that came to nothing are no loss.
func refusedText(r *load.Report) []string {
	n := 0
	for status, calls := range r.Answers {
		if status == "none" || status == "429" || strings.HasPrefix(status, "5") {
			n += calls
		}
	}
	if n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s not answered, or put off: nothing was promised for what they told, and a platform would repeat them", count(n, "call"))}
}

func balanceText(r *load.Report) []string {
	b := r.Balance
	if r.Uncompared != "" {
		return []string{fmt.Sprintf("%d events accepted, %d of them seen in the queue", b.Accepted, b.Delivered)}
	}
	text := fmt.Sprintf("%d events accepted = %d delivered", b.Accepted, b.Delivered)
	for _, part := range []struct {
		n    int
		what string
	}{
		{b.Withdrawn, "withdrawn"}, {b.Waiting, "waiting"}, {b.Taken, "taken by readers"}, {b.Dead, "dead letters"},
		{len(b.Lost), "LOST"},
	} {
		if part.n > 0 {
			text += fmt.Sprintf(" + %d %s", part.n, part.what)
		}
	}
	list := []string{text}
	if b.Unsettled > 0 {
		list = append(list, fmt.Sprintf("%s without their photos so far", count(b.Unsettled, "message")))
	}
	return list
}

// wrongs are the broken promises, with some of the keys to look for.
func wrongs(b load.Balance) (list []string) {
	for _, wrong := range []struct {
		what string
		keys []string
	}{
		{"lost", b.Lost}, {"in the queue more than once", b.Doubled},
		{"forged and taken all the same", b.Forged}, {"in the queue after being taken back", b.Revived},
	} {
		if n := len(wrong.keys); n > 0 {
			list = append(list, fmt.Sprintf("%s %d %s: %s", markNot, n, wrong.what, strings.Join(wrong.keys[:min(n, shownKeys)], " ")))
		}
	}
	return list
}
