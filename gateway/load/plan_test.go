package load_test

import (
	"testing"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/load"
)

// told is what a plan's call tells, without what is new with every run.
type told struct {
	speaker, key   string
	kind           connectors.Kind
	forged, repeat bool
	text, of       string
	photos, photo  int
}

func tell(t *testing.T, p load.Plan, speakers []*load.Speaker, most int) []told {
	t.Helper()
	var list []told
	for call, err := range p.Calls(speakers) {
		if err != nil {
			t.Fatal(err)
		}
		e := call.Event
		entry := told{
			speaker: call.Speaker.Name(), key: e.Key, kind: e.Kind, forged: call.Forged, repeat: call.Repeat,
			text: e.Text, photos: e.Photos, photo: e.Photo,
		}
		if e.Of != nil {
			entry.of = e.Of.Key
		}
		if list = append(list, entry); len(list) == most {
			break
		}
	}
	return list
}

// TestPlan: on every channel, everything that a platform has happens about as
// often as it should, and each thing about a message that was told before.
func TestPlan(t *testing.T) {
	t.Parallel()
	all := speakers(t, channels()...)
	const n = 1050
	counts, known := map[string]map[string]int{}, map[string]connectors.Kind{}
	for _, s := range all {
		counts[s.Name()] = map[string]int{}
	}
	for _, c := range tell(t, everything(t, n), all, -1) {
		what := string(c.kind)
		switch {
		case c.forged:
			what = "forged"
		case c.repeat:
			what = "repeat"
			if known[c.key] != c.kind {
				t.Errorf("a repeat of %q, a %s that was not told", c.key, c.kind)
			}
		case known[c.key] != "":
			t.Errorf("%q is told twice as new", c.key)
		case c.of != "" && known[c.of] != connectors.Message:
			t.Errorf("a %s of what is no message", c.kind)
		case c.of == "" && c.kind != connectors.Message && c.kind != connectors.Close:
			t.Errorf("a %s of nothing", c.kind)
		}
		if !c.forged {
			known[c.key] = c.kind
		}
		counts[c.speaker][what]++
		if c.photos > 0 && !c.forged && !c.repeat {
			counts[c.speaker]["photo"]++
		}
		if c.photos > 1 && !c.forged && !c.repeat {
			counts[c.speaker]["album"]++
		}
		if c.kind == connectors.Message && c.photos == 0 && c.text == "" {
			t.Errorf("%s: a message without anything in it", c.speaker)
		}
	}
	for _, s := range all {
		got := counts[s.Name()]
		for what, share := range map[string]float64{"message": 1, "photo": 0.3, "forged": 0.1, "repeat": 0.2} {
			want := share * n / 7
			if float64(got[what]) < want/3 || float64(got[what]) > want*3 {
				t.Errorf("%s: %d %s, want about %.0f", s.Name(), got[what], what, want)
			}
		}
	}
	for name, kinds := range map[string][]string{
		"line/load": {"unsend"}, "messenger/load": {"unsend", "edit", "album"}, "whatsapp/load": {"unsend", "edit"},
		"apple/load": {"close", "album"}, "twilio/load": {"album"},
	} {
		for _, kind := range kinds {
			if counts[name][kind] < 4 {
				t.Errorf("%s: %d %s, want about 15", name, counts[name][kind], kind)
			}
		}
	}
}

// TestPlanComesOutTheSame with the same seed and name, and else not.
func TestPlanComesOutTheSame(t *testing.T) {
	t.Parallel()
	all := speakers(t, channels()...)
	plan := everything(t, 0)
	first := tell(t, plan, all, 200)
	for i, c := range tell(t, plan, all, 200) {
		if c != first[i] {
			t.Fatalf("call %d is %+v and was %+v", i, c, first[i])
		}
	}
	plan.Seed++
	changed := 0
	for i, c := range tell(t, plan, all, 200) {
		if c != first[i] {
			changed++
		}
	}
	if changed < 50 {
		t.Errorf("another seed changes %d of 200 calls", changed)
	}
	plan.Name += " again"
	keys := map[string]bool{}
	for _, c := range first {
		keys[c.key] = true
	}
	for _, c := range tell(t, plan, all, 200) {
		if keys[c.key] {
			t.Fatalf("a plan of another name says the same message: %+v", c)
		}
	}
}
