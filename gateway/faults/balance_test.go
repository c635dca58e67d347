package faults

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"io/fs"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/gateway/store"
)

// document is what agents' software reads of an entry.
type document struct {
	ID, Type string
	Data     struct {
		Conversation string
		Message      string
		Seq          int64
		Late         bool
		Text         string
		Photos       []queue.Photo
	}
}

// balance counts the events of a queue by their keys.
type balance struct {
	accepted, acked                int
	delivered, withdrawn, void     int
	dead, waiting, inWork, delayed int
	spooled                        int // and nowhere else
	failover                       int // acknowledged by a primary that was lost with them
	documents, pictures            int
}

func (b balance) String() string {
	window := ""
	if b.failover > 0 {
		window = fmt.Sprintf("; %d gone with their primary", b.failover)
	}
	return fmt.Sprintf("accepted %d (answered 2xx: %d) = delivered %d + withdrawn %d + void %d + dead %d + waiting %d + in work %d + delayed %d + spooled %d; "+
		"documents %d, pictures %d%s", b.accepted, b.acked, b.delivered, b.withdrawn, b.void, b.dead, b.waiting, b.inWork, b.delayed, b.spooled, b.documents, b.pictures, window)
}

// settle waits until everything is done, and then checks the law.
func (w *world) settle() balance {
	w.t.Helper()
	w.idle()
	return w.check()
}

// audit is one reading of the books.
type audit struct {
	w      *world
	ledger queuetest.Ledger
	// found are the documents by the event that they are of.
	found map[string][]document
	// words are the documents in the order of the queue.
	words []document
	// unsent are the messages that were taken back by an event that is accepted, and
	// closed the conversations that are told to be over.
	unsent, closed map[string]bool
	balance
}

// check reads the books and complains about all that is not as promised. Nobody
// may be at work meanwhile.
func (w *world) check() balance {
	w.t.Helper()
	a := w.audit()
	for _, key := range a.ledger.Keys() {
		a.count(key)
	}
	spooled := map[string]bool{}
	for _, key := range w.spooled() {
		if a.ledger.Marks[key] == "" && len(a.ledger.Places[key]) == 0 && !spooled[key] {
			spooled[key] = true
			a.accepted++
			a.spooled++
		}
	}
	w.mu.Lock()
	for _, key := range slices.Sorted(maps.Keys(w.acked)) {
		a.acked++
		if a.ledger.Marks[key] == "" && len(a.ledger.Places[key]) == 0 && !spooled[key] {
			if w.acked[key].After(w.window[0]) && w.acked[key].Before(w.window[1]) {
				a.failover++ // the one loss that is not promised against
				continue
			}
			w.t.Errorf("LOST: %s was answered 2xx and is nowhere", a.name(key))
		}
	}
	w.mu.Unlock()
	a.conversations()
	a.compare() // starts a gateway where it needs one, which goes on with what waits
	a.blobs()
	w.t.Logf("balance: %v", a.balance)
	return a.balance
}

// audit reads the books.
func (w *world) audit() *audit {
	w.t.Helper()
	a := &audit{w: w, ledger: w.inspector.Ledger(testQueue), found: map[string][]document{}, unsent: map[string]bool{}, closed: map[string]bool{}}
	a.ledger.Documents = append(slices.Clone(w.read), a.ledger.Documents...)
	a.read()
	return a
}

// name is an event in words, for a person who has to find out what happened.
func (a *audit) name(key string) string {
	s, known := a.w.said[key]
	if !known {
		return "event " + key + ", which nobody said,"
	}
	return fmt.Sprintf("%s %s %s", s.channel, s.kind, key[:12])
}

// read sorts the documents by their events, of which each has one at most, or
// more where its photos came later.
func (a *audit) read() {
	a.w.t.Helper()
	a.documents = len(a.ledger.Documents)
	for _, entry := range a.ledger.Documents {
		queuetest.CheckDocument(a.w.t, entry.Text)
		var d document
		if err := json.Unmarshal(entry.Text, &d); err != nil {
			a.w.t.Error(err)
		}
		key, _, _ := strings.Cut(d.ID, ".settled") // a number follows if it is about a letter's next try
		for _, other := range a.found[key] {
			if other.ID == d.ID {
				a.w.t.Errorf("DOUBLE: %s is twice in the agents' queue", a.name(key))
			}
		}
		a.found[key] = append(a.found[key], d)
		a.words = append(a.words, d)
	}
	for key, s := range a.w.said {
		if s.kind == connectors.Unsend && a.ledger.Marks[key] != "" {
			a.unsent[s.message] = true
		}
	}
}

// count puts an event into one column, and complains if there is none or if
// there are two.
func (a *audit) count(key string) {
	a.w.t.Helper()
	a.accepted++
	places, mark := a.ledger.Places[key], a.ledger.Marks[key]
	if len(places) > 1 {
		a.w.t.Errorf("DOUBLE: %s is in %v at once", a.name(key), places)
	}
	if len(places) == 1 && len(a.found[key]) > 0 && places[0] != queuetest.Dead && !a.told(key) {
		a.w.t.Errorf("DOUBLE: %s is delivered, and still %s", a.name(key), places[0])
	}
	switch {
	case len(places) > 0:
		*map[queuetest.Place]*int{
			queuetest.Waiting: &a.waiting, queuetest.InWork: &a.inWork, queuetest.Delayed: &a.delayed, queuetest.Dead: &a.dead,
		}[places[0]]++
	case len(a.found[key]) > 0:
		a.delivered++
	case mark == "withdrawn", mark == "done" && a.unsent[a.w.said[key].message]:
		a.withdrawn++
	case mark == "void":
		a.void++
	default:
		a.w.t.Errorf("LOST: %s was accepted and is nowhere; its mark says %q", a.name(key), mark)
	}
}

// told tells whether agents know of a message whose photos are not settled yet.
func (a *audit) told(key string) bool {
	return len(a.found[key]) == 1 && slices.ContainsFunc(a.found[key][0].Data.Photos, func(p queue.Photo) bool { return p.Status == queue.Pending })
}

// compare wants each document to say what its consumer said, and what a run
// without faults says of the pictures.
func (a *audit) compare() {
	a.w.t.Helper()
	for _, key := range slices.Sorted(maps.Keys(a.found)) {
		said, known := a.w.said[key]
		if !known {
			a.w.t.Errorf("%s is in the agents' queue", a.name(key))
			continue
		}
		spoken := said.kind == connectors.Message || said.kind == connectors.Edit
		if !spoken || len(a.ledger.Places[key]) > 0 {
			continue // a dead letter's photos are as they are
		}
		if a.unsent[said.message] {
			a.w.t.Errorf("UNSENT: %s is in the agents' queue", a.name(key))
		}
		if got, want := a.w.outcome(a.found[key]), a.w.expected(key, said); got != want {
			a.w.t.Errorf("%s: got %s, want %s as in a run without faults", a.name(key), got, want)
		}
	}
}

// expected is what a run without faults says of a message: that of the whole
// world if there was one, else one of each picture.
func (w *world) expected(key string, s said) string {
	if text, ok := w.differs[key]; ok {
		return text
	}
	if w.unharmed != nil {
		return w.unharmed[key]
	}
	text := s.text
	for _, name := range s.pictures {
		text += " | " + verdicts(w.t)[name]
	}
	return text
}

// verdicts are what becomes of each picture where nothing goes wrong.
func verdicts(t testing.TB) map[string]string {
	t.Helper()
	reference.once.Do(func() {
		w, found := newWorld(t), map[string]string{}
		g := w.start()
		names := slices.Sorted(maps.Keys(pictures()))
		for _, name := range names {
			g.accepts(w.say(message{channel: "line", id: name, consumer: name, pictures: []string{name}})...)
		}
		w.idle()
		a := w.audit()
		for key, s := range w.said {
			found[s.pictures[0]] = strings.TrimPrefix(w.outcome(a.found[key]), " | ")
		}
		reference.verdicts = found
	})
	return reference.verdicts
}

var reference struct {
	once     sync.Once
	verdicts map[string]string
}

// outcome is what the documents of one event say in the end, with the pixels of
// its pictures.
func (w *world) outcome(documents []document) string {
	w.t.Helper()
	settled := map[string]queue.Photo{}
	for _, d := range documents {
		if d.Type == "lightlock.photo.settled" {
			for _, p := range d.Data.Photos {
				settled[p.ID] = p
			}
		}
	}
	text := ""
	for _, d := range documents {
		if d.Type == "lightlock.photo.settled" {
			continue
		}
		text += d.Data.Text
		for _, p := range d.Data.Photos {
			if later, ok := settled[p.ID]; ok && p.Status != queue.Ready {
				p = later
			}
			text += " | " + w.verdict(p)
		}
	}
	return text
}

// verdict is what became of a photo, with the pixels of its pictures.
func (w *world) verdict(p queue.Photo) string {
	w.t.Helper()
	text := fmt.Sprintf("%s %s %v", p.Status, p.Reason, p.Damaged)
	if p.Status != queue.Ready {
		return text
	}
	for _, picture := range []*queue.Picture{p.Preview, p.Thumbnail} {
		if picture == nil {
			return text + " without pictures"
		}
		text += " " + w.pixels(picture.Href)
	}
	return text
}

// pixels fetches a picture as agents' software does, and returns a name for what
// is to be seen on it.
func (w *world) pixels(href string) string {
	w.t.Helper()
	g := w.alive()
	status, body := g.get(href)
	if status != http.StatusOK {
		return fmt.Sprintf("answered %d", status)
	}
	sum := sha256.Sum256([]byte(body))
	if known, ok := seen.Load(sum); ok {
		return known.(string)
	}
	img, err := jpeg.Decode(strings.NewReader(body))
	if err != nil || strings.Contains(body, canary) {
		return fmt.Sprintf("not clean: %v", err)
	}
	h := sha256.New()
	bounds := img.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			h.Write([]byte{byte(r >> 8), byte(g >> 8), byte(b >> 8)})
		}
	}
	name := fmt.Sprintf("%v %x", bounds.Size(), h.Sum(nil)[:6])
	seen.Store(sum, name)
	return name
}

// seen are the names of pictures by the digests of their files.
var seen sync.Map

// alive returns a gateway that answers, started anew if need be.
func (w *world) alive() *gateway {
	w.t.Helper()
	w.mu.Lock()
	for _, g := range w.gateways {
		if g.listens() != "" && !g.dead() && !g.stopped() {
			w.mu.Unlock()
			return g
		}
	}
	w.mu.Unlock()
	return w.start()
}

// blobs wants every picture in the store to be named by a document, at last: what
// was left behind by those who died is swept.
func (a *audit) blobs() {
	a.w.t.Helper()
	named := map[string]bool{}
	for _, documents := range a.found {
		for _, d := range documents {
			for _, p := range d.Data.Photos {
				if p.Status != queue.Ready || p.Preview == nil {
					continue
				}
				id := strings.TrimSuffix(strings.TrimPrefix(p.Preview.Href, "/v1/photos/"), "/preview")
				if key, err := store.ParsePhotoID(id); err != nil {
					a.w.t.Errorf("a picture is called %q: %v", id, err)
				} else {
					named[key.Attempt] = true
				}
				a.pictures++
			}
		}
	}
	var orphans []string
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		orphans = slices.DeleteFunc(a.w.stored(), func(attempt string) bool { return named[attempt] })
		if len(orphans) == 0 || time.Now().After(deadline) {
			break
		}
		a.w.alive() // somebody has to sweep
	}
	if len(orphans) > 0 {
		a.w.t.Errorf("ORPHANS: nothing names the pictures of the attempts %v", orphans)
	}
}

// stored are the attempts of which there are pictures in the store.
func (w *world) stored() []string {
	w.t.Helper()
	found := map[string]bool{}
	_ = filepath.WalkDir(filepath.Join(w.photos, testQueue), func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.ContainsRune(filepath.Base(path), '.') {
			found[filepath.Base(filepath.Dir(path))] = true
		}
		return nil // a folder may go while we look
	})
	return slices.Sorted(maps.Keys(found))
}
